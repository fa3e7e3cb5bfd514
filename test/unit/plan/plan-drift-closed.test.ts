// Whom the policy trusts is heard of a rule that a lockdown has closed: once it is given back it is of our call.
import { describe, expect, test } from "vitest";
import type { Entry, SuspendedRule, Suspension } from "../../../shared/domain/ledger-entry.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import type { Watch } from "../../../shared/plan/picture.ts";
import { NO_DRIFT } from "../../../shared/plan/plan-drift.ts";
import { anAllocated, anAllocation, aSighting, someTerms, terraform } from "../../kit/drift-pictures.ts";
import { NOW, ruleId } from "../../kit/plan-pictures.ts";
import { fromCidr } from "../../kit/rules.ts";
import { aSuspension, over, suspended } from "../../kit/suspended-pictures.ts";
import { callsOf, extra, onPort, watched } from "../../kit/watched-pictures.ts";

const spec = onPort(8443);
const x = extra("x", 8443, { description: "by terraform" });
const kept: SuspendedRule = {
  ...{ ruleId: ruleId("x"), description: "by terraform", createdAt: NOW - 60_000, isClosed: true },
};
const closed = (changes: Partial<Suspension> = {}): Entry => suspended({ kept: [kept], ...changes }, { spec });
const theirs = aSighting({ specs: [spec], actor: terraform });
const driftOf = (entry: Entry, watch: Partial<Watch> = {}, rules = [] as readonly (typeof x)[]) =>
  watched({ sightings: [theirs], ...watch }, { entries: [entry], rules }).drift;

describe("a rule that is closed for a time, and that somebody trusted has opened,", () => {
  test("is adopted as it was, with no rule standing for it", () => {
    const { adoptions, items } = driftOf(closed());
    expect(adoptions).toMatchObject([
      { spec, by: "terraform", standsAs: null, allocation: { provenance: "adopted", description: "by terraform" } },
    ]);
    expect(items).toMatchObject([{ kind: "added", state: "adopted", key: ruleKey(spec), ruleId: "sgr-x" }]);
  });

  test("is adopted by the pass that finds it and is to close it, and when what closed it is over and it is still gone", () => {
    const seen = watched({ sightings: [theirs] }, { entries: [suspended({}, { spec })], rules: [x] });
    expect([callsOf(seen), seen.drift.adoptions.length]).toEqual([["revoke sgr-x"], 1]);
    expect(driftOf(closed({ by: [over], liftedAt: NOW - 1000 })).adoptions).toHaveLength(1);
  });

  test("is adopted where they changed one into it", () => {
    const modify = aSighting({ kind: "modify", specs: [spec], ruleIds: [ruleId("x")], actor: terraform });
    expect(driftOf(closed(), { sightings: [modify] }).adoptions).toHaveLength(1);
  });

  test("is not adopted where they are to have a ticket, or nothing is adopted now", () => {
    const terms = someTerms({ trustedPrincipals: [{ principal: "terraform", treat: "ticket" }] });
    expect(driftOf(closed(), { terms })).toEqual(NO_DRIFT);
    expect(driftOf(closed(), { mayAdopt: false })).toEqual(NO_DRIFT);
  });

  test("is not adopted on a sensitive port that everybody comes in by", () => {
    const wide = extra("x", 22, { peer: fromCidr("0.0.0.0/0") });
    const sightings = [aSighting({ specs: [wide], actor: terraform })];
    const entry = suspended({ kept: [kept] }, { spec: { ...onPort(22), peer: wide.peer } });
    expect(driftOf(entry, { sightings }).adoptions).toEqual([]);
  });
});

describe("what is closed for a time is not judged", () => {
  test("where somebody else opened it, or nobody is known to have", () => {
    expect(driftOf(closed(), { sightings: [aSighting({ specs: [spec] })] })).toEqual(NO_DRIFT);
    expect(driftOf(closed(), { sightings: [] })).toEqual(NO_DRIFT);
  });

  test("where they opened one like it long before", () => {
    const long = { ...theirs, at: NOW - 60 * 60_000 };
    expect(driftOf(closed(), { sightings: [long] })).toEqual(NO_DRIFT);
  });

  test("where nobody knows when it was made, or it stood by an allocation", () => {
    const { createdAt: _, ...undated } = kept;
    expect(driftOf(closed({ kept: [undated] }))).toEqual(NO_DRIFT);
    expect(driftOf(closed({ wasAllocated: true }))).toEqual(NO_DRIFT);
    const allocated = anAllocated({ spec, allocation: anAllocation(), suspension: aSuspension({ kept: [kept] }) });
    expect(driftOf(allocated)).toEqual(NO_DRIFT);
  });

  test("where its owner has removed it before it was closed", () => {
    expect(driftOf(closed({ kept: [{ ...kept, isClosed: false }] }))).toEqual(NO_DRIFT);
  });

  test("once it is given back, where it stands for what was adopted", () => {
    const lifted = closed({ by: [over], liftedAt: NOW - 1000 });
    const back = extra("back", 8443, { description: "by terraform" });
    expect(driftOf(lifted, {}, [back]).adoptions).toEqual([]);
  });
});
