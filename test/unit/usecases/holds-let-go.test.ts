// A hold asks a person what is to become of a rule: whoever grants it in the ledger, or takes that back, has said so.
import { expect, test } from "vitest";
import type { RuleId, RuleKey } from "../../../shared/domain/ids.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { getGroupRow, saveGroupRow } from "../../../shared/store/group-rows.ts";
import { decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { freshEntry } from "../../../shared/usecases/ledger/book-holds.ts";
import { changeUnconfirmed } from "../../../shared/usecases/ledger/change-allocations.ts";
import { retireEntry } from "../../../shared/usecases/ledger/retire-entry.ts";
import { anAllocation } from "../../kit/drift-pictures.ts";
import { GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const OTHER = "another rule" as RuleKey;
const WORD = { owner: "", reason: "", ticket: "", sensitiveConfirmed: false };

async function hold({ app }: GuardedApp, key: RuleKey): Promise<void> {
  const row = await getGroupRow(app.tables, GROUP);
  const holds = [key, OTHER].map((it) => ({ key: it, since: 1 }));
  const reverts = [key, OTHER].map((it) => ({ key: it, driftId: "dr-1", at: app.clock.now() }));
  await saveGroupRow(app.tables, { ...row, holds, reverts });
}

const grant = ({ app, caller }: GuardedApp) =>
  allocateRule(
    app,
    caller("operator"),
    {
      ...{ group: "web", protocol: "tcp", port: "8080", sources: ["203.0.113.7"], priority: 1 },
      ...{ policy: "accept", direction: "ingress", owner: "ann", backup: "", application: "", reason: "needed" },
      ...{ ticket: "", allowedSources: [], openHours: null, sensitiveConfirmed: false },
    },
    { dryRun: false },
  );

async function looks(guarded: GuardedApp): Promise<void> {
  for (let n = 0; n < 20; n += 1) {
    await guarded.look();
    guarded.world.advance(121_000);
  }
}

const heldKeys = async ({ app }: GuardedApp) => {
  const { holds, reverts } = await getGroupRow(app.tables, GROUP);
  return [holds, reverts].map((all) => all.map(({ key }) => key));
};

test("what was held, and is granted in the ledger, comes back when somebody removes it", async () => {
  const guarded = await guardedApp("enforce", [ruleOf(80)]);
  await guarded.confirm();
  guarded.world.rules = [...guarded.world.rules, ruleOf(8080)];
  guarded.world.advance(1000);
  await hold(guarded, ruleKey(specOf(8080)));
  await looks(guarded);
  expect((await guarded.drift()).items.map(({ state }) => state)).toEqual(["held"]);
  await grant(guarded);
  await looks(guarded);
  expect(guarded.ports()).toEqual([80, 8080]);
  guarded.world.rules = [ruleOf(80)];
  await looks(guarded);
  expect(guarded.ports()).toEqual([80, 8080]);
  expect(await heldKeys(guarded)).toMatchObject([[OTHER], {}]);
});

test("what was held, and is retired, is rolled back", async () => {
  const guarded = await guardedApp("enforce", [ruleOf(80), ruleOf(8080)]);
  await guarded.confirm();
  await guarded.look();
  await hold(guarded, ruleKey(specOf(8080)));
  const { entryId } = freshEntry(GROUP, specOf(8080));
  await retireEntry(guarded.app, guarded.caller("operator"), "web", entryId, { dryRun: false });
  await looks(guarded);
  expect(guarded.ports()).toEqual([80]);
});

test("what is over can be let go of: when it comes again it is rolled back", async () => {
  const guarded = await guardedApp("enforce", [ruleOf(80)]);
  await guarded.confirm();
  const { world, app } = guarded;
  world.rules = [...world.rules, ruleOf(8080)];
  world.advance(1000);
  await hold(guarded, ruleKey(specOf(8080)));
  await looks(guarded);
  world.rules = [ruleOf(80)];
  await looks(guarded);
  const [item] = (await guarded.drift()).items;
  if (!item) throw new Error("nothing of it is kept");
  expect(item.state).toBe("gone");
  const release = () =>
    decideDrift(app, guarded.caller("operator"), shownDriftId(item), "release", WORD, { dryRun: false });
  expect((await release()).item.state).toBe("gone");
  expect(await heldKeys(guarded)).toEqual([[OTHER], [OTHER]]);
  await expect(release()).rejects.toMatchObject({ code: "DRIFT_DECIDED" });
  world.rules = [...world.rules, ruleOf(8080, undefined, { id: "sgr-again" as RuleId })];
  await looks(guarded);
  expect(guarded.ports()).toEqual([80]);
});

test("what is given back into a ledger that nobody has confirmed as it is ends a hold as well", async () => {
  const guarded = await guardedApp("enforce", [ruleOf(80)]);
  await guarded.confirm();
  await hold(guarded, ruleKey(specOf(8080)));
  const change = { spec: specOf(8080), allocation: anAllocation() };
  await changeUnconfirmed(guarded.app, GROUP, "safeport", change);
  expect(await heldKeys(guarded)).toEqual([[OTHER], [OTHER]]);
});

test("a hold is let go of in a group of which nobody has confirmed a baseline", async () => {
  const guarded = await guardedApp("observe", [ruleOf(80)]);
  await hold(guarded, ruleKey(specOf(8080)));
  await grant(guarded);
  expect(await heldKeys(guarded)).toEqual([[OTHER], [OTHER]]);
});
