// What is asked for while its rollback, whose reply was lost, may still take effect: nobody is told that it stands before it does.
import { beforeEach, expect, test } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Lease } from "../../../shared/domain/lease-record.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { getLease } from "../../../shared/store/leases.ts";
import { getEntry } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { anAsk, GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf } from "./guarded-app.ts";

const WAIT_MS = 1_000_000;
const THEIRS = ruleOf(8080, undefined, { priority: 100 });

let guarded: GuardedApp;
let app: App;
let isLost: boolean;
const late = new Set<RuleId>();

const look = () =>
  lookAtGroup(app, GROUP, {
    ...{ cause: "test", actor: "test", policy: guarded.caller("admin").policy, priority: "drift", rows: [] },
    drift: true,
    deadlineAt: app.clock.monotonicMs() + 60_000,
  });

/** Somebody opens 8080 in an enforced group, and the reply to the rollback is lost. */
beforeEach(async () => {
  guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(443)]);
  await guarded.confirm();
  await guarded.look();
  late.clear();
  isLost = true;
  const revoke: App["firewall"]["revoke"] = async (group, ruleIds, ...more) => {
    if (!isLost) return guarded.app.firewall.revoke(group, ruleIds, ...more);
    for (const id of ruleIds) late.add(id);
    throw new CloudFailure("unknown", "RevokeSecurityGroup");
  };
  app = { ...guarded.app, firewall: { ...guarded.app.firewall, revoke } };
  guarded.world.rules.push(THEIRS);
  await look();
  guarded.world.advance(WAIT_MS);
  await look();
  expect([...late]).toEqual([THEIRS.id]);
});

/** The lost revoke takes effect, as late as one may. */
async function takesEffect(): Promise<void> {
  guarded.world.rules = guarded.world.rules.filter(({ id }) => id === null || !late.has(id));
  isLost = false;
  guarded.world.advance(app.settings.lateEffectMaxMs);
  await look();
}

const statusOf = async ({ request }: Lease) => (await getLease(app.tables, request.leaseId))?.status;
const allocation = async () =>
  (await getEntry(app.tables, GROUP, entryIdOf(GROUP.groupId, ruleKey(THEIRS))))?.allocation ?? null;

test("a lease is opened by a rule of its own once the other one has gone", async () => {
  const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await openLease(app, guarded.caller("requester"), anAsk({ port: "8080" }), create);
  expect(lease.status.state).toBe("opening");
  await takesEffect();
  expect(await statusOf(lease)).toMatchObject({ state: "open", preExisting: false });
  expect(guarded.ports()).toEqual([80, 443, 8080]);
});

test("a lease rides on it where the rollback does not come about", async () => {
  const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await openLease(app, guarded.caller("requester"), anAsk({ port: "8080" }), create);
  late.clear();
  await takesEffect();
  expect(await statusOf(lease)).toMatchObject({ state: "open", preExisting: true });
});

const ALL_DAY = { zone: "UTC", windows: [{ days: [4], from: "00:00", to: "23:59" }] };

/** Ann allocates the rule. */
async function allocate(openHours: OpenHours | null): Promise<void> {
  const words = { owner: "ann", backup: "", application: "", reason: "needed", ticket: "", allowedSources: [] };
  const rule = { protocol: "tcp", port: "8080", sources: ["203.0.113.7"], priority: 100 } as const;
  const ask = { group: "web", ...rule, policy: "accept", direction: "ingress", ...words } as const;
  const operator = guarded.caller("operator");
  await allocateRule(app, operator, { ...ask, openHours, sensitiveConfirmed: false }, { dryRun: false });
}

test.each([
  ["always", null],
  ["for hours that are on", ALL_DAY],
])("what is allocated %s is owed until then, and opened again", async (_when, openHours) => {
  await allocate(openHours);
  await look();
  expect(await allocation()).toMatchObject({ seenAt: null });
  await takesEffect();
  expect(guarded.ports()).toEqual([80, 443, 8080]);
  expect((await allocation())?.seenAt).not.toBeNull();
});

test("what a person adopts then stands, and is at rest where the rollback does not come about", async () => {
  const [item] = (await guarded.drift()).items;
  if (!item) throw new Error("there is no drift");
  const word = { owner: "ann", reason: "needed", ticket: "", sensitiveConfirmed: false };
  await decideDrift(app, guarded.caller("operator"), shownDriftId(item), "adopt", word, { dryRun: false });
  await look();
  expect(await allocation()).toMatchObject({ seenAt: null });
  late.clear();
  await takesEffect();
  expect(guarded.ports()).toEqual([80, 443, 8080]);
  expect((await allocation())?.seenAt).not.toBeNull();
});
