// The laws of the queue, for any picture: what may happen to a rule, and what never does.
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { mayMove, RECYCLING_STATES, stepDigest } from "../../shared/domain/recycling-item.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { advanceItem, type ItemPicture } from "../../shared/plan/advance-item.ts";
import { aJudgement, anItem, aQuarantine, unusedRule } from "../kit/recycling.ts";

const DAY = 86_400_000;
const spec = { ...anItem().kept.spec, policy: "drop" as const };
const days = fc.integer({ min: 0, max: 40 }).map((count) => count * DAY);
const someWords = fc.array(fc.constantFrom("a", "b"), { maxLength: 2 });
const someStrangers = fc.array(
  fc.constantFrom("a", "b").map((who) => ({ who, text: who })),
  { maxLength: 2 },
);

const aPicture: fc.Arbitrary<ItemPicture> = fc.record({
  item: fc
    .record({
      state: fc.constantFrom(...RECYCLING_STATES),
      approvals: fc.subarray([
        { step: "quarantine" as const, by: "bob", at: 0, digest: stepDigest(anItem(), "quarantine", ruleKey(spec)) },
        { step: "delete" as const, by: "bob", at: 0, digest: stepDigest(anItem(), "delete", "") },
        { step: "delete" as const, by: "bob", at: 0, digest: stepDigest(anItem(), "delete", "hits"), saw: ["a"] },
        {
          ...{ step: "delete" as const, by: "bob", at: 0, digest: stepDigest(anItem(), "delete", "") },
          onShortEvidence: true,
        },
      ]),
    })
    .map((fields) =>
      anItem({
        ...fields,
        quarantine: fields.state === "quarantined" ? aQuarantine() : null,
      }),
    ),
  now: days,
  terms: fc.record({
    noticeMs: fc.constant(7 * DAY),
    quarantineMs: fc.constant(14 * DAY),
    auto: fc.record({ quarantine: fc.boolean(), delete: fc.boolean() }),
    requeueAfterMs: fc.constant(45 * DAY),
  }),
  isNamed: fc.constantFrom(true, true, true, false),
  rule: fc.constantFrom(unusedRule, unusedRule, unusedRule, null, { ...unusedRule, description: "changed" }),
  judged: fc
    .constantFrom("used", "idle", "idle", "idle", "idle", "idle", "unknown")
    .map((verdict) => aJudgement({ verdict } as object)),
  staysOut: fc.constantFrom(null, null, null, "protected"),
  short: fc.constantFrom(null, null, ["used in the whole window"]),
  plan: fc.constantFrom<ItemPicture["plan"]>(
    { kind: "drop", spec, blind: [] },
    { kind: "drop", spec, blind: [] },
    { kind: "refused", why: ["hits"], hits: ["hits"], blind: [], cuts: [] },
    { kind: "refused", why: ["hits"], hits: ["hits"], blind: [], cuts: ["hits"] },
  ),
  dropStands: fc.constantFrom(true, true, true, false),
  watch: fc.option(
    fc.record({
      visitors: fc.array(fc.constant({ peer: "10.0.0.9", how: "refused" as const, at: 0 }), { maxLength: 1 }),
      strangers: someStrangers,
      silentMs: days,
      gaps: someWords,
    }),
    { freq: 6 },
  ),
});

it("every step is a move that its mover may make", () => {
  fc.assert(
    fc.property(aPicture, (picture) => {
      const step = advanceItem(picture);
      if (step.kind === "stay") return;
      const to = { notice: "noticed", quarantine: "quarantined", delete: "deleted", restore: "restored" } as const;
      const mover = "by" in step && step.by === "bob" ? "person" : "program";
      expect(mayMove(picture.item.state, to[step.kind], mover)).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

it("nothing is quarantined or deleted that is not known to be idle, in a named group, by policy or a person", () => {
  let steps = 0;
  fc.assert(
    fc.property(aPicture, (picture) => {
      const step = advanceItem(picture);
      if (step.kind !== "quarantine" && step.kind !== "delete") return;
      if (step.by === "somebody else") {
        expect(picture.rule).toBeNull();
        return;
      }
      steps += 1;
      const { item, terms, judged, isNamed, staysOut, rule, plan, watch, short } = picture;
      const knew = item.approvals.some((it) => it.step === step.kind && it.onShortEvidence === true);
      expect(short === null || knew, "on short evidence only by somebody who knew").toBe(true);
      expect([judged.verdict, isNamed, staysOut, rule]).toEqual(["idle", true, null, unusedRule]);
      const isApproved = item.approvals.some((it) => it.step === step.kind);
      expect(terms.auto[step.kind] || isApproved).toBe(true);
      if (step.kind === "quarantine") {
        expect(plan.kind).toBe("drop");
        expect(picture.now).toBeGreaterThanOrEqual(7 * DAY);
      } else if (item.state === "quarantined") {
        expect(watch?.gaps).toEqual([]);
        expect(watch?.visitors).toEqual([]);
        expect(watch?.silentMs).toBeGreaterThanOrEqual(14 * DAY);
        const seen = item.approvals.flatMap((it) => (it.step === "delete" ? (it.saw ?? []) : []));
        expect(watch?.strangers.every(({ who }) => isApproved && seen.includes(who))).toBe(true);
      } else {
        expect([item.state, plan.kind, isApproved]).toEqual(["noticed", "refused", true]);
        expect(plan.kind === "refused" && plan.cuts).toEqual([]);
      }
    }),
    { numRuns: 6000 },
  );
  expect(steps).toBeGreaterThan(20);
});

it("a visitor with earlier sessions always lifts a quarantine, whatever else is the case", () => {
  fc.assert(
    fc.property(aPicture, (picture) => {
      const { item, watch, rule } = picture;
      if (item.state !== "quarantined" || rule === null || (watch?.visitors.length ?? 0) === 0) return;
      expect(advanceItem(picture).kind).toBe("restore");
    }),
    { numRuns: 3000 },
  );
});
