// What a trusted principal does to sensitive ports: adopted as long as nobody new can be everybody, else a ticket.
import { describe, expect, test } from "vitest";
import type { Entry } from "../../../shared/domain/ledger-entry.ts";
import type { Peer, Rule, RuleSpec } from "../../../shared/domain/rule.ts";
import { planGroup } from "../../../shared/plan/plan-group.ts";
import { anAllocated, anAllocation, aSighting, aWatch, terraform } from "../../kit/drift-pictures.ts";
import { anEntry, aPicture, HOUR, NOW, preExisting, ruleId } from "../../kit/plan-pictures.ts";
import { aRule, aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const onDatabase = (block: string | Peer, changes: Partial<RuleSpec> = {}): RuleSpec =>
  aSpec({ ports: somePorts("3306/3306"), peer: typeof block === "string" ? fromCidr(block) : block, ...changes });
const standing = (name: string, spec: RuleSpec): Rule => aRule({ ...spec, id: ruleId(name), createdAt: NOW - 60_000 });
const grant = (name: string, spec: RuleSpec): Entry => anAllocated({ spec, standing: preExisting(name) });

/** The items of rules that Terraform has opened beside these entries, and Bob beside them. */
function itemsOf(specs: readonly RuleSpec[], entries: readonly Entry[], bobs: readonly RuleSpec[] = []) {
  const rules = [...specs, ...bobs].map((spec, index) => standing(`${index}`, spec));
  const granted = entries.map((entry, index) => ({
    ...standing(`granted-${index}`, entry.spec),
    createdAt: NOW - HOUR,
  }));
  const sightings = [aSighting({ actor: terraform, specs }), aSighting({ eventId: "event-2", specs: bobs })];
  const watch = aWatch({ acts: "observe", sightings });
  return planGroup(aPicture({ rules: [...rules, ...granted], entries, watch })).drift.items;
}
const opened = (specs: readonly RuleSpec[], entries: readonly Entry[] = []): readonly string[] =>
  itemsOf(specs, entries).map(({ state }) => state);

/** What becomes of a granted rule that Terraform has removed, or made another of. */
function changed(spec: RuleSpec, then: RuleSpec | null, description = "", others: readonly Entry[] = []) {
  const entry = anAllocated({
    spec,
    standing: preExisting("1"),
    allocation: anAllocation({ description: "as granted" }),
    missingSince: NOW - HOUR,
  });
  const stand = others.map((it, index) => ({ ...standing(`granted-${index}`, it.spec), createdAt: NOW - HOUR }));
  const rules = then === null ? stand : [{ ...standing("1", then), description }, ...stand];
  const kind = then === null ? "revoke" : "modify";
  const sightings = [aSighting({ actor: terraform, kind, ruleIds: [ruleId("1")], specs: [then ?? spec] })];
  const { drift } = planGroup(aPicture({ rules, entries: [entry, ...others], watch: aWatch({ sightings }) }));
  return drift.items.map(({ state }) => state);
}

describe("of somebody trusted", () => {
  const everybody = onDatabase("0.0.0.0/0");

  test("a rule that lets everybody reach a sensitive port is a ticket, and the same on another port is adopted", () => {
    expect(opened([everybody])).toEqual(["reported"]);
    expect(opened([{ ...everybody, ports: somePorts("8443/8443") }])).toEqual(["adopted"]);
    expect(opened([{ ...everybody, direction: "egress" }])).toEqual(["adopted"]);
  });

  test.each<Peer>([
    { kind: "prefixList", prefixListId: "pl-1" },
    { kind: "opaque", text: "0.0.0.0/00" },
  ])("a rule of which nobody can tell whom it lets in is a ticket on a sensitive port: %o", (peer) => {
    expect(opened([onDatabase(peer)])).toEqual(["reported"]);
    expect(opened([onDatabase(peer, { ports: somePorts("8443/8443") })])).toEqual(["adopted"]);
    expect(opened([onDatabase(peer, { direction: "egress" })])).toEqual(["adopted"]);
  });

  test("256 rules that are the world together are 256 tickets, and one of them is none", () => {
    const pieces = Array.from({ length: 256 }, (_, octet) => onDatabase(`${octet}.0.0.0/8`));
    expect(new Set(opened(pieces))).toEqual(new Set(["reported"]));
    expect(opened(pieces.slice(7, 8))).toEqual(["adopted"]);
    expect(opened(["2400::/16", "2600::/16"].map((block) => onDatabase(block)))).toEqual(["reported", "reported"]);
  });

  test("a rule that makes the world with what is granted is a ticket, and beside a world that is granted it is adopted", () => {
    expect(opened([onDatabase("3.0.0.0/8")], [grant("granted-0", onDatabase("1.0.0.0/8"))])).toEqual(["reported"]);
    expect(opened([onDatabase("3.0.0.0/8")], [grant("granted-0", everybody)])).toEqual(["adopted"]);
  });

  test("what somebody else has opened, or a lease, makes no world with it, and is no world that was granted", () => {
    const [half, rest] = [onDatabase("3.0.0.0/8"), onDatabase("1.0.0.0/8")];
    expect(itemsOf([half], [], [rest]).map(({ state }) => state)).toEqual(["adopted", "reported"]);
    const lease = (spec: RuleSpec): Entry => anEntry({ spec, standing: preExisting("granted-0") });
    expect(opened([half], [lease(rest)])).toEqual(["adopted"]);
    expect(opened([half], [lease(everybody), grant("granted-1", rest)])).toEqual(["reported"]);
  });

  test("a ticket is a person's to decide, and says whose change it is", () => {
    const [item] = itemsOf([everybody], []);
    expect(item?.verdict).toEqual({ kind: "trusted", principal: "terraform", treat: "ticket" });
  });

  test("a rule that becomes wide is a ticket, and one that only says something else is adopted", () => {
    expect(changed(onDatabase("203.0.113.0/24"), everybody)).toEqual(["reported"]);
    expect(changed(onDatabase("203.0.113.0/24"), onDatabase("203.0.112.0/23"))).toEqual(["adopted"]);
    expect(changed(everybody, everybody, "other words")).toEqual(["adopted"]);
  });

  test("what it takes the place of is granted no more: neither a part of the world, nor a world that was there already", () => {
    expect(changed(onDatabase("1.0.0.0/8"), onDatabase("3.0.0.0/8"))).toEqual(["adopted"]);
    const rest = grant("granted-0", onDatabase("1.0.0.0/8"));
    expect(changed(everybody, onDatabase("3.0.0.0/8"), "", [rest])).toEqual(["reported"]);
    expect(changed(onDatabase("5.0.0.0/8"), onDatabase("3.0.0.0/8"), "", [rest])).toEqual(["reported"]);
  });

  test("a wide drop on a sensitive port that goes is a ticket, and a narrow one is adopted", () => {
    const drop = onDatabase("0.0.0.0/0", { policy: "drop" });
    expect(changed(drop, null)).toEqual(["reported"]);
    expect(changed(drop, { ...drop, priority: 100 })).toEqual(["reported"]);
    expect(changed(drop, drop, "other words")).toEqual(["adopted"]);
    expect(changed({ ...drop, peer: fromCidr("203.0.113.0/24") }, null)).toEqual(["adopted"]);
    expect(changed({ ...drop, ports: somePorts("8443/8443") }, null)).toEqual(["adopted"]);
  });
});
