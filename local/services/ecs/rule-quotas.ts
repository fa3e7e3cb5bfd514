// Whether one more rule fits: into its group, onto every interface of the group, and onto the lists it names.
import { refusal } from "./errors.ts";
import { associationsOf } from "./lists.ts";
import type { EcsGroup, EcsList } from "./model.ts";
import type { OperationContext } from "./operation.ts";
import type { RuleFields } from "./rule-identity.ts";

/** What rules count for: one each, or the most entries their lists may have, whatever they hold now. */
export const weightOf = (rules: readonly RuleFields[], lists: readonly EcsList[]): number => {
  const sizes = new Map(lists.map((list) => [list.listId, list.maxEntries]));
  const size = (listId: string): number => sizes.get(listId) ?? 1;
  return rules.reduce(
    (sum, rule) => sum + size(rule.sourcePrefixListId || rule.destPrefixListId) * size(rule.portRangeListId),
    0,
  );
};

/** Refuses so many rules of a group: for the group itself, or for an interface with the rules of its other groups. */
export const checkRoomFor = (
  { draft, limits }: Pick<OperationContext, "draft" | "limits">,
  group: EcsGroup,
  rules: readonly RuleFields[],
): void => {
  const lists = draft.lists();
  const wanted = weightOf(rules, lists);
  if (wanted > limits.rulesPerGroup) throw refusal("AuthorizationLimitExceed");
  for (const eni of draft.enis().filter((each) => each.groupIds.includes(group.groupId))) {
    const others = eni.groupIds.filter((id) => id !== group.groupId).flatMap((id) => draft.group(id)?.rules ?? []);
    if (wanted + weightOf(others, lists) > limits.rulesPerEni) throw refusal("AuthorizationLimitExceed");
  }
};

/** Refuses a rule for which there is no room in the group as it stands. */
export const checkRuleQuotas = (context: OperationContext, group: EcsGroup, rule: RuleFields): void => {
  const { draft, limits } = context;
  checkRoomFor(context, group, [...group.rules, rule]);
  const hasGroup = (each: RuleFields): boolean => each.sourceGroupId !== "" || each.destGroupId !== "";
  if (hasGroup(rule) && group.rules.filter(hasGroup).length + 1 > limits.groupRulesPerGroup) {
    throw refusal("AuthorizedGroupRule.LimitExceed");
  }
  for (const listId of [rule.sourcePrefixListId, rule.destPrefixListId, rule.portRangeListId]) {
    const groups = listId === "" ? [] : associationsOf(draft.groups(), listId).filter((id) => id !== group.groupId);
    if (groups.length + 1 > limits.listAssociations) throw refusal("LimitExceed.PrefixListAssociationResource");
  }
};
