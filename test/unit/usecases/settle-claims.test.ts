// Whose process died between giving somebody what they claim and recording it leaves the record to the next look.
import { expect, test } from "vitest";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { addSighting, getSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aSighting } from "../../kit/drift-pictures.ts";
import { anAsk, GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, specOf } from "./guarded-app.ts";

const CLAIMED = specOf(8080);
const [SOURCE, WHO] = ["203.0.113.7", "bob"];

/** A pass that compares, by a process of its own. */
const look = ({ app, caller }: GuardedApp, process: App = app) =>
  lookAtGroup(process, GROUP, {
    ...{ cause: "test", actor: "test", policy: caller("admin").policy, priority: "drift", rows: [], drift: true },
    deadlineAt: process.clock.monotonicMs() + 60_000,
  });

/** The trail has it that bob authorized the rule a moment ago. */
async function called({ app, world }: GuardedApp) {
  const [at, [rule]] = [app.clock.now(), world.rules];
  const specs = [{ ...CLAIMED, priority: rule?.priority ?? CLAIMED.priority }];
  const sighting = aSighting({ specs, at, receivedAt: at });
  await addSighting(app.tables, sighting);
  return sighting;
}

/** The app, whose process dies when it is to record what has become somebody's. */
function dying(app: App): App {
  const writeAll: App["tables"]["writeAll"] = async (writes) => {
    if (JSON.stringify(writes).includes("the rule is theirs now")) throw new Error("died");
    return app.tables.writeAll(writes);
  };
  return { ...app, tables: { ...app.tables, writeAll } };
}

const allocations = async ({ app }: GuardedApp) =>
  (await listEntries(app.tables, GROUP)).entries.flatMap(({ allocation }) => allocation ?? []);
const saidToBeTheirs = async ({ app }: GuardedApp) =>
  (await listRecords(app.tables, { limit: 100, before: null })).records
    .flatMap(({ lines }) => lines)
    .filter((line) => line.includes("the rule is theirs now"));

test("it is recorded once, by the call that gave it", async () => {
  const guarded = await guardedApp("observe", []);
  const { app, world, caller } = guarded;
  const once = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await openLease(app, caller("requester"), anAsk({ port: "8080", sources: [SOURCE] }), once);
  world.advance(60_000);
  const sighting = await called(guarded);
  await expect(look(guarded, dying(app))).rejects.toThrow("died");
  expect(await allocations(guarded)).toMatchObject([{ by: WHO, eventId: sighting.eventId }]);
  expect([await saidToBeTheirs(guarded), (await getSighting(app.tables, sighting))?.settled]).toEqual([[], false]);
  await look(guarded);
  await look(guarded);
  const { leaseId } = lease.request;
  expect(await saidToBeTheirs(guarded)).toEqual([
    `bob authorized what ${leaseId} holds (request-1): the rule is theirs now and outlives the lease`,
  ]);
  expect((await getSighting(app.tables, sighting))?.settled).toBe(true);
});

test.each([
  ["before a lockdown closed it is theirs afterwards, though the event came in it", -30_000, 5, 1],
  [
    "before a lockdown closed it is theirs afterwards, though its lease has ended and the event came in it",
    -30_000,
    15,
    1,
  ],
  ["while a lockdown keeps it closed is not", 1000, 5, 0],
  ["while a lockdown keeps it closed, and its lease has ended, is not", 1000, 15, 0],
])("what somebody authorized %s", async (_what, later, minutes, standing) => {
  const guarded = await guardedApp("observe", []);
  const { app, world, caller } = guarded;
  const once = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  await openLease(app, caller("requester"), anAsk({ port: "8080", sources: [SOURCE] }), once);
  const [rule] = world.rules;
  if (rule === undefined) throw new Error("nothing is open");
  world.advance(60_000);
  const since = app.clock.now();
  const lasts = minutes * 60_000;
  const by = { kind: "lockdown", itemId: "ld-1", principal: "root", reason: "", until: since + lasts } as const;
  await suspendRules(app, GROUP, by, [rule]);
  await look(guarded);
  world.advance(lasts - 240_000);
  await look(guarded);
  const at = since + later;
  await addSighting(app.tables, aSighting({ specs: [rule], at, receivedAt: app.clock.now() }));
  await look(guarded);
  expect([world.rules, (await allocations(guarded)).length]).toEqual([[], standing]);
  world.advance(300_000);
  await look(guarded);
  expect(world.rules.map(ruleKey)).toEqual(standing === 1 || minutes < 9 ? [ruleKey(rule)] : []);
  // The lease is over.
  world.advance(600_000);
  await look(guarded);
  expect(world.rules).toHaveLength(standing);
});

test("what they were granted in words like it is no claim", async () => {
  const guarded = await guardedApp("observe", []);
  const { app, caller } = guarded;
  const ask: AllocationAsk = {
    ...{ group: "web", protocol: "tcp", port: "8080", sources: [SOURCE] },
    ...{ policy: "accept", direction: "ingress" },
    ...{ priority: CLAIMED.priority, owner: WHO, application: "", ticket: "", allowedSources: [], openHours: null },
    ...{ reason: "bob authorized what ls-1 holds (request-1)", sensitiveConfirmed: false },
  };
  await allocateRule(app, { ...caller("operator"), principal: WHO }, ask, { dryRun: false });
  const sighting = await called(guarded);
  await look(guarded);
  expect(await saidToBeTheirs(guarded)).toEqual([]);
  expect((await getSighting(app.tables, sighting))?.settled).toBe(true);
});
