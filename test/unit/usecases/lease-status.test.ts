// Where a lease stands, told from its parts.
import { describe, expect, test } from "vitest";
import type { EndCause, Standing } from "../../../shared/domain/ledger-entry.ts";
import { type LeasePart, leaseStatus } from "../../../shared/usecases/lease/lease-status.ts";
import { aHolder, anEntry, HOUR, NOW, ours, preExisting, ruleId } from "../../kit/plan-pictures.ts";

const NONE: Standing = { kind: "none" };

interface PartWords {
  readonly standing?: Standing;
  readonly before?: Standing;
  readonly openedAt?: number | null;
  readonly until?: number;
  readonly ended?: EndCause;
  readonly note?: string;
  readonly done?: boolean;
  readonly shared?: boolean;
}

/** A part that is open by our rule sgr-1, unless said otherwise. */
function aPart(words: PartWords = {}): LeasePart {
  const standing = words.standing ?? ours("1");
  const ended = words.ended === undefined ? null : { cause: words.ended, note: words.note ?? null, detail: null };
  const openedAt = words.openedAt === undefined ? NOW : words.openedAt;
  return {
    entry: anEntry({ standing }),
    before: words.before ?? standing,
    holder: aHolder({ openedAt, until: words.until ?? NOW + HOUR, ended }),
    done: words.done ?? false,
    shared: words.shared ?? false,
  };
}

const stateOf = (...parts: LeasePart[]) => leaseStatus(parts, NOW).state;

describe("the state", () => {
  test("is open only when every rule has been seen open", () => {
    expect(stateOf(aPart(), aPart())).toBe("open");
    expect(stateOf(aPart(), aPart({ openedAt: null }))).toBe("opening");
    expect(leaseStatus([aPart(), aPart({ openedAt: null })], NOW).openedAt).toBeNull();
  });

  test("is open since the last of its rules was seen", () => {
    expect(leaseStatus([aPart({ openedAt: NOW - 5 }), aPart({ openedAt: NOW - 9 })], NOW).openedAt).toBe(NOW - 5);
  });

  test("is closing until every part is done, and closed from then on", () => {
    const over = aPart({ ended: "time", done: true });
    const standing = aPart({ ended: "time" });
    expect(leaseStatus([over, standing], NOW)).toMatchObject({ state: "closing", closedAt: null });
    expect(leaseStatus([over, over], NOW)).toMatchObject({ state: "closed", closedAt: NOW });
  });

  test("is closing as soon as one of its rules has ended", () => {
    expect(stateOf(aPart({ ended: "removed", done: true }), aPart())).toBe("closing");
  });

  test.each<[EndCause, string, string]>([
    ["time", "closed", "lapsed"],
    ["asked", "closed", "cancelled"],
    ["removed", "closed", "lapsed"],
    ["refused", "closed", "failed"],
  ])("of an end by %s is %s where it was open, and %s where it never was", (ended, opened, never) => {
    expect(stateOf(aPart({ ended, done: true }))).toBe(opened);
    expect(stateOf(aPart({ ended, done: true, openedAt: null }))).toBe(never);
    // Of several rules it was open once all of them were.
    expect(stateOf(aPart({ ended, done: true }), aPart({ ended, done: true, openedAt: null }))).toBe(never);
  });
});

describe("what it tells besides", () => {
  test("the end is the first of its parts', as it ends in all of them then", () => {
    expect(leaseStatus([aPart(), aPart({ until: NOW + 2 * HOUR })], NOW).until).toBe(NOW + HOUR);
  });

  test("the rules are those that stand, or stood before they were closed", () => {
    const parts = [aPart(), aPart({ standing: NONE, before: ours("2") }), aPart({ standing: NONE })];
    expect(leaseStatus(parts, NOW).ruleIds).toEqual([ruleId("1"), ruleId("2")]);
  });

  test("it rides on what was there before only when all its rules do", () => {
    expect(leaseStatus([aPart({ standing: preExisting("1") })], NOW).preExisting).toBe(true);
    expect(leaseStatus([aPart({ standing: preExisting("1") }), aPart()], NOW).preExisting).toBe(false);
    expect(leaseStatus([aPart({ standing: NONE })], NOW).preExisting).toBe(false);
  });

  test("a lease that rode on a rule still says so after its end", () => {
    const part = aPart({ standing: NONE, before: preExisting("1"), ended: "time", done: true });
    expect(leaseStatus([part], NOW)).toMatchObject({
      state: "closed",
      preExisting: true,
      ruleIds: [ruleId("1")],
      note: "a rule that stood before the lease allows the same and was left as it is",
    });
  });

  test("a lease whose rule somebody else still holds says so once it has ended", () => {
    const shared = { ended: "time", shared: true } as const;
    expect(leaseStatus([aPart({ ...shared, done: true })], NOW).note).toBe("another lease still holds the rule");
    expect(leaseStatus([aPart(shared)], NOW).note).toBeNull();
    expect(leaseStatus([aPart()], NOW).note).toBeNull();
  });

  test("the cause's own note comes first", () => {
    const part = aPart({ ended: "refused", note: "LEASE_SHADOWED", openedAt: null, shared: true, done: true });
    expect(leaseStatus([part], NOW).note).toBe("LEASE_SHADOWED");
  });
});
