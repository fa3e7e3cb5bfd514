// What a patch makes of an entry's row, also of a fresher one than it was planned on.
import { describe, expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import { applyPatch } from "../../../shared/plan/apply-patch.ts";
import type { EntryPatch } from "../../../shared/plan/entry-plan.ts";
import { isHolding, mayStillAct } from "../../../shared/plan/picture.ts";
import { anAllocation } from "../../kit/drift-pictures.ts";
import { aDropHolder, aHolder, anEndedHolder, anEntry, anIntent, LATE_MS, NOW, ours } from "../../kit/plan-pictures.ts";

const none: ReadonlySet<LeaseId> = new Set();
const late = aHolder({ holderId: "ls-2" as LeaseId, openedAt: null });

function aPatch(changes: Partial<EntryPatch> = {}): EntryPatch {
  return {
    entry: anEntry({ holders: [aHolder({ openedAt: null })] }),
    standing: ours("1"),
    createdAt: null,
    seenAt: null,
    missingSince: null,
    suspension: null,
    undoneAt: [],
    opens: "none",
    doubted: new Set(),
    stated: true,
    end: null,
    ends: "none",
    settled: false,
    ...changes,
  };
}

describe("a patch", () => {
  test("says open for the holders the plan has seen, and keeps an earlier opening", () => {
    const patch = aPatch({ opens: "all" });
    const next = applyPatch({ ...patch.entry, holders: [...patch.entry.holders, late] }, patch, NOW, none);
    expect(next.holders.map((it) => it.openedAt)).toEqual([NOW, null]);
    expect(next.standing).toEqual(ours("1"));
    expect(applyPatch(next, patch, NOW + 5, none).holders.map((it) => it.openedAt)).toEqual([NOW, null]);
  });

  test("says open for nobody of whom it is not known whether they are to be", () => {
    const entry = anEntry({ holders: [aHolder({ openedAt: null }), late] });
    const patch = aPatch({ entry, opens: "all", doubted: new Set([late.holderId]) });
    expect(applyPatch(entry, patch, NOW, none).holders.map((it) => it.openedAt)).toEqual([NOW, null]);
  });

  test("ends all it has seen, and nobody who came in meanwhile", () => {
    const end = { cause: "removed", note: "gone", detail: null } as const;
    const patch = aPatch({ end, ends: "all" });
    const next = applyPatch({ ...patch.entry, holders: [...patch.entry.holders, late] }, patch, NOW, none);
    expect(next.holders.map((it) => it.ended)).toEqual([end, null]);
  });

  test("ends whose time has come, at the instant itself, and never takes an end back", () => {
    const asked = { cause: "asked", note: null, detail: null } as const;
    const holders = [aHolder({ until: NOW }), aHolder({ until: NOW + 1 }), aHolder({ ended: asked })];
    const next = applyPatch(anEntry({ holders }), aPatch(), NOW, none);
    expect(next.holders.map((it) => it.ended?.cause ?? null)).toEqual(["time", null, "asked"]);
  });

  test("drops the holders it is told to, once they have ended", () => {
    const ended = { cause: "time", note: null, detail: null } as const;
    const holders = [anEndedHolder({ ended }), aHolder({ holderId: "ls-2" as LeaseId })];
    const drop = new Set(["ls-1", "ls-2"] as LeaseId[]);
    const next = applyPatch(anEntry({ holders }), aPatch(), NOW, drop);
    expect(next.holders.map((it) => it.holderId)).toEqual(["ls-2"]);
  });
});

describe("what a patch says of some of its holders", () => {
  const opened = aHolder({ statedUntil: null });
  const entry = anEntry({ holders: [opened, late] });
  const told = (changes: Partial<EntryPatch>) => applyPatch(entry, aPatch({ entry, ...changes }), NOW, none).holders;
  const end = { cause: "removed", note: "gone", detail: null } as const;

  test("is that nobody, those who were open, or all are open, and what the mark states of their ends", () => {
    const seen = (changes: Partial<EntryPatch>) => told(changes).map((it) => [it.openedAt, it.statedUntil]);
    expect(seen({ opens: "none" })).toEqual([
      [opened.openedAt, null],
      [null, null],
    ]);
    expect(seen({ opens: "opened" })).toEqual([
      [opened.openedAt, opened.until],
      [null, null],
    ]);
    expect(seen({ opens: "all" })).toEqual([
      [opened.openedAt, opened.until],
      [NOW, late.until],
    ]);
    expect(seen({ opens: "all", stated: false })).toEqual([
      [opened.openedAt, null],
      [NOW, null],
    ]);
  });

  test("is that those who were open, those who were not, or all have ended", () => {
    const ended = (changes: Partial<EntryPatch>) => told({ end, ...changes }).map((it) => it.ended);
    expect(ended({ ends: "opened" })).toEqual([end, null]);
    expect(ended({ ends: "unopened" })).toEqual([null, end]);
    expect(ended({ ends: "all" })).toEqual([end, end]);
    expect(ended({ ends: "none" })).toEqual([null, null]);
  });

  test("is nothing of who has ended otherwise before", () => {
    const asked = { cause: "asked", note: null, detail: null } as const;
    const holders = [aHolder({ ended: asked })];
    const patch = aPatch({ entry: anEntry({ holders }), end, ends: "all" });
    expect(applyPatch(anEntry({ holders }), patch, NOW, none).holders.map((it) => it.ended)).toEqual([asked]);
  });
});

test("a hold on a drop is no lease, whatever its id", () => {
  const ended = { cause: "time", note: null, detail: null } as const;
  const holders = [aDropHolder({ holderId: "ls-1", ended })];
  const drop = new Set(["ls-1" as LeaseId]);
  expect(applyPatch(anEntry({ holders }), aPatch(), NOW, drop).holders).toEqual(holders);
});

test("an allocation is read once, and stays read", () => {
  const seen = (allocation: ReturnType<typeof anAllocation> | null, seenAt: number | null) =>
    applyPatch(anEntry({ allocation }), aPatch({ seenAt }), NOW, none).allocation;
  expect(seen(anAllocation({ seenAt: null }), NOW)).toEqual(anAllocation({ seenAt: NOW }));
  expect(seen(anAllocation({ seenAt: NOW - 5 }), NOW)).toEqual(anAllocation({ seenAt: NOW - 5 }));
  expect(seen(anAllocation({ seenAt: NOW - 5 }), null)).toEqual(anAllocation({ seenAt: NOW - 5 }));
  expect(seen(null, NOW)).toBeNull();
});

test("a hold lasts up to its end, and an attempt acts up to its latest effect", () => {
  expect([isHolding(aHolder({ until: NOW + 1 }), NOW), isHolding(aHolder({ until: NOW }), NOW)]).toEqual([true, false]);
  const ended = { cause: "asked", note: null, detail: null } as const;
  expect(isHolding(aHolder({ ended }), NOW)).toBe(false);
  const intent = anIntent(anEntry(), { attemptsEndAt: NOW });
  expect([mayStillAct(intent, NOW + LATE_MS - 1, LATE_MS), mayStillAct(intent, NOW + LATE_MS, LATE_MS)]).toEqual([
    true,
    false,
  ]);
});
