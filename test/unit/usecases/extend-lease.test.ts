// The end of a lease after an extension: what moves it, what bounds it, who may.
import { describe, expect, test } from "vitest";
import type { GrantRule } from "../../../shared/domain/grant-policy.ts";
import type { Policy } from "../../../shared/domain/policy.ts";
import { listLeases } from "../../../shared/store/leases.ts";
import { getEntry, listEntries } from "../../../shared/store/ledger.ts";
import type { App, Caller } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { listRecords } from "../../../shared/usecases/records/list-records.ts";
import { anAsk, appWorld, START } from "./app-world.ts";

const MINUTE = 60_000;
const noBounds: Omit<GrantRule, "name"> = {
  ...{ effect: "allow", persons: [], roles: [], where: null, protocols: null, ports: null, sources: null },
  ...{ periodMaxMs: null, isTicketNeeded: false, portsMax: null, sourceWidthMax: null, approvals: 0 },
};
const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** A lease of ann for ten minutes that was opened `atMs` after the start, and how to extend it. */
async function opened(atMs = 0, totalMaxMs = 24 * 60 * MINUTE) {
  const world = await appWorld({ totalMaxMs });
  world.advance(atMs);
  const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
  const { leaseId } = lease.request;
  const extend = (periodMs: number, caller = world.caller()) =>
    extendLease(world.app, caller, leaseId, periodMs, { dryRun: false });
  const end = async (periodMs: number) => (await extend(periodMs)).lease.status.until - START;
  return { world, leaseId, extend, end };
}

describe("an extension", () => {
  test("moves the end to a period from now, in the answer and in the mark", async () => {
    const { world, extend } = await opened();
    world.advance(MINUTE);
    const answer = await extend(10 * MINUTE);
    expect([answer.lease.status.until - START, answer.settled, answer.extended]).toEqual([11 * MINUTE, true, true]);
    expect(world.rules[0]?.description).toContain("until=2026-11-05T08:11:00Z");
  });

  test("is recorded with the line of the policy in force that grants it, asked for again by either way", async () => {
    const { world, leaseId } = await opened();
    world.advance(MINUTE);
    const grants = [{ ...noBounds, name: "anybody" }];
    const caller = { ...world.caller(), policy: { ...world.policy, version: 7, grants } };
    await extendLease(world.app, caller, leaseId, 10 * MINUTE, { dryRun: false });
    world.advance(MINUTE);
    await openLease(world.app, caller, anAsk(), { ...create, mode: "repeat" });
    const { records } = await listRecords(world.app, { limit: 10, cursor: null });
    const told = records.filter(({ cause }) => cause === `extend ${leaseId}`);
    expect(told.map(({ decidedBy }) => decidedBy)).toEqual(Array(2).fill("grants: anybody, policy 7"));
  });

  test("never shortens", async () => {
    const { world, end } = await opened();
    world.advance(MINUTE);
    expect(await end(MINUTE)).toBe(10 * MINUTE);
  });

  test("rounds the period up to a whole second", async () => {
    const { world, end } = await opened();
    world.advance(MINUTE + 1);
    expect(await end(10 * MINUTE)).toBe(11 * MINUTE + 1000);
  });

  test("stops at the total from the first opening, and never passes it by part of a second", async () => {
    const { world, end } = await opened(300, 15 * MINUTE);
    world.advance(9 * MINUTE);
    expect(await end(10 * MINUTE)).toBe(15 * MINUTE);
  });

  test("is refused when the total leaves nothing to add", async () => {
    const { world, extend, end } = await opened(0, 15 * MINUTE);
    world.advance(9 * MINUTE);
    expect(await end(10 * MINUTE)).toBe(15 * MINUTE);
    world.advance(MINUTE);
    await expect(extend(10 * MINUTE)).rejects.toMatchObject({ code: "LEASE_TOTAL_REACHED" });
  });

  test("is refused at the end itself, before any sweep has closed the lease, and after it was ended", async () => {
    const { world, extend } = await opened();
    world.advance(10 * MINUTE);
    await expect(extend(10 * MINUTE)).rejects.toMatchObject({ code: "LEASE_ENDED" });
    const other = await opened();
    await endLease(other.world.app, other.world.caller(), other.leaseId, { dryRun: false });
    await expect(other.extend(10 * MINUTE)).rejects.toMatchObject({ code: "LEASE_ENDED" });
  });

  test("that dies between the rules of a lease leaves the end that is told, and the same again moves it", async () => {
    const world = await appWorld();
    const two = anAsk({ sources: ["203.0.113.7/32", "203.0.113.8/32"] });
    const { lease } = await openLease(world.app, world.caller(), two, create);
    const { leaseId } = lease.request;
    let rows = 0;
    const put: App["tables"]["put"] = async (...given) => {
      if (given[0] === "ledger" && ++rows === 2) throw new Error("died");
      return world.tables.put(...given);
    };
    const dying: App = { ...world.app, tables: { ...world.tables, put } };
    const look = () => listLeases(world.tables, { limit: 1, before: null });
    const tick = () =>
      sweep(world.app, {
        ...{ policy: world.policy, cause: "tick", jobs: null },
        deadlineAt: world.app.clock.monotonicMs() + 45_000,
      });
    world.advance(MINUTE);
    await expect(extendLease(dying, world.caller(), leaseId, 10 * MINUTE, { dryRun: false })).rejects.toThrow("died");
    world.advance(MINUTE);
    await tick();
    const until = (await look()).leases[0]?.status.until ?? 0;
    expect(until - START).toBe(10 * MINUTE);
    // People are told of an end that is near by the first of its rules.
    const [first] = lease.request.entryIds;
    const entry = first === undefined ? null : await getEntry(world.tables, lease.request.group, first);
    expect(entry?.holders.map((it) => it.until)).toEqual([until]);
    const again = await extendLease(world.app, world.caller(), leaseId, 3 * MINUTE, { dryRun: false });
    expect([again.lease.status.until - START, again.settled]).toEqual([10 * MINUTE, true]);
    world.advance(8 * MINUTE);
    await tick();
    expect([(await look()).leases[0]?.status.state, world.rules]).toEqual(["closed", []]);
  });

  test("ends all rules of a lease at once, however long it stands still between two of them", async () => {
    const world = await appWorld();
    const two = anAsk({ sources: ["203.0.113.7/32", "203.0.113.8/32"] });
    const { lease } = await openLease(world.app, world.caller(), two, create);
    const put: App["tables"]["put"] = async (...given) => {
      const outcome = await world.tables.put(...given);
      if (given[0] === "ledger") world.advance(20_000);
      return outcome;
    };
    const slow: App = { ...world.app, tables: { ...world.tables, put } };
    const extended = await extendLease(slow, world.caller(), lease.request.leaseId, 20 * MINUTE, { dryRun: false });
    const { entries } = await listEntries(world.tables, lease.request.group);
    const ends = entries.flatMap(({ holders }) => holders.map(({ until }) => until - START));
    expect([ends, extended.lease.status.until - START]).toEqual([[20 * MINUTE, 20 * MINUTE], 20 * MINUTE]);
  });

  test("is the owner's or an operator's to ask for", async () => {
    const { world, extend } = await opened();
    await expect(extend(MINUTE, world.caller("bob"))).rejects.toMatchObject({ code: "LEASE_NOT_YOURS" });
    expect((await extend(MINUTE, world.caller("bob", "operator"))).extended).toBe(true);
  });

  test("is judged by what its owner may today, not by the roles of the token it was asked with", async () => {
    const world = await appWorld();
    const grants: GrantRule[] = [{ ...noBounds, name: "operators", roles: ["operator"] }];
    const policy = { ...world.policy, grants };
    const asOperator = { ...world.caller("ann", "operator"), policy };
    const { leaseId } = (await openLease(world.app, asOperator, anAsk(), create)).lease.request;
    world.advance(MINUTE);
    const extend = (caller: Caller) =>
      extendLease(world.app, { ...caller, policy }, leaseId, 10 * MINUTE, { dryRun: false });
    await expect(extend(world.caller("ann"))).rejects.toMatchObject({ code: "GRANT_DENIED" });
    expect((await extend(asOperator)).extended).toBe(true);
    // In somebody's stead it is judged as theirs.
    expect((await extend(world.caller("olga", "operator"))).extended).toBe(true);
  });

  test("is refused once the instance has another address: what it was is another's by now", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk({ instance: "i-1" }), create);
    const extend = (app = world.app) =>
      extendLease(app, world.caller(), lease.request.leaseId, 20 * MINUTE, { dryRun: false });
    const [member] = (await world.app.inventory.instance("cn-hangzhou", "i-1", "open")) ?? [];
    if (member === undefined) throw new Error("it is there");
    const instance = async () => [{ ...member, address: "192.168.0.12" }];
    const moved = { ...world.app, inventory: { ...world.app.inventory, instance } };
    await expect(extend(moved)).rejects.toMatchObject({ code: "LEASE_HOST_MOVED" });
    expect((await extend()).extended).toBe(true);
  });

  test("has to be of a period that the policy grants", async () => {
    const { extend } = await opened();
    await expect(extend(MINUTE - 1000)).rejects.toMatchObject({ code: "PERIOD_INVALID" });
  });

  test("is judged by the policy of today: the sources of a port that has become sensitive, a group that takes no rule", async () => {
    const world = await appWorld();
    const ask = anAsk({ port: "8000", sources: ["203.0.0.0/16"] });
    const { lease } = await openLease(world.app, world.caller(), ask, create);
    const { policy } = world;
    const extend = (change: Partial<Policy>, dryRun: boolean) => {
      const caller = { ...world.caller(), policy: { ...policy, ...change } };
      return extendLease(world.app, caller, lease.request.leaseId, 10 * MINUTE, { dryRun });
    };
    world.advance(MINUTE);
    const sensitive = { lease: { ...policy.lease, sensitivePorts: [8000] } };
    for (const dryRun of [true, false]) {
      await expect(extend(sensitive, dryRun)).rejects.toMatchObject({ code: "GRANT_LIMIT" });
      for (const denied of ["web", "sg-web"])
        await expect(extend({ groups: { ...policy.groups, denied: [denied] } }, dryRun)).rejects.toMatchObject({
          code: "GROUP_PROTECTED",
        });
    }
    expect(world.changes.length).toBe(1);
    expect((await extend({}, false)).lease.status.until).toBeGreaterThan(lease.status.until);
  });
});
