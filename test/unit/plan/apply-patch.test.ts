// What a patch makes of an entry's row, also of a fresher one than it was planned on.
import { describe, expect, test } from "vitest";
import type { LeaseId } from "../../../shared/domain/ids.ts";
import { applyPatch } from "../../../shared/plan/apply-patch.ts";
import type { EntryPatch } from "../../../shared/plan/entry-plan.ts";
import { isHolding, mayStillAct } from "../../../shared/plan/picture.ts";
import { aHolder, anEndedHolder, anEntry, anIntent, LATE_MS, NOW, ours } from "../../kit/plan-pictures.ts";

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
