// What of a wide accept has to stay in a lockdown without drops.
import { describe, expect, test } from "vitest";
import type { OperatorPath } from "../../../shared/domain/operator-path.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { portsText, protocolText, sourceText } from "../../../shared/domain/rule-text.ts";
import { splitAccept } from "../../../shared/plan/split-accept.ts";
import { aCidr, aRule, fromCidr, somePorts } from "../../kit/rules.ts";

const ANY = { kind: "any" } as const;
const LISTED = { kind: "prefixList", prefixListId: "pl-1" } as const;
const ssh: OperatorPath = { protocol: "tcp", port: "22", sources: ["203.0.113.7"] };
const wide = (changes: Partial<Rule> = {}): Rule =>
  aRule({ ports: somePorts("1/65535"), peer: fromCidr("0.0.0.0/0"), priority: 7, ...changes });
const split = (
  changes: Partial<Rule> = {},
  core: readonly string[] = ["80"],
  operatorPath: readonly OperatorPath[] = [ssh],
) => splitAccept(wide(changes), { core, operatorPath });
const told = (...asked: Parameters<typeof split>) =>
  split(...asked)?.map((spec) => `${protocolText(spec)} ${portsText(spec.ports)} ${sourceText(spec.peer)}`);

describe("of a wide accept stays", () => {
  test.each<[string, Parameters<typeof split>, readonly string[]]>([
    ["what core ports and operators need", [{}], ["tcp 80 0.0.0.0/0", "tcp 22 203.0.113.7/32"]],
    ["a core port to those who have it", [{ peer: fromCidr("10.0.0.0/8") }], ["tcp 80 10.0.0.0/8"]],
    ["what ranges have in common", [{ ports: somePorts("79/81") }, ["80-90"], []], ["tcp 80-81 0.0.0.0/0"]],
    ["what is below a range", [{ ports: somePorts("70/81") }, ["60-71"], []], ["tcp 70-71 0.0.0.0/0"]],
    ["one port that ranges share", [{ ports: somePorts("70/80") }, ["80-90"], []], ["tcp 80 0.0.0.0/0"]],
    ["of udp what is of udp", [{ protocol: "udp" }, ["80", "udp/53"]], ["udp 53 0.0.0.0/0"]],
    ["nothing", [{ ports: somePorts("3306/3306") }], []],
    ["an operator's block within it", [{ peer: fromCidr("203.0.113.0/24") }, []], ["tcp 22 203.0.113.7/32"]],
    [
      "it for an operator's block around it",
      [{ peer: fromCidr("203.0.113.7/32") }, [], [{ ...ssh, sources: ["203.0.113.0/24"] }]],
      ["tcp 22 203.0.113.7/32"],
    ],
    [
      "of all protocols ping besides",
      [{ protocol: "all", ports: ANY }],
      ["tcp 80 0.0.0.0/0", "tcp 22 203.0.113.7/32", "icmp any 0.0.0.0/0"],
    ],
    [
      "of all protocols by IPv6 its own ping",
      [{ protocol: "all", ports: ANY, peer: fromCidr("::/0") }],
      ["tcp 80 ::/0", "icmpv6 any ::/0"],
    ],
    [
      "of all protocols from a list ping",
      [{ protocol: "all", ports: ANY, peer: LISTED }, ["80"], []],
      ["tcp 80 pl-1", "icmp any pl-1"],
    ],
    [
      "every port where operators come by every protocol",
      [{}, [], [{ protocol: "all", port: "", sources: ["203.0.113.7"] }]],
      ["tcp 1-65535 203.0.113.7/32"],
    ],
    [
      "of all protocols what operators have that is without ports",
      [{ protocol: "all", ports: ANY }, [], [{ protocol: "gre", port: "", sources: ["203.0.113.7"] }]],
      ["gre any 203.0.113.7/32", "icmp any 0.0.0.0/0"],
    ],
    ["each part once", [{}, ["80", "80"], [ssh, ssh]], ["tcp 80 0.0.0.0/0", "tcp 22 203.0.113.7/32"]],
    ["of a list what no operator comes by", [{ peer: LISTED, ports: somePorts("80/90") }], ["tcp 80 pl-1"]],
  ])("%s", (_what, asked, kept) => {
    expect(told(...asked)).toEqual(kept);
  });

  test("at its own priority, with all its fields", () => {
    const fields = { priority: 7, sourcePorts: somePorts("5/6"), dest: aCidr("10.0.0.1"), policy: "accept" } as const;
    for (const part of split(fields) ?? []) expect(part).toMatchObject({ ...fields, direction: "ingress" });
    expect(split(fields)).toHaveLength(2);
    expect(Object.keys(split()?.[0] ?? {}).sort()).toEqual(
      ["dest", "direction", "peer", "policy", "ports", "priority", "protocol", "sourcePorts"].sort(),
    );
  });
});

test.each<[string, Parameters<typeof split>]>([
  ["of a protocol that is not known", [{ protocol: { other: "50" } }]],
  ["of a list of ports", [{ ports: { kind: "list", portRangeListId: "l" } }]],
  ["from what nobody can read", [{ peer: { kind: "opaque", text: "?" } }, ["80"], []]],
  ["by a list where operators may come by it", [{ peer: LISTED }]],
  ["around a core port that nobody can read", [{}, ["?"]]],
  ["around a way of operators that nobody can read", [{}, [], [{ ...ssh, port: "?" }]]],
  ["that is all a core port", [{ ports: somePorts("80/80") }]],
  ["that is all a way of operators", [{ ports: somePorts("22/22"), peer: fromCidr("203.0.113.7") }, []]],
])("an accept is not split %s", (_what, asked) => {
  expect(split(...asked)).toBeNull();
});
