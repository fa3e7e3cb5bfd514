// Which rules a policy speaks of, and when a season is.
import { describe, expect, test } from "vitest";
import { defaultPolicy } from "../../../shared/config/policy-schema.ts";
import { isMeant, isRecycled, occurrencesOf, type RuleMatch } from "../../../shared/domain/recycling-policy.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { aCidr, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const group = { groupId: "sg-web", name: "web" };
const all: RuleMatch = { groups: [], protocol: null, ports: null, sources: [], peers: [] };

test.each([
  [["sg-web"], true],
  [["db", "web"], true],
  [["db"], false],
  [[], false],
])("rules are recycled in groups that are named by id or name: %j %s", (groups, is) => {
  expect(isRecycled({ ...defaultPolicy("cn-hangzhou").recycling, groups }, group)).toBe(is);
});

describe("a match speaks of a rule", () => {
  test.each<[string, Partial<RuleMatch>, Partial<RuleSpec>, boolean]>([
    ["without any condition", {}, {}, true],
    ["by the group's id", { groups: ["sg-web"] }, {}, true],
    ["by the group's name", { groups: ["db", "web"] }, {}, true],
    ["of another group", { groups: ["db"] }, {}, false],
    ["by its protocol", { protocol: "tcp" }, {}, true],
    ["of another protocol", { protocol: "udp" }, {}, false],
    ["of all protocols", { protocol: "all" }, { protocol: "udp" }, true],
    ["by each protocol of all", { protocol: "udp" }, { protocol: "all", ports: { kind: "any" } }, true],
    ["by any protocol where its own is not known", { protocol: "udp" }, { protocol: { other: "future" } }, true],
    ["by another protocol than its number", { protocol: "udp" }, { protocol: { other: "50" } }, false],
    ["by the first of its ports", { ports: { from: 20, to: 22 } }, { ports: somePorts("22/25") }, true],
    ["by the last of its ports", { ports: { from: 25, to: 30 } }, { ports: somePorts("22/25") }, true],
    ["below its ports", { ports: { from: 20, to: 21 } }, { ports: somePorts("22/25") }, false],
    ["above its ports", { ports: { from: 26, to: 30 } }, { ports: somePorts("22/25") }, false],
    [
      "whose ports nobody can tell",
      { ports: { from: 1, to: 1 } },
      { ports: { kind: "list", portRangeListId: "l" } },
      true,
    ],
    ["by a block around its peer", { sources: [aCidr("10.0.0.0/8"), aCidr("203.0.113.0/24")] }, {}, true],
    ["by a block within its peer", { sources: [aCidr("203.0.113.7/32")] }, { peer: fromCidr("203.0.113.0/24") }, false],
    [
      "by a block, of a list",
      { sources: [aCidr("0.0.0.0/0")] },
      { peer: { kind: "prefixList", prefixListId: "l" } },
      false,
    ],
    ["by a group that is its peer", { peers: ["sg-1", "sg-2"] }, { peer: { kind: "group", groupId: "sg-2" } }, true],
    ["of another peer", { peers: ["sg-1"] }, { peer: { kind: "group", groupId: "sg-2" } }, false],
    ["by a list that is its peer", { peers: ["l"] }, { peer: { kind: "prefixList", prefixListId: "l" } }, true],
    ["of another list", { peers: ["l"] }, { peer: { kind: "prefixList", prefixListId: "m" } }, false],
    ["by peers, of a block", { peers: ["l"] }, {}, false],
    ["by some of its conditions alone", { groups: ["web"], protocol: "tcp", ports: { from: 1, to: 1 } }, {}, false],
  ])("%s", (_how, match, rule, is) => {
    expect(isMeant({ ...all, ...match }, aSpec(rule), group)).toBe(is);
  });
});

describe("a season", () => {
  const told = (from: string, to: string) =>
    occurrencesOf({ from, to }, Date.UTC(2026, 10, 5)).map((it) =>
      [it.from, it.until].map((at) => new Date(at).toISOString().slice(0, 16)).join(" "),
    );

  test("is told for two years back and one ahead, its last day whole", () => {
    expect(told("06-25", "07-05")).toEqual(
      [2024, 2025, 2026, 2027].map((year) => `${year}-06-25T00:00 ${year}-07-06T00:00`),
    );
  });

  test("ends in the next year where its end comes before its beginning, and a day has one", () => {
    expect(told("12-20", "01-10")).toEqual(
      [2024, 2025, 2026, 2027].map((year) => `${year}-12-20T00:00 ${year + 1}-01-11T00:00`),
    );
    expect(told("03-01", "03-01").at(-1)).toBe("2027-03-01T00:00 2027-03-02T00:00");
  });
});
