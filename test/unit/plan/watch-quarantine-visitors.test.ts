// The watch over a quarantine to the millisecond: who came since, who came before, in which words, and what counts as silence.
import { describe, expect, it, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { DAY_MS, dayOf, type MemberDay, type PortUse, startOf, WINDOW_MS } from "../../../shared/domain/evidence.ts";
import type { EarlierPeers } from "../../../shared/domain/recycling-item.ts";
import { EarlierTally, type WatchAsk, watchQuarantine } from "../../../shared/plan/watch-quarantine.ts";
import { aDay, aMember, aPeer, aPort, daysAgo, peers } from "../../kit/evidence.ts";
import { NOW } from "../../kit/plan-pictures.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const rule = aSpec({ ports: somePorts("22/22"), peer: fromCidr("203.0.113.0/24") });
const recycling = { ...defaultPolicy("cn-hangzhou").recycling, neverClose: [], probes: [aCidr("203.0.113.99/32")] };
const PEER = "203.0.113.7";
const came = (...blocks: readonly string[]): EarlierPeers => ({ blocks, more: false });
/** Noon of a day, so that the day began before it. */
const since = startOf(daysAgo(20)) + DAY_MS / 2;

const ask = (days: readonly MemberDay[], changes: Partial<WatchAsk> = {}): WatchAsk => ({
  ...{ rule, since, now: NOW, earlier: came(PEER), members: [aMember(days)], sameGroup: [], recycling },
  shownAt: changes.since ?? since,
  ...changes,
});
const used = (daysBefore: number, ...ports: readonly Partial<PortUse>[]): MemberDay =>
  aDay(daysAgo(daysBefore), { ports: ports.map((port) => aPort(port)) });
const at = (lastAt: number, block = PEER) => aPeer(block, daysAgo(20), { lastAt });
const visitors = (days: readonly MemberDay[], changes: Partial<WatchAsk> = {}) =>
  watchQuarantine(ask(days, changes)).visitors;
const strangers = (days: readonly MemberDay[], changes: Partial<WatchAsk> = {}) =>
  watchQuarantine(ask(days, changes)).strangers;

describe("a visitor", () => {
  test.each([
    ["talking", "real"],
    ["refused", "refused"],
  ] as const)("who is %s came after the quarantine began, and not as it did", (how, list) => {
    expect(visitors([used(20, { [list]: peers(at(since)) })])).toEqual([]);
    expect(visitors([used(20, { [list]: peers(at(since + 1)) })])).toEqual([{ peer: PEER, how, at: since + 1 }]);
  });

  it("counts by the latest time it came, in whatever order the days are told, and the first comes first", () => {
    const other = "203.0.113.8";
    const days = [3, 9, 5].map((n) => used(n, { refused: peers(at(startOf(daysAgo(n)))) }));
    const [late] = days;
    expect(visitors(days)).toEqual([{ peer: PEER, how: "refused", at: startOf(daysAgo(3)) }]);
    const both = [late ?? used(3), used(6, { real: peers(at(startOf(daysAgo(6)), other)) })];
    expect(visitors(both).map(({ peer }) => peer)).toEqual([other, PEER]);
  });

  it("is somebody where more talk than are kept, or the host's counters know of one, since it began", () => {
    const more = { real: { list: [], more: true } };
    expect(visitors([used(20, more)])).toEqual([]);
    expect(visitors([used(19, more)], { since: startOf(daysAgo(19)) })).toEqual([]);
    expect(visitors([used(19, more)])).toEqual([{ peer: "somebody", how: "talking", at: startOf(daysAgo(19)) }]);
    expect(visitors([used(20, { unnamedAt: since })])).toEqual([]);
    expect(visitors([used(20, { unnamedAt: since + 1 })])).toEqual([
      { peer: "somebody", how: "talking", at: since + 1 },
    ]);
  });

  it("counts by the latest time of one day, too, and who talks and is refused at once is one who talks", () => {
    const began = startOf(daysAgo(19));
    const unnamed = { real: { list: [], more: true }, unnamedAt: began + 5 };
    expect(visitors([used(19, unnamed)])).toEqual([{ peer: "somebody", how: "talking", at: began + 5 }]);
    const both = { real: peers(at(began)), refused: peers(at(began)) };
    expect(visitors([used(19, both)])).toEqual([{ peer: PEER, how: "talking", at: began }]);
  });

  it("is who keeps coming without a word, from as many hours on as the policy says", () => {
    const { repeatHours } = recycling.session;
    const shaken = (hours: number) => [used(3, { shaken: peers(aPeer(PEER, daysAgo(3), { hours: 2 ** hours - 1 })) })];
    expect(visitors(shaken(repeatHours - 1))).toEqual([]);
    expect(visitors(shaken(repeatHours))).toHaveLength(1);
  });

  it("of the same group was stopped by the rules where it was refused, and not where it talks", () => {
    const sameGroup = [PEER];
    const seen = (list: "real" | "refused") =>
      visitors([used(3, { [list]: peers(aPeer(PEER, daysAgo(3))) })], { sameGroup });
    expect([seen("refused").length, seen("real").length]).toEqual([1, 0]);
  });

  test.each([
    ["probes", "203.0.113.99"],
    ["is none of the rule's", "192.0.2.1"],
  ])("is nobody who %s", (_what, block) => {
    const earlier = came(block);
    expect(visitors([used(3, { refused: peers(aPeer(block, daysAgo(3))) })], { earlier })).toEqual([]);
  });

  test.each([
    ["an address of a block", "203.0.113.7", "203.0.113.0/28", true],
    ["a block of which an address came", "203.0.113.0/28", "203.0.113.7", true],
    ["another address", "203.0.113.7", "203.0.113.8", false],
    ["what cannot be read, the same", "host-a", "host-a", true],
    ["what cannot be read, another", "host-a", "host-b", false],
    ["what cannot be read, after an address", "host-a", "203.0.113.8", false],
    ["an address, after what cannot be read", "203.0.113.7", "host-a", false],
  ])("may be who came before: %s", (_what, block, before, isOne) => {
    const found = visitors([used(3, { refused: peers(aPeer(block, daysAgo(3))) })], {
      earlier: came("192.0.2.9", before),
    });
    expect(found.length).toBe(isOne ? 1 : 0);
  });
});

describe("a stranger", () => {
  const STRANGER = "203.0.113.50";
  const refusedOn = (...days: readonly number[]) =>
    days.map((n) => used(n, { refused: peers(aPeer(STRANGER, daysAgo(n))) }));

  it("is named in words from the second day on", () => {
    expect(strangers(refusedOn(3))).toEqual([]);
    expect(strangers(refusedOn(3, 5))).toEqual([
      { who: STRANGER, text: `${STRANGER}, who was never seen before, was refused on 2 days` },
    ]);
  });

  it("who was turned away at three ports since it began is none, tried, knocked at, or of another protocol", () => {
    const list = (n: number) => peers(aPeer(STRANGER, daysAgo(n)));
    const on = (n: number, ...more: readonly Partial<PortUse>[]) => used(n, { refused: list(n) }, ...more);
    const tried = (n: number, ...ports: readonly Partial<PortUse>[]) =>
      on(n, ...ports.map((port) => ({ refused: list(n), ...port })));
    expect(strangers([on(3), tried(5, { port: 23 })])).toHaveLength(1);
    expect(strangers([on(3), tried(5, { port: 23 }, { port: 24 })])).toEqual([]);
    expect(strangers([on(3), tried(5, { port: 23 }, { port: 22, protocol: "udp" })])).toEqual([]);
    expect(strangers([on(3), on(5, { port: 23, shaken: list(5) }, { port: 24, shaken: list(5) })])).toEqual([]);
    const before = peers(at(since, STRANGER));
    expect(strangers([on(3), tried(5, { port: 23 }), used(20, { port: 24, refused: before })])).toHaveLength(1);
  });
});

describe("a crowd", () => {
  const wide = aSpec({ ports: somePorts("1/65535"), peer: fromCidr("203.0.113.0/24") });
  const unlisted = (n: number) => aDay(daysAgo(n), { unlistedRefused: 1 });
  const more = (n: number, lastAt = startOf(daysAgo(n)) + 1) =>
    used(n, { refused: { list: [at(lastAt, "203.0.113.50")], more: true } });
  const TEXT = "more were refused than are kept, on 1 days";

  it("is told by its newest day and in words", () => {
    expect(strangers([more(3)])).toEqual([
      { who: `a crowd on ${daysAgo(3)}`, text: `${TEXT}: who came before may be among them`, mayBeEarlier: true },
    ]);
    const text = `${TEXT}, of a rule for more than 1,024 ports: who came before may be among them`;
    expect(strangers([unlisted(3)], { rule: wide })).toEqual([
      { who: `a crowd on ${daysAgo(3)}`, text, mayBeEarlier: true },
    ]);
    const [both] = strangers([unlisted(3), unlisted(9)], { rule: wide });
    expect([both?.who, both?.text.slice(0, 42)]).toEqual([`a crowd on ${daysAgo(3)}`, TEXT.replace("1", "2")]);
  });

  it("is one since the quarantine began, of a wide rule from the day on which it did", () => {
    expect(strangers([more(20, since)])).toEqual([]);
    expect(strangers([more(20, since + 1)])).toHaveLength(1);
    expect([20, 21].map((n) => strangers([unlisted(n)], { rule: wide }).length)).toEqual([1, 0]);
    expect(strangers([unlisted(20)], { rule: wide, since: startOf(daysAgo(19)) })).toEqual([]);
    expect(strangers([aDay(daysAgo(3))], { rule: wide })).toEqual([]);
  });

  it("holds nobody who came before, where nobody came before", () => {
    expect(strangers([more(3)], { earlier: came() })).toEqual([]);
    expect(strangers([unlisted(3)], { rule: wide, earlier: { blocks: [], more: true } })).toHaveLength(1);
  });
});

describe("silence", () => {
  const silence = (days: readonly MemberDay[], changes: Partial<WatchAsk>) => {
    const { silentMs, gaps } = watchQuarantine(ask([], { members: [aMember([], { days })], ...changes }));
    return { silentMs, gaps };
  };
  const today = startOf(daysAgo(0));

  it("is whole windows of the log that began with the quarantine, or after, and are over", () => {
    const over = (from: number, now: number) =>
      silence([aDay(daysAgo(0))], { since: today + from, now: today + now }).silentMs / WINDOW_MS;
    expect(over(WINDOW_MS, 4 * WINDOW_MS)).toBe(3);
    expect(over(WINDOW_MS + 1, 4 * WINDOW_MS)).toBe(2);
    expect(over(WINDOW_MS, 4 * WINDOW_MS - 1)).toBe(2);
    expect(over(0, 0)).toBe(0);
  });

  it("counts from when the drop was shown, while whoever was turned away counts from when it may have stood", () => {
    const shownAt = since + 2 * WINDOW_MS;
    const { silentMs } = silence([aDay(dayOf(since))], { shownAt });
    expect(silentMs).toBe(silence([aDay(dayOf(since))], { since: shownAt }).silentMs);
    expect(silentMs).toBe(silence([aDay(dayOf(since))], {}).silentMs - 2 * WINDOW_MS);
    const early = [used(20, { refused: peers(at(since + 1)) })];
    expect(visitors(early, { shownAt })).toEqual([{ peer: PEER, how: "refused", at: since + 1 }]);
  });

  it("is nothing of a day of which too little is known, and what is known of one of which enough is", () => {
    const known = (percent: number) =>
      aDay(daysAgo(30), { seen: (1n << BigInt(Math.ceil((DAY_MS / WINDOW_MS) * (percent / 100)))) - 1n });
    const of = (day: MemberDay) => silence([day], { since: startOf(daysAgo(30)), now: NOW }).silentMs;
    expect(of(known(recycling.coverageMin - 1))).toBe(0);
    expect(of(known(recycling.coverageMin))).toBeGreaterThanOrEqual(0.95 * DAY_MS);
    expect(of(known(100))).toBe(DAY_MS);
    expect(of({ ...known(100), skipped: 1n }), "less what the log left out").toBe(DAY_MS - WINDOW_MS);
  });

  it("is told by the interface and the instance together", () => {
    const day = daysAgo(30);
    const half = (1n << BigInt(DAY_MS / WINDOW_MS / 2)) - 1n;
    const halves = [half, half << BigInt(DAY_MS / WINDOW_MS / 2)].map((seen) => aDay(day, { seen }));
    expect(silence(halves, { since: startOf(day) }).silentMs).toBe(DAY_MS);
  });

  it("is asked of hosts, and says of which too little is known, and since when", () => {
    expect(silence([], { members: [] })).toEqual({ silentMs: 0, gaps: ["no host is known that the rule acts on"] });
    const days = aMember().days;
    const without = (...missing: readonly number[]) =>
      silence(
        days.filter(({ day }) => !missing.some((n) => day === daysAgo(n))),
        { since: startOf(daysAgo(40)) },
      ).gaps;
    expect(without()).toEqual([]);
    expect(without(7)).toEqual(["92 % of the latest days in quarantine are known of web-1; 95 % is needed"]);
    const long = { ...recycling, quarantineMs: 40 * DAY_MS };
    const short = silence(
      days.filter(({ day }) => day !== daysAgo(1) && day !== daysAgo(2)),
      { since: startOf(daysAgo(40)), recycling: { ...long, coverageMin: 90 } },
    );
    expect(short.gaps).toEqual([
      `too little is known of web-1 on ${daysAgo(2)} and ${daysAgo(1)}, the latest days in quarantine`,
    ]);
  });
});

describe("who came before", () => {
  const before = startOf(daysAgo(10));
  const tally = (...ports: readonly Partial<PortUse>[]) => {
    const all = new EarlierTally(rule, before, recycling);
    for (const port of ports) all.day(used(11, port));
    return all.peers();
  };

  it("came before the instant, by a port of the rule, and as one whom it lets in", () => {
    expect(tally()).toEqual(came());
    expect(tally({ real: peers(at(before - 1)) }, { real: peers(at(before - 1, "203.0.113.8")) })).toEqual(
      came(PEER, "203.0.113.8"),
    );
    for (const port of [
      { real: peers(at(before)) },
      { port: 23, real: peers(at(1)) },
      { real: peers(at(1, "203.0.113.99")) },
      { refused: peers(at(1)) },
    ])
      expect(tally(port)).toEqual(came());
  });

  it("may be more than are known, by what a day keeps or what the host's counters say", () => {
    expect(tally({ real: { list: [at(1)], more: true } })).toEqual({ blocks: [PEER], more: true });
    expect(tally({ real: { list: [], more: true } })).toEqual({ blocks: [], more: true });
    expect(tally({ unnamedAt: before - 1 })).toEqual({ blocks: [], more: true });
    expect(tally({ unnamedAt: before })).toEqual(came());
    expect(tally({ unnamedAt: 1, real: peers(at(1)) }), "whom the log names").toEqual(came(PEER));
    expect(tally({ unnamedAt: 1, real: peers(at(1, "203.0.113.99")) }), "though it only probes").toEqual(came());
  });
});
