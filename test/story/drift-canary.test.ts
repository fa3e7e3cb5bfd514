// The canary: events of a rule that opens and closes every hour prove that events still come.
import { afterEach, beforeEach, expect, test } from "vitest";
import { CANARY_CALLS } from "../../cli/setup/canary.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import type { Mode } from "../../shared/domain/mode.ts";
import { modeWrite } from "../../shared/store/mode.ts";
import { canaryState, tendCanary } from "../../shared/usecases/drift/tend-canary.ts";
import { GuardedWorld } from "../kit/guarded-world.ts";
import { region, worldSeed } from "../kit/world.ts";

const MINUTE = 60_000;
const policy = { drift: { canary: { group: "sg-canary", within: 900 } } };
let guarded: GuardedWorld;

const startWith = async (tags: Readonly<Record<string, string>>): Promise<void> => {
  const group = { groupId: "sg-canary", name: "canary", tags: { ...tags }, rules: [] };
  guarded = await GuardedWorld.start({ guard: "none", seed: { ...worldSeed, groups: [...worldSeed.groups, group] } });
  guarded.world.policy = policyOf(policySchema.parse(policy), 1, region);
};
const tend = () => guarded.world.run(tendCanary(guarded.world.process(), guarded.world.policy));
const state = () => guarded.world.run(canaryState(guarded.world.process(), guarded.world.policy));

beforeEach(async () => startWith({ "safeport:canary": "test" }));
afterEach(async () => guarded.world.stop());

test("opens and closes a rule to nobody every hour, and is well while its events come", async () => {
  const { world } = guarded;
  expect(await tend()).toBe("ok");
  const seen: string[] = [];
  const calls: string[] = [];
  for (let minute = 0; minute < 130; minute += 1) {
    await world.ticks(1);
    if (minute >= 65 && minute < 125) calls.push(...world.callNames.filter((name) => name.startsWith("ecs ")));
    world.callNames.length = 0;
    seen.push(world.rules("sg-canary").length === 1 ? "open" : "shut");
    for (const record of world.events.splice(0)) await guarded.deliver(record);
  }
  const turns = seen.filter((it, at) => it !== seen[at - 1]);
  expect(turns.filter((it) => it === "open").length).toBeGreaterThanOrEqual(2);
  expect(await state()).toBe("ok");
  // What setup says of its cost holds; the full pass lists and reads the four groups beside it.
  const writes = calls.filter((name) => !name.startsWith("ecs Describe"));
  expect(writes.sort()).toEqual(["ecs AuthorizeSecurityGroup", "ecs RevokeSecurityGroup"]);
  expect(writes).toHaveLength(CANARY_CALLS.writes);
  expect(calls.length - writes.length).toBeLessThanOrEqual(CANARY_CALLS.reads + 5);
});

test("is deaf when no event has come for an hour and the time allowed, and says so", async () => {
  await tend();
  await guarded.world.ticks(76);
  expect(await tend()).toBe("deaf");
  expect((await guarded.world.recorded()).join("\n")).toContain("no event of the canary has come in time");
});

test("is deaf, too, when nothing comes but what has come before", async () => {
  const { world } = guarded;
  await tend();
  for (let minute = 0; minute < 70; minute += 1) await world.ticks(1);
  const records = world.events.splice(0);
  for (const record of records) await guarded.deliver(record);
  expect(await state()).toBe("ok");
  await world.ticks(80);
  for (const record of records) await guarded.deliver(record);
  expect(await state()).toBe("deaf");
});

test("is not deaf for what the mode has kept it from, and is once that is over", async () => {
  const { world } = guarded;
  const set = (mode: Mode) => {
    const inForce = { mode, since: world.clock.now(), by: "ann", reason: "" };
    return world.process().tables.writeAll([modeWrite(inForce)]);
  };
  await tend();
  await set("close-only");
  await world.ticks(120);
  expect([await state(), await tend()]).toEqual(["ok", "ok"]);
  await set("normal");
  await world.ticks(60);
  expect([await state(), await tend()]).toEqual(["ok", "ok"]);
  await world.ticks(16);
  expect([await state(), await tend()]).toEqual(["deaf", "deaf"]);
});

test("lives in no group but the empty one that setup made", async () => {
  await guarded.world.stop();
  await startWith({});
  expect(await tend()).toBe("unfit");
  await guarded.world.ticks(61);
  expect(guarded.world.rules("sg-canary")).toEqual([]);
});

test("is off unless the policy names its group", async () => {
  guarded.world.policy = policyOf(policySchema.parse({}), 1, region);
  await guarded.world.advance(3 * 60 * MINUTE);
  expect([await tend(), await state()]).toEqual(["off", "off"]);
});
