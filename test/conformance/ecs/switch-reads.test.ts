// Which switches the service reads while it answers, as test:switches wants to know.
import { describe, expect } from "vitest";
import { observeSwitchReads } from "../../../local/services/ecs/switch-reads.ts";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, ssh } from "./world.ts";

describe("reads of switches", () => {
  itEmbedded("are told, each where it decides and no other", async () => {
    const read = new Set<string>();
    observeSwitchReads((name) => read.add(name));
    const { client, call } = await aWorld();
    const readBy = async (run: () => Promise<unknown>): Promise<readonly string[]> => {
      read.clear();
      await run().catch(() => undefined);
      return [...read].filter((name) => name !== "readAfterWriteMs").sort();
    };
    expect(await readBy(() => call("DescribeRegions"))).toEqual([]);
    expect(await readBy(() => authorize(client, [ssh()], { clientToken: "t-1" }))).toEqual([]);
    expect(await readBy(() => authorize(client, [ssh()], { clientToken: "t-2" }))).toEqual([]);
    expect(await readBy(() => authorize(client, [ssh({ description: "new" })]))).toEqual([
      "authorizeDescriptionDiffers",
    ]);
    expect(await readBy(() => authorize(client, [ssh({ priority: "2" })]))).toEqual(["authorizePriorityDiffers"]);
    const bare = await readBy(() => authorize(client, [ssh({ sourceCidrIp: "203.0.113.7" })]));
    expect(bare).toEqual(["authorizePriorityDiffers", "bareVersusSlash32", "ipv4Stored"]);
    const twice = await readBy(() => authorize(client, [ssh(), ssh({ description: "new" })]));
    expect(twice).toEqual(["authorizeBatch", "duplicatePermissions"]);
    const elsewhere = { SecurityGroupId: "sg-web", InnerAccessPolicy: "Drop", ClientToken: "t-1" };
    expect(await readBy(() => call("ModifySecurityGroupPolicy", elsewhere))).toEqual(["clientTokenScope"]);
    const unknown = { SecurityGroupId: "sg-web", "SecurityGroupRuleId.1": "sgr-nobody", ClientToken: "t-3" };
    expect(await readBy(() => call("RevokeSecurityGroup", unknown))).toEqual(["revokeMissingId"]);
    expect(await readBy(() => call("RevokeSecurityGroup", unknown))).toEqual(["refusedClientToken", "revokeMissingId"]);
  });
});
