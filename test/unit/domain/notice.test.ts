// What a notice is named by, and which goes first.
import { expect, test } from "vitest";
import { sha256Hex } from "../../../shared/domain/digest.ts";
import {
  NOTICE_PRIORITIES,
  type NoticeKind,
  type NoticePriority,
  noticeOf,
  placeOf,
} from "../../../shared/domain/notice.ts";

const fact = { at: 7, group: null, to: [{ kind: "group" }], dedupe: "sg-web/1" } as const;

test("a notice has one id for one fact of one kind, whatever it says of it", () => {
  const notice = noticeOf("guardFellBack", { ...fact, data: { why: "state lost" } });
  const id = `nt-${sha256Hex('["guardFellBack","sg-web/1"]').slice(0, 20)}`;
  expect(notice).toEqual({
    ...{ id, kind: "guardFellBack", at: 7, group: null, to: fact.to },
    data: { why: "state lost" },
  });
  expect(noticeOf("guardFellBack", { ...fact, at: 8, data: { why: "other" } }).id).toBe(id);
  expect(noticeOf("guardFellBack", { ...fact, dedupe: "sg-web/2", data: { why: "state lost" } }).id).not.toBe(id);
  expect(noticeOf("healthAlarm", { ...fact, data: { what: "x", since: 1 } }).id).not.toBe(id);
});

test("its texts are cut, and nothing else of it", () => {
  const { data } = noticeOf("healthAlarm", { ...fact, data: { what: "x".repeat(501), since: 1_764_000_000_000 } });
  expect(data).toEqual({ what: "x".repeat(500), since: 1_764_000_000_000 });
});

const PRIORITIES: Readonly<Record<NoticePriority, readonly NoticeKind[]>> = {
  alarm: ["lockdownStarted", "lockdownEnded", "leaseOverdue", "breakGlass", "healthAlarm", "alarmReceived"],
  high: [
    ...(["unjustified", "recyclingLifted", "leaseNotOpened", "approvalAsked", "approvalDecided"] as const),
    ...(["driftHeld", "guardFellBack", "reachChanged"] as const),
  ],
  normal: [
    ...(["driftFound", "driftRolledBack", "driftAdopted", "ruleClaimed", "leaseEnding", "auditReady"] as const),
    ...([
      "recyclingNoticed",
      "recyclingWaits",
      "recyclingQuarantined",
      "recyclingDeleted",
      "recyclingRestored",
    ] as const),
  ],
  low: ["leaseOpened"],
};

test("each kind has its priority", () => {
  const told = Object.entries(PRIORITIES).flatMap(([priority, kinds]) => kinds.map((kind) => [kind, priority]));
  expect(NOTICE_PRIORITIES).toEqual(Object.fromEntries(told));
});

test("what is few whatever happens goes before alarms, and these before the rest in order", () => {
  const first = new Set<NoticeKind>(["lockdownStarted", "lockdownEnded", "breakGlass", "healthAlarm"]);
  const places = { alarm: 1, high: 2, normal: 3, low: 4 } as const;
  for (const [kind, priority] of Object.entries(NOTICE_PRIORITIES) as [NoticeKind, NoticePriority][])
    expect([kind, placeOf(kind)]).toEqual([kind, first.has(kind) ? 0 : places[priority]]);
});
