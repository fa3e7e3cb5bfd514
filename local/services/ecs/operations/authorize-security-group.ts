// AuthorizeSecurityGroup and AuthorizeSecurityGroupEgress: add rules. A rule that exists already is success and adds nothing.
import { RpcError } from "../../../protocol/rpc/rpc-error.ts";
import { refusal } from "../errors.ts";
import type { EcsDirection, EcsGroup, EcsRule } from "../model.ts";
import { newId, type Operation, type OperationContext, requireOwnGroup, timestamp } from "../operation.ts";
import { readPermission } from "../permission.ts";
import { permissionsOf } from "../permissions.ts";
import { isSameRule, type RuleFields } from "../rule-identity.ts";
import { checkRuleQuotas } from "../rule-quotas.ts";
import type { EcsSwitches } from "../switches.ts";
import { inItsWords } from "../wordings.ts";

const withRule = (context: OperationContext, group: EcsGroup, fields: RuleFields): EcsGroup => {
  const { switches, random, now } = context;
  const twins = group.rules.filter((rule) => isSameRule(rule, fields, switches));
  if (twins.some((rule) => rule.description === fields.description)) return group;
  const [twin] = twins;
  if (twin !== undefined && switches.authorizeDescriptionDiffers === "no-op") return group;
  if (twin !== undefined && switches.authorizeDescriptionDiffers === "updated") {
    const updated: EcsRule = { ...twin, description: fields.description };
    return { ...group, rules: group.rules.map((rule) => (rule === twin ? updated : rule)) };
  }
  checkRuleQuotas(context, group, fields);
  const rule: EcsRule = { ...fields, ruleId: newId(random, "sgr"), createTime: timestamp(now) };
  return { ...group, rules: [...group.rules, rule] };
};

const refuseDuplicate = (earlier: readonly RuleFields[], fields: RuleFields, switches: EcsSwitches): void => {
  const isDuplicate = earlier.some(
    (each) =>
      isSameRule(each, fields, switches) &&
      (each.description === fields.description || switches.duplicatePermissions === "same-rule"),
  );
  if (isDuplicate) throw refusal("InvalidParam.DuplicatePermissions");
};

const run = (context: OperationContext, direction: EcsDirection): Record<string, unknown> => {
  const { params, draft, switches } = context;
  let group = requireOwnGroup(context);
  const scope = {
    direction,
    group,
    groups: draft.groups(),
    lists: draft.lists(),
    switches,
    purpose: "authorize",
    accountId: context.account.accountId,
  } as const;
  const elements = permissionsOf(params);
  const earlier: RuleFields[] = [];
  const parse = (element: (typeof elements)[number]): RuleFields => {
    const fields = readPermission(element, scope);
    refuseDuplicate(earlier, fields, switches);
    earlier.push(fields);
    return fields;
  };
  if (elements.length === 1 || switches.authorizeBatch === "all-or-nothing") {
    for (const fields of elements.map(parse)) group = withRule(context, group, fields);
    draft.putGroup(group);
    return {};
  }
  for (const element of elements) {
    try {
      group = withRule(context, group, parse(element));
    } catch (error) {
      draft.putGroup(group);
      if (!(error instanceof RpcError)) throw error;
      throw new RpcError({ status: error.status, code: error.code, message: error.message, keepsEffect: true });
    }
  }
  draft.putGroup(group);
  return {};
};

/** The operation `AuthorizeSecurityGroup`. */
export const authorizeSecurityGroup: Operation = {
  takesClientToken: true,
  run: (context) => run(context, "ingress"),
};

/** The operation `AuthorizeSecurityGroupEgress`. */
export const authorizeSecurityGroupEgress: Operation = inItsWords("AuthorizeSecurityGroupEgress", {
  takesClientToken: true,
  run: (context) => run(context, "egress"),
});
