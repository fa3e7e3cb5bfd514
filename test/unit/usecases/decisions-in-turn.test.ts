// Two words about the same drift at once: what the item says is what the ledger has, and whoever is told otherwise is refused.
import { expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../../shared/domain/rule-key.ts";
import { getDrift } from "../../../shared/store/drift-items.ts";
import { getEntry } from "../../../shared/store/ledger.ts";
import { addSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { type DriftWord, decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aSighting, terraform } from "../../kit/drift-pictures.ts";
import { GROUP } from "./app-world.ts";
import { frozenAt } from "./frozen-app.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const WORD: DriftWord = { owner: "dba", reason: "needed", ticket: "", sensitiveConfirmed: false };
const IT = "sgr-by-hand-443" as RuleId;
const WRITES_MAX = 40;

const removed = (rules: readonly Rule[]) => rules.filter(({ id }) => id !== IT);
const edited = (rules: readonly Rule[]) => rules.map((rule) => (rule.id === IT ? { ...rule, ...specOf(8443) } : rule));

/** Somebody has changed a granted rule, and nobody knows who. */
async function changed(change: (rules: readonly Rule[]) => readonly Rule[]) {
  const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(443)]);
  await guarded.confirm();
  await guarded.look();
  guarded.world.rules = [...change(guarded.world.rules)];
  guarded.world.advance(60_000);
  await guarded.look();
  const [item, ...others] = (await guarded.drift()).items;
  if (!item || others.length > 0) throw new Error("there is not one item");
  return { guarded, item };
}

const decide = (guarded: GuardedApp, item: DriftItem, verb: "adopt" | "restore", app: App = guarded.app) =>
  decideDrift(app, guarded.caller("operator"), shownDriftId(item), verb, WORD, { dryRun: false }).then(
    ({ item: { state } }) => state as string,
    ({ code }) => code as string,
  );

const isGranted = async ({ app }: GuardedApp): Promise<boolean> =>
  (await getEntry(app.tables, GROUP, entryIdOf(GROUP.groupId, ruleKey(specOf(443)))))?.allocation != null;

test.each([
  ["a rule that is gone", removed],
  ["a rule that was changed", edited],
])("whoever restores %s is not told that it is back where somebody else has adopted that", async (_what, change) => {
  const seen = new Set<string>();
  for (let n = 0; n < WRITES_MAX; n += 1) {
    const { guarded, item } = await changed(change);
    let adopted = "not asked";
    const app = frozenAt(guarded.app, n, async () => {
      adopted = await decide(guarded, item, "adopt");
    });
    const restored = await decide(guarded, item, "restore", app);
    const state = (await getDrift(guarded.app.tables, GROUP, item.driftId))?.state;
    seen.add(`${adopted}, ${restored}: ${state}, ${(await isGranted(guarded)) ? "granted" : "retired"}`);
    if (adopted === "not asked") break;
  }
  expect([...seen].sort()).toEqual([
    "DRIFT_DECIDED, restored: restored, granted",
    "adopted, DRIFT_DECIDED: adopted, retired",
    "not asked, restored: restored, granted",
  ]);
});

test.each([
  ["removed", removed, { kind: "revoke", ruleIds: [IT], specs: [specOf(443)] }],
  ["changed", edited, { kind: "modify", ruleIds: [IT], specs: [specOf(8443)] }],
] as const)("what somebody trusted has %s comes back where a person says so meanwhile", async (_what, change, call) => {
  const seen = new Set<string>();
  for (let n = 0; n < WRITES_MAX; n += 1) {
    const { guarded, item } = await changed(change);
    const at = guarded.app.clock.now() - 1000;
    await addSighting(guarded.app.tables, aSighting({ ...call, actor: terraform, at, receivedAt: at, settled: true }));
    const trustedPrincipals = [{ principal: "terraform", treat: "adopt" } as const];
    let restored = "not asked";
    const app = frozenAt(guarded.app, n, async () => {
      restored = await decide(guarded, item, "restore");
    });
    const look = (by: App) =>
      lookAtGroup(by, GROUP, {
        ...{ cause: "test", actor: "test", policy: { ...guarded.caller("admin").policy, trustedPrincipals } },
        ...{ deadlineAt: guarded.app.clock.monotonicMs() + 60_000, priority: "drift", rows: [], drift: true },
      });
    await look(app);
    for (let looks = 0; looks < 3; looks += 1) {
      guarded.world.advance(61_000);
      await look(guarded.app);
    }
    const state = (await getDrift(guarded.app.tables, GROUP, item.driftId))?.state;
    const stands = guarded.ports().includes(443) ? "stands" : "closed";
    seen.add(`${restored}: ${state}, ${(await isGranted(guarded)) ? "granted" : "retired"}, ${stands}`);
    if (restored === "not asked") break;
  }
  expect([...seen].sort()).toEqual([
    "DRIFT_DECIDED: adopted, retired, closed",
    "not asked: adopted, retired, closed",
    "restored: restored, granted, stands",
  ]);
});
