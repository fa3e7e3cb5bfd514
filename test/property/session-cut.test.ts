// The script that ends sessions: for exactly the ports and sources of a lease, and nothing else in it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { formatCidr, parseCidr } from "../../shared/domain/cidr.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { cutScript, cutWords, otherWayIn, readCut, whyNotCut } from "../../shared/plan/session-cut.ts";
import { aCidr } from "../kit/rules.ts";

const spec = (source: string, from: number, to: number, change: Partial<RuleSpec> = {}): RuleSpec => ({
  direction: "ingress",
  protocol: "tcp",
  ports: { kind: "range", range: { from, to } },
  peer: { kind: "cidr", cidr: aCidr(source) },
  policy: "accept",
  priority: 100,
  sourcePorts: { kind: "any" },
  dest: null,
  ...change,
});

const source = fc.oneof(
  fc.ipV4().filter((text) => !text.startsWith("127.")),
  fc.ipV6().filter((text) => parseCidr(text) !== null && formatCidr(aCidr(text)) !== "::1/128"),
  fc.constantFrom("10.0.0.0/8", "2001:db8::/32", "128.0.0.0/1"),
);
const single = fc.integer({ min: 1, max: 65_535 }).map((at) => [at, at] as const);
const few = fc
  .tuple(fc.oneof(fc.integer({ min: 1, max: 32_752 }), fc.integer({ min: 61_000, max: 65_520 })), fc.nat(15))
  .map(([from, more]) => [from, from + more] as const);

test("a script has a filter for each rule, of its source and its ports, in both its commands", () => {
  const rule = fc.tuple(source, fc.oneof(single, few)).map(([text, [from, to]]) => spec(text, from, to));
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 50 }), (specs) => {
      const lines = (cutScript(specs) ?? "").split("\n");
      expect(lines[0]).toBe("set -e");
      const filters = lines.filter((line) => line.startsWith("ss ")).map((line) => /'(.*)'$/.exec(line)?.[1]);
      expect(new Set(filters).size).toBe(1);
      const parts = (filters[0] ?? "").slice(2, -2).split(" or ");
      const wanted = specs.map(({ peer, ports }) => {
        const block = peer.kind === "cidr" ? formatCidr(peer.cidr) : "";
        const range = ports.kind === "range" ? ports.range : { from: 0, to: 0 };
        const dst = block.includes(":") ? `[${block}]` : block;
        return `( dst ${dst} and sport >= :${range.from} and sport <= :${range.to} )`;
      });
      expect(parts).toEqual(wanted);
      // Nothing that a shell would take for more than words.
      expect(lines.join("\n")).toMatch(/^[a-zA-Z0-9\n ./:[\]()<>='-]*$/);
    }),
  );
});

test("a rule that is not made of numbers is no script", () => {
  const bad = spec("10.0.0.1", 1, 2, { ports: { kind: "range", range: { from: "22'; reboot #" as never, to: 2 } } });
  const good = spec("10.0.0.1", 22, 22);
  for (const specs of [[bad], [bad, good], [good, bad], [good, bad, good]])
    expect(() => cutScript(specs)).toThrow(/not made of numbers/);
});

test("a script ends the sessions, then says which are left, and nothing else", () => {
  const filter = "( ( dst 10.0.0.1/32 and sport >= :22 and sport <= :22 ) )";
  expect(cutScript([spec("10.0.0.1", 22, 22)])).toBe(
    [
      "set -e",
      `ss -K -H -n -t state established '${filter}'`,
      "echo safeport-left",
      `ss -H -n -t state established '${filter}'`,
      "",
    ].join("\n"),
  );
});

const ports = "only TCP sessions to ports can be";
const loopback = "the hosts' own loopback address is in the source";
const begun =
  "ports from 32768 to 60999 are those of connections that the hosts began themselves, unless it is a single one";

test.each([
  ["udp", spec("10.0.0.1", 1, 2, { protocol: "udp" }), ports],
  ["no ports", spec("10.0.0.1", 1, 2, { ports: { kind: "any" } }), ports],
  ["a drop", spec("10.0.0.1", 1, 2, { policy: "drop" }), ports],
  ["egress", spec("10.0.0.1", 1, 2, { direction: "egress" }), ports],
  [
    "a group",
    spec("10.0.0.1", 1, 2, { peer: { kind: "opaque", text: "sg-1" } }),
    "only sessions from addresses can be",
  ],
  [
    "seventeen ports",
    spec("10.0.0.1", 8000, 8016),
    "of more than 16 ports some may be those of connections that the hosts began themselves",
  ],
  ["ports of connections that the host begins", spec("10.0.0.1", 32_760, 32_768), begun],
  ["the last of them", spec("10.0.0.1", 60_999, 61_000), begun],
  ["everywhere, and so loopback", spec("0.0.0.0/0", 22, 22), loopback],
  ["loopback", spec("127.0.0.1", 22, 22), loopback],
  ["everywhere by IPv6", spec("::/0", 22, 22), loopback],
])("%s cannot be cut", (_what, rule, why) => {
  expect([whyNotCut(rule), cutScript([rule])]).toEqual([why, null]);
});

test.each([
  ["a group", { kind: "group", groupId: "sg-app" }, true],
  ["a prefix list", { kind: "prefixList", prefixListId: "pl-1" }, true],
  ["what is not known", { kind: "opaque", text: "?" }, true],
  ["the source's block", { kind: "cidr", cidr: aCidr("10.0.0.0/8") }, true],
  ["another block", { kind: "cidr", cidr: aCidr("10.9.0.0/16") }, false],
] as const)("an accept of %s may be another way in: %s", (_what, peer, isOne) => {
  const rule = { ...spec("10.0.0.1", 1, 100, { peer }), id: null, description: "", createdAt: null };
  expect(otherWayIn(spec("10.0.0.1", 22, 22), [rule]) !== null).toBe(isOne);
  expect(otherWayIn(spec("10.0.0.1", 101, 101), [rule])).toBe(null);
  for (const change of [{ policy: "drop" }, { direction: "egress" }] as const)
    expect(otherWayIn(spec("10.0.0.1", 22, 22), [{ ...rule, ...change }])).toBe(null);
});

test("what a script prints is counted, and what is not its print is said", () => {
  const line = "0      0      10.0.0.1:22 203.0.113.7:4000";
  expect(readCut(`${line}\n${line}\nsafeport-left\n${line}\n`)).toEqual({ ended: 2, left: 1 });
  expect(readCut(`${line}\r\n  safeport-left \r\n\r\n`)).toEqual({ ended: 1, left: 0 });
  expect(cutWords("i-1", 1, "safeport-left\n")).toBe("i-1: not cut, its command ended with 1: safeport-left");
  expect(cutWords("i-1", 0, "safeport-left\n")).toBe("i-1: 0 ended, 0 left");
  expect(cutWords("i-1", 127, "sh: ss: command not found\n")).toMatch(/^i-1: not cut, .*127: sh: ss/);
  expect(cutWords("i-1", 0, "something else")).toMatch(/not cut/);
});
