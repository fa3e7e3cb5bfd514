// What a changed list means: which granted rules name it, and what of it is beyond what they allow.
import { describe, expect, test } from "vitest";
import type { ListRef } from "../../../shared/domain/list-ref.ts";
import type { RuleSpec } from "../../../shared/domain/rule.ts";
import { listReach } from "../../../shared/plan/list-reach.ts";
import { anAllocated, anAllocation } from "../../kit/drift-pictures.ts";
import { anEntry } from "../../kit/plan-pictures.ts";
import { aCidr, aSpec } from "../../kit/rules.ts";

const offices: ListRef = { region: "cn-hangzhou", kind: "prefix", listId: "pl-1" };
const ports: ListRef = { ...offices, kind: "port", listId: "prl-1" };
const naming = (changes: Partial<RuleSpec> = {}): RuleSpec =>
  aSpec({ peer: { kind: "prefixList", prefixListId: "pl-1" }, ...changes });
const granted = (spec: RuleSpec, ...allowedSources: string[]) =>
  anAllocated({ spec, allocation: anAllocation({ allowedSources }) });

describe("a changed list", () => {
  test("is told of the entries that name it as their peer, or as their ports", () => {
    const byPorts = granted(aSpec({ ports: { kind: "list", portRangeListId: "prl-1" } }));
    const bySource = granted(aSpec({ sourcePorts: { kind: "list", portRangeListId: "prl-1" } }));
    const byPeer = granted(naming());
    const other = granted(naming({ peer: { kind: "prefixList", prefixListId: "pl-2" } }));
    const otherPorts = granted(aSpec({ ports: { kind: "list", portRangeListId: "prl-2" } }));
    const entries = [byPorts, bySource, byPeer, other, otherPorts, granted(aSpec())];
    expect(listReach(entries, ports, null).naming).toEqual([byPorts, bySource]);
    expect(listReach(entries, offices, null).naming).toEqual([byPeer]);
  });

  test.each([
    ["within what is allowed", ["192.0.2.0/23"], ["192.0.2.0/24", "192.0.3.7/32"], []],
    ["partly beyond it", ["192.0.2.0/24"], ["192.0.2.0/23", "192.0.2.9/32"], ["192.0.2.0/23"]],
    ["everybody, where nothing is said of sources", [], ["0.0.0.0/0", "10.0.0.0/8", "::/0"], ["0.0.0.0/0", "::/0"]],
    ["within one of several blocks that are allowed", ["192.0.2.0/24", "10.0.0.0/8"], ["10.1.0.0/16"], []],
    ["all that nothing legible allows, where that is everybody", ["an office"], ["10.0.0.0/8", "::/0"], ["::/0"]],
    ["everybody, where just that is allowed", ["0.0.0.0/0"], ["0.0.0.0/0"], []],
  ])("%s", (_what, allowed, blocks, beyond) => {
    expect(listReach([granted(naming(), ...allowed)], offices, blocks.map(aCidr)).beyond).toEqual(beyond);
  });

  test("lets everybody in where a lease alone asks for the rule, and nobody where its blocks are not known", () => {
    const leased = anEntry({ spec: naming() });
    expect(listReach([leased], offices, ["10.0.0.0/8", "0.0.0.0/0"].map(aCidr)).beyond).toEqual(["0.0.0.0/0"]);
    for (const entry of [leased, granted(naming(), "10.0.0.0/8")])
      expect(listReach([entry], offices, null)).toEqual({ naming: [entry], beyond: [] });
  });

  test("names a block once, and is harmless where the rule lets nothing through", () => {
    const twice = [granted(naming(), "10.0.0.0/8"), granted(naming({ priority: 2 }), "10.0.0.0/8")];
    expect(listReach(twice, offices, [aCidr("0.0.0.0/0")]).beyond).toEqual(["0.0.0.0/0"]);
    expect(listReach([granted(naming({ policy: "drop" }))], offices, [aCidr("0.0.0.0/0")]).beyond).toEqual([]);
  });
});
