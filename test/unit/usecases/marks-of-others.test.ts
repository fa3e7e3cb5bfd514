// Rules that say nothing of themselves, or carry a mark that is not theirs, where they are granted for good: they stand, and that is all.
import { describe, expect, test } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import { parseMark } from "../../../shared/domain/mark.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import { addSighting } from "../../../shared/store/sightings.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { aSighting, terraform } from "../../kit/drift-pictures.ts";
import { anAsk, GROUP } from "./app-world.ts";
import { type GuardedApp, guardedApp, ruleOf, specOf } from "./guarded-app.ts";

const COPIED = "safeport/1 prod e-0123456789abcdef until=2031-05-06T07:00:00Z k=1a2b3c4d of another group";
/** The world begins on a Thursday at eight. */
const HOURS: OpenHours = { zone: "UTC", windows: [{ days: [4], from: "07:00", to: "12:00" }] };

const askOf = (port: string, openHours: OpenHours | null): AllocationAsk => ({
  ...{ group: "web", protocol: "tcp", port, sources: ["203.0.113.7"], policy: "accept", direction: "ingress" },
  ...{ priority: 1, owner: "ann", application: "", reason: "needed", ticket: "", allowedSources: [], openHours },
  sensitiveConfirmed: false,
});

/** Whose cloud leaves what a rule says of itself where a call says nothing of it. */
async function guardedWith(...[guard, rules]: Parameters<typeof guardedApp>): Promise<GuardedApp> {
  const guarded = await guardedApp(guard, rules);
  const { firewall } = guarded.app;
  const modify: App["firewall"]["modify"] = async (ref, ruleId, wanted, ...more) => {
    const before = guarded.world.rules.find(({ id }) => id === ruleId)?.description ?? "";
    await firewall.modify(ref, ruleId, { ...wanted, description: wanted.description || before }, ...more);
  };
  Object.assign(guarded.app, { firewall: { ...firewall, modify } });
  return guarded;
}

/** Looks for an hour, and what they have changed and found. */
async function rest(guarded: GuardedApp, look = guarded.look) {
  for (let n = 0; n < 3; n += 1) {
    await look();
    guarded.world.advance(61_000);
  }
  const before = guarded.world.changes.length;
  for (let n = 0; n < 20; n += 1) {
    await look();
    guarded.world.advance(181_000);
  }
  const { items } = await guarded.drift();
  return {
    changes: guarded.world.changes.slice(before),
    drift: items.filter(({ state }) => state !== "adopted").map(({ kind, state }) => `${kind} ${state}`),
  };
}
const AT_REST = { changes: [], drift: [] };

const wordsOf = ({ world }: GuardedApp, port: number): string | undefined =>
  world.rules.find(({ ports }) => JSON.stringify(ports) === JSON.stringify(specOf(port).ports))?.description;

test.each(["none", "observe", "enforce"] as const)(
  "a rule without words comes to rest once its hours are taken away: guard %s",
  async (guard) => {
    const guarded = await guardedWith(guard, [ruleOf(80), ruleOf(443, undefined, { description: "" })]);
    if (guard !== "none") await guarded.confirm();
    const grant = (hours: OpenHours | null) =>
      allocateRule(guarded.app, guarded.caller("operator"), askOf("443", hours), { dryRun: false });
    await grant(HOURS);
    await guarded.look();
    expect(parseMark(wordsOf(guarded, 443) ?? "")).not.toBeNull();
    await grant(null);
    expect(await rest(guarded)).toEqual(AT_REST);
    expect([wordsOf(guarded, 443) !== undefined, parseMark(wordsOf(guarded, 443) ?? "")]).toEqual([true, null]);
  },
);

/** Whoever trusted has made the rule is told by its event. */
async function adopted(guarded: GuardedApp): Promise<GuardedApp["look"]> {
  const { app, caller } = guarded;
  const at = app.clock.now();
  await addSighting(
    app.tables,
    aSighting({ actor: terraform, specs: [specOf(443)], at, receivedAt: at, settled: true }),
  );
  const trustedPrincipals = [{ principal: "terraform", treat: "adopt" } as const];
  return async () =>
    void (await lookAtGroup(app, GROUP, {
      ...{ cause: "test", actor: "test", policy: { ...caller("admin").policy, trustedPrincipals } },
      ...{ deadlineAt: app.clock.monotonicMs() + 60_000, priority: "drift", rows: [], drift: true },
    }));
}

/** Ways in which a rule comes to be granted for good. */
const ways: Readonly<Record<string, (guarded: GuardedApp) => Promise<GuardedApp["look"]>>> = {
  confirmed: (guarded) => guarded.confirm().then(() => guarded.look),
  allocated: (guarded) =>
    allocateRule(guarded.app, guarded.caller("operator"), askOf("443", null), { dryRun: false }).then(
      () => guarded.look,
    ),
  adopted,
};

describe.each(["observe", "enforce"] as const)("a rule with somebody else's mark, guarded by %s,", (guard) => {
  test.each(Object.entries(ways))("is %s as it is", async (_, grant) => {
    const guarded = await guardedWith(guard, [ruleOf(80)]);
    await guarded.confirm();
    guarded.world.advance(60_000);
    const made: Rule = ruleOf(443, undefined, { description: COPIED, createdAt: guarded.app.clock.now() });
    guarded.world.rules = [...guarded.world.rules, made];
    expect(await rest(guarded, await grant(guarded))).toEqual(AT_REST);
    expect([guarded.world.changes, wordsOf(guarded, 443)]).toEqual([[], COPIED]);
    expect((await listEntries(guarded.app.tables, GROUP)).entries.filter((it) => it.allocation)).toHaveLength(2);
  });
});

test.each(["its own mark", "somebody else's mark"])(
  "who claims a lease's rule by a call that copies %s has it",
  async (whose) => {
    const guarded = await guardedWith("observe", [ruleOf(80)]);
    await guarded.confirm();
    const once = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    await openLease(guarded.app, guarded.caller("requester"), anAsk({ port: "8080", sources: ["203.0.113.7"] }), once);
    guarded.world.advance(60_000);
    const leased = guarded.world.rules.at(-1);
    if (!leased) throw new Error("nothing was opened");
    const at = guarded.app.clock.now();
    const { priority } = leased;
    const rules = [
      { spec: { ...specOf(8080), priority }, description: whose === "its own mark" ? leased.description : COPIED },
      { spec: { ...specOf(9090), priority }, description: "" },
    ];
    await addSighting(guarded.app.tables, { ...aSighting({ at, receivedAt: at }), rules });
    expect(await rest(guarded)).toEqual(AT_REST);
    expect(parseMark(wordsOf(guarded, 8080) ?? "")).toBeNull();
    expect(wordsOf(guarded, 8080)).toBeDefined();
  },
);
