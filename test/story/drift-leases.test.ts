// Leases in guarded groups: what the program opens, extends and closes itself is no drift, whenever its events come.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { dueDrift, dueWrite } from "../../shared/store/due.ts";
import { lookAtEvent } from "../../shared/usecases/drift/look-at-event.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start();
  await guarded.world.ticks(1);
});
afterEach(() => guarded.world.stop());

const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

async function extend({ request }: Lease): Promise<void> {
  const { world } = guarded;
  await world.run(extendLease(world.process(), world.caller(), request.leaseId, 1_200_000, { dryRun: false }));
}

async function end({ request }: Lease): Promise<void> {
  const { world } = guarded;
  await world.run(endLease(world.process(), world.caller(), request.leaseId, { dryRun: false }));
}

test("a lease ends in time in a group that cannot be compared with its ledger", async () => {
  const { world } = guarded;
  const { lease } = await world.open();
  const { tables, clock } = world.process();
  const unreadable = { body: "{", state: "reported", rev: 1 };
  await tables.put("drift", ["sg-web", "dr-unreadable"], unreadable, { kind: "none" });
  await tables.writeAll([dueWrite(dueDrift(world.web, clock.now() + 1, 1))]);
  await world.pastEnd(lease).catch(() => undefined);
  await world.sweep().catch(() => undefined);
  expect(world.openPorts()).toEqual([]);
  expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
});

const permutations = <T>(items: readonly T[]): readonly (readonly T[])[] =>
  items.length < 2
    ? [items]
    : items.flatMap((item, index) =>
        permutations(items.filter((_, other) => other !== index)).map((rest) => [item, ...rest]),
      );

describe("the program's own changes", () => {
  test("opening, extension and end: no order of their events after the fact makes drift of them", async () => {
    const { world } = guarded;
    const { lease } = await world.open();
    await extend(lease);
    await end(lease);
    const records = await guarded.events();
    expect(records.map((record) => record["eventName"])).toEqual([
      "AuthorizeSecurityGroup",
      "ModifySecurityGroupRule",
      "RevokeSecurityGroup",
    ]);
    for (const order of permutations(records)) for (const record of order) await guarded.deliver(record);
    await world.ticks(1);
    expect(await guarded.drift()).toEqual([]);
    expect(world.rules()).toHaveLength(2);
  });

  test("each event may come at any later step: the lease stays until its end and goes then", async () => {
    const { world } = guarded;
    // Step 0 is after the opening, 1 after the extension, 2 after the end.
    for (const [opening, extension] of [
      [0, 1],
      [0, 2],
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]) {
      const { lease } = await world.open();
      const [authorized] = await guarded.events();
      if (opening === 0) await guarded.deliver(authorized);
      expect(world.openPorts()).toEqual(["22/22"]);
      await extend(lease);
      const [modified] = await guarded.events();
      if (extension === 1) await guarded.deliver(modified);
      if (opening === 1) await guarded.deliver(authorized);
      expect(world.openPorts()).toEqual(["22/22"]);
      await end(lease);
      expect(world.openPorts()).toEqual([]);
      const [revoked] = await guarded.events();
      await guarded.deliver(revoked);
      if (extension === 2) await guarded.deliver(modified);
      if (opening === 2) await guarded.deliver(authorized);
      expect(world.openPorts()).toEqual([]);
    }
    expect(await guarded.drift()).toEqual([]);
  });

  test("an event that comes while the opening is still under way finds no drift", async () => {
    const { world } = guarded;
    world.trailSwitches.eventDelayMs = 0;
    const looks: Promise<unknown>[] = [];
    // Every call of the opening is followed at once by whatever events there are, and by a look at somebody else's.
    const app = world.process(async (_call, act) => {
      const answer = await act();
      for (const record of world.events.splice(0)) {
        const deadlineAt = world.clock.monotonicMs() + 45_000;
        looks.push(
          lookAtEvent(world.process(), record, { accountId: "100000000000", policy: world.policy, deadlineAt }),
        );
      }
      return answer;
    });
    const { lease } = await world.run(openLease(app, world.caller(), world.ask(), create));
    await world.run(Promise.all(looks));
    for (const record of await guarded.events()) await guarded.deliver(record);
    expect(world.openPorts()).toEqual(["22/22"]);
    expect(await guarded.drift()).toEqual([]);
    await world.pastEnd(lease);
    await guarded.settle();
    expect(world.openPorts()).toEqual([]);
    expect(await guarded.drift()).toEqual([]);
  });

  test("somebody else's event at every step makes a look at the lease, and no drift of it", async () => {
    const { world } = guarded;
    const foreign = { ...openDatabase, peer: fromCidr("198.51.100.7/32") };
    await guarded.authorize(foreign);
    const { lease } = await world.open();
    await guarded.settle();
    expect(world.openPorts()).toEqual(["22/22"]);
    await guarded.authorize({ ...foreign, ports: somePorts("6379/6379") });
    await extend(lease);
    await guarded.settle();
    expect(world.openPorts()).toEqual(["22/22"]);
    await world.pastEnd(await world.lease(lease.request.leaseId));
    await guarded.settle();
    expect(world.openPorts()).toEqual([]);
    expect((await guarded.drift()).map((item) => item.found?.spec.ports)).toEqual([
      somePorts("3306/3306"),
      somePorts("6379/6379"),
    ]);
  });
});

describe("somebody else and a lease's rule", () => {
  test.each(["none", "observe", "enforce"] as const)("who removes it ends the lease, guard %s", async (guard) => {
    await guarded.world.stop();
    guarded = await GuardedWorld.start({ guard });
    const { world } = guarded;
    await world.ticks(1);
    const { lease } = await world.open();
    const rule = (await guarded.rules()).find((it) => it.description.startsWith("safeport/1"));
    if (!rule?.id) throw new Error("no rule");
    await guarded.revoke(rule.id);
    await guarded.settle();
    await world.ticks(3);
    expect(world.openPorts()).toEqual([]);
    const { status } = await world.lease(lease.request.leaseId);
    expect(status).toMatchObject({ state: "closed" });
    expect(status.note).toContain("removed by somebody else");
  });

  test("who widens it gains nothing beyond its end", async () => {
    const { world } = guarded;
    const { lease } = await world.open();
    const rule = (await guarded.rules()).find((it) => it.description.startsWith("safeport/1"));
    if (!rule?.id) throw new Error("no rule");
    await guarded.modify(rule.id, { ...rule, peer: fromCidr("0.0.0.0/0") }, rule.description);
    await guarded.settle();
    expect(world.rules().find((it) => it.portRange === "22/22")?.source).not.toBe("0.0.0.0/0");
    const [item] = await guarded.drift();
    // With another id it is no longer the rule that the lease knows, and goes as one that nobody granted.
    const kind = switchUnderTest().modifiedRule === "new-id" ? "added" : "edited";
    expect(item).toMatchObject({ kind, state: "rolledBack", attribution: { actor: "other" } });
    await world.pastEnd(lease);
    expect(world.openPorts()).toEqual([]);
  });

  test("who copies its mark to a rule of their own has that rule rolled back, and the lease goes on", async () => {
    const { world } = guarded;
    await world.open();
    const rule = (await guarded.rules()).find((it) => it.description.startsWith("safeport/1"));
    if (!rule) throw new Error("no rule");
    await guarded.authorize({ ...rule, peer: fromCidr("0.0.0.0/0") }, rule.description);
    await guarded.settle();
    expect(
      world
        .rules()
        .filter((it) => it.portRange === "22/22")
        .map((it) => it.source),
    ).toEqual(["203.0.113.7/32"]);
  });
});
