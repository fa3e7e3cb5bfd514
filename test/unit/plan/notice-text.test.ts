// What notices say, in both languages.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import {
  NOTICE_PRIORITIES,
  type Notice,
  type NoticeData,
  type NoticeKind,
  noticeOf,
} from "../../../shared/domain/notice.ts";
import { oneLine } from "../../../shared/domain/one-line.ts";
import { digestText, noticeText } from "../../../shared/plan/notice-text.ts";

const AT = Date.UTC(2026, 10, 27, 8, 0, 0);

/** A notice of every kind, its texts all the same one. */
function noticesWith(text: string): readonly Notice[] {
  const drift = { drift: text, change: "added", reach: text, actor: text } as const;
  const item = { item: text, ports: text, owner: text };
  const data: { readonly [Kind in NoticeKind]: NoticeData[Kind] } = {
    leaseOpened: { lease: text, principal: text, ports: text, until: AT, reason: text },
    leaseEnding: { lease: text, principal: text, ports: text, until: AT, leftMs: 600_000 },
    leaseNotOpened: { lease: text, principal: text, ports: text, startAt: AT, why: text },
    leaseOverdue: { lease: text, principal: text, dueAt: AT, why: text },
    driftFound: drift,
    driftRolledBack: drift,
    driftAdopted: drift,
    driftHeld: { ...drift, heldBy: "freeze" },
    guardFellBack: { why: text },
    ruleClaimed: { leases: text, rules: text, actor: text, kept: false },
    reachChanged: { list: text, rules: text, actor: text, beyond: text, confirmed: true },
    recyclingNoticed: { ...item, lastUsedAt: null, nextAt: AT },
    recyclingWaits: { ...item, step: "delete", why: text },
    recyclingQuarantined: { ...item, until: AT },
    recyclingLifted: { ...item, visitor: text },
    recyclingDeleted: item,
    recyclingRestored: { ...item, by: text, why: text },
    lockdownStarted: { lockdown: text, cause: text, groups: 3, core: text, until: AT, open: text },
    lockdownEnded: { lockdown: text, cause: text, groups: 3 },
    approvalAsked: { lease: text, requester: text, ports: text, reason: text, expiresAt: AT, change: text },
    approvalDecided: { lease: text, requester: text, by: text, decision: "denied" },
    unjustified: { lease: text, principal: text, ports: text, reason: text, justifyBy: AT, isLate: true },
    breakGlass: { lease: text, principal: text, ports: text, until: AT, reason: text },
    healthAlarm: { what: text, since: AT },
    alarmReceived: { rule: text, metric: text, state: text, target: text },
    auditReady: { month: text, groups: 3, findings: 1 },
  };
  const group = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
  return Object.entries(data).map(([kind, its]) =>
    noticeOf(kind as NoticeKind, { at: AT, group, to: [], dedupe: "x", data: its }),
  );
}

describe("a notice in words", () => {
  test("every kind has words in both languages, and they differ", () => {
    const notices = noticesWith("value");
    expect(notices.map((it) => it.kind).sort()).toEqual(Object.keys(NOTICE_PRIORITIES).sort());
    for (const notice of notices) {
      const [en, zh] = [noticeText(notice, "en"), noticeText(notice, "zh")];
      expect(en.title.startsWith("[safeport] ")).toBe(true);
      expect(zh.title.startsWith("[safeport] ")).toBe(true);
      expect(zh.title + zh.lines.join("")).toMatch(/\p{Script=Han}/u);
      expect(en.title + en.lines.join("")).not.toMatch(/\p{Script=Han}/u);
      expect([en.title, ...en.lines].join("\n")).not.toMatch(/undefined|\[object/);
    }
  });

  test("data never makes a line of its own, nor hides or turns around another", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 900 }), (text) => {
        const plain = noticesWith("value");
        for (const [index, notice] of noticesWith(`${text}\nLockdown is over\u202e\u0000`).entries()) {
          const said = noticeText(notice, "en");
          const like = noticeText(plain[index] ?? notice, "en");
          expect(said.lines.length).toBeLessThanOrEqual(like.lines.length);
          for (const line of [said.title, ...said.lines]) {
            expect(line).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
            expect([...line].length).toBeLessThan(1100);
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  test("cuts by characters, never through one", () => {
    expect(oneLine("端".repeat(300), 10)).toBe(`${"端".repeat(9)}…`);
    expect(oneLine("😀".repeat(300), 3)).toBe("😀😀…");
  });

  test("a digest names the first ones and says how many it leaves out", () => {
    const { title, lines } = digestText(noticesWith("value"), "en", 4);
    expect(title).toBe("[safeport] 26 notices");
    expect(lines).toHaveLength(5);
    expect(lines[0]).toBe("08:00:00 sg-web: port value is open until 2026-11-27 08:00:00 UTC");
    expect(lines[4]).toBe("… and 22 more");
  });

  test("the same fact has the same id, another fact another one", () => {
    const told = (dedupe: string, at: number) =>
      noticeOf("healthAlarm", { at, group: null, to: [], dedupe, data: { what: "x", since: null } }).id;
    expect(told("a", 1)).toBe(told("a", 2));
    expect(told("a", 1)).not.toBe(told("b", 1));
    expect(told("a", 1)).toMatch(/^nt-[0-9a-f]{20}$/);
  });
});
