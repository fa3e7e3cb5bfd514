// One group's part of the monthly audit: whose each port is, what counts for whom, and the order of both.
import { expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { auditGroup, failedGroup, letsIn } from "../../../shared/plan/audit-group.ts";
import type { UseVerdict } from "../../../shared/plan/judge-use.ts";
import { anAllocated, anAllocation, anItem } from "../../kit/drift-pictures.ts";
import { aHolder, anEndedHolder, anEntry } from "../../kit/plan-pictures.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

const group = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
const rule = (ports: string, change: Partial<Rule> = {}): Rule => ({
  ...{ ...aSpec({ ports: somePorts(ports) }), id: null, description: "", createdAt: null },
  ...change,
});
const verdict = (use: UseVerdict["use"]): UseVerdict => ({
  use,
  out: [],
  reasons: [{ code: "silence", text: `it is ${use}` }],
  window: { from: "2026-10-01", until: "2026-11-15" },
  coverage: 99.7,
  lastSession: null,
});
const nothing = {
  group,
  name: "web",
  entries: [],
  drift: [],
  changedOwners: [],
  recycledOwners: [],
  leases: new Map(),
};

test("every rule counts for one owner and one verdict, the unused ones first", () => {
  const audited = auditGroup({
    ...nothing,
    rules: [
      { rule: rule("80/80"), verdict: verdict("used") },
      { rule: rule("8080/8080"), verdict: verdict("unknown") },
      { rule: rule("443/443"), verdict: verdict("idle") },
      { rule: rule("22/22"), verdict: verdict("idle") },
    ],
    changedOwners: ["ann", "ann"],
    recycledOwners: ["bob"],
    leases: new Map([["carol", 3]]),
  });
  expect(audited.ports.map((it) => it.ports)).toEqual(["22", "443", "8080", "80"]);
  const none = { open: 0, used: 0, idle: 0, unknown: 0, leases: 0, drift: 0, changes: 0, recycling: 0 };
  expect(audited.owners).toEqual([
    { ...none, owner: "", open: 4, used: 1, idle: 2, unknown: 1 },
    { ...none, owner: "ann", changes: 2 },
    { ...none, owner: "bob", recycling: 1 },
    { ...none, owner: "carol", leases: 3 },
  ]);
  expect(audited.ports[0]).toMatchObject({ coverage: 99, why: "it is idle", provenance: "none" });
});

const someRule = { rule: rule("22/22"), verdict: verdict("used") };

test.each([
  ["nobody, where no entry says so", [], { owner: "", application: "", provenance: "none" }],
  [
    "who it is allocated to, whoever has a lease on it",
    [anAllocated({ holders: [aHolder({ principal: "bob" })] })],
    { owner: "ops", application: "shop", provenance: "baseline" },
  ],
  [
    "who has the first lease on it that has not ended",
    [
      anEntry({
        holders: [
          anEndedHolder({ principal: "ann", ended: { cause: "removed", note: "", detail: null } }),
          aHolder({ principal: "bob" }),
        ],
      }),
    ],
    { owner: "bob", application: "", provenance: "lease" },
  ],
  ["nobody, of an entry that nobody holds", [anEntry({ holders: [] })], { owner: "", provenance: "none" }],
  [
    "nobody, of another rule's entry",
    [anAllocated({ spec: aSpec({ ports: somePorts("23/23") }) })],
    { owner: "", provenance: "none" },
  ],
] as const)("a port is that of %s", (_what, entries, whose) => {
  expect(auditGroup({ ...nothing, rules: [someRule], entries }).ports).toMatchObject([whose]);
});

test("a port is listed with what it lets in and what is known of its use", () => {
  const used = { ...verdict("used"), reasons: [], lastSession: { at: 7 } as UseVerdict["lastSession"] };
  const any = { rule: rule("-1/-1", { protocol: "icmp", peer: fromCidr("10.0.0.0/8") }), verdict: used };
  const { ports } = auditGroup({ ...nothing, rules: [someRule, any] });
  expect(ports).toMatchObject([
    { protocol: "icmp", ports: "", source: "10.0.0.0/8", lastUsedAt: 7, why: "" },
    { protocol: "tcp", ports: "22", source: "203.0.113.7/32", lastUsedAt: null, why: "it is used" },
  ]);
});

test("of one use ports are listed by their number, and of one port by who is let in", () => {
  const from = (ports: string, source: string) => ({
    rule: rule(ports, { peer: fromCidr(source) }),
    verdict: verdict("idle"),
  });
  const rules = [from("443/443", "10.0.0.0/8"), from("80/80", "192.0.2.0/24"), from("80/80", "10.0.0.0/8")];
  for (const given of [rules, rules.toReversed()])
    expect(auditGroup({ ...nothing, rules: given }).ports.map((it) => [it.ports, it.source])).toEqual([
      ["80", "10.0.0.0/8"],
      ["80", "192.0.2.0/24"],
      ["443", "10.0.0.0/8"],
    ]);
});

test("drift counts for the owner of what was granted, and for nobody where nothing was or nobody is named", () => {
  const entry = anAllocated({ allocation: anAllocation({ owner: "dora" }) });
  const lease = anEntry({ spec: aSpec({ ports: somePorts("23/23") }) });
  const drift = [entry.entryId, entry.entryId, lease.entryId, null].map((entryId) => anItem({ entryId }));
  const { owners } = auditGroup({ ...nothing, rules: [], entries: [lease, entry], drift });
  expect(owners.map((it) => [it.owner, it.drift])).toEqual([
    ["", 2],
    ["dora", 2],
  ]);
});

test("who has most ports open comes first, and of two with as many the first by name", () => {
  const of = (port: number, owner: string) =>
    anAllocated({ spec: aSpec({ ports: somePorts(`${port}/${port}`) }), allocation: anAllocation({ owner }) });
  const entries = [of(1, "zoe"), of(2, "bob"), of(3, "ann"), of(4, "zoe")];
  const rules = entries.map(({ spec }) => ({
    rule: { ...spec, id: null, description: "", createdAt: null },
    verdict: verdict("used"),
  }));
  const { owners } = auditGroup({ ...nothing, rules, entries });
  expect(owners.map((it) => [it.owner, it.open])).toEqual([
    ["zoe", 2],
    ["ann", 1],
    ["bob", 1],
  ]);
});

test("all rules of a very large group are counted, and the first ones listed", () => {
  const rules = Array.from({ length: 2500 }, () => ({ rule: rule("80/80"), verdict: verdict("used") }));
  const { owners, ports, group: of, name, failed } = auditGroup({ ...nothing, rules });
  expect([of, name, failed]).toEqual([group, "web", null]);
  expect(owners[0]?.open).toBe(2500);
  expect(ports).toHaveLength(2000);
});

test("a group that could not be looked at keeps what is known without it", () => {
  const failed = failedGroup({ group, name: "web", leases: new Map([["ann", 2]]) }, "refused");
  expect(failed).toMatchObject({ failed: "refused", ports: [], owners: [{ owner: "ann", leases: 2, open: 0 }] });
});

test("what lets nobody in is no opening", () => {
  expect(letsIn(rule("80/80"))).toBe(true);
  expect(letsIn(rule("80/80", { policy: "drop" }))).toBe(false);
  expect(letsIn(rule("80/80", { direction: "egress" }))).toBe(false);
});
