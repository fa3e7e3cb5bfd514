// Granting a rule for good and taking that back, with what passes make of it.
import { describe, expect, test } from "vitest";
import type { EntryId } from "../../../shared/domain/ids.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { listIntents } from "../../../shared/store/intents.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { getLedgerEntry, listLedger } from "../../../shared/usecases/ledger/list-ledger.ts";
import { retireEntry } from "../../../shared/usecases/ledger/retire-entry.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { anAsk, GROUP, START } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const idOf = (port: number, source?: string) => entryIdOf(GROUP.groupId, ruleKey(specOf(port, source)));

function aGrant(changes: Partial<AllocationAsk> = {}): AllocationAsk {
  return {
    ...{
      group: "web",
      protocol: "tcp",
      port: "8080",
      sources: ["203.0.113.7"],
      policy: "accept",
      direction: "ingress",
    },
    ...{ priority: 1, owner: "ann", application: "shop", reason: "the shop", ticket: "T-1", allowedSources: [] },
    ...{ openHours: null, sensitiveConfirmed: false },
    ...changes,
  } as AllocationAsk;
}

const allocate = (guarded: GuardedApp, changes: Partial<AllocationAsk> = {}, dryRun = false) =>
  allocateRule(guarded.app, guarded.caller("operator"), aGrant(changes), { dryRun });
const retire = (guarded: GuardedApp, entryId: EntryId, dryRun = false) =>
  retireEntry(guarded.app, guarded.caller("operator"), "web", entryId, { dryRun });
const storyOf = (guarded: GuardedApp, entryId: EntryId) =>
  getLedgerEntry(guarded.app, guarded.caller("auditor"), "web", entryId);

describe("a grant", () => {
  test.each(["none", "observe", "enforce"] as const)("is opened by the next pass under guard %s", async (guard) => {
    const guarded = await guardedApp(guard, []);
    const { plan, entries, reach } = await allocate(guarded);
    expect(plan).toEqual(["allocate ingress|tcp|8080/8080|203.0.113.7/32|accept|1|-1/-1|*; authorize it"]);
    expect(reach.hosts.map((host) => host.name)).toEqual(["web-1"]);
    expect(entries[0]?.allocation).toMatchObject({ owner: "ann", application: "shop", ticket: "T-1", seenAt: null });
    await guarded.look();
    expect(guarded.ports()).toEqual([8080]);
    expect((await storyOf(guarded, idOf(8080))).entry?.allocation?.seenAt).toBeGreaterThanOrEqual(START);
    expect(guarded.world.rules[0]?.description).toBe("safeport ledger: the shop");
  });

  test("of a rule that stands takes it as it is and writes nothing to the cloud", async () => {
    const guarded = await guardedApp("observe", [ruleOf(8080)]);
    expect((await allocate(guarded)).plan[0]).toContain("it stands already");
    await guarded.look();
    expect(guarded.world.changes).toEqual([]);
    expect((await guarded.drift()).items).toEqual([]);
  });

  test("of a lease's rule has it stand when the lease has ended", async () => {
    const guarded = await guardedApp("none", []);
    const { app, world } = guarded;
    const ask = anAsk({ port: "8080" });
    await openLease(app, guarded.caller("admin"), ask, { mode: "create", idempotencyKey: null, dryRun: false });
    await allocate(guarded, { priority: world.policy.lease.priority });
    await guarded.look();
    world.advance(700_000);
    await guarded.look();
    expect(guarded.ports()).toEqual([8080]);
    expect(world.rules[0]?.description).toBe("safeport ledger: the shop");
  });

  describe.each(["none", "observe", "enforce"] as const)(
    "in open hours, under guard %s, while nobody can read how the group is guarded",
    (guard) => {
      const UNREADABLE = { code: "STATE_UNREADABLE", detail: { table: "group" } };
      const days = [1, 2, 3, 4, 5, 6, 7];
      const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 16);
      const window = { days, from: timeOf(START), to: timeOf(START + 600_000) };

      /** Its rule stands, its hours are over, and the row is damaged. */
      async function over(): Promise<GuardedApp> {
        const guarded = await guardedApp(guard, []);
        await allocate(guarded, { openHours: { zone: "UTC", windows: [window] } });
        await guarded.look();
        expect(guarded.ports()).toEqual([8080]);
        await guarded.app.tables.put("group", [GROUP.region, GROUP.groupId], { body: "{", rev: 3 }, { kind: "none" });
        guarded.world.advance(660_000);
        return guarded;
      }

      test("ends with them", async () => {
        const guarded = await over();
        await expect(guarded.look()).rejects.toMatchObject(UNREADABLE);
        expect(guarded.ports()).toEqual([]);
      });

      test("ends with the next look where somebody dies at any write of that", async () => {
        let died = true;
        let dies = 0;
        for (; died && dies < 30; dies += 1) {
          const guarded = await over();
          const { app, world } = guarded;
          const terms = { cause: "test", actor: "test", policy: guarded.caller("admin").policy, rows: [] } as const;
          const deadlineAt = app.clock.monotonicMs() + 60_000;
          const look = lookAtGroup(dyingAt(app, dies), GROUP, { ...terms, deadlineAt, priority: "drift", drift: true });
          const error = await look.catch((thrown: unknown) => thrown);
          died = error instanceof Error && error.message === "died";
          world.advance(121_000);
          await expect(guarded.look()).rejects.toMatchObject(UNREADABLE);
          expect([dies, guarded.ports(), (await listIntents(app.tables, GROUP)).intents]).toEqual([dies, [], []]);
        }
        // Its lock, what it looks at again, its intent, the ledger, the record and its end.
        expect([died, dies > 5]).toEqual([false, true]);
      });
    },
  );

  test("repeated changes the entry, not the rule, and the history tells what it was", async () => {
    const guarded = await guardedApp("observe", []);
    await allocate(guarded);
    await guarded.look();
    guarded.world.advance(1000);
    expect((await allocate(guarded, { owner: "bob" })).plan[0]).toContain("change the entry of");
    await guarded.look();
    expect(guarded.world.changes).toHaveLength(1);
    const { entry, history } = await storyOf(guarded, idOf(8080));
    expect(entry?.allocation).toMatchObject({ owner: "bob" });
    expect(entry?.allocation?.seenAt).not.toBeNull();
    expect(history.map(({ kind, before, after }) => [kind, before?.owner, after?.owner])).toEqual([
      ["changed", "ann", "bob"],
      ["allocated", undefined, "ann"],
    ]);
  });

  test.each([
    ["none", "ann"],
    ["observe", "ann"],
    ["observe", "bob"],
    ["enforce", "bob"],
  ] as const)(
    "of what somebody has removed has it opened again, as the plan says: guard %s, for %s",
    async (guard, owner) => {
      const guarded = await guardedApp(guard, []);
      await allocate(guarded);
      await guarded.look();
      guarded.world.rules = [];
      expect((await allocate(guarded, { owner })).plan[0]).toContain("authorize it");
      await guarded.look();
      expect(guarded.ports()).toEqual([8080]);
      expect((await guarded.drift()).items).toEqual([]);
    },
  );

  test("in a dry run shows entries and plan, and writes nothing", async () => {
    const guarded = await guardedApp("observe", []);
    const before = guarded.world.writes();
    const { entries, plan } = await allocate(guarded, {}, true);
    expect(entries.map((entry) => entry.entryId)).toEqual([idOf(8080)]);
    expect(plan).toHaveLength(1);
    expect(guarded.world.writes()).toBe(before);
  });

  test("may be a drop, or of outgoing traffic", async () => {
    const guarded = await guardedApp("none", []);
    await allocate(guarded, { direction: "egress", policy: "drop", priority: 7 });
    await guarded.look();
    expect(guarded.world.changes).toEqual(["authorize egress|tcp|8080/8080|203.0.113.7/32|drop|7|-1/-1|*"]);
  });

  test("outside its open hours waits for them", async () => {
    // The world begins on a Thursday at 16:00 in Shanghai.
    const openHours = { zone: "Asia/Shanghai", windows: [{ days: [5], from: "09:00", to: "17:00" }] };
    const guarded = await guardedApp("observe", []);
    expect((await allocate(guarded, { openHours })).plan[0]).toContain("it opens at its hours");
    await guarded.look();
    expect(guarded.ports()).toEqual([]);
  });

  test("is recorded with who gave it", async () => {
    const guarded = await guardedApp("observe", []);
    await allocate(guarded);
    const { records } = await listRecords(guarded.app.tables, { limit: 1, before: null });
    expect(records[0]).toMatchObject({ cause: "ledger of web", actor: "operator" });
    expect(records[0]?.lines.join()).toContain("the shop");
  });

  test.each<[string, Partial<AllocationAsk>, string]>([
    ["outside its allowed sources", { allowedSources: ["10.0.0.0/8"] }, "ENTRY_SOURCE_OUTSIDE"],
    ["with an allowed source that is none", { allowedSources: ["ten"] }, "SOURCE_INVALID"],
    ["of no port", { port: "0" }, "PORT_INVALID"],
    ["of another group", { group: "db" }, "GROUP_UNKNOWN"],
    ["of SSH for everybody in pieces", { port: "22", sources: ["1.0.0.0/8", "2.0.0.0/8"] }, "SENSITIVE_UNCONFIRMED"],
    ["of SSH for everybody", { port: "22", sources: ["0.0.0.0/0"] }, "SENSITIVE_UNCONFIRMED"],
    [
      "of everything for half the world",
      { protocol: "all", port: null, sources: ["0.0.0.0/1"] },
      "SENSITIVE_UNCONFIRMED",
    ],
    [
      "of SSH for everybody on an operator's word",
      { port: "22", sources: ["::/0"], sensitiveConfirmed: true },
      "SENSITIVE_UNCONFIRMED",
    ],
  ])("%s is refused, and nothing is written", async (_what, changes, code) => {
    const guarded = await guardedApp("observe", []);
    const before = guarded.world.writes();
    await expect(allocate(guarded, changes)).rejects.toMatchObject({ code });
    expect(guarded.world.writes()).toBe(before);
  });

  test("within allowed sources that only together hold it is given", async () => {
    const guarded = await guardedApp("observe", []);
    await allocate(guarded, { sources: ["203.0.112.0/23"], allowedSources: ["203.0.112.0/24", "203.0.113.0/24"] });
    expect(await listLedger(guarded.app, guarded.caller("auditor"), { limit: 10, cursor: null })).toMatchObject({
      entries: [{ allocation: { owner: "ann" } }],
      next: null,
    });
  });

  test("of a sensitive port for everybody is given on an administrator's word", async () => {
    const guarded = await guardedApp("observe", []);
    const ask = aGrant({ port: "22", sources: ["0.0.0.0/0"], sensitiveConfirmed: true });
    await allocateRule(guarded.app, guarded.caller("admin"), ask, { dryRun: false });
    await guarded.look();
    expect(guarded.ports()).toEqual([22]);
  });

  test("of a sensitive port for everybody, one block a day, is for an administrator's word from the second on", async () => {
    const guarded = await guardedApp("observe", []);
    await allocate(guarded, { port: "22", sources: ["1.0.0.0/8"] });
    await allocate(guarded, { port: "3306", sources: ["3.0.0.0/8"] });
    const second = aGrant({ port: "20-22", sources: ["3.0.0.0/8"] });
    const asOperator = allocateRule(guarded.app, guarded.caller("operator"), second, { dryRun: false });
    await expect(asOperator).rejects.toMatchObject({ code: "SENSITIVE_UNCONFIRMED" });
    const sure = { ...second, sensitiveConfirmed: true };
    await allocateRule(guarded.app, guarded.caller("admin"), sure, { dryRun: false });
    // It is open to the world by somebody's word then, and one host more is none.
    await allocate(guarded, { port: "22", sources: ["203.0.113.7"] });
  });

  test("in a group the policy denies is refused", async () => {
    const guarded = await guardedApp("observe", []);
    const caller = guarded.caller("admin");
    const policy = { ...caller.policy, groups: { ...caller.policy.groups, denied: ["web"] } };
    await expect(allocateRule(guarded.app, { ...caller, policy }, aGrant(), { dryRun: false })).rejects.toMatchObject({
      code: "GROUP_PROTECTED",
    });
  });
});

describe("a retired entry", () => {
  test.each([
    ["none", /stays: the group is not guarded/, [8080], []],
    ["observe", /reported as drift/, [8080], ["reported"]],
  ] as const)(
    "of a rule by somebody else under guard %s: what the plan says is what happens",
    async (guard, words, ports, states) => {
      const guarded = await guardedApp(guard, [ruleOf(8080)]);
      await allocate(guarded);
      await guarded.look();
      const { plan } = await retire(guarded, idOf(8080));
      expect(plan.join()).toMatch(words);
      await guarded.look();
      guarded.world.advance(1_000_000);
      await guarded.look();
      expect(guarded.ports()).toEqual(ports);
      expect((await guarded.drift()).items.map((item) => item.state)).toEqual(states);
    },
  );

  test("in an enforced group is drift, rolled back and kept", async () => {
    const guarded = await guardedApp("enforce", [ruleOf(8080)]);
    await guarded.confirm();
    await guarded.look();
    const { plan } = await retire(guarded, idOf(8080));
    expect(plan.join()).toContain("is rolled back; its rule is kept");
    guarded.world.advance(1_000_000);
    await guarded.look();
    guarded.world.advance(1_000_000);
    await guarded.look();
    expect(guarded.ports()).toEqual([]);
    expect((await guarded.drift()).items.map((item) => item.state)).toEqual(["rolledBack"]);
  });

  test("that a lease holds keeps its rule for the lease", async () => {
    const guarded = await guardedApp("none", []);
    const { priority } = guarded.world.policy.lease;
    await allocate(guarded, { priority });
    await guarded.look();
    const ask = anAsk({ port: "8080" });
    await openLease(guarded.app, guarded.caller("admin"), ask, { mode: "create", idempotencyKey: null, dryRun: false });
    const spec = { ...specOf(8080), priority };
    const { plan } = await retire(guarded, entryIdOf(GROUP.groupId, ruleKey(spec)));
    expect(plan[1]).toMatch(/^the rule stays for ls-/);
    await guarded.look();
    expect(guarded.ports()).toEqual([8080]);
  });

  test("before it was opened is not opened", async () => {
    const guarded = await guardedApp("none", []);
    await allocate(guarded);
    expect((await retire(guarded, idOf(8080))).plan).toContain("it is not opened");
    await guarded.look();
    expect(guarded.ports()).toEqual([]);
  });

  test("again, and in a dry run, changes nothing; its history stays", async () => {
    const guarded = await guardedApp("none", [ruleOf(8080)]);
    await allocate(guarded);
    await guarded.look();
    const before = guarded.world.writes();
    expect((await retire(guarded, idOf(8080), true)).plan).toHaveLength(2);
    expect(guarded.world.writes()).toBe(before);
    await retire(guarded, idOf(8080));
    await guarded.look();
    const again = await retire(guarded, idOf(8080));
    expect([again.plan, again.notes.length]).toEqual([[], 1]);
    const { entry, history } = await storyOf(guarded, idOf(8080));
    expect(entry).toBeNull();
    expect(history.map((line) => line.kind).sort()).toEqual(["allocated", "retired"]);
  });

  test("that never was is unknown, to read as well", async () => {
    const guarded = await guardedApp("none", []);
    await expect(retire(guarded, idOf(1))).rejects.toMatchObject({ code: "ENTRY_UNKNOWN" });
    await expect(storyOf(guarded, idOf(1))).rejects.toMatchObject({ code: "ENTRY_UNKNOWN" });
  });
});

test("the ledger is read by pages that miss nothing, and a row that cannot be read is named", async () => {
  const guarded = await guardedApp("none", []);
  await allocate(guarded, { sources: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] });
  await guarded.app.tables.put("ledger", [GROUP.groupId, "e-broken"], { body: "{", rev: 1 }, { kind: "none" });
  const seen: string[] = [];
  const unreadable: string[] = [];
  let cursor: readonly [string, string] | null = null;
  do {
    const page: Awaited<ReturnType<typeof listLedger>> = await listLedger(guarded.app, guarded.caller("auditor"), {
      limit: 2,
      cursor,
      group: "sg-web",
    });
    seen.push(...page.entries.map((entry) => entry.entryId));
    unreadable.push(...page.unreadable);
    cursor = page.next;
  } while (cursor !== null);
  expect(seen.sort()).toEqual([1, 2, 3].map((n) => idOf(8080, `192.0.2.${n}/32`)).sort());
  expect(unreadable).toEqual(["sg-web e-broken"]);
});
