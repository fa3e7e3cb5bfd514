import { describe, expect, it } from "vitest";
import { coversPort, type GrantWords, parseGrant } from "../../../shared/domain/grant.ts";
import type { Protocol } from "../../../shared/domain/rule.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { aCidr, aSpec, somePorts } from "../../kit/rules.ts";

const words: GrantWords = { port: "22", sources: ["203.0.113.7"], priority: 1 };
const keys = (changes: Partial<GrantWords>) => {
  const result = parseGrant({ ...words, ...changes });
  if (!result.ok) throw new Error(result.problem.code);
  return result.specs.map(ruleKey);
};
const problem = (changes: Partial<GrantWords>) => {
  const result = parseGrant({ ...words, ...changes });
  return result.ok ? null : result.problem;
};

describe("a request that can be a rule", () => {
  it.each<[Partial<GrantWords>, string[]]>([
    [{}, ["ingress|tcp|22/22|203.0.113.7/32|accept|1|-1/-1|*"]],
    [{ port: "22/22", protocol: "TCP" }, ["ingress|tcp|22/22|203.0.113.7/32|accept|1|-1/-1|*"]],
    [
      { port: "8000-8010", protocol: "udp", priority: 100 },
      ["ingress|udp|8000/8010|203.0.113.7/32|accept|100|-1/-1|*"],
    ],
    [{ port: undefined, protocol: "icmp" }, ["ingress|icmp|-1/-1|203.0.113.7/32|accept|1|-1/-1|*"]],
    [{ port: "-1", protocol: "gre" }, ["ingress|gre|-1/-1|203.0.113.7/32|accept|1|-1/-1|*"]],
    [{ port: "-1/-1", protocol: "all", sources: ["::/0"] }, ["ingress|all|-1/-1|::/0|accept|1|-1/-1|*"]],
    [
      { sources: ["10.0.0.0/24", "2001:db8::1", "10.0.0.0/24"] },
      ["ingress|tcp|22/22|10.0.0.0/24|accept|1|-1/-1|*", "ingress|tcp|22/22|2001:db8::1/128|accept|1|-1/-1|*"],
    ],
  ])("%j asks for %j", (changes, expected) => {
    expect(keys(changes)).toEqual(expected);
  });

  it("is for ports that are a range, or any", () => {
    expect(parseGrant(words)).toMatchObject({ specs: [{ ports: { kind: "range", range: { from: 22, to: 22 } } }] });
    expect(parseGrant({ ...words, protocol: "all", port: "-1" })).toMatchObject({
      specs: [{ ports: { kind: "any" } }],
    });
  });

  it("names the one host it is for", () => {
    expect(keys({ dest: aCidr("10.0.0.5") })).toEqual(["ingress|tcp|22/22|203.0.113.7/32|accept|1|-1/-1|10.0.0.5/32"]);
  });
});

describe("a request that cannot", () => {
  it.each(["0", "65536", "22/10", "abc", "-1", "-1/-1", "1e3", "", " 22", "22,80", undefined])(
    "has no such port as %j",
    (port) => {
      expect(problem({ port })).toEqual({ code: "PORT_INVALID", detail: { port: port ?? "" } });
    },
  );

  it.each(["icmp", "gre", "all"])("names a port with %s", (protocol) => {
    expect(problem({ protocol })).toEqual({ code: "PORT_INVALID", detail: { port: "22" } });
  });

  it.each(["icmpv6", "6", "sctp", "", "tcp "])("asks for protocol %j", (protocol) => {
    expect(problem({ protocol })).toEqual({ code: "PROTOCOL_INVALID", detail: { protocol } });
  });

  it.each(["256.1.1.1", "010.0.0.1", "10.0.0.1/8", "::ffff:1.2.3.4", "fe80::1%eth0", "", "sg-1"])(
    "comes from %j",
    (source) => {
      expect(problem({ sources: ["203.0.113.7", source] })).toEqual({ code: "SOURCE_INVALID", detail: { source } });
    },
  );

  it("comes from nowhere", () => {
    expect(problem({ sources: [] })).toEqual({ code: "SOURCE_INVALID", detail: { source: "" } });
  });

  it("wants icmp from an IPv6 source", () => {
    expect(problem({ protocol: "icmp", port: undefined, sources: ["203.0.113.7", "2001:db8::1"] })).toEqual({
      code: "SOURCE_PROTOCOL_MISMATCH",
      detail: { source: "2001:db8::1", protocol: "icmp" },
    });
  });

  it("goes from an IPv6 source to an IPv4 host", () => {
    expect(problem({ sources: ["2001:db8::1"], dest: aCidr("10.0.0.5") })).toEqual({
      code: "DEST_FAMILY_MISMATCH",
      detail: { source: "2001:db8::1", address: "10.0.0.5" },
    });
  });

  it("is not repeated at length", () => {
    expect(problem({ sources: ["x".repeat(60)] })?.detail).toEqual({ source: "x".repeat(60) });
    expect(problem({ sources: ["x".repeat(5000)] })?.detail).toEqual({ source: `${"x".repeat(60)}…` });
  });

  it.each([0, 101, 1.5, Number.NaN])("is a programming error with priority %d", (priority) => {
    expect(() => parseGrant({ ...words, priority })).toThrow(
      `priority ${priority} is not a whole number from 1 to 100`,
    );
  });
});

describe("covering a sensitive port", () => {
  it.each<[Protocol, string, boolean]>([
    ["tcp", "22/22", true],
    ["udp", "1/65535", true],
    ["udp", "23/65535", false],
    ["tcp", "23/65535", false],
    ["tcp", "1/21", false],
    ["tcp", "-1/-1", true],
    ["all", "-1/-1", true],
    ["all", "80/80", true],
    ["icmp", "-1/-1", false],
    ["icmpv6", "-1/-1", false],
    ["gre", "-1/-1", false],
    [{ other: "6" }, "1/100", true],
    [{ other: "6" }, "80/80", false],
    [{ other: "17" }, "1/100", true],
    [{ other: "17" }, "80/80", false],
    [{ other: "50" }, "-1/-1", false],
    [{ other: "x6" }, "80/80", true],
    [{ other: "6x" }, "80/80", true],
    [{ other: "future" }, "-1/-1", true],
  ])("%j %s covers port 22: %s", (protocol, ports, covered) => {
    expect(coversPort(aSpec({ protocol, ports: somePorts(ports) }), 22)).toBe(covered);
  });

  it("counts a port list as covering", () => {
    expect(coversPort(aSpec({ ports: { kind: "list", portRangeListId: "prl-1" } }), 22)).toBe(true);
  });
});
