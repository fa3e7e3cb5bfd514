import { expect, test } from "vitest";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { Rule } from "../../../shared/domain/rule.ts";
import { auditGroup, failedGroup, letsIn } from "../../../shared/plan/audit-group.ts";
import type { UseVerdict } from "../../../shared/plan/judge-use.ts";
import { aSpec, somePorts } from "../../kit/rules.ts";

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

test("all rules of a very large group are counted, and the first ones listed", () => {
  const rules = Array.from({ length: 2500 }, () => ({ rule: rule("80/80"), verdict: verdict("used") }));
  const { owners, ports } = auditGroup({ ...nothing, rules });
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
