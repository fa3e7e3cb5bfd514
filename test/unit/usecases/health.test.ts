// What health says of leases that are late.
import { describe, expect, test } from "vitest";
import { readDue } from "../../../shared/store/due.ts";
import { lastFullPassWrite } from "../../../shared/store/full-pass.ts";
import { getLease, writeStatus } from "../../../shared/store/leases.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { tellOverdue } from "../../../shared/usecases/lease/tell-overdue.ts";
import { health } from "../../../shared/usecases/operation/health.ts";
import { anAsk, appWorld, GROUP, START } from "./app-world.ts";

const HOUR_MS = 60 * 60_000;
const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

describe("health", () => {
  test("is ok while nothing is due", async () => {
    const world = await appWorld();
    expect(await health(world.app, world.policy)).toEqual({
      status: "ok",
      now: START,
      oldestDueAt: null,
      overdueEnds: [],
      oldestGroupSeenAt: null,
      unjustified: [],
      evidence: [],
      trail: { checkedAt: null, faults: [] },
      groupSeenTargetMs: null,
      clockSkewMs: 0,
      policyVersion: world.policy.version,
      mode: { mode: "normal", since: null, by: null, reason: "" },
    });
  });

  test("answers where somebody has damaged what is kept of evidence and trail, and says so", async () => {
    const world = await appWorld();
    for (const key of ["trail", "evidence/r/flowLog"])
      await world.app.tables.put("schedule", [key], { body: "{}" }, { kind: "none" });
    expect(await health(world.app, world.policy)).toMatchObject({
      status: "trail-broken",
      evidence: [
        { region: "r", source: "flowLog", readUntil: null, trouble: expect.stringContaining("cannot be read") },
      ],
      trail: { checkedAt: null, faults: [{ of: "trail", kind: "check" }] },
    });
  });

  test("names a lease from 30 s past its end on, once", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
    world.advance(lease.status.until + 30_000 - world.app.clock.now());
    expect(await health(world.app, world.policy)).toMatchObject({
      status: "ok",
      oldestDueAt: lease.status.until,
      overdueEnds: [],
    });
    world.advance(1);
    expect(await health(world.app, world.policy)).toMatchObject({
      status: "overdue",
      overdueEnds: [{ lease: lease.request.leaseId, group: GROUP.groupId, dueAt: lease.status.until }],
    });
  });

  test("names a lease that nobody can read beside the others that are late", async () => {
    const world = await appWorld();
    const [first, second] = [
      await openLease(world.app, world.caller(), anAsk({ port: "8443" }), create),
      await openLease(world.app, world.caller(), anAsk({ port: "9443" }), create),
    ].map(({ lease }) => ({ lease: lease.request.leaseId, group: GROUP.groupId, dueAt: lease.status.until }));
    await world.tables.update("lease", [first?.lease ?? ""], { status: "{" }, { kind: "present" });
    await world.tables.put("attention", ["justify", first?.lease ?? ""], { at: START }, { kind: "none" });
    world.advance((second?.dueAt ?? 0) + 30_001 - world.app.clock.now());
    expect(await health(world.app, world.policy)).toMatchObject({ status: "overdue", unjustified: [] });
    expect((await health(world.app, world.policy)).overdueEnds).toEqual([first, second]);
    const { due } = await readDue(world.tables, 0, world.app.clock.now(), 100);
    await tellOverdue(world.app, GROUP, due, "the cloud refuses to close it");
    const { pending } = await readOutbox(world.tables, 10);
    const told = pending.map(({ notice }) => Object.values(notice?.data ?? {}).slice(0, 2));
    expect(told.sort()).toEqual(
      [
        [first?.lease, "(its row cannot be read)"],
        [second?.lease, world.caller().principal],
      ].sort(),
    );
  });

  test("does not call a late look at an open lease an overdue end", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
    const columns = { region: GROUP.region, group: GROUP.groupId };
    await world.tables.put("due", [0, START, "lease", lease.request.leaseId], columns, { kind: "none" });
    world.advance(120_000);
    expect(await health(world.app, world.policy)).toMatchObject({ status: "ok", oldestDueAt: START, overdueEnds: [] });
  });

  test("names a lease that was ended early and still is not closed", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
    const { leaseId } = lease.request;
    await writeStatus(world.tables, leaseId, { ...lease.status, state: "closing" }, Number.MAX_SAFE_INTEGER);
    const columns = { region: GROUP.region, group: GROUP.groupId };
    await world.tables.put("due", [0, START + 5000, "lease", leaseId], columns, { kind: "none" });
    world.advance(60_000);
    const { overdueEnds } = await health(world.app, world.policy);
    expect(overdueEnds).toEqual([{ lease: leaseId, group: GROUP.groupId, dueAt: START + 5000 }]);
  });

  test("forgets a lease that has ended, whatever rows are left of it", async () => {
    const world = await appWorld();
    const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
    await endLease(world.app, world.caller(), lease.request.leaseId, { dryRun: false });
    expect((await getLease(world.tables, lease.request.leaseId))?.status.state).toBe("closed");
    world.advance(24 * 3_600_000);
    expect(await health(world.app, world.policy)).toMatchObject({ status: "ok", overdueEnds: [] });
  });

  describe("of the look at every group", () => {
    const ended = async (longMs: number) => {
      const world = await appWorld();
      const endedAt = START + longMs;
      await world.tables.writeAll([lastFullPassWrite({ startedAt: START, endedAt, groups: 1 })]);
      return world;
    };

    test("alarms at over twice an hour", async () => {
      const world = await ended(0);
      world.advance(2 * HOUR_MS);
      const { status, oldestGroupSeenAt, groupSeenTargetMs } = await health(world.app, world.policy);
      expect([status, oldestGroupSeenAt, groupSeenTargetMs]).toEqual(["ok", START, HOUR_MS]);
      world.advance(1);
      expect((await health(world.app, world.policy)).status).toBe("unseen");
    });

    test("allows for passes that the budget makes long", async () => {
      const world = await ended(1.5 * HOUR_MS);
      world.advance(6 * HOUR_MS);
      expect(await health(world.app, world.policy)).toMatchObject({ status: "ok", groupSeenTargetMs: 3 * HOUR_MS });
      world.advance(1);
      expect((await health(world.app, world.policy)).status).toBe("unseen");
    });

    test("says first that an end is overdue", async () => {
      const world = await ended(0);
      const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
      world.advance(3 * HOUR_MS);
      expect(await health(world.app, world.policy)).toMatchObject({
        status: "overdue",
        overdueEnds: [{ lease: lease.request.leaseId }],
      });
    });
  });

  test("says that it is not installed while no sweep has run", async () => {
    const world = await appWorld();
    await world.tables.delete("due", [0, 0, "installation", "test"], { kind: "none" });
    expect((await health(world.app, world.policy)).status).toBe("not-installed");
  });
});
