// The verdict on a rule's use where not all is known: how much has to be, and of whom.
import { describe, expect, test } from "vitest";
import { type MemberDay, startOf } from "../../../shared/domain/evidence.ts";
import { judgeUse, type UseVerdict } from "../../../shared/plan/judge-use.ts";
import {
  aDay,
  aMember,
  anOldRule,
  aPort,
  aQuestion,
  daysAgo,
  someUseTerms,
  TODAY,
  usedBy,
  WHOLE_DAY,
} from "../../kit/evidence.ts";
import { aRule, fromCidr } from "../../kit/rules.ts";

const codes = (verdict: UseVerdict) => verdict.reasons.map(({ code }) => code);

describe("what is not known", () => {
  test("95 percent of every host has to be known", () => {
    const gap = (days: number) => {
      const lost = Array.from({ length: days }, (_, index) => aDay(daysAgo(index + 10), { seen: 0n }));
      return judgeUse(
        aQuestion({ members: [aMember(), aMember(lost, { eniId: "eni-2", name: "web-2" })] }),
        someUseTerms(),
      );
    };
    expect(gap(2).use).toBe("idle");
    expect(gap(3)).toMatchObject({ use: "unknown" });
    expect(gap(3).reasons[0]?.text).toContain("web-2");
    expect(gap(3).reasons[0]?.text).toContain(`nothing is known of ${daysAgo(12)} to ${daysAgo(10)}`);
  });

  test("a young log says from when on", () => {
    const days = aMember().days.filter(({ day }) => day >= daysAgo(20));
    const verdict = judgeUse(aQuestion({ members: [aMember([], { days })] }), someUseTerms());
    expect(verdict.use).toBe("unknown");
    expect(verdict.reasons[0]?.text).toContain(`its log begins on ${daysAgo(20)}`);
    expect(judgeUse(aQuestion({ members: [aMember([], { days: [] })] }), someUseTerms()).reasons[0]?.text).toContain(
      "no log",
    );
  });

  test("the newest two days have to be known, however much is known before", () => {
    const without = (...ago: readonly number[]) => {
      const days = aMember().days.filter(({ day }) => !ago.some((it) => day === daysAgo(it)));
      return judgeUse(aQuestion({ members: [aMember([], { days })] }), someUseTerms());
    };
    expect(without(3).use).toBe("idle");
    for (const ago of [[1], [2], [1, 2]]) {
      expect(without(...ago)).toMatchObject({ use: "unknown", reasons: [{ code: "latest" }] });
      expect(without(...ago).coverage).toBeGreaterThan(95);
    }
    const used = aMember([usedBy("203.0.113.7", daysAgo(30))]);
    const days = used.days.filter(({ day }) => day !== daysAgo(1));
    expect(judgeUse(aQuestion({ members: [{ ...used, days }] }), someUseTerms()).use).toBe("used");
    const shut = [{ from: startOf(daysAgo(1)), until: startOf(TODAY), why: "the lockdown ld-1" }];
    expect(judgeUse(aQuestion({ shut }), someUseTerms()).use, "and nobody kept out on them").toBe("unknown");
  });

  test("what a host that has left was used for counts, and nothing is asked of its silence", () => {
    const left = (days: readonly MemberDay[]) => [
      aMember(),
      { ...aMember([], { days, eniId: "eni-2", name: "web-2" }), left: true },
    ];
    const judged = (days: readonly MemberDay[]) => judgeUse(aQuestion({ members: left(days) }), someUseTerms());
    expect(judged([usedBy("203.0.113.7", daysAgo(7))])).toMatchObject({
      use: "used",
      lastSession: { member: "web-2" },
    });
    expect(judged([aDay(daysAgo(7))])).toMatchObject({ use: "idle", coverage: 100 });
    expect(judged([aDay(daysAgo(7), { skipped: 1n })]).use).toBe("unknown");
    const alone = { ...aMember([]), left: true };
    expect(judgeUse(aQuestion({ members: [alone] }), someUseTerms()).use, "nobody is left to be silent").toBe(
      "unknown",
    );
  });

  test("a port that was used on a host nobody knew counts against its silence", () => {
    const stray = { eniId: "eni-9", protocol: "tcp", port: 22, at: startOf(daysAgo(7)) };
    const judged = (changes: object) => judgeUse(aQuestion({ strays: [{ ...stray, ...changes }] }), someUseTerms());
    expect(judged({})).toMatchObject({ use: "unknown", reasons: [{ code: "strays" }] });
    expect(judged({ port: 23 }).use).toBe("idle");
    expect(judged({ protocol: "udp" }).use).toBe("idle");
    expect(judged({ at: startOf(daysAgo(50)) }).use).toBe("idle");
  });

  test("reasons of many hosts are a few words and a number", () => {
    const members = Array.from({ length: 300 }, (_, n) =>
      aMember([], { days: [], eniId: `eni-${n}`, name: `web-${n}` }),
    );
    const { reasons } = judgeUse(aQuestion({ members }), someUseTerms());
    expect(reasons.length).toBeLessThan(15);
    expect(reasons.map(({ text }) => text)).toContain("and so for 295 more");
  });

  test("lost records, unclear traffic, no host and no age are unknown", () => {
    const day = daysAgo(5);
    const skipped = aQuestion({ members: [aMember([aDay(day, { skipped: 1n })])] });
    expect(codes(judgeUse(skipped, someUseTerms()))).toContain("skipped");
    expect(judgeUse(skipped, someUseTerms({ skippedMax: 1 })).use).toBe("idle");
    const unclear = aQuestion({ members: [aMember([aDay(day, { ports: [aPort({ unclearAt: startOf(day) })] })])] });
    for (const question of [skipped, unclear, aQuestion({ members: [] }), aQuestion({ rule: aRule() })])
      expect(judgeUse(question, someUseTerms()).use).toBe("unknown");
  });

  test("a time in which we kept everybody out is unknown, however whole the logs are", () => {
    const closed = (days: number) => ({
      from: startOf(daysAgo(20)),
      until: startOf(daysAgo(20 - days)),
      why: "the lockdown ld-1",
    });
    const judged = (days: number) => judgeUse(aQuestion({ shut: [closed(days)] }), someUseTerms());
    expect(judged(2)).toMatchObject({ use: "idle" });
    expect(judged(3)).toMatchObject({ use: "unknown", reasons: [{ code: "shut" }] });
    expect(judged(3).reasons[0]?.text).toContain("the lockdown ld-1");
    const used = aMember([usedBy("203.0.113.7", daysAgo(30))]);
    expect(judgeUse(aQuestion({ members: [used], shut: [closed(10)] }), someUseTerms()).use).toBe("used");
  });

  describe("where the log tells nothing of IPv6", () => {
    const days = aMember().days.map((day): MemberDay => ({ ...day, ipv4Only: true }));
    const addresses = ["10.0.0.1", "2001:db8::1"];
    const judged = (peer: Parameters<typeof fromCidr>[0] | "list", changes: Parameters<typeof aMember>[1] = {}) => {
      const from = peer === "list" ? ({ kind: "prefixList", prefixListId: "pl-1" } as const) : fromCidr(peer);
      const rule = anOldRule({ peer: from });
      return judgeUse(aQuestion({ rule, members: [aMember([], { days, addresses, ...changes })] }), someUseTerms());
    };

    test("a rule that lets in what comes by it is unknown, and it is said what to do", () => {
      for (const peer of ["2001:db8:7::/48", "::/0", "list"] as const)
        expect(judged(peer)).toMatchObject({ use: "unknown", reasons: [{ code: "coverage" }] });
      expect(judged("::/0").reasons[0]?.text).toContain("DualStack");
    });

    test("one that lets in IPv4 alone is not, nor is one of a host that has no such address", () => {
      expect(judged("203.0.113.0/24").use).toBe("idle");
      expect(judged("list", { addresses: ["10.0.0.1"] }).use).toBe("idle");
    });

    test("what its counters tell of the host counts", () => {
      const counted = days.map((day): MemberDay => ({ ...aDay(day.day), member: "i-1", sources: ["host"] }));
      expect(judged("::/0", { days: [...days, ...counted] }).use).toBe("idle");
    });
  });

  test("interface and instance make one coverage", () => {
    const half = (1n << 72n) - 1n;
    const days = aMember().days.flatMap((day) => [
      { ...day, seen: half },
      { ...day, member: "i-1", seen: WHOLE_DAY & ~half },
    ]);
    expect(judgeUse(aQuestion({ members: [aMember([], { days })] }), someUseTerms())).toMatchObject({
      use: "idle",
      coverage: 100,
    });
  });
});
