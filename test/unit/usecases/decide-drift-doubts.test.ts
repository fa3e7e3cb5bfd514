// What a person says of drift where something else goes on: open hours, a guard that was lowered, a lockdown, a group that is protected.
import { describe, expect, test } from "vitest";
import type { Allocation } from "../../../shared/domain/allocation.ts";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { Guard } from "../../../shared/domain/guard.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { saveDrift } from "../../../shared/store/drift-items.ts";
import { getEntry, saveEntry } from "../../../shared/store/ledger.ts";
import { type DriftWord, decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { anAsk, GROUP } from "./app-world.ts";
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
