// The next step of an item word for word: what a person reads of it in the queue, and what an approval of it is bound to.
import { describe, expect, it, test } from "vitest";
import { type RecyclingApproval, type RecyclingItem, stepDigest } from "../../../shared/domain/recycling-item.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import {
  advanceItem,
  changeOf,
  type ItemPicture,
  isQueueable,
  type NextStep,
  type QuarantineWatch,
} from "../../../shared/plan/advance-item.ts";
import { aJudgement, anItem, aQuarantine, unusedRule } from "../../kit/recycling.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";

const DAY = 86_400_000;
const drop = aSpec({ ...anItem().kept.spec, policy: "drop" });
const silent: QuarantineWatch = { visitors: [], strangers: [], silentMs: 20.9 * DAY, gaps: [] };
const byHand = {
  noticeMs: 7 * DAY,
  quarantineMs: 14 * DAY,
  auto: { quarantine: false, delete: false },
  requeueAfterMs: 45 * DAY,
};
const auto = { ...byHand, auto: { quarantine: true, delete: true } };
const judged = aJudgement({ reasons: ["no session in 45 days", "no scan either"] });
const noticed = anItem({ state: "noticed" });
const inside = anItem({ state: "quarantined", quarantine: aQuarantine() });

/** The step of an item that is queued, in a named group, after a month, unless said otherwise. */
const next = (item: RecyclingItem, changes: Partial<ItemPicture> = {}): NextStep =>
  advanceItem({
    ...{ item, now: 30 * DAY, terms: byHand, isNamed: true, rule: unusedRule, judged, staysOut: null, short: null },
    ...{ plan: { kind: "drop", spec: drop, blind: [] }, dropStands: null, watch: null },
    ...(item.state === "quarantined" && { dropStands: true, watch: silent }),
    ...changes,
  });
const word = (
  step: "quarantine" | "delete",
  change: string,
  more: Partial<RecyclingApproval> = {},
  item = noticed,
) => ({
  ...{ step, by: "bob", at: 1000, digest: stepDigest(item, step, change) },
  ...more,
});
const approved = (item: RecyclingItem, ...approvals: readonly RecyclingApproval[]) => ({ ...item, approvals });
const waits = (kind: "approval" | "person" | "evidence" | "policy", ...why: readonly string[]) => ({
  ...{ kind: "stay", waiting: { for: kind, why } },
});
const steps = (kind: NextStep["kind"], why: string, by = "safeport") => ({ kind, by, why });
const VOID = "the approval by bob of 1970-01-01T00:00:01Z no longer counts: it was given before that";
const hits = { kind: "refused", why: ["b", "a"], hits: ["b", "a"], blind: [], cuts: [] } as const;
const unread = { ...hits, hits: [] } as const;

describe("an item that is queued or noticed", () => {
  test.each<[string, RecyclingItem, Partial<ItemPicture>, object]>([
    [
      "is over where the rule is gone",
      anItem(),
      { rule: null },
      steps("delete", "somebody else removed the rule", "somebody else"),
    ],
    ["leaves for what keeps it out", noticed, { staysOut: "a lease holds it" }, steps("restore", "a lease holds it")],
    [
      "leaves when its words were changed",
      noticed,
      { rule: { ...unusedRule, description: "x" } },
      steps("restore", "somebody changed the rule"),
    ],
    [
      "leaves when its ports were changed",
      noticed,
      { rule: { ...unusedRule, ports: somePorts("1/1") } },
      steps("restore", "somebody changed the rule"),
    ],
    [
      "leaves when it is used",
      noticed,
      { judged: aJudgement({ verdict: "used", reasons: ["a", "b"] }) },
      steps("restore", "it is used: a; b"),
    ],
    [
      "waits for evidence",
      anItem(),
      { judged: aJudgement({ verdict: "unknown", reasons: ["a", "b"] }) },
      waits("evidence", "a", "b"),
    ],
    [
      "waits for the policy",
      anItem(),
      { isNamed: false },
      waits("policy", "the policy does not name the group in recycling.groups"),
    ],
    ["is told to its owner", anItem(), {}, { kind: "notice", why: "no session in 45 days; no scan either" }],
    ["waits for a word", noticed, {}, waits("approval", "the policy wants a person's word before a quarantine")],
    [
      "goes on by the policy",
      noticed,
      { terms: auto },
      { ...steps("quarantine", "unused, and nobody objected in 7 days"), drop },
    ],
    [
      "goes on by a word",
      approved(noticed, word("quarantine", ruleKey(drop))),
      {},
      { ...steps("quarantine", "unused, and nobody objected in 7 days", "bob"), drop },
    ],
    [
      "takes no word for another drop, and says so",
      approved(noticed, word("quarantine", "x"), word("delete", "x")),
      {},
      waits("approval", "the policy wants a person's word before a quarantine", VOID),
    ],
    ["waits for a person where the drop would hit others", noticed, { plan: hits }, waits("person", "b", "a")],
    [
      "takes no word for other reasons, and says so",
      approved(noticed, word("delete", "b"), word("quarantine", "b")),
      { plan: hits },
      waits("person", "b", "a", VOID),
    ],
    [
      "is deleted by a word without a quarantine",
      approved(noticed, word("delete", "a\nb")),
      { plan: hits },
      steps("delete", "it cannot be quarantined, and a person wants it deleted", "bob"),
    ],
    [
      "cuts no operators by a word alone",
      approved(noticed, word("delete", "a\nb")),
      { plan: { ...hits, cuts: ["c"] } },
      waits("person", "b", "a"),
    ],
    [
      "cuts operators where somebody answers for it",
      approved(noticed, word("delete", "a\nb", { waivedBy: "eve" })),
      { plan: { ...hits, cuts: ["c", "d"] } },
      steps("delete", "it cannot be quarantined, and a person wants it deleted; c; d, for which eve answers", "bob"),
    ],
    [
      "is deleted by a word where the cloud refused the drop",
      approved({ ...noticed, dropRefused: "the cloud refuses" }, word("delete", "the cloud refuses")),
      {},
      steps("delete", "the cloud refuses; and a person wants the rule deleted", "bob"),
    ],
    [
      "is not deleted by a word where a drop is possible",
      approved(noticed, word("delete", "")),
      {},
      waits("approval", "the policy wants a person's word before a quarantine"),
    ],
    [
      "waits for the whole window",
      noticed,
      { terms: auto, short: ["used before"] },
      waits("evidence", "an alarm had it queued, by its few days alone", "used before"),
    ],
  ])("%s", (_what, item, changes, step) => {
    expect(next(item, changes)).toEqual(step);
  });
});

describe("an item in quarantine", () => {
  const visitors = [
    { peer: "10.0.0.9", how: "refused", at: 1 },
    { peer: "10.0.0.8", how: "talking", at: 2 },
  ] as const;
  const stranger = { who: "s", text: "s was refused" };
  const crowd = { who: "c", text: "a crowd", mayBeEarlier: true } as const;
  const seen = (changes: Partial<QuarantineWatch>) => ({ watch: { ...silent, ...changes } });
  const soon = { silentMs: 14 * DAY - 1 };

  test.each<[string, RecyclingItem, Partial<ItemPicture>, object]>([
    [
      "is over where the rule is gone",
      inside,
      { rule: null },
      steps("delete", "somebody else removed the rule", "somebody else"),
    ],
    [
      "is lifted for who came before",
      inside,
      seen({ visitors }),
      steps("restore", "10.0.0.9, who used it before, was refused; 10.0.0.8, who used it before, still talks"),
    ],
    [
      "is lifted when its drop is gone",
      inside,
      { dropStands: false },
      steps("restore", "somebody else removed the drop", "somebody else"),
    ],
    ["is not lifted while nobody knows of its drop", inside, { dropStands: null, terms: auto }, { kind: "delete" }],
    [
      "is lifted when the policy names the group no more",
      inside,
      { isNamed: false },
      steps("restore", "the policy does not name the group any more"),
    ],
    ["is lifted when it hits what was opened since", inside, { plan: hits }, steps("restore", "b; a")],
    ["is not lifted for what cannot be read", inside, { plan: unread, terms: auto }, { kind: "delete" }],
    ["leaves for what keeps it out", inside, { staysOut: "a lease holds it" }, steps("restore", "a lease holds it")],
    [
      "waits while nothing is known",
      inside,
      { watch: null },
      waits("evidence", "nothing is known since the quarantine began"),
    ],
    ["waits while something is missing", inside, seen({ gaps: ["a", "b"] }), waits("evidence", "a", "b")],
    [
      "waits while the verdict is unknown",
      inside,
      { judged: aJudgement({ verdict: "unknown", reasons: ["a"] }) },
      waits("evidence", "a"),
    ],
    ["waits for the end of its time", inside, { ...seen(soon), terms: auto }, { kind: "stay", waiting: null }],
    [
      "has a person look at a crowd before the end of its time",
      inside,
      seen({ ...soon, strangers: [stranger, crowd] }),
      waits("person", "a crowd"),
    ],
    [
      "is deleted by the policy",
      inside,
      { ...seen({ silentMs: 14 * DAY }), terms: auto },
      steps("delete", "nobody who ever used it was refused in 14 days"),
    ],
    [
      "is deleted by a word",
      approved(inside, word("delete", "", {}, inside)),
      {},
      steps("delete", "nobody who ever used it was refused in 20 days", "bob"),
    ],
    ["waits for a word", inside, {}, waits("approval", "the policy wants a person's word before a deletion")],
    [
      "waits for a word on strangers",
      inside,
      { ...seen({ strangers: [stranger, crowd] }), terms: auto },
      waits("approval", "s was refused", "a crowd"),
    ],
    [
      "takes no word of somebody who has not seen all of them",
      approved(inside, word("delete", "", { saw: ["c"] }, inside)),
      seen({ ...soon, strangers: [stranger, crowd] }),
      waits("approval", "s was refused", VOID),
    ],
    [
      "waits for the whole window",
      inside,
      { terms: auto, short: ["used before"] },
      waits("evidence", "an alarm had it queued, by its few days alone", "used before"),
    ],
    [
      "is deleted on a short window by the word of who knew",
      approved(inside, word("delete", "", { onShortEvidence: true }, inside)),
      { short: ["used before"] },
      steps("delete", "nobody who ever used it was refused in 20 days", "bob"),
    ],
    [
      "takes no other word on a short window",
      approved(inside, word("delete", "", {}, inside)),
      { short: ["used before"] },
      waits("evidence", "an alarm had it queued, by its few days alone", "used before"),
    ],
  ])("%s", (_what, item, changes, step) => {
    const found = next(item, changes);
    if (Object.keys(step).length === 1) expect(found).toMatchObject(step);
    else expect(found).toEqual(step);
  });
});

it("a deleted rule that stands is somebody's who opened it again", () => {
  expect(next(anItem({ state: "deleted" }))).toEqual(steps("restore", "somebody opened it again", "somebody else"));
});

test.each([
  ["the drop", "quarantine", noticed, { kind: "drop", spec: drop, blind: [] }, ruleKey(drop)],
  ["nothing, where there is no drop", "quarantine", noticed, hits, ""],
  ["the rule alone in quarantine", "delete", inside, hits, ""],
  ["why there can be no drop, in whatever order", "delete", noticed, hits, "a\nb"],
  ["nothing, where a drop is possible", "delete", noticed, { kind: "drop", spec: drop, blind: [] }, ""],
  [
    "why the cloud refused the drop",
    "delete",
    { ...noticed, dropRefused: "full" },
    { kind: "drop", spec: drop, blind: [] },
    "full",
  ],
] as const)("a word is bound to %s", (_what, step, item, plan, change) => {
  expect(changeOf(step, item, plan)).toBe(change);
});

it("an exempt rule is queued where nothing says until when, and a restored one to the millisecond", () => {
  const queueable = (item: RecyclingItem, now: number) =>
    isQueueable({
      ...{ item, now, terms: byHand, isNamed: true, rule: unusedRule, judged, staysOut: null, short: null },
      ...{ plan: hits, dropStands: null, watch: null },
    });
  expect(queueable(anItem({ state: "exempt" }), 0)).toBe(true);
  const restored = anItem({ state: "restored", since: DAY });
  expect([queueable(restored, 46 * DAY - 1), queueable(restored, 46 * DAY)]).toEqual([false, true]);
});
