// What is said of a grant whose rule the cloud refuses: that it is owed, and why; and when it stands after all.
import { expect, test } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { listRecords } from "../../../shared/store/records.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { retireEntry } from "../../../shared/usecases/ledger/retire-entry.ts";
import { settleAllocation } from "../../../shared/usecases/ledger/settle-allocation.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf } from "./guarded-app.ts";

const forbidden = new CloudFailure("refused", "AuthorizeSecurityGroup", { cloudCode: "Forbidden.RAM" });

/** The app, but the cloud opens none of these ports, which are all unless said otherwise. */
const refusing = (app: App, failure: CloudFailure, port = ""): App => ({
  ...app,
  firewall: {
    ...app.firewall,
    authorize: (group, rules, ...more) =>
      rules.some(({ description }) => description.includes(port))
        ? Promise.reject(failure)
        : app.firewall.authorize(group, rules, ...more),
  },
});

const grant = ({ app, caller }: GuardedApp, sources = ["203.0.113.7"], openHours: OpenHours | null = null) =>
  allocateRule(
    app,
    caller("operator"),
    {
      ...{ group: "web", protocol: "tcp", port: "8080", sources, priority: 1, policy: "accept", direction: "ingress" },
      ...{ owner: "ann", backup: "", application: "", reason: "needed", ticket: "", allowedSources: [], openHours },
      sensitiveConfirmed: false,
    },
    { dryRun: false },
  );

const settle = ({ caller }: GuardedApp, answer: Awaited<ReturnType<typeof grant>>, app: App) =>
  settleAllocation(app, caller("operator"), answer, () =>
    lookAtGroup(app, GROUP, {
      ...{ cause: "test", actor: "test", policy: caller("operator").policy, priority: "drift", rows: [], drift: true },
      deadlineAt: app.clock.monotonicMs() + 60_000,
    }),
  );

const isShownOwed = ({ allocation }: Entry): boolean => allocation !== null && allocation.seenAt === null;

const told = async ({ app }: GuardedApp) =>
  JSON.stringify((await listRecords(app.tables, { limit: 100, before: null })).records);

test.each(["none", "observe", "enforce"] as const)("what the cloud refuses is owed under guard %s", async (guard) => {
  const guarded = await guardedApp(guard, []);
  const refused = refusing(guarded.app, forbidden);
  const owed = { code: "ENTRY_OWED", message: expect.stringMatching(/8080.*Forbidden\.RAM/) };
  await expect(settle(guarded, await grant(guarded), refused)).rejects.toMatchObject(owed);
  expect(await told(guarded)).toMatch(/8080[^"]* does not stand: [^"]*Forbidden\.RAM/);
  // Whoever asks again is told the same, until it stands.
  await expect(settle(guarded, await grant(guarded), refused)).rejects.toMatchObject(owed);
  const answer = await grant(guarded);
  expect(answer.entries.map(isShownOwed)).toEqual([true]);
  const { settled, entries } = await settle(guarded, answer, guarded.app);
  expect([settled, entries.map(isShownOwed)]).toEqual([true, [false]]);
  expect(guarded.ports()).toEqual([8080]);
});

test("what could not be tried yet is not said to stand", async () => {
  const guarded = await guardedApp("none", []);
  const answer = await grant(guarded);
  const throttled = refusing(guarded.app, new CloudFailure("throttled", "AuthorizeSecurityGroup"));
  const tried = await settle(guarded, answer, throttled);
  expect([tried.settled, tried.entries.map(isShownOwed)]).toEqual([false, [true]]);
  const waits = await settleAllocation(guarded.app, guarded.caller("operator"), answer, async () => null);
  expect(waits).toMatchObject({ settled: false });
  expect(await settle(guarded, answer, guarded.app)).toMatchObject({ settled: true });
});

test("nothing is owed of what stands, of what is closed at this hour, and of what is taken back", async () => {
  const guarded = await guardedApp("none", [ruleOf(8080)]);
  const refused = refusing(guarded.app, forbidden);
  expect(await settle(guarded, await grant(guarded), refused)).toMatchObject({ settled: true });
  const night = { zone: "Asia/Shanghai", windows: [{ days: [1, 2, 3, 4, 5, 6, 7], from: "22:00", to: "06:00" }] };
  const closed = await settle(guarded, await grant(guarded, ["203.0.113.9"], night), refused);
  expect(closed).toMatchObject({ settled: true });
  const { entries, ...answer } = await grant(guarded, ["203.0.113.11"]);
  const [entry] = entries;
  if (!entry) expect.fail("nothing was granted");
  const { app, caller } = guarded;
  await retireEntry(app, caller("operator"), "web", entry.entryId, { dryRun: false });
  expect(await settle(guarded, { ...answer, entries }, refused)).toMatchObject({ settled: true });
});
