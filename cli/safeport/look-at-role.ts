// What doctor says of the functions' role beyond what setup makes: who else may act as safeport, and what it may do besides.
import { CloudFailure } from "../../shared/ports/firewall.ts";
import type { CloudCalls } from "../setup/cloud-call.ts";
import { isTrustPolicy } from "../setup/ram-policy.ts";
import type { Finding } from "./finding.ts";

interface Attached {
  readonly PolicyName: string;
}

/** Nothing where there is no role: that is said where setup's own steps are looked at. Throws CloudFailure. */
export async function roleFindings({ ask, ram }: CloudCalls, role: string): Promise<readonly Finding[]> {
  const of = { RoleName: role };
  const [got, listed] = await Promise.all([ask(ram, "GetRole", of), ask(ram, "ListPoliciesForRole", of)]).catch(
    (error: unknown) => {
      if (error instanceof CloudFailure && error.cloudCode?.startsWith("EntityNotExist")) return [null, null];
      throw error;
    },
  );
  if (got === null || listed === null) return [];
  const trust = (got["Role"] as { readonly AssumeRolePolicyDocument?: string } | undefined)?.AssumeRolePolicyDocument;
  const attached = (listed["Policies"] as { readonly Policy?: readonly Attached[] } | undefined)?.Policy ?? [];
  const others = attached.map(({ PolicyName }) => PolicyName).filter((name) => name !== role);
  return [trustFinding(role, trust), policyFinding(role, others)];
}

function trustFinding(role: string, trust: string | undefined): Finding {
  const check = `who may act as ${role}`;
  const remedy = "Run safeport setup --apply, which sets it anew; whoever may act as the role can open every port.";
  if (trust === undefined) return { check, state: "unknown", found: "is not told", remedy };
  if (isTrustPolicy(trust)) return { check, state: "ok", found: "Function Compute alone", remedy: "" };
  return { check, state: "warn", found: `is not what setup makes: ${trust.slice(0, 300)}`, remedy };
}

function policyFinding(role: string, others: readonly string[]): Finding {
  const check = `what else ${role} may do`;
  if (others.length === 0) return { check, state: "ok", found: "nothing besides its own policy", remedy: "" };
  const remedy = "Take them from the role: its own policy is all that the functions need.";
  return { check, state: "warn", found: `it also has ${others.join(", ")}`, remedy };
}
