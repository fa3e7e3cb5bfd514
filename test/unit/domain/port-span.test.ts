// The ports of which every refused attempt is kept.
import { expect, it } from "vitest";
import { isInSpans, isWide, joinSpans } from "../../../shared/domain/port-span.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";

const other = (protocol: string) => aSpec({ protocol: { other: protocol }, ports: { kind: "any" } });
const tcp = (ports: `${number}/${number}`) => aSpec({ ports: somePorts(ports) });

it("are those of each rule, joined where they meet", () => {
  const rules = [
    tcp("80/90"),
    tcp("85/100"),
    tcp("101/101"),
    tcp("22/22"),
    { ...tcp("22/22"), protocol: "udp" as const },
  ];
  expect(joinSpans(rules)).toEqual([
    { protocol: "tcp", from: 22, to: 22 },
    { protocol: "tcp", from: 80, to: 101 },
    { protocol: "udp", from: 22, to: 22 },
  ]);
});

it("are none of a wide rule, of which a part does", () => {
  expect([isWide(tcp("1/65535")), isWide(tcp("1/1024")), isWide(tcp("1/1025"))]).toEqual([true, false, true]);
  expect(isWide(aSpec({ protocol: "all", ports: { kind: "any" } }))).toBe(true);
  expect(joinSpans([aSpec({ protocol: { other: "50" }, ports: { kind: "any" } })])).toEqual([
    { protocol: "50", from: 0, to: 0 },
  ]);
});

it("of very many rules are few spans that hold them all", () => {
  const rules = Array.from({ length: 3000 }, (_, n) => tcp(`${1 + n * 20}/${1 + n * 20}`));
  const spans = joinSpans(rules);
  expect(spans.length).toBeLessThanOrEqual(100);
  for (const { ports } of rules)
    if (ports.kind === "range") expect(isInSpans(spans, { protocol: "tcp", port: ports.range.from })).toBe(true);
});

it("come in the order of protocols and ports, whatever the order of the rules", () => {
  const udp = (ports: `${number}/${number}`) => ({ ...tcp(ports), protocol: "udp" as const });
  const spans = joinSpans([
    udp("53/53"),
    tcp("80/90"),
    udp("10/20"),
    tcp("443/443"),
    tcp("22/22"),
    tcp("444/450"),
    other("50"),
  ]);
  expect(spans.map(({ protocol, from, to }) => `${protocol} ${from}-${to}`)).toEqual([
    ...["50 0-0", "tcp 22-22", "tcp 80-90", "tcp 443-450", "udp 10-20", "udp 53-53"],
  ]);
});

it("of ping are those of both kinds, of a numbered protocol its number, and of one nobody knows none", () => {
  const both = [
    { protocol: "icmp", from: 0, to: 0 },
    { protocol: "icmpv6", from: 0, to: 0 },
  ];
  for (const protocol of ["icmp", "icmpv6"] as const)
    expect(joinSpans([aSpec({ protocol, ports: { kind: "any" } })])).toEqual(both);
  expect(joinSpans([aSpec({ protocol: "gre", ports: { kind: "any" } })])).toEqual([
    { protocol: "gre", from: 0, to: 0 },
  ]);
  expect(joinSpans([other("future")])).toEqual([]);
  expect(isWide(other("future"))).toBe(true);
});

it("are exact up to a hundred, and joined where there is one more", () => {
  const apart = (count: number) => joinSpans(Array.from({ length: count }, (_, n) => tcp(`${1 + n * 3}/${1 + n * 3}`)));
  expect(apart(100)).toHaveLength(100);
  expect(apart(101)).toEqual([{ protocol: "tcp", from: 1, to: 301 }]);
});

it("of more protocols than there is room for are one each", () => {
  const spans = joinSpans(Array.from({ length: 150 }, (_, n) => other(String(60 + n))));
  expect(spans).toHaveLength(150);
});

it("hold a port of their protocol from the first to the last", () => {
  const spans = joinSpans([tcp("80/90"), tcp("443/443")]);
  const held = [79, 80, 85, 90, 91, 442, 443, 444].filter((port) => isInSpans(spans, { protocol: "tcp", port }));
  expect(held).toEqual([80, 85, 90, 443]);
  expect(isInSpans(spans, { protocol: "udp", port: 80 })).toBe(false);
  expect(isInSpans([], { protocol: "tcp", port: 80 })).toBe(false);
});
