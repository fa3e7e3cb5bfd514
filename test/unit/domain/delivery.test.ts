// How fast a target is told, and how long it is left alone after a failure. The laws of a whole outbox are in `plan-messages.test.ts`.
import { expect, test } from "vitest";
import {
  backoffMs,
  freshPace,
  MINUTE_MS,
  paceAfter,
  roomOf,
  type TargetPace,
} from "../../../shared/domain/delivery.ts";

const NOW = 10 * MINUTE_MS;
const pace = (changes: Partial<TargetPace>): TargetPace => ({ ...freshPace, ...changes });

test("nothing is known of a fresh target, and it takes all that a minute holds", () => {
  expect(freshPace).toEqual({ sentAt: [], pausedUntil: 0, failures: 0, why: null });
  expect(roomOf(freshPace, 3, NOW)).toBe(3);
});

test("a message counts for a minute from its instant, and none counts that was sent later than now", () => {
  const sentAt = [NOW - MINUTE_MS, NOW - MINUTE_MS + 1, NOW, NOW + 1];
  expect(roomOf(pace({ sentAt }), 3, NOW)).toBe(1);
  expect(paceAfter(pace({ sentAt, failures: 2, why: "full" }), NOW)).toEqual(
    pace({ sentAt: [NOW - MINUTE_MS + 1, NOW, NOW], failures: 2, why: "full" }),
  );
  expect(roomOf(pace({ sentAt: [NOW, NOW] }), 1, NOW)).toBe(0);
});

test("nothing is sent to a target before its pause is over", () => {
  expect(roomOf(pace({ pausedUntil: NOW + 1 }), 3, NOW)).toBe(0);
  expect(roomOf(pace({ pausedUntil: NOW }), 3, NOW)).toBe(3);
});

test("the wait is a part of ten seconds at first and of half an hour at most", () => {
  expect([0, 1, 2, 3].map((failures) => backoffMs(failures, 0.5))).toEqual([5000, 5000, 10_000, 20_000]);
  expect(backoffMs(60, 0.5)).toBe(15 * MINUTE_MS);
  expect(backoffMs(1, 0.00001)).toBe(1);
});
