// What a pass that watches a group reads besides its rules, and what it does where that is not as it should be.
import { expect, test } from "vitest";
import { type Cidr, parseObservedCidr } from "../../../shared/domain/cidr.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { type Due, dueDrift, dueWrite } from "../../../shared/store/due.ts";
import { getGroupRow } from "../../../shared/store/group-rows.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { addSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aSighting, terraform } from "../../kit/drift-pictures.ts";
import { GROUP, START } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const WAIT_MS = 900_000;

/** An enforced group with a baseline of 80. */
async function enforced(): Promise<GuardedApp> {
  const guarded = await guardedApp("enforce", [ruleOf(80)]);
  await guarded.confirm();
  await guarded.look();
  return guarded;
}

const look = (app: App, policy: Policy, rows: readonly Due[] = []) =>
  lookAtGroup(app, GROUP, {
    ...{ cause: "test", actor: "test", policy, deadlineAt: app.clock.monotonicMs() + 60_000 },
    ...{ priority: "drift", rows, drift: true },
  });

test("a rule that was made just now waits for its event, however far our clock is ahead", async () => {
  const { app, world, caller, ports } = await enforced();
  const aheadMs = 2 * WAIT_MS;
  const skewed: App = { ...app, firewall: { ...app.firewall, skewMs: () => aheadMs } };
  world.advance(aheadMs);
  world.rules.push(ruleOf(3306, "0.0.0.0/0", { createdAt: START }));
  await look(skewed, caller("admin").policy);
  expect(ports()).toEqual([80, 3306]);
  world.advance(WAIT_MS);
  await look(skewed, caller("admin").policy);
  expect(ports()).toEqual([80]);
});

test("what somebody trusted opened, and a lockdown closed before its event came, stays once it is given back", async () => {
  const { app, world, caller, ports } = await enforced();
  const policy: Policy = {
    ...caller("admin").policy,
    trustedPrincipals: [{ principal: "terraform", treat: "adopt" }],
  };
  world.advance(1000);
  const theirs = ruleOf(8443, undefined, { createdAt: app.clock.now() });
  world.rules.push(theirs);
  const suspender = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "", until: null } as const;
  await suspendRules(app, GROUP, suspender, [specOf(8443)]);
  await look(app, policy);
  expect(ports()).toEqual([80]);
  const [at, receivedAt] = [START + 1000, START + 2000];
  await addSighting(app.tables, aSighting({ specs: [specOf(8443)], actor: terraform, at, receivedAt }));
  await look(app, policy);
  expect(ports()).toEqual([80]);
  world.advance(WAIT_MS);
  await resumeRules(app, GROUP, "ld-1");
  await look(app, policy);
  world.advance(2 * WAIT_MS);
  await look(app, policy);
  expect(ports()).toEqual([80, 8443]);
  expect(world.rules).toMatchObject([{}, { description: theirs.description }]);
});

test("a lockdown does not close by its id what was rolled back, where its reading shows what it was before", async () => {
  const { app, world, caller, ports } = await enforced();
  const { policy } = caller("admin");
  const moved = world.rules.map((rule) => ({ ...rule, ...specOf(3306, "0.0.0.0/0") }));
  world.rules = moved;
  await look(app, policy);
  world.advance(WAIT_MS);
  await look(app, policy);
  expect(ports()).toEqual([80]);
  const suspender = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "", until: null } as const;
  await suspendRules(app, GROUP, suspender, [specOf(3306, "0.0.0.0/0")]);
  const readGroup: App["firewall"]["readGroup"] = async (...asked) => ({
    ...(await app.firewall.readGroup(...asked)),
    rules: moved,
  });
  await look({ ...app, firewall: { ...app.firewall, readGroup } }, policy);
  expect(ports()).toEqual([80]);
  // Whoever moves it once more while the lockdown is on is told from that.
  world.advance(2 * 60_000);
  world.rules = moved;
  await look(app, policy);
  expect(ports()).toEqual([]);
});

const observed = (text: string): Cidr => parseObservedCidr(text) ?? expect.fail(text);

test.each<[string, Partial<Rule>]>([
  ["source", { peer: { kind: "cidr", cidr: observed("::ffff:203.0.113.7/128") } }],
  ["source of many", { peer: { kind: "cidr", cidr: observed("::ffff:0.0.0.0/96") } }],
  ["destination", { dest: observed("::ffff:10.0.0.1/128") }],
])(
  "a rule whose %s is written as IPv4 inside IPv6 is rolled back, and keeps nothing else from it",
  async (_, changes) => {
    const { app, world, caller, ports, drift } = await enforced();
    world.rules.push(ruleOf(3306, "203.0.113.7/32", { createdAt: START, ...changes }));
    await look(app, caller("admin").policy);
    world.advance(WAIT_MS);
    world.rules.push(ruleOf(22, "0.0.0.0/0", { createdAt: START }));
    await look(app, caller("admin").policy);
    expect((await drift()).unreadable).toEqual([]);
    expect(ports()).toEqual([80]);
  },
);

test("another group of its hosts that was deleted meanwhile keeps nothing from being rolled back", async () => {
  const { app, world, caller, ports } = await enforced();
  const { policy } = caller("admin");
  const operatorPath = [{ protocol: "tcp", port: "22", sources: ["203.0.113.0/24"] }];
  const joined: App = {
    ...app,
    inventory: {
      ...app.inventory,
      members: async (...asked) =>
        (await app.inventory.members(...asked)).map((it) => ({
          ...it,
          groupIds: [...it.groupIds, "sg-gone" as GroupId],
        })),
    },
    firewall: {
      ...app.firewall,
      readGroup: async (ref, priority) => {
        if (ref.groupId === "sg-gone") throw new CloudFailure("groupGone", "DescribeSecurityGroupAttribute");
        return app.firewall.readGroup(ref, priority);
      },
    },
  };
  world.rules.push(ruleOf(3306, "0.0.0.0/0", { createdAt: START - 2 * WAIT_MS }));
  await look(joined, { ...policy, operatorPath });
  expect(ports()).toEqual([80]);
});

test("what was open of a group that was deleted is over", async () => {
  const { app, world, caller, drift } = await enforced();
  const { policy } = caller("admin");
  world.rules.push(ruleOf(3306, "0.0.0.0/0", { createdAt: START }));
  await look(app, policy);
  expect((await drift()).items).toMatchObject([{ state: "waiting" }]);
  const deleted: App = { ...app, inventory: { ...app.inventory, group: async () => null } };
  await look(deleted, policy);
  expect((await drift()).items).toMatchObject([{ state: "gone", heldBy: null }]);
});

test("what was open of a group that is guarded no more is over, and a record says so", async () => {
  const { app, world, caller, drift } = await enforced();
  const { policy } = caller("admin");
  world.rules.push(ruleOf(3306, "0.0.0.0/0", { createdAt: START }));
  await look(app, policy);
  expect((await drift()).items).toMatchObject([{ state: "waiting" }]);
  await look(app, { ...policy, groups: { ...policy.groups, guards: { web: "none" } } });
  expect((await drift()).items).toMatchObject([{ state: "gone", heldBy: null }]);
  const { records } = await listRecords(app.tables, { limit: 1, before: null });
  expect(JSON.stringify(records)).toContain("the group is guarded no more (groups.guards.web: none)");
});

test.each([
  [
    "is guarded no more",
    (policy: Policy): Policy => ({ ...policy, groups: { ...policy.groups, guards: { web: "none" } } }),
  ],
  [
    "is only observed",
    (policy: Policy): Policy => ({ ...policy, groups: { ...policy.groups, guards: { web: "observe" } } }),
  ],
])("a rule that a revoke closes late, when the group %s, can be restored", async (_, lowered) => {
  const { app, world, caller, ports, drift } = await enforced();
  const { policy } = caller("admin");
  world.rules.push(drifted());
  const lost: App = {
    ...app,
    firewall: {
      ...app.firewall,
      revoke: async () => {
        throw new CloudFailure("unknown", "RevokeSecurityGroup");
      },
    },
  };
  await look(lost, policy);
  expect([ports(), (await drift()).items.map(({ state }) => state)]).toEqual([[80, 3306], ["rollingBack"]]);
  await look(app, lowered(policy));
  world.rules = world.rules.filter(({ id }) => id !== drifted().id);
  await look(app, lowered(policy));
  const [item] = (await drift()).items;
  expect(item).toMatchObject({ state: "rolledBack", heldBy: null });
  const word = { owner: "ann", reason: "needed", ticket: "", sensitiveConfirmed: true };
  await decideDrift(app, caller("admin"), shownDriftId(item ?? expect.fail("gone")), "restore", word, {
    dryRun: false,
  });
  await look(app, lowered(policy));
  expect(ports()).toEqual([80, 3306]);
});

test("while the policy cannot be read nothing is over, and the group stays to be compared", async () => {
  const { app, world, caller, drift } = await enforced();
  const { policy } = caller("admin");
  world.rules.push(ruleOf(3306, "0.0.0.0/0", { createdAt: START }));
  await look(app, policy);
  const [before, row] = [(await drift()).items, await getGroupRow(app.tables, GROUP)];
  const standIn: Policy = { ...policy, groups: { ...policy.groups, guards: {} }, isStandIn: true };
  const due = dueDrift(GROUP, app.clock.now(), app.settings.shards);
  await app.tables.writeAll([dueWrite(due)]);
  await look(app, standIn, [due]);
  expect([(await drift()).items, await getGroupRow(app.tables, GROUP)]).toEqual([before, row]);
  expect(await looksAt(app)).toContain(due.at);
  await look(app, policy, [due]);
  expect(await looksAt(app)).not.toContain(due.at);
});

const LOCK_MS = 60_000;
const drifted = () => ruleOf(3306, "0.0.0.0/0", { createdAt: START - 2 * WAIT_MS });

/** When the group is to be compared again. */
async function looksAt({ tables }: App): Promise<readonly unknown[]> {
  const { rows } = await tables.range({ table: "due", from: [0], to: null, limit: 100 });
  return rows.flatMap(({ key: [, at, kind] }) => (kind === "drift" ? [at] : []));
}

test("a pass that was frozen past its lock begins no rollback: whoever came after it has begun it", async () => {
  const { app, world, caller, ports, drift } = await enforced();
  const { policy } = caller("admin");
  world.rules.push(drifted());
  const frozen: App = {
    ...app,
    firewall: {
      ...app.firewall,
      readGroup: async (...asked) => {
        const reading = await app.firewall.readGroup(...asked);
        world.advance(LOCK_MS);
        await look(app, policy);
        world.advance(1);
        return reading;
      },
    },
  };
  await look(frozen, policy);
  expect(ports()).toEqual([80]);
  expect((await drift()).items).toMatchObject([{ state: "rolledBack" }]);
});

test("where nobody has come after it, the group is looked at again", async () => {
  const { app, world, caller, drift } = await enforced();
  world.rules.push(drifted());
  const frozen: App = {
    ...app,
    firewall: {
      ...app.firewall,
      readGroup: async (...asked) => {
        world.advance(LOCK_MS);
        return app.firewall.readGroup(...asked);
      },
    },
  };
  await look(frozen, caller("admin").policy);
  expect((await drift()).items).toEqual([]);
  expect(await looksAt(app)).toContain(app.clock.now() + 1000);
});

test("what a pass has stored while it was frozen past its lock is looked at again", async () => {
  const { app, world, caller, drift } = await enforced();
  const { policy } = caller("admin");
  world.rules.push(drifted());
  // The one that has the lock now is about to revoke the rule until the frozen one has come to its end.
  let isAtCall = (): void => undefined;
  let goOn = (): void => undefined;
  const atCall = new Promise<void>((resolve) => {
    isAtCall = resolve;
  });
  const frozenEnds = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const holder: App = {
    ...app,
    firewall: {
      ...app.firewall,
      revoke: async (...asked) => {
        isAtCall();
        await frozenEnds;
        return app.firewall.revoke(...asked);
      },
    },
  };
  let held: Promise<unknown> | null = null;
  const frozen: App = {
    ...app,
    tables: {
      ...app.tables,
      put: async (table, ...row) => {
        if (table === "drift" && held === null) {
          world.advance(LOCK_MS);
          held = look(holder, policy);
          await atCall;
        }
        return app.tables.put(table, ...row);
      },
    },
  };
  await look(frozen, policy);
  goOn();
  await held;
  expect((await drift()).items.map(({ state }) => state).sort()).toEqual(["rolledBack", "rollingBack"]);
  expect(await looksAt(app)).toContain(app.clock.now() + 1000);
});
