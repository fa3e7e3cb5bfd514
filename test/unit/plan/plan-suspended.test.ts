// Accepts that are closed for a time: kept in full before they go, and authorized again as they were.
import { describe, expect, test } from "vitest";
import type { EntryId } from "../../../shared/domain/ids.ts";
import type { Entry, Intent, SuspendedRule, Suspension } from "../../../shared/domain/ledger-entry.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { allocationsDigest } from "../../../shared/plan/effective-guard.ts";
import type { Picture } from "../../../shared/plan/picture.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, aWatch } from "../../kit/drift-pictures.ts";
import {
  aHolder,
  aMark,
  anEntry,
  anIntent,
  aPicture,
  HOUR,
  LATE_MS,
  NOW,
  ours,
  preExisting,
  ruleId,
} from "../../kit/plan-pictures.ts";
import { aRule, aSpec, somePorts } from "../../kit/rules.ts";
import { aSuspension, by, keptAs, over, suspended } from "../../kit/suspended-pictures.ts";

const seenAs = (name: string): SuspendedRule => ({ ...keptAs(name), isClosed: false });

const web = (name = "1", changes: Partial<Rule> = {}): Rule =>
  aRule({ id: ruleId(name), description: "web", createdAt: NOW - HOUR, ...changes });

function plan(entry: Entry, rules: readonly Rule[], changes: Partial<Picture> = {}) {
  const { calls, patches, findings, drift } = planGroup(aPicture({ entries: [entry], rules, ...changes }));
  const inWords = calls.map((call) => (call.kind === "authorize" ? `authorize "${call.description}"` : call.kind));
  return { calls: inWords, patch: patches[0], findings, drift };
}

describe("a lease's rule that somebody has made another one", () => {
  const lease = anEntry({ standing: ours("1"), holders: [aHolder({ openedAt: NOW - HOUR })] });
  const ports = somePorts("5432/5432");
  const wide = aRule({ id: ruleId("1"), ports, description: "wider" });
  const closing = (until: number) => suspended({ by: [{ ...by, until }] }, { spec: aSpec({ ports }) });
  const planned = (entries: readonly Entry[]) => planGroup(aPicture({ entries, rules: [wide] }));

  test("is closed where a lockdown closes what it says now, and its lease is over", () => {
    const { calls, patches } = planned([lease, closing(NOW + 1)]);
    expect(calls).toMatchObject([{ kind: "revoke", entryId: lease.entryId, ruleId: "sgr-1" }]);
    expect(patches[0]).toMatchObject({ ends: "opened", end: { cause: "removed" }, standing: ours("1") });
    // It is not given back: nobody was granted that.
    expect(patches[1]?.suspension?.kept).toBeNull();
  });

  test.each([[[closing(NOW)]], [[]]])("goes on to its lease's end without: %#", (others) => {
    const { calls, patches } = planned([lease, ...others]);
    expect(calls).toEqual([]);
    expect(patches[0]).toMatchObject({ ends: "none", standing: ours("1") });
  });
});

describe("a rule that a modify of ours has put right, and that a reading shows as it was before", () => {
  const granted = anAllocated({ spec: aSpec({ ports: somePorts("2222/2222") }), standing: preExisting("1") });
  const putRight = (changes: Partial<Intent> = {}) =>
    anIntent(granted, { call: "modify", ruleIds: [ruleId("1")], attemptsEndAt: NOW, ...changes });
  const shown = (intent: Intent, rules = [web()], readAt = NOW + 1) =>
    plan(suspended(), rules, { intents: [intent], readAt });

  test("is neither kept nor revoked where a lockdown closes what it was: by its id that would close what it is by now", () => {
    expect(shown(putRight())).toMatchObject({ calls: [], patch: { suspension: { kept: null } } });
    expect(shown(putRight(), [web(), web("2")])).toMatchObject({
      calls: ["revoke"],
      patch: { suspension: { kept: [seenAs("2")] } },
    });
  });

  test("was kept before it was put right, and is not given back as it was", () => {
    const entry = suspended({ kept: [seenAs("1")] });
    expect(plan(entry, [web()], { intents: [putRight()], readAt: NOW }).patch?.suspension?.kept).toBeNull();
  });

  test("is closed once no reading can be from before, and where nothing of ours has made another rule of it", () => {
    const closed = { calls: ["revoke"], patch: { suspension: { kept: [seenAs("1")] } } };
    expect(shown(putRight(), [web()], NOW + LATE_MS - 1).calls).toEqual([]);
    expect(shown(putRight(), [web()], NOW + LATE_MS)).toMatchObject(closed);
    expect(shown(putRight({ ruleIds: [ruleId("2")] }))).toMatchObject(closed);
    expect(shown(putRight({ call: "authorize" }))).toMatchObject(closed);
    // Its description alone.
    expect(shown(putRight({ rules: anIntent(suspended()).rules }))).toMatchObject(closed);
  });
});

describe("while it is suspended", () => {
  test("a rule is kept in full in the same plan that revokes it, and never by an earlier call", () => {
    const { calls, patch } = plan(suspended(), [web()]);
    expect(calls).toEqual(["revoke"]);
    expect(patch?.suspension?.kept).toEqual([{ ...seenAs("1"), createdAt: web().createdAt }]);
    const undated = plan(suspended(), [web("1", { createdAt: null })]).patch;
    expect(undated?.suspension?.kept).toStrictEqual([seenAs("1")]);
    for (const kept of [[seenAs("1")], [keptAs("1")]])
      expect(plan(suspended({ kept }), [web()])).toMatchObject({
        calls: ["revoke"],
        patch: { undoneAt: [], suspension: { kept } },
      });
  });

  test("what its owner removes before we close it is no longer kept, and what they open instead is", () => {
    const entry = suspended({ kept: [seenAs("1"), seenAs("2")] });
    expect(plan(entry, [web("2")]).patch?.suspension?.kept).toEqual([seenAs("2")]);
    expect(plan(entry, [])).toMatchObject({ calls: [], patch: { suspension: { kept: null } } });
    expect(plan(entry, [web("3")])).toMatchObject({
      calls: ["revoke"],
      patch: { undoneAt: [], suspension: { kept: [seenAs("3")] } },
    });
    // A reading that is older than the rule would show as much.
    expect(planGroup(aPicture({ now: NOW + HOUR / 2, entries: [entry] })).lookAt).toContain(NOW + HOUR / 2 + LATE_MS);
    const lifted = { ...entry, suspension: aSuspension({ by: [over], kept: [seenAs("1")] }) };
    expect(plan(lifted, [])).toMatchObject({ calls: [], patch: { suspension: null } });
  });

  test("what a revoke of ours may have closed is noted, and stays kept when the revoke is forgotten", () => {
    const entry = suspended({ kept: [seenAs("1"), seenAs("2")] });
    const intent = anIntent(entry, { call: "revoke", rules: [], ruleIds: [ruleId("1")] });
    const { patch } = plan(entry, [web("2")], { intents: [intent] });
    const kept = [{ ...keptAs("1"), isClosed: true }, seenAs("2")];
    expect(patch?.suspension?.kept).toEqual(kept);
    expect(plan(suspended({ kept }), []).patch?.suspension?.kept).toEqual(kept.slice(0, 1));
    expect(plan(suspended({ kept, by: [over] }), []).calls).toEqual(['authorize "web"']);
  });

  test("what is gone stays kept while an intent cannot be read, and whose doing it was is told once it can", () => {
    const entry = suspended({ kept: [seenAs("1"), seenAs("2")] });
    const { calls, patch } = plan(entry, [web("2")], { hasUnreadIntents: true });
    expect([calls, patch?.suspension?.kept]).toEqual([["revoke"], [seenAs("1"), seenAs("2")]]);
    expect(plan({ ...entry, ...patch }, [web("2")]).patch?.suspension?.kept).toEqual([seenAs("2")]);
  });

  test("nothing is kept of a reading that shows no rule: it may be stale", () => {
    const { lookAt, patches } = planGroup(aPicture({ entries: [suspended()] }));
    expect(patches[0]?.suspension?.kept).toBeNull();
    expect(lookAt).toContain(NOW + LATE_MS);
  });

  test("a lease's own rule is closed, its holder stays, and nobody is told that it is open", () => {
    const entry = suspended({}, { holders: [aHolder()], standing: ours("1") });
    const rule = web("1", { description: aMark() });
    expect(plan(entry, [rule])).toMatchObject({ calls: ["revoke"], patch: { opens: "none", ends: "none" } });
    expect(plan(entry, [rule]).patch?.suspension?.kept).toBeNull();
    expect(plan(entry, [], { revoked: new Set([ruleId("1")]) }).patch).toMatchObject({
      standing: { kind: "none" },
      settled: true,
    });
  });

  test("a rule that somebody opens anew is closed again, up to three times in ten minutes", () => {
    const entry = suspended({ kept: [keptAs("1")] });
    expect(plan(entry, [web("2")])).toMatchObject({ calls: ["revoke"], patch: { undoneAt: [NOW], missingSince: NOW } });
    const fought = { ...entry, undoneAt: [NOW - 3000, NOW - 2000, NOW - 1000] };
    expect(plan(fought, [web("2")]).calls).toEqual([]);
    expect(plan(fought, [web("2")]).findings[0]).toContain("a person has to decide");
  });

  test("what its owner makes another rule of before it is revoked is no longer kept, and not opened afterwards", () => {
    const moved = web("1", { ports: somePorts("3309/3309") });
    const early = suspended({ kept: [keptAs("1")] });
    expect(plan(early, [moved]).patch?.suspension?.kept ?? early.suspension?.kept).toEqual([keptAs("1")]);
    const late = suspended({ kept: [keptAs("1")], since: NOW - LATE_MS });
    expect(plan(late, [moved]).patch?.suspension?.kept).toBeNull();
    const two = suspended({ kept: [keptAs("1"), keptAs("2")], since: NOW - LATE_MS });
    expect(plan(two, [moved]).patch?.suspension?.kept).toEqual([keptAs("2")]);
    expect(plan(late, [web()]).patch?.suspension?.kept ?? late.suspension?.kept).toEqual([keptAs("1")]);
  });

  test("what this pass has just revoked was not moved by its owner, although a stale reading shows it still", () => {
    const late = suspended({ kept: [keptAs("1")], since: NOW - LATE_MS });
    const { calls, patch } = plan(late, [web()], { revoked: new Set([ruleId("1")]) });
    expect(calls).toEqual([]);
    expect((patch?.suspension ?? late.suspension)?.kept).toEqual([keptAs("1")]);
  });

  test("a reading that may be older than what is kept tells nothing, however long ago the suspension began", () => {
    const elsewhere = web("1", { ports: somePorts("3309/3309") });
    const kept = plan(suspended({ since: NOW - HOUR }), [web()]).patch?.suspension;
    expect(kept).toMatchObject({ kept: [seenAs("1")], keptAt: NOW });
    const entry = suspended({ ...kept, kept: [keptAs("1")] });
    for (const [now, left] of [
      [NOW + LATE_MS - 1, [keptAs("1")]],
      [NOW + LATE_MS, null],
    ] as const)
      expect((plan(entry, [elsewhere], { now }).patch?.suspension ?? kept)?.kept).toEqual(left);
  });

  test.each([
    ["is still closed", by],
    ["is lifted", over],
  ])("what its owner had moved when it was closed there is kept there alone, while it %s", (_when, suspender) => {
    const kept = [keptAs("1")];
    const earlier = suspended({ by: [suspender], kept, since: NOW - HOUR, keptAt: NOW - LATE_MS });
    const there = aSpec({ ports: somePorts("3309/3309") });
    const later = anEntry({
      ...{ holders: [], spec: there, key: ruleKey(there), entryId: "e-moved" as EntryId },
      suspension: aSuspension({ by: [suspender], kept, since: NOW - HOUR, keptAt: NOW - LATE_MS + 1 }),
    });
    const { calls, patches } = planGroup(aPicture({ entries: [earlier, later], rules: [] }));
    const keptBy = (entry: Entry) => patches.find((it) => it.entry.entryId === entry.entryId)?.suspension?.kept ?? null;
    expect([keptBy(earlier), keptBy(later)]).toEqual([null, kept]);
    expect(calls.map((call) => call.kind === "authorize" && call.entry.key)).toEqual(
      suspender === over ? [later.key] : [],
    );
  });

  test("what could not be authorized again is left alone, and told", () => {
    const opaque = { kind: "opaque", text: "?" } as const;
    for (const rule of [web("1", { priority: 110 }), web("1", { peer: opaque })]) {
      const spec = aSpec({ priority: rule.priority, peer: rule.peer });
      const entry = anEntry({ spec, holders: [], suspension: aSuspension() });
      expect(plan(entry, [rule])).toMatchObject({ calls: [], findings: [expect.stringContaining("is not closed")] });
    }
  });

  test("neither its absence nor its return is drift, and the ledger's digest is what was confirmed", () => {
    const allocated = anAllocated({ spec: aSpec() });
    const entry = { ...allocated, suspension: aSuspension({ kept: [keptAs("1")], wasAllocated: true }) };
    const watch = aWatch({ acts: "enforce" });
    for (const rules of [[], [web("2")]]) expect(plan(entry, rules, { watch }).drift.items).toEqual([]);
    expect(allocationsDigest([entry])).toEqual(allocationsDigest([allocated]));
  });

  test("nothing of somebody else's is closed in mode halt", () => {
    expect(plan(suspended(), [web()], { mode: "halt" }).calls).toEqual([]);
    expect(plan(suspended(), [web()], { mode: "close-only" }).calls).toEqual(["revoke"]);
  });
});

describe("when it is lifted", () => {
  const lifted = (changes: Partial<Suspension> = {}, more: Partial<Entry> = {}) =>
    suspended({ by: [over], kept: [keptAs("1")], ...changes }, more);

  test("nothing is given back in a group that the cloud does not know and that shows no rule", () => {
    const unknown = (code: string) => ({ refusals: new Map([[lifted().entryId, { code, detail: {} }]]) });
    const isGivenUp = (code: string, rules: readonly Rule[] = []) =>
      plan(lifted(), rules, unknown(code)).patch?.suspension === null;
    const other = web("other", { ports: somePorts("3309/3309") });
    const found = [isGivenUp("GROUP_UNKNOWN"), isGivenUp("GROUP_UNKNOWN", [other]), isGivenUp("RULE_REFUSED")];
    expect(found).toEqual([true, false, false]);
  });

  test("what is kept is authorized just as it was, and it is over when that was read", () => {
    expect(plan(lifted(), []).calls).toEqual(['authorize "web"']);
    const { calls, patch } = plan(lifted(), [web("2")]);
    expect([calls, patch?.suspension, patch?.settled]).toEqual([[], null, true]);
  });

  test("it lasts as long as one of two", () => {
    expect(plan(lifted({ by: [over, by] }), []).calls).toEqual([]);
  });

  test("a reading that still shows the revoked rule proves nothing until a lost revoke can no longer act", () => {
    const entry = lifted({ liftedAt: NOW });
    const { patches, lookAt } = planGroup(aPicture({ entries: [entry], rules: [web("1")] }));
    expect(patches[0]).toMatchObject({ settled: false, suspension: { kept: [keptAs("1")], liftedAt: NOW } });
    expect(lookAt).toContain(NOW + LATE_MS);
    expect(plan(entry, [web("1")], { now: NOW + LATE_MS }).patch?.suspension).toBeNull();
  });

  test("what may stand still is not authorized beside itself: the cloud may take another spelling for another rule", () => {
    expect(plan(lifted({ liftedAt: NOW }), [web("1")]).calls).toEqual([]);
    const two = lifted({ kept: [keptAs("1"), keptAs("2", "web too")], liftedAt: NOW });
    expect(plan(two, [web("1")]).calls).toEqual(['authorize "web too"']);
    expect(plan(two, []).calls).toEqual(['authorize "web"', 'authorize "web too"']);
  });

  test("an allocation has its own rule back, and one that was retired meanwhile stays closed", () => {
    const allocated = anAllocated({ spec: aSpec() });
    const suspension = aSuspension({ by: [], kept: [keptAs("1")], wasAllocated: true });
    expect(plan({ ...allocated, suspension }, []).calls).toEqual(['authorize "web"']);
    expect(plan(lifted({ wasAllocated: true }), [])).toMatchObject({ calls: [], patch: { settled: true } });
  });

  test("a lease that still holds has its rule opened with its own mark; one that has ended does not", () => {
    const held = suspended({ by: [over] }, { holders: [aHolder()], standing: ours("1") });
    expect(plan(held, []).calls).toEqual([`authorize "${aMark()}"`]);
    const ended = aHolder({ until: NOW - 1 });
    const gone = suspended({ by: [over] }, { holders: [ended], standing: ours("1") });
    expect(plan(gone, [], { revoked: new Set([ruleId("1")]) })).toMatchObject({ calls: [], patch: { settled: true } });
  });

  test("what the cloud refuses stays kept, and is told", () => {
    const entry = lifted();
    const refusals: Picture["refusals"] = new Map([[entry.entryId, { code: "RULE_QUOTA_REACHED", detail: {} }]]);
    const { patch, findings } = plan(entry, [], { refusals });
    expect(patch?.suspension?.kept).toEqual([keptAs("1")]);
    expect(findings[0]).toContain("cannot be opened again");
    // It may be about whoever waits beside it.
    const beside = { ...entry, holders: [aHolder({ openedAt: null })] };
    expect(plan(beside, [], { refusals })).toMatchObject({ calls: [expect.any(String)], findings: [] });
  });
});
