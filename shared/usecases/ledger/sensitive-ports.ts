// Who may let everybody reach a sensitive port: an administrator, who says so.
import type { Policy } from "../../domain/policy.ts";
import { coversSensitivePort, isOpenToWorld } from "../../domain/reach.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import type { Caller } from "../app.ts";

const isSensitive = (spec: RuleSpec, policy: Policy): boolean =>
  isOpenToWorld(spec) && coversSensitivePort(spec, policy.lease.sensitivePorts);

/** Throws SENSITIVE_UNCONFIRMED unless no spec is sensitive and open to the world, or an administrator has confirmed it. */
export function requireConfirmed(specs: readonly RuleSpec[], caller: Caller, isConfirmed: boolean): void {
  const open = specs.filter((spec) => isSensitive(spec, caller.policy));
  if (open.length === 0 || (isConfirmed && caller.roles.includes("admin"))) return;
  throw fail("SENSITIVE_UNCONFIRMED", { rules: open.map(ruleKey).join(", ") });
}
