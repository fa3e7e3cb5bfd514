// Whoever adopts what a granted rule was changed into, and dies on the way: what was granted stands, and whoever goes on comes to the same end.
import { describe, expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import type { RuleId } from "../../../shared/domain/ids.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import { addSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { type DriftWord, decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aSighting, terraform } from "../../kit/drift-pictures.ts";
import { GROUP } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const WORD: DriftWord = { owner: "", reason: "", ticket: "", sensitiveConfirmed: false };
const OWNED = [
  ["80", "ops"],
  ["8443", "ops"],
] as const;

/** An enforced group in which somebody has moved a granted rule to another port. */
async function moved(): Promise<GuardedApp> {
  const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(443)]);
  await guarded.confirm();
  await guarded.look();
  const to8443 = (rule: Rule): Rule => (rule.id === "sgr-by-hand-443" ? { ...rule, ...specOf(8443) } : rule);
  guarded.world.rules = guarded.world.rules.map(to8443);
  guarded.world.advance(1000);
  return guarded;
}

/** Port and owner of what is granted. */
const granted = async ({ app }: GuardedApp) =>
  (await listEntries(app.tables, GROUP)).entries
    .flatMap(({ allocation, key }) => (allocation ? [[/\|(\d+)\//.exec(key)?.[1], allocation.owner]] : []))
    .sort(([a], [b]) => Number(a) - Number(b));

/** What people are told, and whether the owner of the rule is. */
const told = async ({ app }: GuardedApp) =>
  (await readOutbox(app.tables, 100)).pending.map(({ notice }) => [
    notice?.kind,
    notice?.to.some((it) => it.kind === "person" && it.principal === "ops"),
  ]);

const stands = (guarded: GuardedApp): boolean => guarded.ports().some((port) => port === 443 || port === 8443);

async function looks(guarded: GuardedApp, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await guarded.look();
    guarded.world.advance(121_000);
  }
}

async function itemOf(guarded: GuardedApp): Promise<DriftItem> {
  const [item, ...others] = (await guarded.drift()).items;
  if (!item || others.length > 0) throw new Error("there is not one item");
  return item;
}

describe.each([0, 1, 20])("a person's, gone on with after %i looks", (count) => {
  const adopt = (guarded: GuardedApp, item: DriftItem, app: App = guarded.app) =>
    decideDrift(app, guarded.caller("operator"), shownDriftId(item), "adopt", WORD, { dryRun: false });

  test("closes nothing, wherever they die, and grants the one in place of the other", async () => {
    const answers = new Set<string>();
    let died = true;
    for (let dies = 0; died && dies < 60; dies += 1) {
      const guarded = await moved();
      await guarded.look();
      const item = await itemOf(guarded);
      died = await adopt(guarded, item, dyingAt(guarded.app, dies)).then(
        () => false,
        () => true,
      );
      for (let n = 0; n < count; n += 1) {
        await looks(guarded, 1);
        expect(stands(guarded), `died at ${dies}, look ${n}`).toBe(true);
      }
      const again = await adopt(guarded, item).then(
        ({ item: { state } }) => state,
        ({ code }) => code,
      );
      answers.add(again);
      await looks(guarded, 20);
      expect([guarded.ports(), await granted(guarded)], `died at ${dies}`).toEqual([[80, 8443], OWNED]);
    }
    expect(died).toBe(false);
    // Once the ledger is as they said, a pass may have settled the item.
    expect([...answers].sort()).toEqual(count === 0 ? ["adopted"] : ["DRIFT_DECIDED", "adopted"]);
  });
});

test("a trusted principal's closes nothing, wherever the pass dies, and leaves the rule to its owner", async () => {
  const trustedPrincipals = [{ principal: "terraform", treat: "adopt" } as const];
  const look = ({ app, caller }: GuardedApp, by: App = app) =>
    lookAtGroup(by, GROUP, {
      ...{
        cause: "test",
        actor: "test",
        policy: { ...caller("admin").policy, trustedPrincipals },
        deadlineAt: app.clock.monotonicMs() + 60_000,
      },
      ...{ priority: "drift", rows: [], drift: true },
    });
  let died = true;
  for (let dies = 0; died && dies < 60; dies += 1) {
    const changed = await moved();
    const at = changed.app.clock.now();
    const call = {
      kind: "modify",
      ruleIds: ["sgr-by-hand-443" as RuleId],
      specs: [specOf(8443)],
      settled: true,
    } as const;
    await addSighting(changed.app.tables, aSighting({ ...call, actor: terraform, at, receivedAt: at }));
    died = await look(changed, dyingAt(changed.app, dies)).then(
      () => false,
      () => true,
    );
    // The lock of whoever died lapses.
    changed.world.advance(121_000);
    for (let n = 0; n < 3; n += 1) {
      await look(changed);
      changed.world.advance(121_000);
    }
    expect([changed.ports(), await granted(changed)], `died at ${dies}`).toEqual([[80, 8443], OWNED]);
    expect(await told(changed), `died at ${dies}`).toContainEqual(["driftAdopted", true]);
  }
  expect(died).toBe(false);
});

test("two halves of the world are never granted together on nobody's word, wherever a person dies", async () => {
  const HALVES = ["1.0.0.0/8", "2.0.0.0/8"] as const;
  let died = true;
  for (let dies = 0; died && dies < 60; dies += 1) {
    const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(22, HALVES[0])]);
    await guarded.confirm();
    await guarded.look();
    const other = (rule: Rule): Rule => (rule.id === "sgr-by-hand-22" ? { ...rule, ...specOf(22, HALVES[1]) } : rule);
    guarded.world.rules = guarded.world.rules.map(other);
    guarded.world.advance(1000);
    await guarded.look();
    const item = await itemOf(guarded);
    const adopt = decideDrift(
      dyingAt(guarded.app, dies),
      guarded.caller("operator"),
      shownDriftId(item),
      "adopt",
      WORD,
      { dryRun: false },
    );
    died = await adopt.then(
      () => false,
      () => true,
    );
    const { entries } = await listEntries(guarded.app.tables, GROUP);
    const keys = entries.flatMap(({ allocation, key }) => (allocation ? [key] : []));
    expect(
      HALVES.every((half) => keys.includes(ruleKey(specOf(22, half)))),
      `died at ${dies}`,
    ).toBe(false);
  }
  expect(died).toBe(false);
});
