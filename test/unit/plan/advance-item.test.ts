// What becomes of an item of the recycling queue: the next step, whom it waits for, and what voids a word.
import { describe, expect, it } from "vitest";
import { type RecyclingApproval, stepDigest } from "../../../shared/domain/recycling-item.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import {
  advanceItem,
  changeOf,
  type ItemPicture,
  isQueueable,
  type QuarantineWatch,
} from "../../../shared/plan/advance-item.ts";
import { aJudgement, anItem, aQuarantine, unusedRule } from "../../kit/recycling.ts";
import { aSpec } from "../../kit/rules.ts";

const DAY = 86_400_000;
const drop = aSpec({ ...anItem().kept.spec, policy: "drop" });
const silent: QuarantineWatch = { visitors: [], strangers: [], silentMs: 20 * DAY, gaps: [] };

const picture = (changes: Partial<ItemPicture> = {}): ItemPicture => ({
  item: anItem(),
  now: 30 * DAY,
  terms: {
    noticeMs: 7 * DAY,
    quarantineMs: 14 * DAY,
    auto: { quarantine: false, delete: false },
    requeueAfterMs: 45 * DAY,
  },
  isNamed: true,
  rule: unusedRule,
  judged: aJudgement(),
  staysOut: null,
  short: null,
  plan: { kind: "drop", spec: drop, blind: [] },
  dropStands: null,
  watch: null,
  ...changes,
});
const auto = { ...picture().terms, auto: { quarantine: true, delete: true } };
const noticed = anItem({ state: "noticed" });
const quarantine = aQuarantine();
const inQuarantine = picture({
  item: anItem({ state: "quarantined", quarantine }),
  dropStands: true,
  watch: silent,
});
const hits = ["it would also stop what sgr-2 lets through"];
const refused = { kind: "refused", why: hits, hits, blind: [], cuts: [] } as const;
const path = "it would cut the operator path tcp 22 from 198.51.100.7";
const cutting = { kind: "refused", why: [path], hits: [path], blind: [], cuts: [path] } as const;
const approval = (step: "quarantine" | "delete", change: string, item = noticed) => ({
  ...{ step, by: "bob", at: 1, digest: stepDigest(item, step, change) },
});

describe("what is queued", () => {
  const fresh = (changes: Partial<ItemPicture> = {}) => ({ ...picture(changes), item: changes.item ?? null });

  it("is an idle rule that nothing keeps out, and never one of which too little is known", () => {
    expect(isQueueable(fresh())).toBe(true);
    expect(isQueueable(fresh({ judged: aJudgement({ verdict: "unknown" }) }))).toBe(false);
    expect(isQueueable(fresh({ judged: aJudgement({ verdict: "used" }) }))).toBe(false);
    expect(isQueueable(fresh({ staysOut: "a lease holds it" }))).toBe(false);
    expect(isQueueable(fresh({ rule: null }))).toBe(false);
  });

  it("is a restored rule again after its time, an exempt one after its end, and nothing that is under way", () => {
    const restored = (days: number) => fresh({ item: anItem({ state: "restored" }), now: days * DAY });
    expect(isQueueable(restored(44))).toBe(false);
    expect(isQueueable(restored(45))).toBe(true);
    const exemption = { owner: "a", reason: "", by: "a", until: 30 * DAY };
    const exempt = (now: number) => fresh({ item: anItem({ state: "exempt", exemption }), now });
    expect(isQueueable(exempt(30 * DAY - 1))).toBe(false);
    expect(isQueueable(exempt(30 * DAY))).toBe(true);
    for (const state of ["queued", "noticed", "quarantined", "deleted"] as const)
      for (const now of [30 * DAY, 400 * DAY]) expect(isQueueable(fresh({ item: anItem({ state }), now }))).toBe(false);
    const step = { to: "restored", by: "bob", why: "", at: 0 } as const;
    expect(isQueueable(fresh({ item: anItem({ state: "restored", step }), now: 400 * DAY }))).toBe(false);
  });
});

describe("on the way", () => {
  it("tells the owner only in a group that the policy names", () => {
    expect(advanceItem(picture()).kind).toBe("notice");
    expect(advanceItem(picture({ isNamed: false }))).toMatchObject({ kind: "stay", waiting: { for: "policy" } });
  });

  it("waits for evidence while the verdict is unknown, however long", () => {
    const judged = aJudgement({ verdict: "unknown", reasons: ["coverage 80 %"] });
    for (const item of [anItem(), noticed])
      expect(advanceItem(picture({ item, judged, terms: auto, now: 900 * DAY }))).toEqual({
        kind: "stay",
        waiting: { for: "evidence", why: ["coverage 80 %"] },
      });
  });

  it("leaves the queue when it is used, changed or kept out by now", () => {
    for (const change of [
      { judged: aJudgement({ verdict: "used", reasons: ["10.0.0.9 on 3 days"] }) },
      { rule: { ...unusedRule, description: "new owner" } },
      { staysOut: "the group is protected" },
    ])
      for (const item of [anItem(), noticed])
        expect(advanceItem(picture({ item, ...change }))).toMatchObject({ kind: "restore", by: "safeport" });
  });

  it("waits out the notice to its last millisecond, then for a person, or goes on where the policy says so", () => {
    expect(advanceItem(picture({ item: noticed, terms: auto, now: 7 * DAY - 1 }))).toEqual({
      kind: "stay",
      waiting: null,
    });
    expect(advanceItem(picture({ item: noticed, terms: auto, now: 7 * DAY }))).toMatchObject({
      ...{ kind: "quarantine", by: "safeport", drop },
    });
    expect(advanceItem(picture({ item: noticed }))).toMatchObject({ kind: "stay", waiting: { for: "approval" } });
  });

  it("takes a person's word for exactly the drop they were shown", () => {
    const item = anItem({ state: "noticed", approvals: [approval("quarantine", ruleKey(drop))] });
    expect(advanceItem(picture({ item }))).toMatchObject({ kind: "quarantine", by: "bob" });
    const other = { kind: "drop", spec: { ...drop, priority: 50 }, blind: [] } as const;
    expect(advanceItem(picture({ item, plan: other }))).toMatchObject({ kind: "stay", waiting: { for: "approval" } });
  });

  it("waits for a person, with the reasons, where the drop would hit something else, also with auto", () => {
    const waits = advanceItem(picture({ item: noticed, plan: refused, terms: auto }));
    expect(waits).toEqual({ kind: "stay", waiting: { for: "person", why: refused.why } });
    const item = anItem({ state: "noticed", approvals: [approval("delete", changeOf("delete", noticed, refused))] });
    expect(advanceItem(picture({ item, plan: refused }))).toMatchObject({ kind: "delete", by: "bob" });
    const others = { ...refused, why: ["it would also stop what sgr-3 lets through"] };
    expect(advanceItem(picture({ item, plan: others })), "for other reasons than were shown").toMatchObject({
      ...{ kind: "stay", waiting: { for: "person", why: [...others.why, expect.stringContaining("bob")] } },
    });
    expect(advanceItem(picture({ item })), "an approved deletion skips no quarantine that is possible").toMatchObject({
      kind: "stay",
      waiting: { for: "approval" },
    });
  });

  it("never cuts the operator path, but where somebody answers for that by name", () => {
    const word = approval("delete", changeOf("delete", noticed, cutting));
    const item = anItem({ state: "noticed", approvals: [word] });
    expect(advanceItem(picture({ item, plan: cutting }))).toMatchObject({ kind: "stay", waiting: { for: "person" } });
    const waived = anItem({ state: "noticed", approvals: [{ ...word, waivedBy: "head of it" }] });
    expect(advanceItem(picture({ item: waived, plan: cutting }))).toMatchObject({
      ...{ kind: "delete", by: "bob", why: expect.stringContaining("head of it") },
    });
    const inside = { ...inQuarantine, plan: cutting, item: { ...inQuarantine.item, approvals: [word] } };
    expect(advanceItem(inside), "a path that the policy has named since").toMatchObject({ kind: "restore" });
  });

  it("is over when somebody else removed the rule", () => {
    for (const item of [anItem(), noticed, anItem({ state: "quarantined", quarantine })])
      expect(advanceItem(picture({ item, rule: null }))).toMatchObject({ kind: "delete", by: "somebody else" });
  });
});

describe("in quarantine", () => {
  it("lifts itself when somebody who used it is refused or still talks, and names them", () => {
    for (const how of ["refused", "talking"] as const) {
      const watch = { ...silent, visitors: [{ peer: "10.0.0.9", how, at: 5 }] };
      const step = advanceItem({ ...inQuarantine, watch, terms: auto });
      expect(step).toMatchObject({ kind: "restore", by: "safeport", why: expect.stringContaining("10.0.0.9") });
    }
  });

  it("stops the clock while evidence is missing, and never deletes on it", () => {
    const gap = { ...silent, gaps: ["coverage 90 %"] };
    const unknown = aJudgement({ verdict: "unknown" });
    for (const change of [{ watch: gap }, { judged: unknown }, { watch: null }])
      expect(advanceItem({ ...inQuarantine, terms: auto, ...change })).toMatchObject({
        ...{ kind: "stay", waiting: { for: "evidence" } },
      });
  });

  it("deletes after the whole time of silence, by policy or a person's word", () => {
    const short = { ...silent, silentMs: 14 * DAY - 1 };
    expect(advanceItem({ ...inQuarantine, watch: short, terms: auto })).toEqual({ kind: "stay", waiting: null });
    expect(advanceItem({ ...inQuarantine, terms: auto })).toMatchObject({ kind: "delete", by: "safeport" });
    expect(advanceItem(inQuarantine)).toMatchObject({ kind: "stay", waiting: { for: "approval" } });
    const item = { ...inQuarantine.item, approvals: [approval("delete", "", inQuarantine.item)] };
    expect(advanceItem({ ...inQuarantine, item })).toMatchObject({ kind: "delete", by: "bob" });
    expect(advanceItem({ ...inQuarantine, item, watch: short })).toEqual({ kind: "stay", waiting: null });
  });

  it("says at once that somebody who came before may be cut off in a crowd, and not of other strangers", () => {
    const text = "more were refused than are kept, on 2 days: who came before may be among them";
    const crowd = { who: "a crowd on 2026-11-20", text, mayBeEarlier: true } as const;
    const begun = { ...silent, silentMs: 2 * DAY, strangers: [{ who: "10.0.0.77", text: "refused" }, crowd] };
    const waiting = { for: "person", why: [text] };
    expect(advanceItem({ ...inQuarantine, watch: begun, terms: auto })).toEqual({ kind: "stay", waiting });
    const strangers = begun.strangers.slice(0, 1);
    expect(advanceItem({ ...inQuarantine, watch: { ...begun, strangers }, terms: auto })).toEqual({
      ...{ kind: "stay", waiting: null },
    });
  });

  it("asks a person about strangers who were refused, also with auto", () => {
    const text = "10.0.0.77 was refused on 4 days";
    const watch = { ...silent, strangers: [{ who: "10.0.0.77", text }] };
    expect(advanceItem({ ...inQuarantine, watch, terms: auto })).toEqual({
      ...{ kind: "stay", waiting: { for: "approval", why: [text] } },
    });
  });

  it("takes an approval for what the person saw: whoever comes after it voids it, at once, and it is said whose", () => {
    const text = "10.0.0.77 was refused on 4 days";
    const strangers = [{ who: "10.0.0.77", text }];
    const item = { ...inQuarantine.item, approvals: [approval("delete", "", inQuarantine.item)] };
    for (const silentMs of [2 * DAY, 20 * DAY])
      expect(advanceItem({ ...inQuarantine, item, watch: { ...silent, strangers, silentMs }, terms: auto })).toEqual({
        kind: "stay",
        waiting: { for: "approval", why: [text, expect.stringMatching(/^the approval by bob .* no longer counts/)] },
      });
    const seen = { ...item, approvals: item.approvals.map((it) => ({ ...it, saw: ["10.0.0.77"] })) };
    expect(advanceItem({ ...inQuarantine, item: seen, watch: { ...silent, strangers } })).toMatchObject({
      ...{ kind: "delete", by: "bob" },
    });
  });

  it("is lifted when the drop is gone, the policy names the group no more, or the rule is changed or protected", () => {
    for (const change of [
      { dropStands: false },
      { isNamed: false },
      { staysOut: "a lease holds it" },
      { rule: { ...unusedRule, description: "ours!" } },
      { judged: aJudgement({ verdict: "used" }) },
    ])
      expect(advanceItem({ ...inQuarantine, terms: auto, ...change })).toMatchObject({ kind: "restore" });
  });
});

describe("after it", () => {
  it("a deleted rule that stands again is restored, by somebody else", () => {
    const item = anItem({ state: "deleted" });
    expect(advanceItem(picture({ item }))).toMatchObject({ kind: "restore", by: "somebody else" });
    expect(advanceItem(picture({ item, rule: null }))).toEqual({ kind: "stay", waiting: null });
  });

  it("nothing becomes of what is restored or exempt by itself", () => {
    for (const state of ["restored", "exempt"] as const)
      expect(advanceItem(picture({ item: anItem({ state }), terms: auto }))).toEqual({ kind: "stay", waiting: null });
  });
});

describe("what an alarm had queued, by fewer days than the policy's", () => {
  const short = ["of the whole window: used", "tcp 7890 was used"];

  it("is noticed, and neither quarantined nor deleted until the whole window says the same", () => {
    expect(advanceItem(picture({ short })).kind).toBe("notice");
    const waits = { kind: "stay", waiting: { for: "evidence", why: expect.arrayContaining(short) } };
    expect(advanceItem(picture({ item: noticed, terms: auto, short }))).toMatchObject(waits);
    expect(advanceItem({ ...inQuarantine, terms: auto, short })).toMatchObject(waits);
    expect(advanceItem(picture({ item: noticed, terms: auto })).kind).toBe("quarantine");
    expect(advanceItem({ ...inQuarantine, terms: auto }).kind).toBe("delete");
  });

  it("goes on by the word of a person who knew that, and of no other", () => {
    const word = approval("quarantine", ruleKey(drop));
    const by = (approvals: readonly RecyclingApproval[]) =>
      advanceItem(picture({ item: anItem({ state: "noticed", approvals }), terms: auto, short })).kind;
    expect(by([word])).toBe("stay");
    expect(by([{ ...word, onShortEvidence: true }])).toBe("quarantine");
    expect(by([{ ...word, digest: "0", onShortEvidence: true }])).toBe("stay");
  });
});
