// What is seen while a rule is in quarantine: who is refused, who still talks, and what is not known.
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import {
  DAY_MS,
  dayAfter,
  daysBetween,
  type MemberDay,
  type PortUse,
  startOf,
} from "../../../shared/domain/evidence.ts";
import { watchQuarantine } from "../../../shared/plan/watch-quarantine.ts";
import { aDay, aMember } from "../../kit/evidence.ts";
import { earlierPeers } from "../../kit/recycling.ts";
import { touched } from "../../kit/recycling-world.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const rule = aSpec({ ports: somePorts("7890/7890"), peer: fromCidr("10.0.0.0/8") });
const FIRST = "2026-11-01";
const since = startOf(FIRST);
const on = (days: number): string => dayAfter(FIRST, days);
const recycling = { ...defaultPolicy("cn-hangzhou").recycling, probes: [aCidr("10.9.9.0/24")] };

/** Days since the first, all known, with what was touched on some. */
function watched(days: number, special: Readonly<Record<number, readonly PortUse[]>>, missing: readonly number[] = []) {
  const all = daysBetween(FIRST, on(days)).map((day, n): MemberDay => aDay(day, { ports: special[n] ?? [] }));
  const member = aMember([], { days: all.filter((_, n) => !missing.includes(n)) });
  const earlier = { blocks: ["10.1.2.3", "10.7.0.0/24"], more: false };
  const now = since + days * DAY_MS;
  return { rule, since, shownAt: since, now, earlier, members: [member], sameGroup: [], recycling };
}

const visitors = (ask: ReturnType<typeof watched>) =>
  watchQuarantine(ask).visitors.map(({ peer, how }) => `${peer} ${how}`);

it("has no silence of a rule for IPv6 where the log tells nothing of that", () => {
  const ask = watched(15, {});
  const [host] = ask.members;
  if (host === undefined) throw new Error("no host");
  const members = [
    {
      ...host,
      addresses: ["10.0.0.1", "2001:db8::1"],
      days: host.days.map((it) => ({ ...it, ipv4Only: true as const })),
    },
  ];
  expect(watchQuarantine({ ...ask, members }).gaps).toEqual([]);
  const six = aSpec({ ports: somePorts("7890/7890"), peer: fromCidr("::/0") });
  const { gaps, silentMs } = watchQuarantine({ ...ask, members, rule: six });
  expect([silentMs, gaps.length]).toEqual([0, 1]);
});

describe("a visitor", () => {
  it("is who came before and is refused, by address or by block, and anybody who talks", () => {
    expect(visitors(watched(2, { 1: [touched("refused", on(1), ["10.1.2.3"])] }))).toEqual(["10.1.2.3 refused"]);
    expect(visitors(watched(2, { 1: [touched("refused", on(1), ["10.7.0.99"])] }))).toEqual(["10.7.0.99 refused"]);
    expect(visitors(watched(2, { 1: [touched("real", on(1), ["10.8.8.8"])] }))).toEqual(["10.8.8.8 talking"]);
  });

  it("is nobody who never came, whom the rule does not speak of, who only probes, or who came to another port", () => {
    const refused = (block: string, port = 7890) => ({ 1: [touched("refused", on(1), [block], port)] });
    for (const touch of [refused("10.8.8.8"), refused("192.0.2.1"), refused("10.1.2.3", 7891)])
      expect(visitors(watched(2, touch))).toEqual([]);
    expect(visitors(watched(2, { 1: [touched("real", on(1), ["10.9.9.9"])] }))).toEqual([]);
  });

  it("is anybody who is refused, scanners aside, where not all who came before are known by name", () => {
    const earlier = { blocks: [], more: true };
    expect(visitors({ ...watched(2, { 1: [touched("refused", on(1), ["10.8.8.8"])] }), earlier })).toHaveLength(1);
    const scan = [7890, 7891, 7892].map((port) => touched("refused", on(1), ["10.8.8.8"], port));
    expect(visitors({ ...watched(2, { 1: scan }), earlier })).toEqual([]);
  });
});

it("a stranger who keeps coming for this port alone is named, one who sweeps is not", () => {
  const again = (ports: readonly number[]) => ports.map((port) => touched("refused", on(1), ["10.8.8.8"], port));
  const twice = (ports: readonly number[]) => ({
    1: again(ports),
    2: ports.map((port) => touched("refused", on(2), ["10.8.8.8"], port)),
  });
  expect(watchQuarantine(watched(3, twice([7890]))).strangers).toMatchObject([{ who: "10.8.8.8" }]);
  expect(watchQuarantine(watched(3, { 1: again([7890]) })).strangers).toEqual([]);
  expect(watchQuarantine(watched(3, twice([7890, 7891, 7892]))).strangers).toEqual([]);
});

describe("silence", () => {
  it("counts what is known alone, of the host of which least is known", () => {
    const { silentMs, gaps } = watchQuarantine(watched(20, {}));
    expect([silentMs / DAY_MS, gaps]).toEqual([20, []]);
    const ask = watched(20, {}, [3]);
    const two = { ...ask, members: [...watched(20, {}).members, ...ask.members] };
    expect(watchQuarantine(two).silentMs / DAY_MS).toBe(19);
  });

  it("stands while the latest days are missing, and goes on when they are not", () => {
    expect(watchQuarantine(watched(20, {}, [18])).gaps).toHaveLength(1);
    expect(watchQuarantine(watched(40, {}, [18])).gaps).toEqual([]);
    expect(watchQuarantine({ ...watched(20, {}), members: [] })).toMatchObject({
      silentMs: 0,
      gaps: [expect.any(String)],
    });
  });

  it("is as well known as it has to be with just so much of each day, and of the latest days", () => {
    const half = { ...recycling, coverageMin: 50 };
    const seen = (windows: number) => {
      const days = daysBetween(FIRST, on(20)).map((day) => aDay(day, { seen: (1n << BigInt(windows)) - 1n }));
      return watchQuarantine({ ...watched(20, {}), members: [aMember([], { days })], recycling: half });
    };
    expect(seen(72)).toMatchObject({ silentMs: 10 * DAY_MS, gaps: [] });
    expect(seen(71)).toMatchObject({ silentMs: 0, gaps: [expect.stringContaining("49 %")] });
  });

  it("is asked of as many latest days as a quarantine lasts, and of none that had no time left in it", () => {
    const { gaps } = watchQuarantine(watched(20, {}, [5]));
    expect([gaps.length, watchQuarantine(watched(20, {}, [6])).gaps.length]).toEqual([0, 1]);
    const begun = { ...watched(20, {}, [19]), shownAt: since + 20 * DAY_MS - 1 };
    expect(watchQuarantine(begun).gaps).toEqual([]);
  });

  it("stands while one of the newest days is missing, however long the quarantine is", () => {
    const long = { ...recycling, quarantineMs: 60 * DAY_MS };
    const gaps = (missing: number) => watchQuarantine({ ...watched(60, {}, [missing]), recycling: long }).gaps;
    expect([gaps(59), gaps(58), gaps(57)]).toEqual([[expect.any(String)], [expect.any(String)], []]);
  });

  it("is not asked of a host that has left; who was refused there came", () => {
    const ask = watched(20, {});
    const left = { ...aMember([], { eniId: "eni-2", days: [] }), left: true };
    expect(watchQuarantine({ ...ask, members: [...ask.members, left] })).toMatchObject({ gaps: [] });
    const days = [aDay(on(1), { ports: [touched("refused", on(1), ["10.1.2.3"])] })];
    expect(visitors({ ...ask, members: [...ask.members, { ...left, days }] })).toEqual(["10.1.2.3 refused"]);
    expect(watchQuarantine({ ...ask, members: [left] }).gaps).toHaveLength(1);
  });
});

it("whoever had a session before is remembered, but for probes and peers of other rules", () => {
  const days = [aDay(on(0), { ports: [touched("real", on(0), ["10.1.2.3", "10.9.9.9", "192.0.2.1"])] })];
  const members = [aMember([], { days })];
  expect(earlierPeers(rule, members, startOf(on(1)), recycling)).toEqual({ blocks: ["10.1.2.3"], more: false });
  expect(earlierPeers(rule, members, startOf(on(0)), recycling).blocks).toEqual([]);
});
