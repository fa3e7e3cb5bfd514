// What a pass opens once a suspension is over: whoever waited meanwhile is judged like anybody, and what was closed is given back.
import { expect, test } from "vitest";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { dueGroup } from "../../../shared/store/due.ts";
import { listLeases, writeStatus } from "../../../shared/store/leases.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { RULE_SUSPENDED } from "../../../shared/usecases/lease/lease-status.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import { aRule } from "../../kit/rules.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";
import { specOf } from "./guarded-app.ts";

const CREATE = { mode: "create", idempotencyKey: null, dryRun: false } as const;
const HOUR = anAsk({ periodMs: 3_600_000 });
const OTHERS = aRule({ ...specOf(22), priority: 100, id: "sgr-others" as RuleId, description: "others" });
const DROP = aRule({ ...specOf(22), policy: "drop", priority: 1, id: "sgr-drop" as RuleId, description: "by hand" });

const look = (world: AppWorld, policy: Policy = world.policy) =>
  lookAtGroup(world.app, GROUP, {
    ...{ cause: "test", actor: "safeport", policy, priority: "end", rows: [] },
    deadlineAt: world.app.clock.monotonicMs() + 45_000,
  });

const denying = ({ policy }: AppWorld): Policy => ({
  ...policy,
  groups: { ...policy.groups, denied: [GROUP.groupId] },
});

/** Ann's lease is entered by a process that dies before its pass. */
async function asked({ app, caller }: AppWorld): Promise<void> {
  const firewall: App["firewall"] = { ...app.firewall, readGroup: async () => Promise.reject(new Error("dies here")) };
  await expect(openLease({ ...app, firewall }, caller(), HOUR, CREATE)).rejects.toThrow("dies here");
}

/** Closes the rule for a minute that is over by then. */
async function suspended(world: AppWorld): Promise<void> {
  const until = world.app.clock.now() + 60_000;
  const by = { kind: "lockdown", itemId: "ld-1", principal: "root", reason: "", until } as const;
  await suspendRules(world.app, GROUP, by, [{ ...specOf(22), priority: 100 }]);
  await look(world);
  world.advance(180_000);
  world.changes.length = 0;
}

/** Of the leases, newest first. */
const states = async ({ tables }: AppWorld) =>
  (await listLeases(tables, { limit: 10, before: null })).leases.map(({ status }) => [status.state, status.note]);

test("who waited is opened nowhere that the policy denies by then, and who was open is", async () => {
  const world = await appWorld();
  await asked(world);
  await suspended(world);
  await look(world, denying(world));
  expect([await states(world), world.changes]).toEqual([[["failed", "GROUP_PROTECTED"]], []]);

  const shared = await appWorld();
  await openLease(shared.app, shared.caller("bob"), HOUR, CREATE);
  await asked(shared);
  await suspended(shared);
  await look(shared, denying(shared));
  expect(await states(shared)).toEqual([
    ["failed", "GROUP_PROTECTED"],
    ["open", null],
  ]);
  expect(shared.rules).toHaveLength(1);
});

test("nor without a policy, nor where the lease was over before it was entered", async () => {
  const world = await appWorld();
  await asked(world);
  await suspended(world);
  await look(world, { ...world.policy, isStandIn: true });
  expect([await states(world), world.changes]).toEqual([[["failed", "POLICY_UNREADABLE"]], []]);

  const late = await appWorld();
  await asked(late);
  await suspended(late);
  const [lease] = (await listLeases(late.tables, { limit: 1, before: null })).leases;
  if (!lease) throw new Error("there is no lease");
  await writeStatus(late.tables, lease.request.leaseId, { ...lease.status, state: "cancelled", closedAt: 1 }, 1);
  await look(late);
  expect([await states(late), late.changes]).toEqual([[["cancelled", null]], []]);
});

test("nor is anybody told to be open by a rule that is given back behind a drop", async () => {
  const world = await appWorld();
  world.rules = [OTHERS];
  await asked(world);
  await suspended(world);
  world.rules = [DROP];
  await look(world);
  expect(await states(world)).toEqual([["closing", "LEASE_SHADOWED"]]);
  world.advance(180_000);
  await look(world);
  expect(await states(world)).toEqual([["failed", "LEASE_SHADOWED"]]);
  expect(world.rules.map(({ description }) => description)).toEqual(["by hand", "others"]);
});

test("what was granted for good and never stood is opened nowhere that the policy denies by then", async () => {
  const world = await appWorld();
  const ask: AllocationAsk = {
    ...{ group: "web", protocol: "tcp", port: "22", sources: ["203.0.113.7"], policy: "accept", direction: "ingress" },
    ...{
      priority: 100,
      owner: "ops",
      application: "",
      reason: "batch",
      ticket: "",
      allowedSources: [],
      openHours: null,
    },
    sensitiveConfirmed: false,
  };
  await allocateRule(world.app, world.caller("root", "admin"), ask, { dryRun: false });
  await suspended(world);
  await look(world, denying(world));
  expect(world.changes).toEqual([]);
  await look(world);
  expect(world.rules).toHaveLength(1);
});

test("a lease says that its rule is closed for a time, and no more once it is given back", async () => {
  const world = await appWorld();
  await openLease(world.app, world.caller(), HOUR, CREATE);
  await suspended(world);
  expect([await states(world), world.rules]).toEqual([[["open", RULE_SUSPENDED]], []]);
  await look(world);
  expect([await states(world), world.rules.length]).toEqual([[["open", null]], 1]);
});

test("a lease that rode on what a lockdown is to close is over at its end, though the mode has the lockdown wait", async () => {
  const world = await appWorld();
  world.rules = [OTHERS];
  await openLease(world.app, world.caller(), anAsk(), CREATE);
  await setMode(world.app, world.caller("root", "admin"), { mode: "halt", reason: "test" }, { dryRun: false });
  const until = world.app.clock.now() + 3_600_000;
  const by = { kind: "lockdown", itemId: "ld-1", principal: "root", reason: "", until } as const;
  await suspendRules(world.app, GROUP, by, [OTHERS]);
  await look(world);
  world.advance(600_000);
  await look(world);
  expect([(await states(world)).map(([state]) => state), world.rules]).toEqual([["closed"], [OTHERS]]);
});

test("what was closed in a group that has been deleted since is nobody's work any more", async () => {
  const world = await appWorld();
  world.rules = [OTHERS];
  await suspended(world);
  const gone = (operation: string) => async (): Promise<never> => {
    world.changes.push(operation);
    throw new CloudFailure("groupGone", operation);
  };
  const { firewall, inventory } = world.app;
  const app: App = {
    ...world.app,
    firewall: { ...firewall, readGroup: gone("read"), authorize: gone("authorize") },
    inventory: { ...inventory, group: async () => null, members: async () => [] },
  };
  const rows = [dueGroup(GROUP, app.clock.now(), app.settings.shards)];
  const terms = { cause: "test", actor: "safeport", policy: world.policy, priority: "end", rows } as const;
  const report = await lookAtGroup(app, GROUP, { ...terms, deadlineAt: app.clock.monotonicMs() + 45_000 });
  expect([report?.rowsLeft, (await listEntries(world.tables, GROUP)).entries]).toEqual([0, []]);
  expect(world.changes.filter((it) => it === "authorize")).toHaveLength(1);
});
