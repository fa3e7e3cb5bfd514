// When rules let everybody reach a sensitive port, alone or together, and when they do not.
import { describe, expect, it } from "vitest";
import type { Ports, Protocol, RuleSpec } from "../../../shared/domain/rule.ts";
import { mayOpenSensitive, sensitiveOpenings } from "../../../shared/domain/sensitive-openings.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const PORTS = [22, 3306];
const from = (block: string, changes: Partial<RuleSpec> = {}): RuleSpec => aSpec({ peer: fromCidr(block), ...changes });
const list: Ports = { kind: "list", portRangeListId: "prl-1" };

describe("a sensitive port is opened to everybody", () => {
  it.each<[string, readonly RuleSpec[]]>([
    ["by one block", [from("0.0.0.0/0")]],
    ["by two that are each no wider than is granted unseen", [from("1.0.0.0/8"), from("3.0.0.0/8")]],
    ["by one host more", [from("1.0.0.0/8"), from("203.0.113.7")]],
    ["by blocks of IPv6", [from("2400::/16"), from("2600::/16")]],
    [
      "by ranges that meet on it",
      [from("1.0.0.0/8", { ports: somePorts("20/22") }), from("3.0.0.0/8", { ports: somePorts("22/25") })],
    ],
    [
      "by another protocol each",
      [from("1.0.0.0/8"), from("3.0.0.0/8", { protocol: "all", ports: somePorts("-1/-1") })],
    ],
    ["host by host", [from("1.0.0.0/8", { dest: aCidr("10.0.0.1") }), from("3.0.0.0/8", { dest: aCidr("10.0.0.2") })]],
    ["by a list", [aSpec({ peer: { kind: "prefixList", prefixListId: "pl-1" } })]],
    ["by what nobody can read", [aSpec({ peer: { kind: "opaque", text: "0.0.0.0/00" } })]],
  ])("%s", (_how, specs) => {
    expect(sensitiveOpenings(specs, [], PORTS)).toEqual(specs);
  });

  it.each<[string, readonly RuleSpec[]]>([
    ["by a drop", [from("0.0.0.0/0", { policy: "drop" })]],
    ["by what goes out", [from("0.0.0.0/0", { direction: "egress" })]],
    ["by what is on another port", [from("1.0.0.0/8"), from("3.0.0.0/8", { ports: somePorts("3306/3306") })]],
    ["by half a block of each family", [from("1.0.0.0/8"), from("2400::/16")]],
    ["by the same block twice", [from("1.0.0.0/8"), from("1.2.0.0/16", { priority: 2 })]],
    ["by the members of a group", [aSpec({ peer: { kind: "group", groupId: "sg-1" } })]],
  ])("never %s", (_how, specs) => {
    expect(sensitiveOpenings(specs, [], PORTS)).toEqual([]);
  });

  it.each<[Protocol, Ports, boolean]>([
    ["tcp", somePorts("22/22"), true],
    ["udp", somePorts("3000/4000"), true],
    ["tcp", somePorts("23/3305"), false],
    ["tcp", somePorts("-1/-1"), true],
    ["tcp", list, true],
    ["all", somePorts("-1/-1"), true],
    [{ other: "future" }, somePorts("80/80"), true],
    ["icmp", somePorts("-1/-1"), false],
  ])("by everything from everybody that covers 22 or 3306: %j %j %s", (protocol, ports, covered) => {
    expect(sensitiveOpenings([from("0.0.0.0/0", { protocol, ports })], [], PORTS)).toHaveLength(covered ? 1 : 0);
  });

  it("by nothing where no port is sensitive", () => {
    expect(sensitiveOpenings([from("0.0.0.0/0", { protocol: "all", ports: { kind: "any" } })], [], [])).toEqual([]);
  });
});

describe("beside what is granted", () => {
  it("counts what makes it the world, and not what comes to a world that was granted", () => {
    const [one, other] = [from("1.0.0.0/8"), from("3.0.0.0/8")];
    expect(sensitiveOpenings([one], [other], PORTS)).toEqual([one]);
    expect(sensitiveOpenings([one], [from("0.0.0.0/0")], PORTS)).toEqual([]);
    expect(sensitiveOpenings([one, other], [from("0.0.0.0/0")], PORTS)).toEqual([one, other]);
  });

  it("names what comes, and nothing of what is on other ports", () => {
    const harmless = from("0.0.0.0/0", { ports: somePorts("443/443") });
    const [one, other] = [from("1.0.0.0/8"), from("3.0.0.0/8", { ports: somePorts("3306/3306") })];
    expect(sensitiveOpenings([harmless, one, other], [from("5.0.0.0/8")], PORTS)).toEqual([one]);
  });
});

it.each<[string, readonly RuleSpec[], boolean]>([
  ["one host", [from("203.0.113.7")], true],
  [
    "what opens another port beside it",
    [from("203.0.113.7", { ports: somePorts("80/80") }), from("203.0.113.7")],
    true,
  ],
  ["one host, on another port", [from("203.0.113.7", { ports: somePorts("80/80") })], false],
  ["a drop", [from("203.0.113.7", { policy: "drop" })], false],
  ["what goes out", [from("203.0.113.7", { direction: "egress" })], false],
  ["nothing", [], false],
])("a sensitive port may be opened to anybody, or may not, by %s", (_what, specs, may) => {
  expect(mayOpenSensitive(specs, PORTS)).toBe(may);
});
