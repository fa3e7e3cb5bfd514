// The sets of ours that rules may name: where none names a prefix list, nothing is read.
import type { Rule, RuleSpec } from "../../domain/rule.ts";
import type { StandbySet } from "../../domain/standby.ts";
import { standInFor } from "../../plan/standby-drops.ts";
import type { App } from "../app.ts";
import { setsThatCanBeRead } from "../lockdown/sets-that-can-be-read.ts";

/**
 * Every set where any of the rules names a prefix list, whoever's that is; one call then, and none otherwise. For sets that cannot be read
 * another one stands in, by which their drops keep everybody out: what nobody knows opens nothing.
 */
export async function setsNamedBy(app: App, rules: readonly (RuleSpec | Rule)[]): Promise<readonly StandbySet[]> {
  if (!rules.some(({ peer }) => peer.kind === "prefixList")) return [];
  const { sets, isWhole } = await setsThatCanBeRead(app);
  return isWhole ? sets : [...sets, standInFor(rules, sets)];
}
