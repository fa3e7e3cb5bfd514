// Which drops are a lockdown's, as the checkers of lockdowns tell.
import type { EcsRule } from "../../../local/services/ecs/model.ts";
import { wordsOf } from "../observed.ts";
import type { SimWorld } from "../sim-world.ts";

/** True for a drop that is no quarantine's and nobody's own. */
export const isOfLockdown = ({ recycling, untouchable }: SimWorld, groupId: string, rule: EcsRule): boolean => {
  const words = wordsOf(rule);
  return rule.policy === "Drop" && !recycling.isQuarantine(groupId, words) && !untouchable.get(groupId)?.has(words);
};
