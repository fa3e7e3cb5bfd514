// What is said of a decision about drift whose rule the cloud refuses: that it is owed, and why; and when it stands after all.
import { expect, test } from "vitest";
import type { DriftItem } from "../../../shared/domain/drift-item.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { type DriftAnswer, decideDrift } from "../../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../../shared/usecases/drift/drift-id.ts";
import { isOwed, settleDecision } from "../../../shared/usecases/drift/settle-decision.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf } from "./guarded-app.ts";

const WAIT_MS = 1_000_000;

/** The app, but the cloud lets nobody open anything. */
const refusing = (app: App, failure: CloudFailure): App => ({
  ...app,
  firewall: { ...app.firewall, authorize: () => Promise.reject(failure), modify: () => Promise.reject(failure) },
});
const forbidden = new CloudFailure("refused", "AuthorizeSecurityGroup", { cloudCode: "Forbidden.RAM" });

/** A rule that was rolled back, or one that somebody has removed or described otherwise where it is only reported. */
async function drifted(
  kind: "added" | "removed" | "edited",
): Promise<{ readonly guarded: GuardedApp; readonly item: DriftItem }> {
  const guarded = await guardedApp(
    kind === "added" ? "enforce" : "observe",
    [80, 443].map((port) => ruleOf(port)),
  );
  await guarded.confirm();
  await guarded.look();
  if (kind === "added") guarded.world.rules.push(ruleOf(8080));
  else if (kind === "edited")
    guarded.world.rules = guarded.world.rules.map((rule) =>
      rule.id?.endsWith("-443") ? { ...rule, description: "somebody's words" } : rule,
    );
  else guarded.world.rules = guarded.world.rules.filter(({ id }) => !id?.endsWith("-443"));
  for (let looks = 0; looks < 3; looks++) {
    await guarded.look();
    guarded.world.advance(WAIT_MS);
  }
  const [item] = (await guarded.drift()).items;
  return { guarded, item: item ?? expect.fail("nothing drifted") };
}

const restore = ({ app, caller }: GuardedApp, item: DriftItem) =>
  decideDrift(
    app,
    caller("operator"),
    shownDriftId(item),
    "restore",
    { owner: "dba", reason: "needed", ticket: "", sensitiveConfirmed: false },
    { dryRun: false },
  );

const settle = ({ caller }: GuardedApp, answer: DriftAnswer, app: App) =>
  settleDecision(app, caller("operator"), answer, () =>
    lookAtGroup(app, GROUP, {
      ...{ cause: "test", actor: "test", policy: caller("operator").policy, priority: "drift", rows: [], drift: true },
      deadlineAt: app.clock.monotonicMs() + 60_000,
    }),
  );

const told = async ({ app }: GuardedApp) =>
  JSON.stringify((await listRecords(app.tables, { limit: 100, before: null })).records);

test.each(["added", "removed", "edited"] as const)(
  "a rule that was %s, and that the cloud refuses, is owed",
  async (kind) => {
    const { guarded, item } = await drifted(kind);
    const answer = await restore(guarded, item);
    const refused = refusing(guarded.app, forbidden);
    const owed = { code: "DRIFT_OWED", message: expect.stringContaining("Forbidden.RAM") };
    await expect(settle(guarded, answer, refused)).rejects.toMatchObject(owed);
    expect(await isOwed(guarded.app, answer.item)).toBe(true);
    expect(await told(guarded)).toContain(
      `${shownDriftId(item)} is restored in the ledger, and its rule does not stand`,
    );
    // Whoever asks again is told the same, until it stands.
    await expect(settle(guarded, await restore(guarded, item), refused)).rejects.toMatchObject(owed);
    expect(await settle(guarded, await restore(guarded, item), guarded.app)).toBe(true);
    expect(await isOwed(guarded.app, answer.item)).toBe(false);
    expect(guarded.ports()).toEqual(kind === "added" ? [80, 443, 8080] : [80, 443]);
  },
);

test("a rule that could not be tried yet is not said to stand", async () => {
  const { guarded, item } = await drifted("added");
  const answer = await restore(guarded, item);
  const throttled = refusing(guarded.app, new CloudFailure("throttled", "AuthorizeSecurityGroup"));
  expect(await settle(guarded, answer, throttled)).toBe(false);
  expect(await settleDecision(guarded.app, guarded.caller("operator"), answer, async () => null)).toBe(false);
  expect(await settle(guarded, answer, guarded.app)).toBe(true);
});

test("what is adopted as it stands is not owed", async () => {
  const guarded = await guardedApp("observe", [ruleOf(80)]);
  await guarded.confirm();
  guarded.world.rules.push(ruleOf(8080));
  await guarded.look();
  const [item] = (await guarded.drift()).items;
  if (!item) expect.fail("nothing drifted");
  const { app, caller } = guarded;
  const word = { owner: "dba", reason: "needed", ticket: "", sensitiveConfirmed: false };
  const answer = await decideDrift(app, caller("operator"), shownDriftId(item), "adopt", word, { dryRun: false });
  expect([answer.item.state, await isOwed(app, answer.item)]).toEqual(["adopted", false]);
  expect(await settle(guarded, answer, refusing(app, forbidden))).toBe(true);
});
