// What a person says of drift where something else goes on: open hours, a guard that was lowered, a lockdown, a group that is protected.
import { describe, expect, test } from "vitest";
import type { Allocation } from "../../../shared/domain/allocation.ts";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { Guard } from "../../../shared/domain/guard.ts";
import type { Mode } from "../../../shared/domain/mode.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { saveDrift } from "../../../shared/store/drift-items.ts";
import { getLease } from "../../../shared/store/leases.ts";
import { getEntry, listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import { modeWrite } from "../../../shared/store/mode.ts";
import { type DriftWord, decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { freshEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import { aDropHolder } from "../../kit/plan-pictures.ts";
import { anAsk, GROUP, START } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const WORD: DriftWord = { owner: "dba", reason: "needed", ticket: "", sensitiveConfirmed: false };
/** The world begins on a Thursday at eight. */
const HOURS = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "12:00" }] };

const decide = (guarded: GuardedApp, item: DriftItem, verb: "adopt" | "restore") =>
  decideDrift(guarded.app, guarded.caller("admin"), shownDriftId(item), verb, WORD, { dryRun: false });

async function openItem(guarded: GuardedApp): Promise<DriftItem> {
  const { items } = await guarded.drift();
  const open = items.filter(({ state }) => ["waiting", "reported", "held", "rollingBack"].includes(state));
  const [item] = open;
  if (!item || open.length > 1) throw new Error(`there are ${open.length} open items`);
  return item;
}

async function looks(guarded: GuardedApp, count = 3): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    guarded.world.advance(61_000);
    await guarded.look();
  }
}

describe("a rule with open hours", () => {
  async function withHours(guard: Guard): Promise<GuardedApp> {
    const guarded = await guardedApp(guard, [ruleOf(80)]);
    await guarded.confirm();
    const ask: AllocationAsk = {
      ...{ group: "web", protocol: "tcp", port: "443", sources: ["203.0.113.7"] },
      ...({ policy: "accept", direction: "ingress" } as const),
      ...{ priority: 1, owner: "ann", application: "", reason: "by day", ticket: "", allowedSources: [] },
      ...{ openHours: HOURS, sensitiveConfirmed: false },
    };
    await allocateRule(guarded.app, guarded.caller("admin"), ask, { dryRun: false });
    await guarded.look();
    expect(guarded.ports()).toEqual([80, 443]);
    return guarded;
  }

  test("that somebody removed is opened again by restore, also where that is only observed", async () => {
    const guarded = await withHours("observe");
    guarded.world.rules = guarded.world.rules.filter((rule) => rule.id === "sgr-by-hand-80");
    await looks(guarded);
    await decide(guarded, await openItem(guarded), "restore");
    await looks(guarded);
    expect(guarded.ports()).toEqual([80, 443]);
    guarded.world.advance(4 * 3_600_000);
    await looks(guarded);
    expect(guarded.ports()).toEqual([80]);
  });

  test.each(["observe", "enforce"] as const)(
    "that somebody changed stands in its hours as it was adopted, in %s",
    async (guard) => {
      const guarded = await withHours(guard);
      const moved = (rule: Rule): Rule => (rule.id === "sgr-by-hand-80" ? rule : { ...rule, ...specOf(8443) });
      guarded.world.rules = guarded.world.rules.map(moved);
      await looks(guarded, 1);
      await decide(guarded, await openItem(guarded), "adopt");
      await looks(guarded);
      expect(guarded.ports()).toEqual([80, 8443]);
      guarded.world.advance(4 * 3_600_000);
      await looks(guarded);
      expect(guarded.ports()).toEqual([80]);
    },
  );
});

describe("a rollback whose end nobody has seen", () => {
  test.each(["adopt", "restore"] as const)("is undone by %s: what it has removed stands again", async (verb) => {
    const guarded = await guardedApp("enforce", [ruleOf(80)]);
    await guarded.confirm();
    guarded.world.rules = [...guarded.world.rules, ruleOf(8080)];
    guarded.world.advance(1000);
    await guarded.look();
    const item = await openItem(guarded);
    // The process died after its call; by a policy that guards the group no longer nobody would ever finish it.
    await saveDrift(guarded.app.tables, { ...item, state: "rollingBack" }, guarded.app.clock.now());
    guarded.world.rules = [ruleOf(80)];
    await decide(guarded, item, verb);
    await looks(guarded);
    expect(guarded.ports()).toEqual([80, 8080]);
  });
});

describe("what a pass would not open", () => {
  const LOCKED = { groups: ["web"], core: ["443"] };
  const lockdown = { kind: "lockdown", itemId: "ld-1", principal: "ops", reason: "", until: null } as const;
  /** A lockdown without drops has closed a rule of the group. */
  async function lockedDown({ app }: GuardedApp): Promise<void> {
    const suspension = { by: [lockdown], since: START, kept: [], wasAllocated: false, liftedAt: null };
    await saveEntry(app.tables, { ...freshEntry(GROUP, specOf(9000)), suspension });
  }
  /** One that drops. */
  async function dropped({ app }: GuardedApp): Promise<void> {
    const [until, spec] = [START + 86_400_000, { ...specOf(9000), policy: "drop" } as const];
    await saveEntry(app.tables, {
      ...freshEntry(GROUP, spec),
      holders: [aDropHolder({ until })],
    });
  }
  const inMode =
    (mode: Mode) =>
    async ({ app }: GuardedApp) =>
      void (await app.tables.writeAll([modeWrite({ mode, by: "root", reason: "", since: START })]));
  const denied = { groups: { denied: ["sg-web"] } };

  interface Hindrance {
    readonly code: string;
    readonly happens?: (guarded: GuardedApp) => Promise<void>;
    readonly policy?: { readonly lockdown?: object; readonly groups?: object };
  }
  const hindrances: Readonly<Record<string, Hindrance>> = {
    "a lockdown that closes": { code: "GROUP_LOCKED_DOWN", happens: lockedDown, policy: { lockdown: LOCKED } },
    "a lockdown that drops": { code: "GROUP_LOCKED_DOWN", happens: dropped, policy: { lockdown: LOCKED } },
    "the mode close-only": { code: "MODE_FORBIDS", happens: inMode("close-only") },
    "the mode halt": { code: "MODE_FORBIDS", happens: inMode("halt") },
    "a policy that denies the group": { code: "GROUP_PROTECTED", policy: denied },
  };
  const cases: Readonly<Record<string, readonly ["adopt" | "restore", Guard, (rules: readonly Rule[]) => Rule[]]>> = {
    "an added rule that was rolled back, by restore": ["restore", "enforce", (rules) => [...rules, ruleOf(8080)]],
    "an added rule that was rolled back, by adopt": ["adopt", "enforce", (rules) => [...rules, ruleOf(8080)]],
    "a rule that was removed": ["restore", "observe", (rules) => rules.filter(({ id }) => id === "sgr-by-hand-443")],
  };
  const decideUnder = async (guarded: GuardedApp, item: DriftItem, verb: "adopt" | "restore", it: Hindrance) => {
    const { policy, ...caller } = guarded.caller("admin");
    const { lockdown: more = {}, groups = {} } = it.policy ?? {};
    const under = {
      ...policy,
      lockdown: { ...policy.lockdown, ...more },
      groups: { ...policy.groups, ...groups },
    };
    const id = shownDriftId(item);
    return decideDrift(guarded.app, { ...caller, policy: under }, id, verb, WORD, { dryRun: false });
  };
  async function drifted(guard: Guard, change: (rules: readonly Rule[]) => Rule[]) {
    const guarded = await guardedApp(guard, [ruleOf(80), ruleOf(443)]);
    await guarded.confirm();
    await guarded.look();
    guarded.world.rules = change(guarded.world.rules);
    await looks(guarded, 18);
    const [item] = (await guarded.drift()).items;
    if (!item) throw new Error("nothing drifted");
    return { guarded, item };
  }

  test.each(
    Object.entries(cases).flatMap(([what, args]) =>
      Object.entries(hindrances).map(([by, it]) => [what, by, args, it] as const),
    ),
  )("is refused, and nothing changes: %s, under %s", async (_, __, [verb, guard, change], it) => {
    const { guarded, item } = await drifted(guard, change);
    await it.happens?.(guarded);
    const before = (await listEntries(guarded.app.tables, GROUP)).entries;
    await expect(decideUnder(guarded, item, verb, it)).rejects.toMatchObject({ code: it.code });
    expect((await listEntries(guarded.app.tables, GROUP)).entries).toEqual(before);
    expect((await guarded.drift()).items).toEqual([item]);
  });

  test("is not what a lockdown keeps: a core port is restored in it", async () => {
    const { guarded, item } = await drifted("observe", (rules) => rules.filter(({ id }) => id === "sgr-by-hand-80"));
    await lockedDown(guarded);
    const answer = await decideUnder(guarded, item, "restore", { code: "", policy: { lockdown: LOCKED } });
    expect(answer.item.state).toBe("restored");
    await looks(guarded, 1);
    expect(guarded.ports()).toEqual([80, 443]);
  });

  test.each(["close-only", "halt"] as const)("is not a drop in close-only, and is one in halt: %s", async (mode) => {
    const drop = { ...ruleOf(9000), policy: "drop" } as const;
    const guarded = await guardedApp("observe", [ruleOf(80), drop]);
    await guarded.confirm();
    guarded.world.rules = [ruleOf(80)];
    await looks(guarded, 18);
    const [item] = (await guarded.drift()).items;
    if (!item) throw new Error("nothing drifted");
    await inMode(mode)(guarded);
    const decided = decideUnder(guarded, item, "restore", { code: "" }).then(({ item: { state } }) => state);
    if (mode === "halt") await expect(decided).rejects.toMatchObject({ code: "MODE_FORBIDS" });
    else expect(await decided).toBe("restored");
  });

  test("is not what stands: it is adopted under a lockdown", async () => {
    const { guarded, item } = await drifted("observe", (rules) => [...rules, ruleOf(8080)]);
    await lockedDown(guarded);
    const answer = await decideUnder(guarded, item, "adopt", { code: "", policy: { lockdown: LOCKED } });
    expect(answer.item.state).toBe("adopted");
  });
});

describe("a lease's rule that somebody has changed", () => {
  async function changedLease(guard: Guard = "observe") {
    const guarded = await guardedApp(guard, [ruleOf(80)]);
    await guarded.confirm();
    const ask = anAsk({ port: "8080" });
    const { lease } = await openLease(guarded.app, guarded.caller("admin"), ask, {
      ...{ mode: "create", idempotencyKey: null, dryRun: false },
    });
    const moved = (rule: Rule): Rule => (rule.id === "sgr-by-hand-80" ? rule : { ...rule, ...specOf(9090) });
    guarded.world.rules = guarded.world.rules.map(moved);
    await looks(guarded, 1);
    return { guarded, item: await openItem(guarded), leaseId: lease.request.leaseId };
  }

  test("is adopted in its place: the lease ends, and nothing is opened for it any more", async () => {
    const { guarded, item, leaseId } = await changedLease();
    const before = guarded.world.changes.length;
    await decide(guarded, item, "adopt");
    await looks(guarded);
    const lease = await getLease(guarded.app.tables, leaseId);
    expect([lease?.status.state, lease?.status.note]).toEqual(["closed", expect.stringContaining("accepted")]);
    guarded.world.advance(600_001);
    await looks(guarded);
    expect([guarded.ports(), guarded.world.changes.length]).toEqual([[80, 9090], before]);
  });

  test.each(["observe", "enforce"] as const)(
    "is adopted with what it says of itself, and is no drift by that: in %s",
    async (guard) => {
      const { guarded, item } = await changedLease(guard);
      const before = guarded.world.rules;
      await decide(guarded, item, "adopt");
      await looks(guarded, 15);
      const { items } = await guarded.drift();
      expect([guarded.world.rules, items.map(({ driftId, state }) => [driftId, state])]).toEqual([
        before,
        [[item.driftId, "adopted"]],
      ]);
    },
  );

  test("opens nothing for its lease any more, wherever whoever adopts it dies", async () => {
    const seen = new Set<string>();
    for (let dies = 0; dies < 16; dies += 1) {
      const { guarded, item, leaseId } = await changedLease();
      const mortal: GuardedApp = { ...guarded, app: dyingAt(guarded.app, dies) };
      const died = await decide(mortal, item, "adopt").then(
        () => "lived",
        () => "died",
      );
      await looks(guarded);
      const again = await decide(guarded, item, "adopt").then(
        ({ item: it }) => it.state,
        ({ code }) => code,
      );
      await looks(guarded);
      const lease = await getLease(guarded.app.tables, leaseId);
      seen.add(`${died} ${again} ${guarded.ports().join()} ${lease?.status.state}`);
    }
    // What was booked before they died may have settled the item.
    expect([...seen].sort()).toEqual([
      "died DRIFT_DECIDED 80,9090 closed",
      "died adopted 80,9090 closed",
      "lived adopted 80,9090 closed",
    ]);
  });

  test("keeps its lease where it was put right before what it was changed into is adopted", async () => {
    const { guarded, item, leaseId } = await changedLease();
    const back = (rule: Rule): Rule => (rule.id === "sgr-by-hand-80" ? rule : { ...rule, ...specOf(8080) });
    guarded.world.rules = guarded.world.rules.map(back);
    await saveDrift(guarded.app.tables, { ...item, state: "rolledBack" }, guarded.app.clock.now());
    await decide(guarded, item, "adopt");
    await looks(guarded);
    const lease = await getLease(guarded.app.tables, leaseId);
    expect([guarded.ports(), lease?.status.state]).toEqual([[80, 8080, 9090], "open"]);
  });

  test("and that has gone since cannot be adopted; its drift is looked at", async () => {
    const { guarded, item } = await changedLease();
    guarded.world.rules = [ruleOf(80)];
    await expect(decide(guarded, item, "adopt")).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
    const { entries } = await listEntries(guarded.app.tables, GROUP);
    expect(entries.flatMap(({ spec, allocation }) => (allocation ? [ruleKey(spec)] : []))).toEqual([
      ruleKey(specOf(80)),
    ]);
    const { rows } = await guarded.app.tables.range({ table: "due", from: [0], to: null, limit: 100 });
    expect(rows.map(({ key }) => key[2])).toContain("drift");
  });
});

test.each(["observe", "enforce"] as const)(
  "that a rule is gone cannot be adopted once somebody has put it back: guard %s",
  async (guard) => {
    const guarded = await guardedApp(guard, [ruleOf(80), ruleOf(443)]);
    await guarded.confirm();
    const { rules } = guarded.world;
    guarded.world.rules = [ruleOf(80)];
    await guarded.look();
    const item = await openItem(guarded);
    expect(item.kind).toBe("removed");
    guarded.world.rules = rules;
    await expect(decide(guarded, item, "adopt")).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
    await looks(guarded, 20);
    expect(guarded.ports()).toEqual([80, 443]);
    expect((await guarded.drift()).items.map(({ state }) => state)).toEqual(["gone"]);
  },
);

// Another machine may know fewer time zones, and a row may come from elsewhere.
test.each([
  ["in a zone unknown here", { zone: "Mars/Olympus", windows: HOURS.windows }],
  ["without windows", { zone: "UTC" }],
])("open hours %s keep no lease of the group from its end", async (_what, openHours) => {
  const guarded = await guardedApp("enforce", [ruleOf(80)]);
  await guarded.confirm();
  const ask = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  await openLease(guarded.app, guarded.caller("admin"), anAsk({ port: "8080" }), ask);
  expect(guarded.ports()).toEqual([80, 8080]);
  const entry = await getEntry(guarded.app.tables, GROUP, entryIdOf(GROUP.groupId, ruleKey(specOf(80))));
  if (!entry?.allocation) throw new Error("the rule is not allocated");
  const hours = openHours as Allocation["openHours"];
  await saveEntry(guarded.app.tables, { ...entry, allocation: { ...entry.allocation, openHours: hours } });
  guarded.world.advance(600_001);
  await guarded.look();
  expect(guarded.ports()).toEqual([80]);
});
