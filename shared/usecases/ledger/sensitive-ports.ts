// Who may let everybody reach a sensitive port: an administrator, who says so.
import type { Policy } from "../../domain/policy.ts";
import { coversSensitivePort, openToWorld } from "../../domain/reach.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import type { Caller } from "../app.ts";

const sensitiveOf = (specs: readonly RuleSpec[], policy: Policy): readonly RuleSpec[] =>
  openToWorld(specs.filter((spec) => coversSensitivePort(spec, policy.lease.sensitivePorts)));

/** Throws SENSITIVE_UNCONFIRMED unless no sensitive spec is open to the world, nor all together, or an administrator has confirmed it. */
export function requireConfirmed(specs: readonly RuleSpec[], caller: Caller, isConfirmed: boolean): void {
  const open = sensitiveOf(specs, caller.policy);
  if (open.length === 0 || (isConfirmed && caller.roles.includes("admin"))) return;
  throw fail("SENSITIVE_UNCONFIRMED", { rules: open.map(ruleKey).join(", ") });
}
