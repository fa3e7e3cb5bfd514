// A row of a group's ledger that nobody can read holds up nothing but the rule that it is about: no lockdown, and no lease's end.
import { expect, test } from "vitest";
import type { EntryId, RuleId } from "../../../shared/domain/ids.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import { dueDelete, dueLease, dueWrite } from "../../../shared/store/due.ts";
import { listLeases } from "../../../shared/store/leases.ts";
import { getEntry, listEntries } from "../../../shared/store/ledger.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { changeAllocations } from "../../../shared/usecases/ledger/change-allocations.ts";
import { holdDrops } from "../../../shared/usecases/ledger/hold-drops.ts";
import { tendLockdown } from "../../../shared/usecases/lockdown/tend-lockdown.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { anAllocation } from "../../kit/drift-pictures.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";
import { anAsk } from "./app-world.ts";
import { DOCUMENT, letsIn, lift, minutes, NARROW_DOCUMENT, rulesIn, start, terms, tick } from "./lockdown-scene.ts";

const CAROL = "203.0.113.7/32";
const GROUPS = { groups: ["app", "web"] };
const LONG = { periodMs: 7_200_000 };

const inScene = async (document: object, play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("damaged ledger", { document: { ...document }, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};

/** Carol's lease in `app`, for an hour or as asked; answers the entry of its rule. */
const entryOf = async (scene: Scene, app: App, port: string, more: object = {}): Promise<string> => {
  const words = { group: "app", port, reason: "it has to be looked at", periodMs: 3_600_000, startAt: null, ...more };
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const { lease } = await openLease(app, scene.asker("carol", "requester"), anAsk(words), options);
  return String(lease.request.entryIds[0]);
};

/** Nobody can read the entry; answers how it is put right. */
const damaged = async ({ tables }: App, entryId: string | undefined): Promise<() => Promise<unknown>> => {
  const key = [APP.groupId, String(entryId)];
  const body = String((await tables.get("ledger", key))?.columns["body"]);
  await tables.update("ledger", key, { body: "{" }, { kind: "present" });
  return () => tables.update("ledger", key, { body }, { kind: "present" });
};
const closed = async ({ tables }: App, lockdownId: string) =>
  (await getLockdown(tables, lockdownId))?.groups.map(({ isClosed }) => isClosed);

test("by accepts: all others are closed, and this one once its row can be read", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    const [entryId] = [await entryOf(scene, app, "7443"), await entryOf(scene, app, "7444")];
    const before = rulesIn(scene, APP);
    const lets = (): readonly boolean[] => [7443, 7444].map((port) => letsIn(scene, APP, port, CAROL));
    const mend = await damaged(app, entryId);
    const { lockdownId, groups } = await start(scene, app, GROUPS);
    const left = [`not closed in full yet: the row ${APP.groupId} ${entryId} of its ledger cannot be read`];
    expect(groups).toMatchObject([{ way: "suspend", isClosed: false, left }, { isClosed: true }]);
    expect(lets()).toEqual([true, false]);
    await mend();
    await minutes(scene, 2);
    expect([lets(), await closed(app, lockdownId)]).toEqual([
      [false, false],
      [true, true],
    ]);
    await lift(scene, app, lockdownId);
    expect(rulesIn(scene, APP)).toEqual(before);
  }));

test("by accepts: what no pass could read when the lockdown ended opens once it can be read", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    const [entryId] = [await entryOf(scene, app, "7443", LONG), await entryOf(scene, app, "7444", LONG)];
    const lets = (): readonly boolean[] => [7443, 7444].map((port) => letsIn(scene, APP, port, CAROL));
    await start(scene, app, { ...GROUPS, periodMs: 1_800_000 });
    const mend = await damaged(app, entryId);
    await minutes(scene, 40);
    expect(lets()).toEqual([false, true]);
    await mend();
    await minutes(scene, 2);
    expect(lets()).toEqual([true, true]);
  }));

test("by accepts of two lockdowns: what came in meanwhile is closed for both", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    const entryId = await entryOf(scene, app, "7443");
    const { lockdownId: param } = await start(scene, app);
    await start(scene, app, { ...GROUPS, cause: "bob" });
    await damaged(app, entryId);
    const mallory = scene.person("mallory");
    const rules = [7443, 7444].map((port) => ({ spec: ruleOf(port, CAROL), description: "new" }));
    await mallory.firewall.authorize(APP, rules, mallory.token(), "open");
    await tendLockdown(app, { policy: scene.policy, param, deadlineAt: app.clock.monotonicMs() + 30_000 });
    const { entries } = await listEntries(app.tables, APP);
    const other = entries.find(({ key }) => key === ruleKey(ruleOf(7444, CAROL)));
    expect(other?.suspension?.by.length).toBe(2);
    expect(letsIn(scene, APP, 7444, CAROL)).toBe(false);
  }));

test("by drops: the other groups are closed, and what a lift could not read is lifted once it can be", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const before = rulesIn(scene, APP);
    const first = await start(scene, app);
    const { entries } = await listEntries(app.tables, APP);
    const mend = await damaged(app, entries.find(({ spec }) => spec.policy === "drop")?.entryId);
    const second = await start(scene, app, { ...GROUPS, cause: "bob" });
    expect(second.groups).toMatchObject([{ way: "drops", isClosed: false }, { isClosed: true }]);
    await lift(scene, app, first.lockdownId);
    await lift(scene, app, second.lockdownId);
    await minutes(scene, 10);
    expect(rulesIn(scene, APP)).toHaveLength(before.length + 1);
    await mend();
    await minutes(scene, 2);
    expect(rulesIn(scene, APP)).toEqual(before);
  }));

test("by drops: that of a lease which has broken the glass leaves its way, and no other group open", () =>
  inScene({ ...DOCUMENT, breakGlass: { persons: ["carol"], periodMax: 900 } }, async (scene, app) => {
    const six = "2001:db8::1/128";
    await start(scene, app, GROUPS);
    const mend = await damaged(app, await entryOf(scene, app, "7443", { breakGlass: true, ...TEN_MINUTES }));
    const mallory = scene.person("mallory");
    const rule = { spec: ruleOf(3306, six, 5), description: "new" };
    await mallory.firewall.authorize(WEB, [rule], mallory.token(), "open");
    await minutes(scene, 2);
    expect([letsIn(scene, WEB, 3306, six), letsIn(scene, APP, 7443, CAROL)]).toEqual([false, true]);
    await mend();
    await minutes(scene, 12);
    expect(letsIn(scene, APP, 7443, CAROL)).toBe(false);
  }));

test("a drop of ours gives no way to a lease that starts, and nothing in the group waits for that", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const before = rulesIn(scene, APP);
    const now = app.clock.now();
    const drop = aSpec({ policy: "drop", ports: somePorts("7443/7443"), peer: fromCidr("0.0.0.0/0") });
    const quarantine = { kind: "quarantine", holderId: "rc-1.sg-app", principal: "safeport", reason: "idle" } as const;
    const { rows, entryIds } = await holdDrops(app, APP, { ...quarantine, until: now + 86_400_000 }, [drop]);
    const look = { cause: "test", actor: "safeport", priority: "end", rows, ...terms(scene, app) } as const;
    await lookAtGroup(app, APP, look);
    await entryOf(scene, app, "7444", { periodMs: 600_000 });
    await entryOf(scene, app, "7443", { startAt: Math.ceil(now / 1000) * 1000 + 120_000 });
    await damaged(app, entryIds[0]);
    await minutes(scene, 11);
    expect(rulesIn(scene, APP)).toHaveLength(before.length + 1);
    const { leases } = await listLeases(app.tables, { limit: 10, before: null });
    expect(leases.map(({ status }) => [status.state, status.note])).toEqual([
      ["failed", "LEASE_SHADOWED"],
      ["closed", null],
    ]);
  }));

const TEN_MINUTES = { periodMs: 600_000 };

/** Somebody makes the rule on port 7443 another one; its mark goes with that. */
const widen = async (scene: Scene): Promise<void> => {
  const { firewall, token } = scene.person("dave");
  const rule = scene.account.rules(APP.groupId).find(({ ports }) => JSON.stringify(ports).includes("7443"));
  const spec = aSpec({ ports: somePorts("12045/12045"), peer: fromCidr("198.51.100.0/24") });
  await firewall.modify(APP, rule?.id as RuleId, { spec, description: "wider" }, token(), "end");
};
const isWide = (scene: Scene): boolean => letsIn(scene, APP, 12_045, "198.51.100.7/32");
const statesOf = async ({ tables }: App): Promise<readonly string[]> =>
  (await listLeases(tables, { limit: 10, before: null })).leases.map(({ status }) => status.state);

test("a lease's rule that somebody has changed is closed at the lease's end, by what the lease's row knows", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const before = rulesIn(scene, APP);
    const mend = await damaged(app, await entryOf(scene, app, "7443", TEN_MINUTES));
    await widen(scene);
    await minutes(scene, 9);
    expect(isWide(scene)).toBe(true);
    await minutes(scene, 2);
    expect(rulesIn(scene, APP)).toEqual(before);
    await mend();
    await minutes(scene, 2);
    expect(await statesOf(app)).toEqual(["closed"]);
  }));

test("so is one that was given back after a lockdown, which has another id since", () =>
  inScene(NARROW_DOCUMENT, async (scene, app) => {
    const before = rulesIn(scene, APP);
    const entryId = await entryOf(scene, app, "7443", { periodMs: 1_200_000 });
    const { lockdownId } = await start(scene, app, GROUPS);
    await minutes(scene, 2);
    expect(letsIn(scene, APP, 7443, CAROL)).toBe(false);
    await lift(scene, app, lockdownId);
    expect(letsIn(scene, APP, 7443, CAROL)).toBe(true);
    await damaged(app, entryId);
    await widen(scene);
    await minutes(scene, 20);
    expect([isWide(scene), rulesIn(scene, APP)]).toEqual([false, before]);
  }));

test("that rule stays while somebody else's lease holds it, or while nobody can read whether one does", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const entryId = await entryOf(scene, app, "7443", TEN_MINUTES);
    const words = { group: "app", port: "7443", reason: "it has to be looked at", startAt: null };
    const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    const ask = anAsk({ ...words, periodMs: 1_200_000 });
    const { lease } = await openLease(app, scene.asker("dave", "requester"), ask, options);
    expect(lease.request.entryIds).toEqual([entryId]);
    await damaged(app, entryId);
    await widen(scene);
    await minutes(scene, 12);
    expect(isWide(scene)).toBe(true);
    const key = [lease.request.leaseId];
    const status = String((await app.tables.get("lease", key))?.columns["status"]);
    await app.tables.update("lease", key, { status: "{" }, { kind: "present" });
    await minutes(scene, 3);
    expect(isWide(scene)).toBe(true);
    await app.tables.update("lease", key, { status }, { kind: "present" });
    await minutes(scene, 6);
    expect(isWide(scene)).toBe(false);
  }));

test.each(["before the lease", "since the lease was opened"])("it stays where it was granted for good %s", (when) =>
  inScene(DOCUMENT, async (scene, app) => {
    const spec = aSpec({ ports: somePorts("7443/7443"), peer: fromCidr(CAROL) });
    const allocation = anAllocation({ at: app.clock.now(), seenAt: null });
    const allocate = async (): Promise<void> => {
      await scene.schedule.sleep(2000);
      await changeAllocations(app, APP, "ann", [{ spec, allocation }]);
      await lookAtGroup(app, APP, { cause: "test", actor: "ann", priority: "open", rows: [], ...terms(scene, app) });
    };
    if (when === "before the lease") await allocate();
    const entryId = await entryOf(scene, app, "7443", TEN_MINUTES);
    if (when !== "before the lease") await allocate();
    expect((await getEntry(app.tables, APP, entryId as EntryId))?.standing.kind).toBe("preExisting");
    await damaged(app, entryId);
    await widen(scene);
    await minutes(scene, 12);
    expect(isWide(scene)).toBe(true);
  }),
);

test("it stays where another entry grants what it says by now", () =>
  inScene(DOCUMENT, async (scene, app) => {
    await damaged(app, await entryOf(scene, app, "7443", TEN_MINUTES));
    await widen(scene);
    const spec = aSpec({ ports: somePorts("12045/12045"), peer: fromCidr("198.51.100.0/24") });
    await changeAllocations(app, APP, "ann", [{ spec, allocation: anAllocation({ at: app.clock.now() }) }]);
    await minutes(scene, 12);
    expect(isWide(scene)).toBe(true);
  }));

test.each([
  ["closing", false],
  ["open", true],
])("a lease whose row says %s before its end, and that is due by a row too many", (state, stays) =>
  inScene(DOCUMENT, async (scene, app) => {
    const entryId = await entryOf(scene, app, "7443", TEN_MINUTES);
    await damaged(app, entryId);
    await widen(scene);
    const [lease] = (await listLeases(app.tables, { limit: 1, before: null })).leases;
    if (lease === undefined) throw new Error("no lease");
    const { leaseId } = lease.request;
    const status = JSON.stringify({ ...lease.status, state });
    await app.tables.update("lease", [leaseId], { status, state }, { kind: "present" });
    const rowAt = (at: number) => dueLease(APP, leaseId, at, app.settings.shards);
    await app.tables.writeAll([
      ...(stays ? [dueDelete(rowAt(lease.status.until))] : []),
      dueWrite(rowAt(app.clock.now())),
    ]);
    await minutes(scene, 2);
    expect(isWide(scene)).toBe(stays);
  }),
);

test("nobody else's end waits for that while the history cannot be read", () =>
  inScene(DOCUMENT, async (scene, app) => {
    const damage = await entryOf(scene, app, "7443", TEN_MINUTES);
    await entryOf(scene, app, "7444", TEN_MINUTES);
    await damaged(app, damage);
    await widen(scene);
    const { range } = app.tables;
    const unavailable: typeof range = (query) =>
      query.table === "history" ? Promise.reject(new StoreFailure("unavailable", "history")) : range(query);
    await minutes(scene, 9);
    await tick(scene, 120_000, { ...app, tables: { ...app.tables, range: unavailable } });
    expect([isWide(scene), letsIn(scene, APP, 7444, CAROL)]).toEqual([true, false]);
    await minutes(scene, 1);
    expect(isWide(scene)).toBe(false);
  }));
