// Processes know the facts of a group for some minutes: what its tag said before takes back no word of a person.
import { expect, test } from "vitest";
import { getGroupRow, saveGroupRow } from "../../../shared/store/group-rows.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { confirmGuard } from "../../../shared/usecases/ledger/confirm-guard.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf } from "./guarded-app.ts";

const OBSERVE = { "safeport:guard": "observe" };

/** A group whose tag asked for observe, and asks for nothing now. */
async function lowered(): Promise<GuardedApp> {
  const guarded = await guardedApp("none", [ruleOf(80)]);
  const row = await getGroupRow(guarded.app.tables, GROUP);
  await saveGroupRow(guarded.app.tables, { ...row, tagGuard: "observe" });
  await guarded.look();
  return guarded;
}

/** A process that has read the group before its tag was taken away. */
function knowingOf({ app }: GuardedApp): App {
  const { inventory } = app;
  const group: App["inventory"]["group"] = async (ref, priority, isFresh) => {
    const facts = await inventory.group(ref, priority, isFresh);
    return facts && !isFresh ? { ...facts, tags: OBSERVE } : facts;
  };
  return { ...app, inventory: { ...inventory, group } };
}

const look = (guarded: GuardedApp, app: App) =>
  lookAtGroup(app, GROUP, {
    ...{
      cause: "test",
      actor: "test",
      policy: guarded.caller("admin").policy,
      priority: "drift",
      rows: [],
      drift: true,
    },
    deadlineAt: app.clock.monotonicMs() + 60_000,
  });
const tagGuard = async ({ app }: GuardedApp) => (await getGroupRow(app.tables, GROUP)).tagGuard;

test("a guard that a person has lowered is not raised by what its tag said before", async () => {
  const guarded = await lowered();
  await confirmGuard(guarded.app, guarded.caller("admin"), "web", "none", { dryRun: false });
  await look(guarded, knowingOf(guarded));
  expect(await tagGuard(guarded)).toBe("none");
  guarded.world.advance(61_000);
  await guarded.look();
  expect((await guarded.drift()).items.filter(({ kind, state }) => kind === "guard" && state === "reported")).toEqual(
    [],
  );
});

test("a guard is lowered to what its tag says now, whatever the process that is asked knows of it", async () => {
  const guarded = await lowered();
  const item = (await guarded.drift()).items.find(({ kind }) => kind === "guard");
  if (!item) throw new Error("the tag is not reported");
  const word = { owner: "", reason: "", ticket: "", sensitiveConfirmed: false };
  const app = knowingOf(guarded);
  const answer = await decideDrift(app, guarded.caller("admin"), shownDriftId(item), "adopt", word, { dryRun: false });
  expect([answer.plan, await tagGuard(guarded)]).toEqual([["lower the guard by tag to none"], "none"]);
});

test("a tag raises a guard as ever", async () => {
  const guarded = await guardedApp("none", [ruleOf(80)], OBSERVE);
  await guarded.look();
  expect(await tagGuard(guarded)).toBe("observe");
});
