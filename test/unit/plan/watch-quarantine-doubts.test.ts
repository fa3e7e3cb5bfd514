// Where the watch over a quarantine may miss somebody: who counts as a scanner, who came before, and whose silence is none.
import { describe, expect, it } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { type MemberDay, type MemberEvidence, type Peers, startOf } from "../../../shared/domain/evidence.ts";
import type { EarlierPeers } from "../../../shared/domain/recycling-item.ts";
import { watchQuarantine } from "../../../shared/plan/watch-quarantine.ts";
import { aDay, aMember, aPeer, aPort, daysAgo, peers } from "../../kit/evidence.ts";
import { NOW } from "../../kit/plan-pictures.ts";
import { earlierPeers } from "../../kit/recycling.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const rule = aSpec({ ports: somePorts("22/22"), peer: fromCidr("0.0.0.0/0") });
const since = startOf(daysAgo(20));
const recycling = { ...defaultPolicy("cn-hangzhou").recycling, neverClose: [] };
const nobody: EarlierPeers = { blocks: [], more: false };
const PEER = "203.0.113.7";

const host = (eniId: string, ...special: readonly MemberDay[]): MemberEvidence =>
  aMember(special, { eniId, name: eniId });
const refusedAt = (day: string, list: Peers, port = 22): MemberDay =>
  aDay(day, { ports: [aPort({ port, refused: list })] });

const watch = (members: readonly MemberEvidence[], earlier: EarlierPeers) =>
  watchQuarantine({ rule, since, shownAt: since, now: NOW, earlier, members, sameGroup: [], recycling });

describe("somebody who is refused", () => {
  it("at one port of three hosts is a client of what runs on them, and no scanner", () => {
    const hosts = ["eni-1", "eni-2", "eni-3"].map((eniId) =>
      host(
        eniId,
        refusedAt(daysAgo(3), peers(aPeer(PEER, daysAgo(3)))),
        refusedAt(daysAgo(2), peers(aPeer(PEER, daysAgo(2)))),
      ),
    );
    expect(watch(hosts, { blocks: [], more: true }).visitors).toMatchObject([{ peer: PEER, how: "refused" }]);
    expect(watch(hosts, nobody).strangers).toHaveLength(1);
  });

  it("at three ports is a scanner, also where nobody knows all who came before", () => {
    const list = peers(aPeer(PEER, daysAgo(3)));
    const ports = [22, 23, 80].map((port) => aPort({ port, refused: list }));
    const hosts = [host("eni-1", aDay(daysAgo(3), { ports }))];
    expect(watch(hosts, { blocks: [], more: true })).toMatchObject({ visitors: [], strangers: [] });
  });

  it("at ports of a wide rule that are not all kept is for a person to judge", () => {
    const hosts = [host("eni-1", aDay(daysAgo(3), { unlistedRefused: 40_000 }))];
    const wide = { ...rule, ports: somePorts("1/65535") };
    const earlier = { blocks: [PEER], more: false };
    const ask = { since, shownAt: since, now: NOW, earlier, members: hosts, sameGroup: [], recycling };
    expect(watchQuarantine({ ...ask, rule: wide }).strangers).toEqual([
      { who: expect.any(String), text: expect.stringContaining("more than 1,024 ports"), mayBeEarlier: true },
    ]);
    expect(watchQuarantine({ ...ask, rule }).strangers).toEqual([]);
  });

  it("at a wide rule may be among those that the log left out for others, whichever ports those tried", () => {
    const swept = aPort({ port: 7, refused: { list: [aPeer("198.51.100.9", daysAgo(3))], more: true } });
    const hosts = [host("eni-1", aDay(daysAgo(3), { ports: [swept] }))];
    const wide = { ...rule, ports: somePorts("1000/65535") };
    const earlier = { blocks: [PEER], more: false };
    const ask = { since, shownAt: since, now: NOW, earlier, members: hosts, sameGroup: [], recycling };
    expect(watchQuarantine({ ...ask, rule: wide }).strangers).toHaveLength(1);
    expect(watchQuarantine({ ...ask, rule }).strangers, "of a watched port everybody is told").toEqual([]);
  });

  it("in a crowd comes after whoever approved of a crowd before it", () => {
    const first = refusedAt(daysAgo(9), { list: [aPeer("198.51.100.0/24", daysAgo(9))], more: true });
    const second = refusedAt(daysAgo(3), { list: [aPeer("192.0.2.0/24", daysAgo(3))], more: true });
    const who = (...days: readonly MemberDay[]) =>
      watch([host("eni-1", ...days)], { blocks: [PEER], more: false }).strangers.map((it) => it.who);
    expect(who(first)).toHaveLength(1);
    expect(who(first, second)).toHaveLength(1);
    expect(who(first, second), "an approval of the first covers nobody who hides in the second").not.toEqual(
      who(first),
    );
  });

  it("among more than are kept is for a person to judge, where somebody came before", () => {
    const crowd = { list: [aPeer("198.51.100.0/24", daysAgo(3))], more: true };
    const hosts = [host("eni-1", refusedAt(daysAgo(3), crowd))];
    expect(watch(hosts, { blocks: [PEER], more: false }).strangers.map(({ text }) => text)).toEqual([
      "more were refused than are kept, on 1 days: who came before may be among them",
    ]);
    expect(watch(hosts, nobody).strangers).toEqual([]);
    const some = { ...crowd, list: [aPeer("192.0.2.1", daysAgo(30)), ...crowd.list] };
    expect(watch([host("eni-1", refusedAt(daysAgo(3), some))], { blocks: [PEER], more: false }).strangers).toHaveLength(
      1,
    );
    const before = { ...crowd, list: [aPeer("198.51.100.0/24", daysAgo(30))] };
    expect(watch([host("eni-1", refusedAt(daysAgo(30), before))], { blocks: [PEER], more: false }).strangers).toEqual(
      [],
    );
  });
});

describe("silence", () => {
  it("is what the logs of the network tell: counters on the host see nobody who was refused", () => {
    expect(watch([host("eni-1")], nobody)).toMatchObject({ gaps: [] });
    const counted = host("eni-1");
    const days = counted.days.map((day) => ({ ...day, sources: ["host"] }));
    const { silentMs, gaps } = watch([{ ...counted, days }], nobody);
    expect([silentMs, gaps.length]).toEqual([0, 1]);
  });
});

describe("who came before", () => {
  it("is also who kept coming without a word, as the verdict counts them", () => {
    const steady = aPeer(PEER, daysAgo(40), { hours: 0b1111_1111_1111 });
    const shaken = peers(steady, aPeer("192.0.2.1", daysAgo(40)));
    const hosts = [host("eni-1", aDay(daysAgo(40), { ports: [aPort({ shaken })] }))];
    expect(earlierPeers(rule, hosts, NOW, recycling)).toEqual({ blocks: [PEER], more: false });
  });

  it("may be anybody where only the host's counters told of use", () => {
    const unnamedAt = startOf(daysAgo(40)) + 1;
    const hosts = [host("eni-1", aDay(daysAgo(40), { ports: [aPort({ unnamedAt })] }))];
    expect(earlierPeers(rule, hosts, NOW, recycling)).toEqual({ blocks: [], more: true });
    const real = peers(aPeer(PEER, daysAgo(40)));
    const both = [host("eni-1", aDay(daysAgo(40), { ports: [aPort({ unnamedAt, real })] }))];
    expect(earlierPeers(rule, both, NOW, recycling)).toEqual({ blocks: [PEER], more: false });
  });
});
