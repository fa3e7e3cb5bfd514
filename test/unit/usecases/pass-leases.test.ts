// What a pass writes down of leases after another pass has taken its place, and what is entered again of a lease that is ending.
import { describe, expect, test } from "vitest";
import type { LeaseId, RuleId } from "../../../shared/domain/ids.ts";
import type { Lease } from "../../../shared/domain/lease-record.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import type { EntryPatch } from "../../../shared/plan/entry-plan.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { intentWrite, listIntents } from "../../../shared/store/intents.ts";
import { getLease, listLeases, writeStatus } from "../../../shared/store/leases.ts";
import { deleteEntry, getEntry, listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { bookHolds } from "../../../shared/usecases/ledger/book-holds.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { PassLeases } from "../../../shared/usecases/pass/pass-leases.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import { anIntent } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";
import { specOf } from "./guarded-app.ts";

const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** A lease on another port that is not open yet, as an intent could not be read that is gone by now. */
async function waiting(world: AppWorld): Promise<Lease> {
  const key = [GROUP.groupId, "in-1"];
  await world.tables.put("intent", key, { body: "{" }, { kind: "none" });
  const { lease } = await openLease(world.app, world.caller(), anAsk({ port: "2222" }), create);
  await world.tables.delete("intent", key, { kind: "none" });
  return lease;
}

async function opened(): Promise<{ world: AppWorld; entry: Entry; leaseId: Entry["holders"][number]["holderId"] }> {
  const world = await appWorld();
  const { lease } = await openLease(world.app, world.caller(), anAsk(), create);
  const { entries } = await listEntries(world.tables, GROUP);
  const [entry] = entries;
  if (!entry) throw new Error("the lease is not in the ledger");
  return { world, entry, leaseId: lease.request.leaseId };
}

const look = (world: AppWorld, app: App = world.app) =>
  lookAtGroup(app, GROUP, {
    ...{ cause: "test", actor: "safeport", policy: world.policy, priority: "end", rows: [] },
    deadlineAt: app.clock.monotonicMs() + 45_000,
  });

const ended = { cause: "asked", note: null, detail: null } as const;

/** Nothing of the entry stands any more. */
const settled = (entry: Entry): EntryPatch => ({
  entry,
  standing: { kind: "none" },
  createdAt: null,
  missingSince: null,
  opens: "none",
  doubted: new Set(),
  stated: true,
  end: null,
  ends: "none",
  settled: true,
  seenAt: null,
  suspension: null,
  undoneAt: [],
});

test("a pass whose lock has passed on takes no lease out of the ledger", async () => {
  const { world, entry, leaseId } = await opened();
  const over = { ...entry, holders: entry.holders.map((it) => ({ ...it, ended })) };
  await saveEntry(world.tables, over);
  const stored = await getEntry(world.tables, GROUP, entry.entryId);
  if (!stored) throw new Error("the entry is gone");
  const lease = await getLease(world.tables, leaseId as never);
  if (!lease) throw new Error("the lease is gone");
  const later = Number.MAX_SAFE_INTEGER;
  await writeStatus(world.tables, lease.request.leaseId, { ...lease.status, state: "closing" }, later);
  const { stale } = await new PassLeases(world.app, later - 1).writeDown(
    [settled(stored)],
    [stored],
    world.app.clock.now(),
  );
  expect(stale).toBe(true);
  // Its row still says that it is not over: without a place in the ledger it would be entered, and opened, again.
  expect((await getEntry(world.tables, GROUP, entry.entryId))?.holders).toHaveLength(1);
  expect((await getLease(world.tables, lease.request.leaseId))?.status.state).toBe("closing");
});

test("a lease that its row knows as open has been open, though who saw it died before the ledger had it", async () => {
  const { world, entry, leaseId } = await opened();
  const unseen = { ...entry, holders: entry.holders.map((it) => ({ ...it, openedAt: null, ended })) };
  await saveEntry(world.tables, unseen as Entry);
  const stored = await getEntry(world.tables, GROUP, entry.entryId);
  const before = await getLease(world.tables, leaseId as LeaseId);
  if (!stored || before?.status.state !== "open") throw new Error("the lease is not open");
  const later = Number.MAX_SAFE_INTEGER - 1;
  await new PassLeases(world.app, later).writeDown([settled(stored)], [stored], world.app.clock.now());
  const { status } = (await getLease(world.tables, leaseId as LeaseId)) ?? {};
  expect(status).toMatchObject({ state: "closed", openedAt: before.status.openedAt });
});

test("nor is it refused as one that would open for the first time, when a mode lets nothing open", async () => {
  const { world, entry, leaseId } = await opened();
  const holders = entry.holders.map((it) => ({ ...it, openedAt: null }));
  await saveEntry(world.tables, { ...entry, holders } as Entry);
  await setMode(world.app, world.caller(), { mode: "close-only", reason: "a drill" }, { dryRun: false });
  await look(world);
  expect((await getLease(world.tables, leaseId as LeaseId))?.status.state).toBe("open");
  expect((await getEntry(world.tables, GROUP, entry.entryId))?.standing.kind).toBe("ours");
});

test("a group of that id in another region, of which an event may tell whatever it likes, has none of these leases", async () => {
  const { world, entry, leaseId } = await opened();
  const elsewhere = { ...GROUP, region: "cn-shanghai" };
  expect((await listEntries(world.tables, elsewhere)).entries).toEqual([]);
  expect(await getEntry(world.tables, elsewhere, entry.entryId)).toBeNull();
  await lookAtGroup(world.app, elsewhere, {
    ...{ cause: "test", actor: "safeport", policy: world.policy, priority: "end", rows: [] },
    deadlineAt: world.app.clock.monotonicMs() + 45_000,
  });
  expect((await getLease(world.tables, leaseId as LeaseId))?.status.state).toBe("open");
  expect((await getEntry(world.tables, GROUP, entry.entryId))?.holders).toHaveLength(1);
});

test("a lease whose row is lost ends all the same", async () => {
  const { world, entry, leaseId } = await opened();
  const over = { ...entry, holders: entry.holders.map((it) => ({ ...it, ended })) };
  await saveEntry(world.tables, over);
  const stored = await getEntry(world.tables, GROUP, entry.entryId);
  if (!stored) throw new Error("the entry is gone");
  await world.tables.delete("lease", [leaseId], { kind: "none" });
  const written = await new PassLeases(world.app, 7).writeDown([settled(stored)], [stored], world.app.clock.now());
  expect(written.stale).toBe(false);
  expect(await getEntry(world.tables, GROUP, entry.entryId)).toBeNull();
});

test("a lease that is closing is entered again as one that has ended", async () => {
  const { world, entry, leaseId } = await opened();
  const lease = await getLease(world.tables, leaseId as never);
  if (!lease) throw new Error("the lease is gone");
  await deleteEntry(world.tables, entry);
  expect(await bookHolds(world.app, { ...lease, status: { ...lease.status, state: "closing" } })).toBe(true);
  const again = await getEntry(world.tables, GROUP, entry.entryId);
  expect(again?.holders.map((it) => it.ended !== null)).toEqual([true]);
});

test("the row of a lease that is over stays as it is, whoever comes later", async () => {
  const { world, leaseId } = await opened();
  await endLease(world.app, world.caller(), leaseId as LeaseId, { dryRun: false });
  const lease = await getLease(world.tables, leaseId as LeaseId);
  if (!lease) throw new Error("the lease is gone");
  expect(lease.status.state).toBe("closed");
  const closing = { ...lease.status, state: "closing" } as const;
  expect(await writeStatus(world.tables, lease.request.leaseId, closing, Number.MAX_SAFE_INTEGER - 1)).toBe("conflict");
});

test("who was late in entering a lease that was ended meanwhile does not have it opened again", async () => {
  const { world, leaseId } = await opened();
  const read = await getLease(world.tables, leaseId as LeaseId);
  if (!read) throw new Error("the lease is gone");
  await endLease(world.app, world.caller(), leaseId as LeaseId, { dryRun: false });
  world.changes.length = 0;
  // As it read it before anybody had opened it.
  await bookHolds(world.app, { ...read, status: { ...read.status, state: "opening", openedAt: null, ruleIds: [] } });
  await look(world);
  expect(world.changes).toEqual([]);
  expect((await listEntries(world.tables, GROUP)).entries).toEqual([]);
  expect((await getLease(world.tables, read.request.leaseId))?.status.state).toBe("closed");
});

test("a pass that was frozen past its lock leaves intents to whoever came after it", async () => {
  const { world, entry } = await opened();
  const { app } = world;
  const now = app.clock.now();
  const intent = anIntent(entry, { group: GROUP, bookedAt: now - 600_000, attemptsEndAt: now - 600_000 });
  await world.tables.writeAll([intentWrite(intent)]);
  let isFrozen = false;
  const range: Tables["range"] = async (query) => {
    const answer = await app.tables.range(query);
    if (query.table !== "intent" || isFrozen) return answer;
    isFrozen = true;
    world.advance(app.settings.lockMs);
    await world.tables.writeAll([intentWrite({ ...intent, attemptsEndAt: app.clock.now() })]);
    return answer;
  };
  await look(world, { ...app, tables: { ...app.tables, range } });
  expect((await listIntents(world.tables, GROUP)).intents).toHaveLength(1);
  world.advance(app.settings.lateEffectMaxMs + 1000);
  await look(world);
  expect((await listIntents(world.tables, GROUP)).intents).toEqual([]);
});

test.each(["{", "[]", "null", "{}"])(
  "an intent that reads %s keeps no lease from its end, and nothing is opened while nobody can read it",
  async (body) => {
    const { world, leaseId } = await opened();
    await world.tables.put("intent", [GROUP.groupId, "in-1"], { body }, { kind: "none" });
    const other = await openLease(world.app, world.caller(), anAsk({ port: "2222" }), create);
    expect(other.lease.status.state).toBe("opening");
    await endLease(world.app, world.caller(), leaseId as LeaseId, { dryRun: false });
    expect((await getLease(world.tables, leaseId as LeaseId))?.status.state).toBe("closed");
    await world.tables.delete("intent", [GROUP.groupId, "in-1"], { kind: "none" });
    await look(world);
    expect((await getLease(world.tables, other.lease.request.leaseId))?.status.state).toBe("open");
  },
);

test.each(["{", "[]", "null", "{}"])("a lease whose status reads %s keeps no other out of a list", async (status) => {
  const { world, leaseId } = await opened();
  const other = await openLease(world.app, world.caller(), anAsk({ port: "2222" }), create);
  await world.tables.update("lease", [leaseId], { status }, { kind: "present" });
  const { leases, unreadable } = await listLeases(world.tables, { limit: 10, before: null });
  expect([leases.map(({ request }) => request.leaseId), unreadable]).toEqual([
    [other.lease.request.leaseId],
    [leaseId],
  ]);
});

test.each(["{", "{}"])(
  "a lease that waits to be opened and whose status reads %s keeps no other from its end, and is opened once it can be read",
  async (status) => {
    const { world, leaseId } = await opened();
    const lease = await waiting(world);
    const key = [lease.request.leaseId];
    const whole = await world.tables.get("lease", key);
    await world.tables.update("lease", key, { status }, { kind: "present" });
    await endLease(world.app, world.caller(), leaseId as LeaseId, { dryRun: false });
    expect((await getLease(world.tables, leaseId as LeaseId))?.status.state).toBe("closed");
    expect(world.changes.filter((it) => JSON.stringify(it).includes("2222"))).toEqual([]);
    await world.tables.update("lease", key, { status: String(whole?.columns["status"]) }, { kind: "present" });
    await look(world);
    expect((await getLease(world.tables, lease.request.leaseId))?.status.state).toBe("open");
  },
);

test("a lease that waits to be opened and cannot be read keeps no other from the same rule, and is opened beside it", async () => {
  const { world } = await opened();
  const lease = await waiting(world);
  const key = [lease.request.leaseId];
  const whole = await world.tables.get("lease", key);
  await world.tables.update("lease", key, { status: "{" }, { kind: "present" });
  const other = await openLease(world.app, world.caller("bob"), anAsk({ port: "2222" }), create);
  expect(other.lease.status.state).toBe("open");
  const openedOf = async (): Promise<readonly boolean[]> => {
    const { entries } = await listEntries(world.tables, GROUP);
    const [entry] = entries.filter(({ entryId }) => lease.request.entryIds.includes(entryId));
    return entry?.holders.map(({ openedAt }) => openedAt !== null) ?? [];
  };
  expect(await openedOf()).toEqual([false, true]);
  await world.tables.update("lease", key, { status: String(whole?.columns["status"]) }, { kind: "present" });
  await look(world);
  expect(await openedOf()).toEqual([true, true]);
  expect((await getLease(world.tables, lease.request.leaseId))?.status.state).toBe("open");
});

test("a lease that lapses and cannot be read keeps no other from its end", async () => {
  const { world, leaseId } = await opened();
  await world.tables.put("intent", [GROUP.groupId, "in-1"], { body: "{" }, { kind: "none" });
  const { lease } = await openLease(world.app, world.caller(), anAsk({ port: "2222", periodMs: 60_000 }), create);
  await world.tables.update("lease", [lease.request.leaseId], { request: "{" }, { kind: "present" });
  world.advance(120_000);
  await endLease(world.app, world.caller(), leaseId as LeaseId, { dryRun: false });
  expect((await getLease(world.tables, leaseId as LeaseId))?.status.state).toBe("closed");
});

test("a rule that somebody has changed goes with the last lease that had it open, and who has come since has one of their own", async () => {
  const { world } = await opened();
  world.rules = world.rules.map((rule) => ({
    ...rule,
    ...aSpec({ ports: somePorts("1/65535") }),
    description: "wider",
  }));
  const ask = anAsk({ periodMs: 3_600_000 });
  const { lease } = await openLease(world.app, world.caller("bob"), ask, {
    ...{ mode: "create", idempotencyKey: null, dryRun: false },
  });
  expect(lease.status.state).toBe("opening");
  world.advance(600_000);
  await look(world);
  expect(world.rules.map(({ id, ports }) => [id, ports])).toEqual([["sgr-2", somePorts("22/22")]]);
  const states = (await listLeases(world.tables, { limit: 2, before: null })).leases.map(({ status }) => status.state);
  expect(states).toEqual(["open", "closed"]);
});

describe("a lease of several sources whose rows of the ledger are lost", () => {
  const theirs = aRule({ ...specOf(22), priority: 100, id: "sgr-theirs" as RuleId, description: "theirs" });
  const both = ["203.0.113.7/32", "203.0.113.8/32"];
  const standings = async ({ tables }: AppWorld) =>
    (await listEntries(tables, GROUP)).entries.map(({ entryId, standing }) => [entryId, standing]);
  const lost = async (sources: readonly string[], rules: readonly Rule[]) => {
    const world = await appWorld();
    world.rules = [...rules];
    const { lease } = await openLease(world.app, world.caller(), anAsk({ sources }), create);
    const { leaseId } = lease.request;
    const before = await standings(world);
    for (const entry of (await listEntries(world.tables, GROUP)).entries) await deleteEntry(world.tables, entry);
    return { world, leaseId, before, read: async () => (await getLease(world.tables, leaseId)) ?? lease };
  };

  test.each([[both], [[...both].reverse()]])(
    "has each of its rules again, and none that stood before it: %j",
    async (sources) => {
      const { world, before, read } = await lost(sources, [theirs]);
      await bookHolds(world.app, await read());
      expect(await standings(world)).toEqual(before);
      await look(world);
      expect(world.rules.map(({ description }) => description.slice(0, 8))).toEqual(["theirs", "safeport"]);
      world.advance(600_000);
      await look(world);
      expect([world.rules, (await read()).status.state]).toEqual([[theirs], "closed"]);
    },
  );

  test("has none by a row that does not tell them apart but what bears its mark", async () => {
    const { world, leaseId, read } = await lost(both, [theirs]);
    const { standings: _, ...status } = (await read()).status;
    await writeStatus(world.tables, leaseId, status, Number.MAX_SAFE_INTEGER - 1);
    await bookHolds(world.app, await read());
    world.advance(600_000);
    await look(world);
    expect(world.rules).toEqual([theirs]);
  });
});
