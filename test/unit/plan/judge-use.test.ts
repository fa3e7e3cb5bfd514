// The verdict on a rule's use, and what stays out whatever its use, case by case.
import { describe, expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { startOf } from "../../../shared/domain/evidence.ts";
import type { RuleMatch } from "../../../shared/domain/recycling-policy.ts";
import { evidenceWindow, isRecyclable, judgeUse, type UseVerdict } from "../../../shared/plan/judge-use.ts";
import {
  aDay,
  aMember,
  anOldRule,
  aPeer,
  aPort,
  aQuestion,
  daysAgo,
  LONG_AGO,
  peers,
  someUseTerms,
  TODAY,
  usedBy,
} from "../../kit/evidence.ts";
import { aHolder, anEntry, NOW } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const codes = (verdict: UseVerdict) => verdict.reasons.map(({ code }) => code);
const any: RuleMatch = { groups: [], protocol: null, ports: null, sources: [], peers: [] };

describe("a verdict of use", () => {
  test("silence that is known whole is idle, and may be recycled", () => {
    const verdict = judgeUse(aQuestion(), someUseTerms());
    expect(verdict).toMatchObject({ use: "idle", out: [], coverage: 100, lastSession: null });
    expect(verdict.window).toEqual({ from: daysAgo(45), until: TODAY });
    expect(isRecyclable(verdict)).toBe(true);
    expect(verdict.reasons[0]?.text).toContain("no session since");
  });

  test("one session of a covered peer is use, and says who and when", () => {
    const verdict = judgeUse(aQuestion({ members: [aMember([usedBy("203.0.113.7", daysAgo(44))])] }), someUseTerms());
    expect(verdict).toMatchObject({
      use: "used",
      lastSession: { at: startOf(daysAgo(44)) + 8 * 3_600_000, member: "web-1", port: 22, peer: "203.0.113.7" },
    });
    expect(verdict.reasons[0]?.text).toMatch(/^tcp 22 on web-1 was last used at .* by 203\.0\.113\.7$/);
  });

  test("a session before the window is not", () => {
    expect(judgeUse(aQuestion({ members: [aMember([usedBy("203.0.113.7", daysAgo(46))])] }), someUseTerms()).use).toBe(
      "idle",
    );
  });

  test("today counts where it shows use, and is no gap where it does not", () => {
    const today = { ...usedBy("203.0.113.7", TODAY), seen: 1n };
    expect(judgeUse(aQuestion({ members: [aMember([today])] }), someUseTerms()).use).toBe("used");
    const quiet = aDay(TODAY, { seen: 1n });
    expect(judgeUse(aQuestion({ members: [aMember([quiet])] }), someUseTerms()).use).toBe("idle");
  });

  test("a peer that the rule does not cover came in by another rule", () => {
    const verdict = judgeUse(aQuestion({ members: [aMember([usedBy("198.51.100.9")])] }), someUseTerms());
    expect(verdict.use).toBe("idle");
    expect(codes(verdict)).toContain("others");
  });

  test("every rule that covers the peer is credited, also through a block or a peer nobody can name", () => {
    const day = daysAgo(2);
    for (const [port, peer] of [
      [aPort({ real: peers(aPeer("203.0.113.0/24", day, { count: 40 })) }), fromCidr("203.0.113.7/32")],
      [aPort({ real: { list: [], more: true } }), fromCidr("203.0.113.7/32")],
      [aPort({ unnamedAt: startOf(day) }), fromCidr("203.0.113.7/32")],
      [aPort({ real: peers(aPeer("198.51.100.9", day)) }), { kind: "group", groupId: "sg-other" }],
      [aPort({ real: peers(aPeer("what is this", day)) }), fromCidr("203.0.113.7/32")],
    ] as const) {
      const question = aQuestion({ rule: anOldRule({ peer }), members: [aMember([aDay(day, { ports: [port] })])] });
      expect(judgeUse(question, someUseTerms()).use).toBe("used");
    }
  });

  test("one used port of a range, and one host of many, is use of the rule", () => {
    const rule = anOldRule({ ports: somePorts("8000/8100"), peer: fromCidr("0.0.0.0/0") });
    const members = [aMember(), aMember([usedBy("198.51.100.9", daysAgo(3), 8050)], { eniId: "eni-2", name: "web-2" })];
    expect(judgeUse(aQuestion({ rule, members }), someUseTerms())).toMatchObject({
      use: "used",
      lastSession: { member: "web-2", port: 8050 },
    });
    const narrowed = { ...rule, dest: aCidr("10.0.0.1") };
    const apart = [
      members[0] ?? aMember(),
      { ...aMember([usedBy("198.51.100.9", daysAgo(3), 8050)]), addresses: ["10.0.0.2"] },
    ];
    expect(judgeUse(aQuestion({ rule: narrowed, members: apart }), someUseTerms()).use).toBe("idle");
  });

  test("a rule narrowed to a block is used on whatever host: by which of its addresses nobody tells", () => {
    const rule = anOldRule({ dest: aCidr("10.0.0.0/24") });
    const other = aMember([usedBy("203.0.113.7")], { eniId: "eni-2", addresses: ["10.0.1.5"] });
    expect(judgeUse(aQuestion({ rule, members: [aMember(), other] }), someUseTerms()).use).toBe("used");
  });

  test("other ports and protocols say nothing", () => {
    const day = daysAgo(3);
    const ports = [
      aPort({ port: 23, real: peers(aPeer("203.0.113.7", day)) }),
      aPort({ protocol: "udp", real: peers(aPeer("203.0.113.7", day)) }),
      aPort({ protocol: "icmp", port: 0, real: peers(aPeer("203.0.113.7", day)) }),
    ];
    const members = [aMember([aDay(day, { ports })])];
    expect(judgeUse(aQuestion({ members }), someUseTerms()).use).toBe("idle");
    expect(
      judgeUse(aQuestion({ rule: anOldRule({ protocol: "all", ports: { kind: "any" } }), members }), someUseTerms())
        .use,
    ).toBe("used");
    expect(
      judgeUse(aQuestion({ rule: anOldRule({ protocol: "icmp", ports: { kind: "any" } }), members }), someUseTerms())
        .use,
    ).toBe("used");
  });

  test("scans, resets and probes are told and do not count", () => {
    const day = daysAgo(3);
    const ports = [
      aPort({
        shaken: peers(aPeer("203.0.113.9", day)),
        real: peers(aPeer("203.0.113.7", day)),
        closedAt: startOf(day),
      }),
    ];
    const verdict = judgeUse(
      aQuestion({ rule: anOldRule({ peer: fromCidr("0.0.0.0/0") }), members: [aMember([aDay(day, { ports })])] }),
      someUseTerms({ probes: [aCidr("203.0.113.7")] }),
    );
    expect(verdict.use).toBe("idle");
    expect(codes(verdict)).toEqual(expect.arrayContaining(["scans", "closed", "probes"]));
  });

  test("who shakes hands in hour after hour is no scanner", () => {
    const day = daysAgo(3);
    const keeps = (hours: number) =>
      judgeUse(
        aQuestion({
          members: [aMember([aDay(day, { ports: [aPort({ shaken: peers(aPeer("203.0.113.7", day, { hours })) })] })])],
        }),
        someUseTerms(),
      ).use;
    expect(keeps(0b11111)).toBe("idle");
    expect(keeps(0b111111)).toBe("used");
  });
});

describe("what stays out", () => {
  const outOf = (question: Parameters<typeof aQuestion>[0], terms: Parameters<typeof someUseTerms>[0] = {}) => {
    const verdict = judgeUse(aQuestion(question), someUseTerms(terms));
    expect(isRecyclable(verdict)).toBe(verdict.out.length === 0);
    return verdict.out;
  };

  test("egress, drops, protected groups, held rules, young and edited ones", () => {
    expect(outOf({ rule: anOldRule({ direction: "egress" }) })).toEqual(["notAnOpening"]);
    expect(outOf({ rule: anOldRule({ policy: "drop" }) })).toEqual(["notAnOpening"]);
    expect(outOf({ isProtected: true })).toEqual(["protected"]);
    expect(outOf({ entry: anEntry({ holders: [aHolder()] }) })).toEqual(["held"]);
    expect(outOf({ rule: aRule({ createdAt: NOW - 44 * 86_400_000 }) })).toEqual(["young"]);
    expect(outOf({ changedAt: NOW - 44 * 86_400_000 })).toEqual(["edited"]);
    expect(outOf({ changedAt: LONG_AGO })).toEqual([]);
  });

  test("the shipped never-close list", () => {
    const { neverClose } = defaultPolicy("r").recycling;
    expect(outOf({}, { neverClose })).toEqual(["neverClose"]);
    const http = anOldRule({ ports: somePorts("8080/8080"), peer: fromCidr("0.0.0.0/0") });
    expect(outOf({ rule: http }, { neverClose })).toEqual([]);
    expect(
      outOf({ rule: anOldRule({ ports: somePorts("8080/8080"), peer: fromCidr("100.64.0.0/10") }) }, { neverClose }),
    ).toEqual(["neverClose"]);
  });

  test("an exemption holds until its day, and is remembered after", () => {
    const exempt = (until: number) => [{ ...any, ports: { from: 22, to: 22 }, owner: "ann", reason: "audit", until }];
    expect(outOf({}, { exempt: exempt(NOW + 1) })).toEqual(["exempt"]);
    const over = judgeUse(aQuestion(), someUseTerms({ exempt: exempt(NOW) }));
    expect(over.out).toEqual([]);
    expect(codes(over)).toContain("exemptionOver");
    expect(outOf({}, { exempt: [{ ...any, groups: ["db"], owner: "a", reason: "b", until: NOW + 1 }] })).toEqual([]);
  });

  test("load balancers and members of the group reach the port whatever the rule says", () => {
    const rule = anOldRule({ peer: fromCidr("0.0.0.0/0") });
    expect(outOf({ rule, members: [aMember([usedBy("100.64.3.4")])] })).toEqual(["balanced"]);
    const day = daysAgo(1);
    expect(outOf({ rule, members: [aMember([aDay(day, { ports: [aPort({ balancedAt: startOf(day) })] })])] })).toEqual([
      "balanced",
    ]);
    expect(outOf({ rule, members: [aMember([usedBy("10.0.0.2")])], sameGroup: ["10.0.0.2"] })).toEqual(["sameGroup"]);
    expect(judgeUse(aQuestion({ rule, members: [aMember([usedBy("10.0.0.2")])] }), someUseTerms()).use).toBe("used");
  });

  test("a service that writes its own rules", () => {
    const terms = {
      ...someUseTerms(),
      foreignWriters: [{ name: "DMS", sources: [aCidr("203.0.113.0/24")], ownerAccounts: [] }],
    };
    expect(judgeUse(aQuestion(), terms).out).toEqual(["foreign"]);
  });

  test("a season keeps the rule while it lasts, and belongs to the window after", () => {
    const season = (from: string, to: string) => [
      { ...any, owner: "ann", reason: "quarter end", windows: [{ from, to }] },
    ];
    expect(outOf({}, { seasonal: season("11-01", "11-10") })).toEqual(["season"]);
    // Last ended on 5 July, 2026: the window reaches back to its beginning.
    const seasonal = season("06-25", "07-05");
    const terms = someUseTerms({ seasonal });
    expect(evidenceWindow(aQuestion(), terms).from).toBe("2026-06-25");
    expect(judgeUse(aQuestion(), terms).use).toBe("unknown");
    const turn = someUseTerms({ seasonal: season("12-20", "01-10") });
    expect(evidenceWindow(aQuestion(), turn).from).toBe("2025-12-20");
    // One that ended with yesterday is over.
    expect(evidenceWindow(aQuestion(), someUseTerms({ seasonal: season("09-01", "11-04") })).from).toBe("2026-09-01");
    expect(evidenceWindow(aQuestion(), someUseTerms({ seasonal: season("09-01", "11-05") })).from).toBe("2025-09-01");
  });
});
