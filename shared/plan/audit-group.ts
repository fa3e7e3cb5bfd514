// One group of the monthly audit, from what is known of it. Pure.
import {
  type AuditCounts,
  type AuditedGroup,
  type AuditedPort,
  addCounts,
  noCounts,
  type OwnerCounts,
} from "../domain/audit.ts";
import type { DriftItem } from "../domain/drift-item.ts";
import type { GroupRef } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { Rule } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { portsText, protocolText, sourceText } from "../domain/rule-text.ts";
import type { UseVerdict } from "./judge-use.ts";

/** What one group's part is made of. Drift and changes are those of the month, each with whom it belongs to. */
export interface GroupFindings {
  readonly group: GroupRef;
  readonly name: string;
  /** Rules that let somebody in, each with the verdict on its use. */
  readonly rules: readonly { readonly rule: Rule; readonly verdict: UseVerdict }[];
  readonly entries: readonly Entry[];
  readonly drift: readonly DriftItem[];
  /** Owners of the entries that changed, once for each change. */
  readonly changedOwners: readonly string[];
  /** Owners of the rules that took a step in the recycling queue, once for each step. */
  readonly recycledOwners: readonly string[];
  /** Leases asked for in the month, by principal. */
  readonly leases: ReadonlyMap<string, number>;
}

/** Ports that are listed of one group; all are counted. */
const PORTS_MAX = 2000;

/** True for a rule that an audit is about. */
export const letsIn = (rule: Rule): boolean => rule.direction === "ingress" && rule.policy === "accept";

/** The group's part: counts for each owner, the one with most open rules first, and the rules, unused ones first. */
export function auditGroup(findings: GroupFindings): AuditedGroup {
  const { group, name, rules, entries, drift, changedOwners, recycledOwners, leases } = findings;
  const byKey = new Map(entries.map((entry) => [entry.key, entry]));
  const ports = rules.map(({ rule, verdict }) => portOf(rule, byKey.get(ruleKey(rule)) ?? null, verdict));
  const counts = new Map<string, AuditCounts>();
  const count = (owner: string, change: Partial<AuditCounts>): void => {
    counts.set(owner, addCounts(counts.get(owner) ?? noCounts, { ...noCounts, ...change }));
  };
  for (const { owner, use } of ports) count(owner, { open: 1, [use]: 1 });
  for (const [principal, number] of leases) count(principal, { leases: number });
  for (const owner of changedOwners) count(owner, { changes: 1 });
  for (const owner of recycledOwners) count(owner, { recycling: 1 });
  for (const { entryId } of drift)
    count(entries.find((entry) => entry.entryId === entryId)?.allocation?.owner ?? "", { drift: 1 });
  const owners: OwnerCounts[] = [...counts].map(([owner, its]) => ({ owner, ...its }));
  return {
    group,
    name,
    owners: owners.sort((a, b) => b.open - a.open || (a.owner < b.owner ? -1 : 1)),
    ports: ports.sort(byConcern).slice(0, PORTS_MAX),
    failed: null,
  };
}

/** A group that could not be looked at, with the leases that were asked for in it. */
export function failedGroup(
  { group, name, leases }: Pick<GroupFindings, "group" | "name" | "leases">,
  failed: string,
): AuditedGroup {
  const owners = [...leases].map(([owner, number]) => ({ ...noCounts, owner, leases: number }));
  return { group, name, owners, ports: [], failed };
}

const CONCERN = { idle: 0, unknown: 1, used: 2 } as const;

function byConcern(a: AuditedPort, b: AuditedPort): number {
  const order = CONCERN[a.use] - CONCERN[b.use] || a.ports.localeCompare(b.ports, "en", { numeric: true });
  return order || (a.source < b.source ? -1 : 1);
}

function portOf(rule: Rule, entry: Entry | null, verdict: UseVerdict): AuditedPort {
  const allocation = entry?.allocation ?? null;
  const holder = entry?.holders.find((it) => it.ended === null) ?? null;
  return {
    protocol: protocolText(rule),
    ports: rule.ports.kind === "any" ? "" : portsText(rule.ports),
    source: sourceText(rule.peer),
    owner: allocation?.owner ?? holder?.principal ?? "",
    application: allocation?.application ?? "",
    provenance: allocation?.provenance ?? (holder === null ? "none" : "lease"),
    use: verdict.use,
    lastUsedAt: verdict.lastSession?.at ?? null,
    coverage: Math.floor(verdict.coverage),
    why: verdict.reasons[0]?.text ?? "",
  };
}
