// What replies prove of this machine's clock.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ClockSkew } from "../../../shared/adapters/alibaba/clock-skew.ts";

const T0 = Date.parse("2026-03-01T12:00:00Z");

/** A reply to a machine whose clock is so far ahead, dated `beforeMs` after the request and here `afterMs` later. */
interface Reply {
  readonly at: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

const hear = (skew: ClockSkew, aheadMs: number, { at, beforeMs, afterMs }: Reply): void => {
  const sentAt = T0 + at + aheadMs;
  skew.note(sentAt, sentAt + beforeMs + afterMs, new Date(T0 + at + beforeMs).toUTCString());
};

const aReply = fc.record({
  at: fc.nat({ max: 3_600_000 }),
  beforeMs: fc.nat({ max: 60_000 }),
  afterMs: fc.nat({ max: 60_000 }),
});
const aSkew = fc.integer({ min: -100_000, max: 100_000 });

describe("the skew of a clock", () => {
  it("is never said to be more than it is, however slow the replies are", () => {
    fc.assert(
      fc.property(aSkew, fc.array(aReply, { minLength: 1 }), (aheadMs, replies) => {
        const skew = new ClockSkew();
        for (const reply of replies) hear(skew, aheadMs, reply);
        expect(Math.abs(skew.ms)).toBeLessThanOrEqual(Math.abs(aheadMs));
        expect(Math.sign(skew.ms) * Math.sign(aheadMs)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it("is known to a second by one fast reply among slow ones", () => {
    fc.assert(
      fc.property(aSkew, fc.array(aReply), fc.nat({ max: 3_600_000 }), fc.nat(), (aheadMs, slow, at, place) => {
        const skew = new ClockSkew();
        const replies = [...slow];
        replies.splice(place % (slow.length + 1), 0, { at, beforeMs: 20, afterMs: 20 });
        for (const reply of replies) hear(skew, aheadMs, reply);
        expect(Math.abs(aheadMs - skew.ms)).toBeLessThanOrEqual(1040);
      }),
    );
  });

  it("is nothing for a right clock whose reply took half a minute", () => {
    const skew = new ClockSkew();
    hear(skew, 0, { at: 250, beforeMs: 30, afterMs: 30_000 });
    expect(skew.ms).toBe(0);
  });

  it("follows a clock that is set", () => {
    const skew = new ClockSkew();
    hear(skew, 0, { at: 0, beforeMs: 20, afterMs: 20 });
    hear(skew, 8000, { at: 1000, beforeMs: 20, afterMs: 20 });
    expect(skew.ms).toBeGreaterThan(6900);
    hear(skew, 0, { at: 2000, beforeMs: 20, afterMs: 20 });
    expect(skew.ms).toBe(0);
  });

  it.each([undefined, "", "yesterday"])("is not told by the date %j", (date) => {
    const skew = new ClockSkew();
    skew.note(T0, T0 + 40, date);
    expect(skew.ms).toBe(0);
  });
});
