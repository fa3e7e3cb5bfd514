// The sets of ours that rules may name: where none names a prefix list, nothing is read.
import type { RuleSpec } from "../../domain/rule.ts";
import type { StandbySet } from "../../domain/standby.ts";
import { listStandbySets } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";

/** Every set where any of the rules names a prefix list, whoever's that is; one call then, and none otherwise. */
export const setsNamedBy = async (app: App, rules: readonly RuleSpec[]): Promise<readonly StandbySet[]> =>
  rules.some(({ peer }) => peer.kind === "prefixList") ? listStandbySets(app.tables) : [];
