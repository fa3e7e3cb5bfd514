// When a pass had nothing to do: how the group looked then, as the text that its row keeps.
import type { GroupRow, Guard } from "./guard.ts";

/** The rules by their digest, and the guard under which they gave nothing to do. */
export const settlementOf = (guard: Guard, digest: string): string => `${guard} ${digest}`;

/** The digest with which this guard and version of the policy give nothing to do; null when none is known. */
export function settledDigest(row: GroupRow | null, guard: Guard, policyVersion: number): string | null {
  const settled = row?.settled ?? null;
  if (settled === null || settled.policyVersion !== policyVersion) return null;
  const start = settlementOf(guard, "");
  return settled.rules.startsWith(start) ? settled.rules.slice(start.length) : null;
}

/** False where the group may have been guarded, and no pass has settled it without a guard since. */
export const isSettledUnguarded = ({ settled }: GroupRow): boolean =>
  settled?.rules.startsWith(settlementOf("none", "")) === true;
