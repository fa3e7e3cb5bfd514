// The laws of what a target is sent, for any outbox.
import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs, freshPace, MINUTE_MS, paceAfter, roomOf } from "../../shared/domain/delivery.ts";
import { NOTICE_PRIORITIES, NOTICE_RANKS, type Notice, type NoticeKind } from "../../shared/domain/notice.ts";
import { planMessages } from "../../shared/plan/plan-messages.ts";

const rankOf = (notice: Notice): number => NOTICE_RANKS[NOTICE_PRIORITIES[notice.kind]];

const outbox = fc
  .array(fc.constantFrom(...(Object.keys(NOTICE_PRIORITIES) as NoticeKind[])), { maxLength: 300 })
  .map((kinds) =>
    kinds
      .map(
        (kind, index) => ({ id: `nt-${index}`, kind, data: {}, at: index, group: null, to: [] }) as unknown as Notice,
      )
      .sort((a, b) => rankOf(a) - rankOf(b) || a.at - b.at),
  );

const kinds = fc.constantFrom("webhook", "dingtalk", "feishu", "wecom", "slack" as const);

test("never more messages than there is room, none twice, the urgent first and in order", () => {
  fc.assert(
    fc.property(
      outbox,
      kinds,
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 1, max: 20 }),
      (all, kind, room, over) => {
        const target = { kind, perMinute: 18 } as const;
        const planned = planMessages(all, target, { room, digestOver: over });
        expect(planned.length).toBeLessThanOrEqual(room);
        const told = planned.flatMap((it) => it.notices);
        expect(new Set(told.map((it) => it.id)).size).toBe(told.length);
        expect(told.map(rankOf)).toEqual([...told.map(rankOf)].sort((a, b) => a - b));
        // Nothing that may wait is told while something urgent is left out.
        if (told.some((it) => rankOf(it) > NOTICE_RANKS.high)) {
          const urgent = all.filter((it) => rankOf(it) <= NOTICE_RANKS.high);
          expect(urgent.slice(0, 200).every((it) => told.includes(it))).toBe(true);
        }
        if (room > 0 && all.some((it) => rankOf(it) <= NOTICE_RANKS.high)) expect(told.length).toBeGreaterThan(0);
        if (kind === "webhook") expect(planned.every((it) => it.notices.length === 1)).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test("what may wait leaves room for what is urgent, and is told in the end", () => {
  fc.assert(
    fc.property(outbox, kinds, (all, kind) => {
      const target = { kind, perMinute: 18 } as const;
      const others = all.filter((it) => rankOf(it) > NOTICE_RANKS.high);
      expect(planMessages(others, target, { room: 4, digestOver: 5 })).toEqual([]);
      let left: readonly Notice[] = all;
      for (let minutes = 0; left.length > 0; minutes++) {
        const told = new Set(planMessages(left, target, { room: 18, digestOver: 5 }).flatMap((it) => it.notices));
        expect(told.size).toBeGreaterThan(0);
        left = left.filter((it) => !told.has(it));
        expect(minutes).toBeLessThan(100);
      }
    }),
    { numRuns: 50 },
  );
});

test("in any minute a target gets no more than it takes", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 200 }), (gaps) => {
      let [pace, now] = [freshPace, 1_000_000];
      const sent: number[] = [];
      for (const gap of gaps) {
        now += gap;
        if (roomOf(pace, 18, now) === 0) continue;
        pace = paceAfter(pace, now);
        sent.push(now);
      }
      for (const at of sent)
        expect(sent.filter((it) => it > at - MINUTE_MS && it <= at).length).toBeLessThanOrEqual(18);
    }),
  );
});

test("the wait after a failure is anywhere below a bound that doubles up to half an hour", () => {
  const bounds = Array.from({ length: 20 }, (_, index) => backoffMs(index + 1, 1));
  expect(bounds.slice(0, 3)).toEqual([10_000, 20_000, 40_000]);
  expect(bounds.at(-1)).toBe(30 * MINUTE_MS);
  expect(backoffMs(5, 0)).toBe(0);
});
