// The lock of a group as a row: who may take it, let it go, and start a call under it.
import { describe, expect, it, test } from "vitest";
import { canLockMove, isWithinLock, LOCK_STATES, lockStateAt, takenLock } from "../../../shared/domain/group-lock.ts";

const NOW = 1_000_000;

test("a lock is taken unless it is held, and let go by whoever had it last", () => {
  const moves = LOCK_STATES.flatMap((from) =>
    LOCK_STATES.filter((to) => canLockMove(from, to)).map((to) => `${from} > ${to}`),
  );
  expect(moves).toEqual(["absent > held", "free > held", "lapsed > free", "lapsed > held", "held > free"]);
});

describe("a row", () => {
  it.each([
    ["absent", null],
    ["free", { fence: 4, expiresAt: 0 }],
    ["lapsed", { fence: 4, expiresAt: NOW - 1 }],
    ["lapsed", { fence: 4, expiresAt: NOW }],
    ["held", { fence: 4, expiresAt: NOW + 1 }],
  ] as const)("is %s as %o", (state, row) => {
    expect(lockStateAt(row, NOW)).toBe(state);
    const taken = takenLock(row, NOW, 30_000);
    if (state === "held") expect(taken).toBeNull();
    else expect(taken).toEqual({ fence: row === null ? NOW + 1 : 5, expiresAt: NOW + 30_000 });
  });
});

describe("a call may start under a lock of 30 s with a margin of 5 s", () => {
  const time = { now: NOW, expiresAt: NOW + 30_000, elapsedMs: 0, lockMs: 30_000, marginMs: 5_000 };
  it.each([
    ["just taken", {}, true],
    ["with over the margin left by both clocks", { now: NOW + 24_999, elapsedMs: 24_999 }, true],
    ["with the margin left by the monotonic clock", { elapsedMs: 25_000 }, false],
    ["with the margin left by the wall clock", { now: NOW + 25_000 }, false],
    ["that a frozen process woke up in late", { elapsedMs: 60_000 }, false],
  ])("%s: %o %s", (_, changes, may) => {
    expect(isWithinLock({ ...time, ...changes })).toBe(may);
  });
});
