import { describe, expect, it } from "vitest";
import { canMove, extendedEnd, isFinal, isLive, LEASE_STATES, mayFollow } from "../../../shared/domain/lease.ts";

describe("the states of a lease", () => {
  it("are left only as the table says", () => {
    const moves = LEASE_STATES.flatMap((from) =>
      LEASE_STATES.filter((to) => canMove(from, to)).map((to) => `${from}>${to}`),
    );
    expect(moves).toEqual([
      "requested>approved",
      "requested>denied",
      "requested>lapsed",
      "requested>cancelled",
      "approved>opening",
      "approved>lapsed",
      "approved>cancelled",
      "approved>failed",
      "opening>open",
      "opening>closing",
      "opening>lapsed",
      "opening>cancelled",
      "opening>failed",
      "open>closing",
      "open>closed",
      "closing>closed",
      "closing>lapsed",
      "closing>cancelled",
      "closing>failed",
    ]);
  });

  it("are told again as they were, after a move, or as somebody else had seen a live one; what is over stays as it is", () => {
    for (const from of LEASE_STATES)
      for (const to of LEASE_STATES) {
        const isBetweenLive = [from, to].every((state) => ["opening", "open", "closing"].includes(state));
        expect([from, to, mayFollow(from, to)]).toEqual([from, to, from === to || canMove(from, to) || isBetweenLive]);
      }
  });

  it("are final when nothing follows", () => {
    expect(LEASE_STATES.filter(isFinal)).toEqual(["closed", "denied", "lapsed", "cancelled", "failed"]);
  });

  it("are live while a rule may stand", () => {
    expect(LEASE_STATES.filter(isLive)).toEqual(["opening", "open", "closing"]);
  });
});

describe("extending", () => {
  const lease = { oldEnd: 1000, now: 900, periodMs: 600, openedFrom: 0, totalMaxMs: 10_000 };
  it("moves the end to a period from now", () => {
    expect(extendedEnd(lease)).toEqual({ end: 1500, cut: false });
  });
  it("keeps a later old end", () => {
    expect(extendedEnd({ ...lease, periodMs: 50 })).toEqual({ end: 1000, cut: false });
  });
  it("stops at the total and says so", () => {
    expect(extendedEnd({ ...lease, totalMaxMs: 1400 })).toEqual({ end: 1400, cut: true });
    expect(extendedEnd({ ...lease, totalMaxMs: 1500 })).toEqual({ end: 1500, cut: false });
  });
});
