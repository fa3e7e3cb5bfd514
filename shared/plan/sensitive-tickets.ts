// What a trusted principal does to a sensitive port is a person's to decide where everybody gets in by it. Pure.
import type { DriftItem } from "../domain/drift-item.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { sensitiveOpenings } from "../domain/sensitive-openings.ts";
import type { Case } from "./drift-case.ts";

/**
 * The cases, with a ticket for each of somebody trusted by which, with all others of theirs that stand and with the ledger, a sensitive
 * port may be open to everybody. Nothing is adopted one by one that nobody would adopt at once.
 */
export function withTickets(
  entries: readonly Entry[],
  sensitivePorts: readonly number[],
  cases: readonly Case[],
): readonly Case[] {
  const trusted = cases.filter(({ item }) => item.verdict.kind === "trusted");
  if (trusted.length === 0) return cases;
  const replaced = new Set(trusted.flatMap(({ item }) => (item.wanted ? [ruleKey(item.wanted.spec)] : [])));
  const granted = entries.filter(({ allocation, key }) => allocation !== null && !replaced.has(key));
  const opened = trusted.flatMap(openedBy);
  const specs = granted.map(({ spec }) => spec);
  const sensitive = new Set(sensitiveOpenings(opened, specs, sensitivePorts).map(({ by }) => by));
  return cases.map((it) => (sensitive.has(it) ? { ...it, item: asTicket(it.item) } : it));
}

type Opened = RuleSpec & { readonly by: Case };

/** What it may let through that was not granted: a rule that stands, and where a drop went, what that kept out. */
function openedBy(it: Case): readonly Opened[] {
  const { found, wanted } = it.item;
  if (found && wanted && ruleKey(found.spec) === ruleKey(wanted.spec)) return [];
  const kept = [
    found?.spec,
    wanted?.spec.policy === "drop" ? { ...wanted.spec, policy: "accept" as const } : undefined,
  ];
  return kept.flatMap((spec) => (spec ? [{ ...spec, by: it }] : []));
}

const asTicket = (item: DriftItem): DriftItem =>
  item.verdict.kind === "trusted" ? { ...item, verdict: { ...item.verdict, treat: "ticket" } } : item;
