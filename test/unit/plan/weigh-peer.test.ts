// What a peer's traffic says about a rule, and whether it can have come in by it.
import { describe, expect, test } from "vitest";
import type { Protocol, RuleSpec } from "../../../shared/domain/rule.ts";
import { coversPort, weigherOf } from "../../../shared/plan/weigh-peer.ts";
import { aPeer, someUseTerms, TODAY } from "../../kit/evidence.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

describe("a peer's traffic", () => {
  const terms = someUseTerms({
    probes: [aCidr("192.0.2.1"), aCidr("203.0.113.1")],
    balancerSources: [aCidr("203.0.113.0/30")],
  });
  const weight = (block: string, rule: RuleSpec = aSpec({ peer: fromCidr("203.0.113.0/24") })) =>
    weigherOf({ rule, sameGroup: ["203.0.113.9"] }, terms)(aPeer(block, TODAY));

  test.each([
    ["203.0.113.77", "counts"],
    ["203.0.0.0/16", "counts"],
    ["203.0.113.1", "probe"],
    ["203.0.113.2", "balancer"],
    ["203.0.113.0/24", "counts"],
    ["203.0.113.9", "sameGroup"],
    ["198.51.100.1", "others"],
    ["nobody can read this", "counts"],
  ] as const)("of %s is told as: %s", (block, expected) => {
    expect(weight(block)).toBe(expected);
  });

  test("counts where the rule does not say from where by addresses", () => {
    expect(weight("198.51.100.1", aSpec({ peer: { kind: "prefixList", prefixListId: "pl-1" } }))).toBe("counts");
  });
});

describe("a rule lets in", () => {
  const rule = (protocol: Protocol, ports = "1/65535") =>
    aSpec({ protocol, ports: protocol === "tcp" || protocol === "udp" ? somePorts(ports) : { kind: "any" } });
  const covers = (protocol: Protocol, told: string, port = 0) => coversPort(rule(protocol), { protocol: told, port });

  test("its own ports, both ends of the range too, and what is told without one", () => {
    const ports = [7999, 8000, 8050, 8100, 8101, 0];
    const covered = ports.map((port) => coversPort(rule("tcp", "8000/8100"), { protocol: "tcp", port }));
    expect(covered).toEqual([false, true, true, true, false, true]);
  });

  test("its own protocol, by whichever name or number", () => {
    expect([covers("tcp", "tcp"), covers("tcp", "udp"), covers("udp", "udp")]).toEqual([true, false, true]);
    expect([covers({ other: "50" }, "50"), covers({ other: "50" }, "51"), covers({ other: "150" }, "50")]).toEqual([
      true,
      false,
      false,
    ]);
    // A number is one as a whole.
    expect([covers({ other: "50" }, "x50"), covers({ other: "50" }, "50x")]).toEqual([false, false]);
  });

  test("pings of both families by a rule for either", () => {
    for (const own of ["icmp", "icmpv6"] as const)
      for (const told of ["icmp", "icmpv6"]) expect(covers(own, told)).toBe(true);
    expect([covers("icmp", "tcp"), covers("tcp", "icmp"), covers("gre", "icmpv6")]).toEqual([false, false, false]);
  });

  test("anything, where it says so or where nobody can tell what it says", () => {
    for (const protocol of ["all", { other: "?" }] as const)
      for (const told of ["tcp", "icmp", "50"]) expect(covers(protocol, told)).toBe(true);
  });
});
