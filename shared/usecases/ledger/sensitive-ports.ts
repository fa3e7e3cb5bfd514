// Who may let everybody reach a sensitive port: an administrator, who says so.
import type { GroupRef } from "../../domain/ids.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { sensitiveOpenings } from "../../domain/sensitive-openings.ts";
import { fail } from "../../errors/app-error.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";

/** What is to be granted, and whether the caller has said that everybody may reach it. */
export interface SensitiveAsk {
  readonly specs: readonly RuleSpec[];
  /** What goes when this comes; null for nothing. */
  readonly replaced: RuleSpec | null;
  readonly isConfirmed: boolean;
}

/**
 * Throws SENSITIVE_UNCONFIRMED where a sensitive port may be open to the world by a spec, by all of them, or by them beside what the
 * group's ledger grants, unless an administrator has confirmed it.
 */
export async function requireConfirmed(app: App, caller: Caller, group: GroupRef, ask: SensitiveAsk): Promise<void> {
  const { specs, replaced, isConfirmed } = ask;
  if (isConfirmed && caller.roles.includes("admin")) return;
  const goes = replaced && ruleKey(replaced);
  const { entries } = await listEntries(app.tables, group);
  const granted = entries.flatMap(({ allocation, key, spec }) => (allocation !== null && key !== goes ? [spec] : []));
  const open = sensitiveOpenings(specs, granted, caller.policy.lease.sensitivePorts);
  if (open.length > 0) throw fail("SENSITIVE_UNCONFIRMED", { rules: open.map(ruleKey).join(", ") });
}
