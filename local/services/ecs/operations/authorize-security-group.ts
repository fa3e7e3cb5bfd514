// AuthorizeSecurityGroup and AuthorizeSecurityGroupEgress: add rules. A rule that exists already is success and adds nothing.
import { RpcError } from "../../../protocol/rpc/rpc-error.ts";
import { refusal } from "../errors.ts";
import type { EcsDirection, EcsGroup, EcsRule } from "../model.ts";
import { newId, type Operation, type OperationContext, requireOwnGroup, timestamp } from "../operation.ts";
import { readPermission } from "../permission.ts";
import { permissionsOf } from "../permissions.ts";
import { identityOf, type RuleFields } from "../rule-identity.ts";
import { checkRuleQuotas } from "../rule-quotas.ts";
import { inItsWords } from "../wordings.ts";

const withRule = (context: OperationContext, group: EcsGroup, fields: RuleFields): EcsGroup => {
  const { switches, random, now } = context;
  const identity = identityOf(fields, switches);
  const twin = group.rules.find((rule) => identityOf(rule, switches) === identity);
  const isTextNew = twin !== undefined && twin.description !== fields.description;
  if (twin !== undefined && isTextNew && switches.authorizeDescriptionDiffers === "updated") {
    const updated: EcsRule = { ...twin, description: fields.description };
    return { ...group, rules: group.rules.map((rule) => (rule === twin ? updated : rule)) };
  }
  const isSecondText =
    switches.authorizeDescriptionDiffers === "second-rule" &&
    !group.rules.some((rule) => identityOf(rule, switches) === identity && rule.description === fields.description);
  if (twin !== undefined && !isSecondText) return group;
  checkRuleQuotas(context, group, fields);
  const rule: EcsRule = { ...fields, ruleId: newId(random, "sgr"), createTime: timestamp(now) };
  return { ...group, rules: [...group.rules, rule] };
};

const refuseDuplicates = (seen: Set<string>, identity: string): void => {
  if (seen.has(identity)) throw refusal("InvalidParam.DuplicatePermissions");
  seen.add(identity);
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
  const identities = new Set<string>();
  const parse = (element: (typeof elements)[number]): RuleFields => {
    const fields = readPermission(element, scope);
    const isTextLooked = switches.duplicatePermissions === "same-rule-and-description";
    refuseDuplicates(identities, identityOf(fields, switches) + (isTextLooked ? fields.description : ""));
    return fields;
  };
  if (switches.authorizeBatch === "all-or-nothing") {
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
