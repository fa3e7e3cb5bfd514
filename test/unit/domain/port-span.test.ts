// The ports of which every refused attempt is kept.
import { expect, it } from "vitest";
import { isInSpans, isWide, joinSpans } from "../../../shared/domain/port-span.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";

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
