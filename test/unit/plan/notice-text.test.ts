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
import { digestText, linkText, noticeText } from "../../../shared/plan/notice-text.ts";

const AT = Date.UTC(2026, 10, 27, 8, 0, 0);

/** A notice of every kind, with such a text in each field. */
function noticesWith(of: (field: string) => string): readonly Notice[] {
  const drift = { drift: of("drift"), change: "added", reach: of("reach"), actor: of("actor") } as const;
  const item = { item: of("item"), ports: of("ports"), owner: of("owner") };
  const data: { readonly [Kind in NoticeKind]: NoticeData[Kind] } = {
    leaseOpened: {
      lease: of("lease"),
      principal: of("principal"),
      ports: of("ports"),
      until: AT,
      reason: of("reason"),
    },
    leaseEnding: { lease: of("lease"), principal: of("principal"), ports: of("ports"), until: AT, leftMs: 600_000 },
    leaseNotOpened: { lease: of("lease"), principal: of("principal"), ports: of("ports"), startAt: AT, why: of("why") },
    leaseOverdue: { lease: of("lease"), principal: of("principal"), dueAt: AT, why: of("why") },
    driftFound: drift,
    driftRolledBack: drift,
    driftAdopted: drift,
    driftHeld: { ...drift, heldBy: "freeze" },
    guardFellBack: { why: of("why") },
    ruleClaimed: { leases: of("leases"), rules: of("rules"), actor: of("actor"), kept: false },
    reachChanged: { list: of("list"), rules: of("rules"), actor: of("actor"), beyond: of("beyond"), confirmed: true },
    recyclingNoticed: { ...item, lastUsedAt: null, nextAt: AT },
    recyclingWaits: { ...item, step: "delete", why: of("why") },
    recyclingQuarantined: { ...item, until: AT },
    recyclingLifted: { ...item, visitor: of("visitor") },
    recyclingDeleted: item,
    recyclingRestored: { ...item, by: of("by"), why: of("why") },
    lockdownStarted: {
      lockdown: of("lockdown"),
      cause: of("cause"),
      groups: 3,
      core: of("core"),
      until: AT,
      open: of("open"),
    },
    lockdownEnded: { lockdown: of("lockdown"), cause: of("cause"), groups: 3 },
    approvalAsked: {
      lease: of("lease"),
      requester: of("requester"),
      ports: of("ports"),
      reason: of("reason"),
      expiresAt: AT,
      change: of("change"),
    },
    approvalDecided: { lease: of("lease"), requester: of("requester"), by: of("by"), decision: "denied" },
    unjustified: {
      lease: of("lease"),
      principal: of("principal"),
      ports: of("ports"),
      reason: of("reason"),
      justifyBy: AT,
      isLate: true,
    },
    breakGlass: { lease: of("lease"), principal: of("principal"), ports: of("ports"), until: AT, reason: of("reason") },
    healthAlarm: { what: of("what"), since: AT },
    alarmReceived: { rule: of("rule"), metric: of("metric"), state: of("state"), target: of("target") },
    auditReady: { month: of("month"), groups: 3, findings: 1 },
  };
  const group = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
  return Object.entries(data).map(([kind, its]) =>
    noticeOf(kind as NoticeKind, { at: AT, group, to: [], dedupe: "x", data: its }),
  );
}

describe("a notice in words", () => {
  test("every kind has words in both languages, and they differ", () => {
    const notices = noticesWith(() => "value");
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
        const plain = noticesWith(() => "value");
        for (const [index, notice] of noticesWith(() => `${text}\nLockdown is over\u202e\u0000`).entries()) {
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
    const { title, lines } = digestText(
      noticesWith(() => "value"),
      "en",
      4,
    );
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

describe("what a notice says", () => {
  const LANGUAGES = ["en", "zh"] as const;
  const known = noticesWith((field) => `(${field})`);
  /** The notice of a kind with other data. */
  const its = (kind: NoticeKind, changes: object): Notice => {
    const found = known.find((it) => it.kind === kind);
    if (found === undefined) throw new Error(`no ${kind}`);
    return { ...found, data: { ...found.data, ...changes } };
  };
  const changes = (["added", "removed", "edited", "guard"] as const).map((change) => ({ change }));
  const keepers = "hold mode freeze ceiling reading lockdown operatorPath cloudAssistant refused".split(" ");
  const variants: readonly (readonly Notice[])[] = [
    ...(["driftFound", "driftRolledBack", "driftAdopted", "driftHeld"] as const).map((kind) =>
      changes.map((change) => its(kind, change)),
    ),
    keepers.map((heldBy) => its("driftHeld", { heldBy })),
    [{ kept: true }, { sensitive: true }, { sensitive: false }].map((it) => its("ruleClaimed", it)),
    [{}, { confirmed: false }, { beyond: "" }].map((it) => its("reachChanged", it)),
    [{}, { lastUsedAt: AT + 1000 }].map((it) => its("recyclingNoticed", it)),
    ["quarantine", "delete", "restore"].map((step) => its("recyclingWaits", { step })),
    [{}, { open: "" }].map((it) => its("lockdownStarted", it)),
    ["approved", "denied", "expired", "cancelled"].map((decision) => its("approvalDecided", { decision })),
    [{}, { isLate: false }].map((it) => its("unjustified", it)),
    [{}, { since: null }].map((it) => its("healthAlarm", it)),
  ];
  const textOf = (notice: Notice, language: (typeof LANGUAGES)[number]): string => {
    const { title, lines } = noticeText(notice, language);
    return [title, ...lines].join("\n");
  };
  /** What a value is in words; null for one that has words of its own, and for a hash. */
  const inWords = (field: string, value: unknown): string | null => {
    if (typeof value === "string") return ["change", "heldBy", "step", "decision"].includes(field) ? null : value;
    if (typeof value !== "number") return null;
    if (field === "leftMs") return " 10 ";
    return value < AT ? `${value}` : `2026-11-27 08:00:0${(value - AT) / 1000} UTC`;
  };

  test("is all that is known, in both languages, with as many lines and no gap in any", () => {
    for (const notice of [...known, ...variants.flat()]) {
      for (const language of LANGUAGES) {
        const text = textOf(notice, language);
        for (const [field, value] of Object.entries(notice.data)) expect(text).toContain(inWords(field, value) ?? "");
        for (const line of text.split("\n"))
          expect(line).not.toMatch(/ {2}|[ ：]$|[：:] ?[。.]|(^|\] ?)[：:]|等待$|申请$|justify[^;]*; *2/);
      }
      expect(noticeText(notice, "en").lines).toHaveLength(noticeText(notice, "zh").lines.length);
    }
  });

  test("tells one case from another", () => {
    for (const language of LANGUAGES)
      for (const cases of variants)
        expect(new Set(cases.map((notice) => textOf(notice, language))).size).toBe(cases.length);
  });

  test("is when something was due, and what is to be done", () => {
    const said = (notice: Notice) => LANGUAGES.map((language) => noticeText(notice, language).lines.at(-1));
    const by = "2026-11-27 08:00:00 UTC";
    expect(said(its("unjustified", {}))).toEqual([
      `Say why with POST /v1/leases/(lease):justify; it was due ${by}.`,
      `请用 POST /v1/leases/(lease):justify 说明，期限已过：${by}。`,
    ]);
    expect(said(its("unjustified", { isLate: false }))).toEqual([
      `Say why with POST /v1/leases/(lease):justify before ${by}.`,
      `请用 POST /v1/leases/(lease):justify 说明，期限：${by}。`,
    ]);
    expect(said(its("ruleClaimed", { kept: true }))).toEqual(["Lease (leases).", "租约 (leases)。"]);
    expect(said(its("ruleClaimed", { kept: false }))).toEqual([
      "Lease (leases). Whoever needs the rule for longer asks for it in the ledger.",
      "租约 (leases)。如需长期使用，请申请写入台账。",
    ]);
    const titles = (sensitive: boolean) =>
      LANGUAGES.map((language) => noticeText(its("ruleClaimed", { sensitive }), language).title);
    expect(titles(true)).toEqual([
      expect.stringContaining(": everybody could reach a sensitive port by it, and"),
      expect.stringContaining("：该规则会使任何人都能访问敏感端口，"),
    ]);
    expect(titles(false)).toEqual([
      expect.stringContaining(": the group is enforced, and"),
      expect.stringContaining("：安全组处于强制管控，"),
    ]);
    const firstLine = LANGUAGES.map((language) => noticeText(its("recyclingNoticed", {}), language).lines[1]);
    expect(firstLine).toEqual(["No use is known.", "未发现使用记录。"]);
  });

  test("is of which group, where it is of one, and no line of nothing", () => {
    const whereOf = (notice: Notice) => LANGUAGES.map((language) => noticeText(notice, language).lines);
    const waits = its("guardFellBack", { why: "" });
    expect(whereOf(waits)).toEqual([["Group: sg-web (cn-hangzhou)"], ["安全组：sg-web (cn-hangzhou)"]]);
    expect(whereOf({ ...waits, group: null })).toEqual([[], []]);
  });

  test.each([
    [10_000, "in 1 min"],
    [89_999, "in 1 min"],
    [90_000, "in 2 min"],
  ])("of what ends in %d ms is %s", (leftMs, told) => {
    expect(noticeText(its("leaseEnding", { leftMs }), "en").title).toBe(`[safeport] port (ports) closes ${told}`);
  });

  test("has a link to where it is decided", () => {
    expect([linkText("https://x", "en"), linkText("https://x", "zh")]).toEqual([
      "Look and decide: https://x",
      "查看并处理：https://x",
    ]);
  });

  test("in a digest is its title, in both languages, and what is left out where something is", () => {
    const two = [its("recyclingDeleted", {}), { ...its("guardFellBack", {}), group: null }];
    expect(digestText(two, "zh", 1)).toEqual({
      title: "[safeport] 2 条通知",
      lines: ["08:00:00 sg-web: 端口 (ports) 的规则已删除", "…… 另有 1 条"],
    });
    expect(digestText(two, "en", 2)).toEqual({
      title: "[safeport] 2 notices",
      lines: ["08:00:00 sg-web: the rule for port (ports) is deleted", "08:00:00 an enforced group is only observed"],
    });
  });
});
