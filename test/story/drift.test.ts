// Drift: what other people do to a guarded group, and what becomes of it.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";

let guarded: GuardedWorld;

describe("an enforced group", () => {
  beforeEach(async () => {
    guarded = await GuardedWorld.start();
  });
  afterEach(async () => guarded.world.stop());

  test("closes what somebody opened once the event comes, with actor and reason in the record", async () => {
    await guarded.authorize(openDatabase);
    expect(guarded.world.openPorts()).toEqual(["3306/3306"]);
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual([]);
    const [item] = await guarded.drift();
    expect(item).toMatchObject({ kind: "added", state: "rolledBack", attribution: { actor: "other" } });
    const lines = (await guarded.world.recorded()).join("\n");
    expect(lines).toContain("other (ram-user) from 127.0.0.1");
    expect(lines).toContain("nobody granted it; other wrote it");
  });
});
