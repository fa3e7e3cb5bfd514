// What a verdict on a rule's use says: its reasons in words, and the bounds that they name.
import { describe, expect, test } from "vitest";
import { type MemberDay, startOf } from "../../../shared/domain/evidence.ts";
import type { RuleMatch } from "../../../shared/domain/recycling-policy.ts";
import { evidenceWindow, isRecyclable, judgeUse } from "../../../shared/plan/judge-use.ts";
import {
  aDay,
  aMember,
  anOldRule,
  aPeer,
  aPort,
  aQuestion,
  daysAgo,
  peers,
  someUseTerms,
  usedBy,
} from "../../kit/evidence.ts";
import { aHolder, anEntry, NOW } from "../../kit/plan-pictures.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const any: RuleMatch = { groups: [], protocol: null, ports: null, sources: [], peers: [] };

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
    const days = [usedBy("203.0.113.7", daysAgo(9)), usedBy("203.0.113.7", daysAgo(3))];
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
    expect(said({ members: [aMember([usedBy("203.0.113.7")])] }).reasons).toMatchObject([{ code: "session" }]);
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
    expect(said({ members: [aMember([usedBy("203.0.113.7", daysAgo(45))])] }).use).toBe("used");
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
    expect(said({ rule, members: [aMember([usedBy("203.0.113.7")], { addresses })] }).use).toBe("used");
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
    expect(out({ rule, members: [aMember([usedBy("100.64.3.4")])] })).toEqual([
      { code: "balanced", text: "a load balancer reaches tcp 22 on web-1; no rule stops it" },
    ]);
    expect(out({ rule, members: [aMember([usedBy("10.0.0.2")])], sameGroup: ["10.0.0.2"] })).toEqual([
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
