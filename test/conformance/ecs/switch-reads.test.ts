// Which switches the service reads while it answers, as test:switches wants to know.
import { describe, expect } from "vitest";
import { observeSwitchReads } from "../../../local/services/ecs/switch-reads.ts";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, ssh } from "./world.ts";

describe("reads of switches", () => {
  itEmbedded("are told, each that an answer depends on and no other", async () => {
    const read = new Set<string>();
    observeSwitchReads((name) => read.add(name));
    const { client, call } = await aWorld();
    expect([...read]).toEqual([]);
    await call("DescribeRegions");
    expect([...read].sort()).toEqual(["readAfterWriteMs", "throttleAnswer"]);
    await authorize(client, [ssh()]);
    expect(read).toContain("ipv4Stored");
    expect(read).toContain("authorizeDescriptionDiffers");
    expect(read).not.toContain("modifyOmitted");
    expect(read).not.toContain("revokeMissingId");
  });
});
