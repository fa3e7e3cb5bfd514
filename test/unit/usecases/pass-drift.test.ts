// What a pass that watches a group reads besides its rules, and what it does where that is not as it should be.
import { expect, test } from "vitest";
import { type Cidr, parseObservedCidr } from "../../../shared/domain/cidr.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { GROUP, START } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf } from "./guarded-app.ts";

const WAIT_MS = 900_000;

/** An enforced group with a baseline of 80. */
async function enforced(): Promise<GuardedApp> {
  const guarded = await guardedApp("enforce", [ruleOf(80)]);
  await guarded.confirm();
  await guarded.look();
  return guarded;
}

const look = (app: App, policy: Policy) =>
  lookAtGroup(app, GROUP, {
    ...{ cause: "test", actor: "test", policy, deadlineAt: app.clock.monotonicMs() + 60_000 },
    ...{ priority: "drift", rows: [], drift: true },
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
