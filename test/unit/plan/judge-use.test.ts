// The verdict on a rule's use, case by case.
import { describe, expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { type MemberDay, startOf } from "../../../shared/domain/evidence.ts";
import type { RuleMatch } from "../../../shared/domain/recycling-policy.ts";
import { evidenceWindow, isRecyclable, judgeUse, type UseVerdict } from "../../../shared/plan/judge-use.ts";
import {
  aDay,
  aMember,
  aPeer,
  aPort,
  aQuestion,
  daysAgo,
  peers,
  someUseTerms,
  TODAY,
  WHOLE_DAY,
} from "../../kit/evidence.ts";
import { aHolder, anEntry, NOW } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const OLD = NOW - 400 * 86_400_000;
const anOldRule = (changes: Parameters<typeof aRule>[0] = {}) => aRule({ createdAt: OLD, ...changes });
const codes = (verdict: UseVerdict) => verdict.reasons.map(({ code }) => code);
const any: RuleMatch = { groups: [], protocol: null, ports: null, sources: [], peers: [] };

const real = (block: string, day = daysAgo(3), port = 22) =>
  aDay(day, { ports: [aPort({ port, real: peers(aPeer(block, day)) })] });

describe("a verdict of use", () => {
  test("silence that is known whole is idle, and may be recycled", () => {
    const verdict = judgeUse(aQuestion(), someUseTerms());
    expect(verdict).toMatchObject({ use: "idle", out: [], coverage: 100, lastSession: null });
    expect(verdict.window).toEqual({ from: daysAgo(45), until: TODAY });
    expect(isRecyclable(verdict)).toBe(true);
    expect(verdict.reasons[0]?.text).toContain("no session since");
  });

  test("one session of a covered peer is use, and says who and when", () => {
    const verdict = judgeUse(aQuestion({ members: [aMember([real("203.0.113.7", daysAgo(44))])] }), someUseTerms());
    expect(verdict).toMatchObject({
      use: "used",
      lastSession: { at: startOf(daysAgo(44)) + 8 * 3_600_000, member: "web-1", port: 22, peer: "203.0.113.7" },
    });
    expect(verdict.reasons[0]?.text).toMatch(/^tcp 22 on web-1 was last used at .* by 203\.0\.113\.7$/);
  });

  test("a session before the window is not", () => {
    expect(judgeUse(aQuestion({ members: [aMember([real("203.0.113.7", daysAgo(46))])] }), someUseTerms()).use).toBe(
      "idle",
    );
  });

  test("today counts where it shows use, and is no gap where it does not", () => {
    const today = { ...real("203.0.113.7", TODAY), seen: 1n };
    expect(judgeUse(aQuestion({ members: [aMember([today])] }), someUseTerms()).use).toBe("used");
    const quiet = aDay(TODAY, { seen: 1n });
    expect(judgeUse(aQuestion({ members: [aMember([quiet])] }), someUseTerms()).use).toBe("idle");
  });

  test("a peer that the rule does not cover came in by another rule", () => {
    const verdict = judgeUse(aQuestion({ members: [aMember([real("198.51.100.9")])] }), someUseTerms());
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
    const members = [aMember(), aMember([real("198.51.100.9", daysAgo(3), 8050)], { eniId: "eni-2", name: "web-2" })];
    expect(judgeUse(aQuestion({ rule, members }), someUseTerms())).toMatchObject({
      use: "used",
      lastSession: { member: "web-2", port: 8050 },
    });
    const narrowed = { ...rule, dest: aCidr("10.0.0.1") };
    const apart = [
      members[0] ?? aMember(),
      { ...aMember([real("198.51.100.9", daysAgo(3), 8050)]), addresses: ["10.0.0.2"] },
    ];
    expect(judgeUse(aQuestion({ rule: narrowed, members: apart }), someUseTerms()).use).toBe("idle");
  });

  test("a rule narrowed to a block is used on whatever host: by which of its addresses nobody tells", () => {
    const rule = anOldRule({ dest: aCidr("10.0.0.0/24") });
    const other = aMember([real("203.0.113.7")], { eniId: "eni-2", addresses: ["10.0.1.5"] });
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
    const used = aMember([real("203.0.113.7", daysAgo(30))]);
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
    expect(judged([real("203.0.113.7", daysAgo(7))])).toMatchObject({ use: "used", lastSession: { member: "web-2" } });
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
    const used = aMember([real("203.0.113.7", daysAgo(30))]);
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
    expect(outOf({ changedAt: OLD })).toEqual([]);
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
    expect(outOf({ rule, members: [aMember([real("100.64.3.4")])] })).toEqual(["balanced"]);
    const day = daysAgo(1);
    expect(outOf({ rule, members: [aMember([aDay(day, { ports: [aPort({ balancedAt: startOf(day) })] })])] })).toEqual([
      "balanced",
    ]);
    expect(outOf({ rule, members: [aMember([real("10.0.0.2")])], sameGroup: ["10.0.0.2"] })).toEqual(["sameGroup"]);
    expect(judgeUse(aQuestion({ rule, members: [aMember([real("10.0.0.2")])] }), someUseTerms()).use).toBe("used");
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

describe("what a verdict says", () => {
  const said = (question: Parameters<typeof aQuestion>[0] = {}, terms: Parameters<typeof someUseTerms>[0] = {}) =>
    judgeUse(aQuestion(question), someUseTerms(terms));
  const day = daysAgo(5);
  const since = startOf(daysAgo(45));

  test("of silence is since when, on how many hosts, and how much is known of the least known", () => {
    const silence = (text: string) => ({
      code: "silence",
      text: `no session since ${daysAgo(45)} that this rule let in, ${text}`,
    });
    expect(said().reasons).toEqual([silence("on 1 host, 100 % of the time known")]);
    const gap = aMember([aDay(daysAgo(10), { seen: 0n }), aDay(daysAgo(11), { seen: 0n })], { eniId: "eni-2" });
    for (const members of [
      [aMember(), gap],
      [gap, aMember()],
    ]) {
      const { reasons, coverage } = said({ members });
      expect(reasons).toEqual([silence("on 2 hosts, 95.5 % of the time known")]);
      expect(coverage).toBeCloseTo((43 / 45) * 100);
    }
  });

  test("of what was seen besides is only what was seen", () => {
    const ports = [aPort({ real: peers(aPeer("198.51.100.9", day)) })];
    const { reasons } = said({ members: [aMember([aDay(day, { ports })])] });
    expect(reasons.slice(1)).toEqual([
      {
        code: "others",
        text: "sessions of peers that this rule does not cover were not counted: another rule let them in",
      },
    ]);
    const scanned = [
      aPort({ shaken: peers(aPeer("203.0.113.7", day)), real: peers(aPeer("203.0.113.9", day)), closedAt: 1 }),
    ];
    const probes = [aCidr("203.0.113.9")];
    expect(said({ members: [aMember([aDay(day, { ports: scanned })])] }, { probes }).reasons.slice(1)).toEqual([
      { code: "scans", text: "handshakes without a session, as scanners leave them, were not counted" },
      { code: "closed", text: "attempts were answered by a reset alone: nothing listens there" },
      { code: "probes", text: "probes of the policy's own monitors were not counted" },
    ]);
  });

  test("of use is the last session, whoever was read first, and by whom where that is known", () => {
    const days = [real("203.0.113.7", daysAgo(9)), real("203.0.113.7", daysAgo(3))];
    for (const order of [days, [...days].reverse()])
      expect(said({ members: [aMember([], { days: order })] }).lastSession?.at).toBe(
        startOf(daysAgo(3)) + 8 * 3_600_000,
      );
    const first = aPeer("198.51.100.9", day);
    const last = aPeer("198.51.100.8", day, { lastAt: startOf(day) + 9 * 3_600_000 });
    for (const list of [
      [first, last],
      [last, first],
    ]) {
      const many = said({ members: [aMember([aDay(day, { ports: [aPort({ real: { list, more: true } })] })])] });
      expect(many.reasons).toEqual([{ code: "told", text: `tcp 22 on web-1 was last used at ${day}T09:00:00Z` }]);
      expect(isRecyclable(many)).toBe(false);
    }
    expect(said({ members: [aMember([real("203.0.113.7")])] }).reasons).toMatchObject([{ code: "session" }]);
  });

  test("of what is not known is what, and where", () => {
    const reason = (question: Parameters<typeof aQuestion>[0]) => said(question).reasons[0];
    expect(reason({ unread: "too many hosts" })).toEqual({ code: "hosts", text: "too many hosts" });
    expect(said({ members: [] })).toMatchObject({
      coverage: 0,
      reasons: [{ code: "noMembers", text: "no host is known that it acts on" }],
    });
    expect(reason({ rule: aRule() })).toEqual({
      code: "ageUnknown",
      text: "the cloud does not say when it was created",
    });
    expect(reason({ members: [aMember([aDay(day, { ports: [aPort({ unclearAt: 1 })] })])] })).toEqual({
      ...{ code: "unclear", text: "traffic to tcp 22 on web-1 cannot be told from scans" },
    });
    const many = Array.from({ length: 1002 }, (_, at) => aPort({ port: at + 1, unclearAt: 1 }));
    const rule = anOldRule({ ports: somePorts("1/65535") });
    const five = [1, 2, 3, 4, 5].map((port) => `tcp ${port} on web-1`).join(", ");
    expect(reason({ rule, members: [aMember([aDay(day, { ports: many })])] })?.text).toBe(
      `traffic to ${five} and 995 more cannot be told from scans`,
    );
    const gap = Array.from({ length: 10 }, (_, ago) => aDay(daysAgo(ago + 5), { seen: 0n }));
    expect(reason({ members: [aMember(gap)] })).toEqual({
      code: "coverage",
      text: "77.7 % of the window is known of web-1; 95 % is needed: nothing is known of 2026-10-22 to 2026-10-31",
    });
    const stray = { eniId: "eni-9", protocol: "tcp", port: 22, at: since };
    expect(reason({ strays: [stray] })).toEqual({
      ...{ code: "strays", text: "tcp 22 was used on eni-9, which was gone before its groups were known" },
    });
    expect(said({ strays: [{ ...stray, at: since - 1 }] }).use).toBe("idle");
    expect(reason({ members: [aMember([aDay(day, { skipped: 0b101n })])] })).toEqual({
      ...{ code: "skipped", text: "the log lost records of web-1 in 2 windows" },
    });
    const days = aMember().days.filter((it) => it.day < daysAgo(2));
    expect(reason({ members: [aMember([], { days })] })).toEqual({
      code: "latest",
      text: `too little is known of web-1 on ${daysAgo(2)} and ${daysAgo(1)}, the latest days`,
    });
  });

  test("counts just as much as is asked for as known, and the first day of the window as in it", () => {
    expect(said({}, { coverageMin: 100 }).use).toBe("idle");
    expect(said({ members: [aMember([real("203.0.113.7", daysAgo(45))])] }).use).toBe("used");
    const days = aMember().days.map((it): MemberDay => ({ ...it, ipv4Only: true }));
    const members = [aMember([], { days, addresses: ["2001:db8::1"] })];
    const rule = anOldRule({ peer: fromCidr("::/0") });
    expect(said({ rule, members }, { coverageMin: 100 }).reasons[0]?.text).toContain("DualStack");
  });

  test("is about the hosts that it acts on alone, by any of their addresses", () => {
    const rule = anOldRule({ dest: aCidr("10.0.0.1") });
    const silent = aMember([], { days: [], eniId: "eni-2", addresses: ["10.0.0.2"] });
    expect(said({ rule, members: [aMember(), silent] }).use).toBe("idle");
    const addresses = ["?", "10.0.0.9", "10.0.0.1"];
    expect(said({ rule, members: [aMember([real("203.0.113.7")], { addresses })] }).use).toBe("used");
    expect(said({ rule, members: [aMember([], { addresses: ["?"] })] }).use).toBe("unknown");
  });

  test("of what stays out is why", () => {
    const out = (question: Parameters<typeof aQuestion>[0], terms: Parameters<typeof someUseTerms>[0] = {}) =>
      said(question, terms).reasons.filter(({ code }) => code !== "silence");
    const until = Date.UTC(2026, 11, 1);
    const exemption = { ...any, owner: "ann", reason: "audit", until };
    const text = "exempt until 2026-12-01T00:00:00Z for ann: audit";
    expect(out({}, { exempt: [exemption] })).toEqual([{ code: "exempt", text }]);
    const past = { ...exemption, until: Date.UTC(2026, 10, 1) };
    expect(out({}, { exempt: [past] })).toEqual([
      { code: "exemptionOver", text: "was exempt until 2026-11-01T00:00:00Z for ann: audit" },
    ]);
    expect(out({}, { neverClose: [{ ...any, reason: "ssh" }] })).toEqual([
      { code: "neverClose", text: "never closed: ssh" },
    ]);
    expect(out({ rule: anOldRule({ direction: "egress" }) })).toContainEqual({
      ...{ code: "notAnOpening", text: "only rules that let traffic in are recycled" },
    });
    expect(out({ isProtected: true, group: { groupId: "sg-web", name: "web" } })).toEqual([
      { code: "protected", text: "web is managed, load-balanced or denied by policy" },
    ]);
    const ended = aHolder({ ended: { cause: "asked", note: null, detail: null } });
    const held = { code: "held", text: "a lease or another grant with an end holds it" };
    expect(out({ entry: anEntry({ holders: [ended, aHolder()] }) })).toEqual([held]);
    expect(out({ entry: anEntry({ holders: [ended] }) })).toEqual([]);
    expect(out({ rule: anOldRule({ createdAt: since + 1000 }) })).toEqual([
      { code: "young", text: `created at ${daysAgo(45)}T00:00:01Z` },
    ]);
    expect(out({ changedAt: since + 1000 })).toEqual([{ code: "edited", text: `changed at ${daysAgo(45)}T00:00:01Z` }]);
    expect(out({ rule: anOldRule({ createdAt: since }), changedAt: since })).toEqual([]);
    const rule = anOldRule({ peer: fromCidr("0.0.0.0/0") });
    expect(out({ rule, members: [aMember([real("100.64.3.4")])] })).toEqual([
      { code: "balanced", text: "a load balancer reaches tcp 22 on web-1; no rule stops it" },
    ]);
    expect(out({ rule, members: [aMember([real("10.0.0.2")])], sameGroup: ["10.0.0.2"] })).toEqual([
      { code: "sameGroup", text: "members of the group use tcp 22 on web-1; no rule stops them" },
    ]);
  });

  test("of a season is whose, while it lasts and for what it is meant", () => {
    const windows = [{ from: "11-01", to: "11-10" }];
    const season = { ...any, owner: "ann", reason: "quarter end", windows };
    const at = (now: number, seasonal = [season]) =>
      judgeUse(aQuestion(), { ...someUseTerms({ seasonal }), now }).reasons.filter(({ code }) => code === "season");
    const needed = [{ code: "season", text: "needed from 11-01 to 11-10 (ann: quarter end)" }];
    expect([at(Date.UTC(2026, 10, 1) - 1), at(Date.UTC(2026, 10, 1))]).toEqual([[], needed]);
    expect([at(Date.UTC(2026, 10, 11) - 1), at(Date.UTC(2026, 10, 11))]).toEqual([needed, []]);
    const others = [{ ...season, groups: ["db"] }];
    expect(at(NOW, others)).toEqual([]);
    expect(evidenceWindow(aQuestion(), someUseTerms({ seasonal: others })).from).toBe(daysAgo(45));
  });

  test("of a service is its name, by any of its sources or by its account", () => {
    const sources = [aCidr("198.51.100.0/24"), aCidr("203.0.113.0/24")];
    const foreignWriters = [{ name: "DMS", sources, ownerAccounts: ["1900000000000000"] }];
    const foreign = (peer: ReturnType<typeof aRule>["peer"]) =>
      judgeUse(aQuestion({ rule: anOldRule({ peer }) }), { ...someUseTerms(), foreignWriters }).reasons.filter(
        ({ code }) => code === "foreign",
      );
    const told = [{ code: "foreign", text: "written by DMS, a service that manages its own rules" }];
    expect(foreign(fromCidr("203.0.113.7/32"))).toEqual(told);
    expect(foreign({ kind: "group", groupId: "sg-far", owner: "1900000000000000" })).toEqual(told);
    expect(foreign({ kind: "group", groupId: "sg-far", owner: "1900000000000001" })).toEqual([]);
    expect(foreign({ kind: "group", groupId: "sg-far" })).toEqual([]);
    for (const [ownerAccounts, codes] of [
      [["1900000000000001", "1900000000000000"], ["foreign"]],
      [[], []],
    ] as const) {
      const rule = anOldRule({ peer: { kind: "group", groupId: "sg-far", owner: "1900000000000000" } });
      const terms = { ...someUseTerms(), foreignWriters: [{ name: "DMS", sources: [], ownerAccounts }] };
      expect(judgeUse(aQuestion({ rule }), terms).out).toEqual(codes);
    }
    expect(foreign({ kind: "prefixList", prefixListId: "pl-1" })).toEqual([]);
  });
});
