// How readings of a day become one, and what of a crowded day is kept. The laws are in `test/property/evidence.test.ts`.
import { describe, expect, test } from "vitest";
import {
  cidrOfPeer,
  DAY_MS,
  dayAfter,
  dayOf,
  daysBetween,
  joinDay,
  joinPeers,
  joinVisitors,
  knownWindows,
  type MemberDay,
  PEERS_MAX,
  type Peer,
  type Peers,
  type PortUse,
  portName,
  sizeOf,
  startOf,
  unknownDay,
  unusedPort,
  WINDOW_MS,
  WINDOWS_PER_DAY,
  windowOf,
} from "../../../shared/domain/evidence.ts";
import { aCidr } from "../../kit/rules.ts";

const peer = (block: string, changes: Partial<Peer> = {}): Peer => ({
  block,
  count: 1,
  hours: 1,
  lastAt: 1,
  ...changes,
});
const peers = (...list: readonly Peer[]): Peers => ({ list, more: false });
const port = (number: number, changes: Partial<PortUse> = {}): PortUse => ({
  ...unusedPort("tcp", number),
  ...changes,
});
const day = (changes: Partial<MemberDay> = {}): MemberDay => ({ ...unknownDay("eni-1", "2026-11-05"), ...changes });
const blocksOf = ({ list }: Peers) => list.map(({ block }) => block);
/** Addresses of as many networks, the first of each. */
const crowd = (
  count: number,
  of = (n: number) => `10.${Math.floor(n / 256)}.${n % 256}.1`,
  changes = (_n: number): Partial<Peer> => ({}),
) => Array.from({ length: count }, (_, n) => peer(of(n), changes(n)));

describe("days and windows", () => {
  test("are of UTC", () => {
    expect([DAY_MS, WINDOW_MS, WINDOWS_PER_DAY, PEERS_MAX]).toEqual([86_400_000, 600_000, 144, 256]);
    const start = Date.UTC(2026, 10, 5);
    expect([startOf("2026-11-05"), dayOf(start), dayOf(start - 1)]).toEqual([start, "2026-11-05", "2026-11-04"]);
    expect([dayAfter("2026-12-31", 1), dayAfter("2026-03-01", -1)]).toEqual(["2027-01-01", "2026-02-28"]);
    expect(daysBetween("2026-02-27", "2026-03-02")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
    expect(daysBetween("2026-02-27", "2026-02-27")).toEqual([]);
    expect([start, start + WINDOW_MS - 1, start + WINDOW_MS, start + DAY_MS - 1].map(windowOf)).toEqual([
      1n,
      1n,
      2n,
      1n << 143n,
    ]);
  });

  test("are counted, and known where they were seen and nothing was lost", () => {
    expect([sizeOf(0n), sizeOf(0b1011n), sizeOf(1n << 143n), sizeOf(0b101)]).toEqual([0, 3, 1, 2]);
    expect(knownWindows(day({ seen: 0b1110n, skipped: 0b0011n }))).toBe(2);
  });

  test("nothing is known of a new day or port", () => {
    expect(day()).toEqual({
      ...{ member: "eni-1", day: "2026-11-05", seen: 0n, skipped: 0n, ports: [] },
      ...{ unlisted: 0, unlistedRefused: 0, sources: [] },
    });
    const nobody = { list: [], more: false };
    expect(port(22)).toEqual({
      ...{ protocol: "tcp", port: 22, real: nobody, shaken: nobody, refused: nobody },
      ...{ closedAt: null, silentAt: null, unclearAt: null, unnamedAt: null, balancedAt: null },
    });
    expect([portName(port(22)), portName({ protocol: "icmp", port: 0 })]).toEqual(["tcp 22", "icmp"]);
    expect([cidrOfPeer(peer("203.0.113.0/24")), cidrOfPeer(peer("?"))]).toEqual([aCidr("203.0.113.0/24"), null]);
  });
});

describe("peers", () => {
  const one = peer("10.0.0.1", { hours: 0b01, lastAt: 5, count: 1 });
  const again = peer("10.0.0.1", { hours: 0b10, lastAt: 3, count: 2 });

  test("of both are there once, in order, with all hours, the later instant and the larger count", () => {
    const joined = { list: [peer("10.0.0.1", { hours: 0b11, lastAt: 5, count: 2 }), peer("10.0.0.2")], more: false };
    expect(joinPeers(peers(peer("10.0.0.2"), one), peers(again))).toEqual(joined);
    expect(joinPeers(peers(again), peers(one, peer("10.0.0.2")))).toEqual(joined);
    expect(joinVisitors(peers(peer("10.0.0.2"), one), peers(again))).toEqual(joined);
  });

  test.each([
    [false, false, false],
    [true, false, true],
    [false, true, true],
  ])("that are more in one are more in both: %s %s", (first, second, more) => {
    const [a, b] = [
      { list: [one], more: first },
      { list: [], more: second },
    ];
    expect([joinPeers(a, b).more, joinVisitors(a, b).more]).toEqual([more, more]);
  });

  test("are kept each up to 256, and by blocks from then on", () => {
    const many = crowd(PEERS_MAX - 1);
    expect(joinPeers(peers(...many), peers(peer("10.0.0.2"))).list).toHaveLength(PEERS_MAX);
    const joined = joinPeers(peers(...many), peers(peer("10.0.0.2", { lastAt: 9, hours: 2 }), peer("2001:db8::1")));
    expect(joined.more).toBe(false);
    expect(joined.list).toHaveLength(PEERS_MAX);
    expect(joined.list.find(({ block }) => block === "10.0.0.0/24")).toEqual(
      peer("10.0.0.0/24", { count: 2, lastAt: 9, hours: 3 }),
    );
    expect(blocksOf(joined)).toContain("2001:db8::/64");
    expect(joinPeers(peers(...many, peer("?")), peers(peer("10.0.0.2"))).list.some(({ block }) => block === "?")).toBe(
      true,
    );
  });

  test("are kept by blocks where one of the readings had to, of two counts the larger", () => {
    const blocks = peers(peer("10.0.0.0/24", { count: 5 }));
    expect(joinPeers(blocks, peers(peer("10.0.0.1"), peer("10.0.0.2")))).toEqual(blocks);
    const six = Array.from({ length: 6 }, (_, n) => peer(`10.0.0.${n}`));
    expect(joinPeers(peers(...six), blocks)).toEqual(peers(peer("10.0.0.0/24", { count: 6 })));
    expect(blocksOf(joinPeers(blocks, peers(peer("9.0.0.1"))))).toEqual(["10.0.0.0/24", "9.0.0.0/24"]);
  });

  test("are the latest where there are too many blocks, and more is said", () => {
    const many = crowd(PEERS_MAX + 1, undefined, (n) => ({ lastAt: n === 3 ? 1 : 2 + n }));
    const joined = joinPeers(peers(...many), peers());
    expect([joined.list.length, joined.more, blocksOf(joined).includes("10.0.3.0/24")]).toEqual([
      PEERS_MAX,
      true,
      false,
    ]);
    expect(blocksOf(joined)).toEqual([...blocksOf(joined)].sort());
    // Of those that are as late the first by name.
    const same = joinPeers(peers(...crowd(PEERS_MAX + 1)), peers());
    const names = crowd(PEERS_MAX + 1)
      .map(({ block }) => block.replace(/1$/, "0/24"))
      .sort();
    expect(blocksOf(same)).toEqual(names.slice(0, PEERS_MAX));
  });

  test("that keep coming are kept of too many visitors, then the latest, then the first by name", () => {
    const all = crowd(PEERS_MAX + 1, undefined, (n) =>
      n === 7 ? { hours: 0b1, lastAt: 999 } : { hours: 0b11, lastAt: n },
    );
    const joined = joinVisitors(peers(...all), peers());
    expect([joined.list.length, joined.more, blocksOf(joined).includes("10.0.7.1")]).toEqual([PEERS_MAX, true, false]);
    expect(blocksOf(joined)).toEqual([...blocksOf(joined)].sort());
    const late = joinVisitors(peers(...crowd(PEERS_MAX + 1, undefined, (n) => ({ lastAt: n === 7 ? 0 : 1 }))), peers());
    expect(blocksOf(late)).not.toContain("10.0.7.1");
    const named = crowd(PEERS_MAX + 1)
      .map(({ block }) => block)
      .sort();
    expect(blocksOf(joinVisitors(peers(...crowd(PEERS_MAX + 1)), peers()))).toEqual(named.slice(0, PEERS_MAX));
    expect(joinVisitors(peers(...crowd(PEERS_MAX)), peers()).more).toBe(false);
  });
});

describe("two readings of a day", () => {
  test("know what either knows, each port once, in order", () => {
    const one = day({
      seen: 0b01n,
      skipped: 0b100n,
      ports: [port(443), port(22, { closedAt: 3 })],
      unlisted: 2,
      sources: ["host"],
    });
    const other = day({
      ...{ member: "i-1", day: "2026-11-06", seen: 0b10n, skipped: 0b1000n, unlistedRefused: 4 },
      ...{ sources: ["flowLog", "host"], ports: [{ ...port(22), protocol: "udp" }, port(22, { closedAt: 5 })] },
    });
    expect(joinDay(one, other)).toEqual({
      ...{ member: "eni-1", day: "2026-11-05", seen: 0b11n, skipped: 0b1100n, unlisted: 2, unlistedRefused: 4 },
      ...{
        sources: ["flowLog", "host"],
        ports: [port(22, { closedAt: 5 }), { ...port(22), protocol: "udp" }, port(443)],
      },
    });
    expect(joinDay(day({ unlisted: 1, unlistedRefused: 9 }), day({ unlisted: 3, unlistedRefused: 1 }))).toMatchObject({
      ...{ unlisted: 3, unlistedRefused: 9 },
    });
  });

  test("know of IPv6 only where both do", () => {
    expect(joinDay(day(), day())).not.toHaveProperty("ipv4Only");
    const blind = day({ ipv4Only: true });
    for (const joined of [joinDay(blind, day()), joinDay(day(), blind)]) expect(joined.ipv4Only).toBe(true);
  });

  test.each(["real", "shaken", "refused"] as const)("have each other's %s peers of a port", (kind) => {
    const both = joinDay(
      day({ ports: [port(22, { [kind]: peers(peer("10.0.0.1")) })] }),
      day({ ports: [port(22, { [kind]: peers(peer("10.0.0.2")) })] }),
    );
    expect(both.ports).toEqual([port(22, { [kind]: peers(peer("10.0.0.1"), peer("10.0.0.2")) })]);
  });

  test.each(["closedAt", "silentAt", "unclearAt", "unnamedAt", "balancedAt"] as const)("have the later %s", (name) => {
    const joined = (one: number | null, other: number | null) =>
      joinDay(day({ ports: [port(22, { [name]: one })] }), day({ ports: [port(22, { [name]: other })] })).ports[0]?.[
        name
      ];
    expect([joined(null, null), joined(1, null), joined(null, 1), joined(1, 2), joined(2, 1)]).toEqual([
      null,
      1,
      1,
      2,
      2,
    ]);
  });

  test("keep of visitors those that keep coming", () => {
    const steady = peer("9.9.9.9", { hours: 0b11, lastAt: 0 });
    const shaken = peers(...crowd(PEERS_MAX));
    const [use] = joinDay(
      day({ ports: [port(22, { shaken })] }),
      day({ ports: [port(22, { shaken: peers(steady) })] }),
    ).ports;
    expect(use?.shaken.list).toContainEqual(steady);
  });
});

describe("of a crowded day", () => {
  const tried = (count: number, changes: Partial<PortUse> = {}) =>
    Array.from({ length: count }, (_, n) => port(n + 1, { closedAt: 1, ...changes }));
  const refused = peers(peer("10.0.0.1"));
  const numbers = ({ ports }: MemberDay) => ports.map((use) => use.port);
  const joined = (ports: readonly PortUse[], isKept?: (use: PortUse) => boolean) =>
    joinDay(day({ ports }), day(), isKept);

  test("the first 64 ports that were only tried are kept, and the others counted", () => {
    const kept = joined(tried(66));
    expect([kept.ports.length, kept.unlisted, kept.unlistedRefused, numbers(kept).at(-1)]).toEqual([64, 2, 0, 64]);
    expect(joined(tried(64))).toMatchObject({ unlisted: 0 });
    // What is watched counts for those that were refused alone.
    expect(joined(tried(66), () => true).unlisted).toBe(2);
  });

  test("the first 256 ports at which somebody was refused are kept, and what is watched before them", () => {
    const many = tried(258, { refused });
    const kept = joined(many);
    expect([kept.ports.length, kept.unlisted, kept.unlistedRefused]).toEqual([256, 0, 2]);
    const watched = joined(many, (use) => use.port >= 257);
    expect([watched.ports.length, watched.unlistedRefused]).toEqual([256, 2]);
    expect(numbers(watched).slice(-3)).toEqual([254, 257, 258]);
    expect(joined(many, () => true)).toMatchObject({ unlistedRefused: 0, ports: { length: 258 } });
    expect(joined(tried(258, { refused: { list: [], more: true } })).unlistedRefused).toBe(2);
  });

  test.each<Partial<PortUse>>([
    { real: peers(peer("10.0.0.1")) },
    { real: { list: [], more: true } },
    { shaken: peers(peer("10.0.0.1")) },
    { shaken: { list: [], more: true } },
    { unclearAt: 0 },
    { unnamedAt: 1 },
    { balancedAt: 1 },
  ])("every port is kept that tells of use: %j", (use) => {
    expect(joined(tried(300, use))).toMatchObject({ unlisted: 0, unlistedRefused: 0, ports: { length: 300 } });
    expect(joined(tried(300, { ...use, refused }))).toMatchObject({ unlistedRefused: 0, ports: { length: 300 } });
  });

  test.each<Partial<PortUse>>([{ silentAt: 1 }, {}])("none is that does not: %j", (use) => {
    expect(joined(tried(65, use)).unlisted).toBe(1);
  });
});
