// What an answered write leaves on disk, and what a reset leaves of it.
import { RevokeSecurityGroupRequest } from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aDirectory, authorize, aWorld, regionId, rulesOf, seed, ssh } from "./world.ts";

describe("the state on disk", () => {
  itEmbedded("holds every answered write, without the first service ever being stopped", async () => {
    const directory = await aDirectory();
    const first = await aWorld({ directory });
    await authorize(first.client, [ssh({ description: "mine" }), ssh({ portRange: "23/23" })]);
    await first.client.revokeSecurityGroup(
      new RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId: ["sgr-80"] }),
    );
    // A second service on the same file sees what a process would see that starts after the first was killed.
    const second = await aWorld({ directory, seed: { ...seed, groups: [] } });
    expect(second.ecs.snapshot()).toEqual(first.ecs.snapshot());
    expect((await rulesOf(second.client)).map((rule) => rule.portRange)).toEqual(["443/443", "22/22", "23/23"]);
  });

  itEmbedded("goes back to the seed on reset, on disk too, and tells the data plane", async () => {
    const directory = await aDirectory();
    const { client, ecs } = await aWorld({ directory });
    await authorize(client, [ssh()]);
    const told: string[] = [];
    ecs.onRulesChanged((groupIds) => void told.push(...groupIds));
    await ecs.reset();
    expect(await rulesOf(client)).toHaveLength(2);
    expect(told).toContain("sg-web");
    const again = await aWorld({ directory });
    expect(await rulesOf(again.client)).toHaveLength(2);
  });
});
