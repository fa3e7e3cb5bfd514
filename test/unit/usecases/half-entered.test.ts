// A lease of several rules, of which the ledger has only some: whoever enters it is between two writes, or has died there.
import { expect, test } from "vitest";
import type { RuleId } from "../../../shared/domain/ids.ts";
import { listLeases } from "../../../shared/store/leases.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aRule, fromCidr } from "../../kit/rules.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";
import { specOf } from "./guarded-app.ts";

const TWO = anAsk({ sources: ["203.0.113.7/32", "203.0.113.8/32"] });
const CREATE = { mode: "create", idempotencyKey: null, dryRun: false } as const;

const look = (world: AppWorld) =>
  lookAtGroup(world.app, GROUP, {
    ...{ cause: "test", actor: "safeport", policy: world.policy, priority: "end", rows: [] },
    deadlineAt: world.app.clock.monotonicMs() + 45_000,
  });

/** Time passes, and a sweep comes. */
const tick = (world: AppWorld) => {
  world.advance(60_000);
  const deadlineAt = world.app.clock.monotonicMs() + 45_000;
  return sweep(world.app, { policy: world.policy, cause: "tick", deadlineAt, jobs: null });
};

/** The app of a process to which something happens before its `nth` write to the ledger. */
function betweenTheTwo({ app }: AppWorld, happens: () => Promise<unknown>, nth = 2): App {
  let rows = 0;
  const put: App["tables"]["put"] = async (...given) => {
    if (given[0] === "ledger") rows += 1;
    if (given[0] === "ledger" && rows === nth) await happens();
    return app.tables.put(...given);
  };
  return { ...app, tables: { ...app.tables, put } };
}

const statusOf = async ({ tables }: AppWorld) =>
  (await listLeases(tables, { limit: 1, before: null })).leases[0]?.status;

const dies = async () => Promise.reject(new Error("dies here"));

test("is opened by nobody else's pass, and is no more open than its opener says", async () => {
  const world = await appWorld();
  let between: unknown;
  const app = betweenTheTwo(world, async () => {
    await look(world);
    between = [await statusOf(world), world.changes.length];
  });
  const { lease } = await openLease(app, world.caller(), TWO, CREATE);
  expect(between).toMatchObject([{ state: "opening", ruleIds: [] }, 0]);
  expect(lease.status).toMatchObject({ state: "open", ruleIds: ["sgr-1", "sgr-2"] });
});

test("is refused as a whole where the rule that is entered later may not be opened", async () => {
  const world = await appWorld();
  const drop = { ...specOf(22, "203.0.113.8/32"), policy: "drop", priority: 1, description: "by hand" } as const;
  world.rules = [aRule({ ...drop, id: "sgr-by-hand" as RuleId })];
  const app = betweenTheTwo(world, () => look(world));
  await expect(openLease(app, world.caller(), TWO, CREATE)).rejects.toMatchObject({ code: "LEASE_SHADOWED" });
  expect((await statusOf(world))?.state).toBe("failed");
  expect(world.changes).toEqual([]);
});

test("is entered by the sweep where its opener has died, and opened then", async () => {
  const world = await appWorld();
  await expect(openLease(betweenTheTwo(world, dies), world.caller(), TWO, CREATE)).rejects.toThrow("dies here");
  await look(world);
  expect([await statusOf(world), world.changes]).toMatchObject([{ state: "opening" }, []]);
  await tick(world);
  expect(await statusOf(world)).toMatchObject({ state: "open", ruleIds: ["sgr-1", "sgr-2"] });
  expect(world.rules.map(({ peer }) => peer)).toEqual(["203.0.113.7/32", "203.0.113.8/32"].map(fromCidr));
});

test("keeps nobody else from one of its rules, and is not open by theirs", async () => {
  const world = await appWorld();
  await expect(openLease(betweenTheTwo(world, dies), world.caller(), TWO, CREATE)).rejects.toThrow("dies here");
  const { lease } = await openLease(world.app, world.caller("bob"), anAsk(), CREATE);
  expect([lease.status.state, world.rules.map(({ peer }) => peer)]).toEqual(["open", [fromCidr("203.0.113.7/32")]]);
  const { leases } = await listLeases(world.tables, { limit: 2, before: null });
  expect(leases.map(({ status }) => status.state)).toEqual(["open", "opening"]);
  await tick(world);
  const after = await listLeases(world.tables, { limit: 2, before: null });
  expect(after.leases.map(({ status }) => status.state)).toEqual(["open", "open"]);
});

test("has whoever holds one of its rules already keep it, and is not open by that", async () => {
  const world = await appWorld();
  const held = await openLease(world.app, world.caller("bob"), anAsk({ periodMs: 3_600_000 }), CREATE);
  // The row of the first rule is there: that it is not new is the first write.
  const dying = betweenTheTwo(world, dies, 3);
  await expect(openLease(dying, world.caller(), TWO, CREATE)).rejects.toThrow("dies here");
  const report = await look(world);
  const states = [...(report?.statuses ?? [])].map(([leaseId, { state }]) => [
    leaseId === held.lease.request.leaseId,
    state,
  ]);
  expect(states).toEqual([
    [true, "open"],
    [false, "opening"],
  ]);
});
