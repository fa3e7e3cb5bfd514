// RevokeSecurityGroup and RevokeSecurityGroupEgress: remove rules, by id or by what they permit.
import { listOf, structuresOf } from "../../../protocol/rpc/parameters.ts";
import { RpcError } from "../../../protocol/rpc/rpc-error.ts";
import { refusal } from "../errors.ts";
import type { EcsDirection, EcsGroup, EcsRule } from "../model.ts";
import { type Operation, type OperationContext, requireOwnGroup } from "../operation.ts";
import { readPermission } from "../permission.ts";
import { hasFlatPermission, permissionsOf, permissionsPerCallMax } from "../permissions.ts";
import { isSameRule, type RuleFields } from "../rule-identity.ts";
import { inItsWords } from "../wordings.ts";

interface Target {
  readonly group: EcsGroup;
  readonly direction: EcsDirection;
}

const revokeByIds = (
  { draft, switches }: OperationContext,
  { group, direction }: Target,
  ids: readonly string[],
): void => {
  if (ids.length > permissionsPerCallMax) throw refusal("InvalidParameter", "SecurityGroupRuleId");
  if (new Set(ids).size < ids.length) throw refusal("InvalidParam.SecurityGroupRuleIdRepeated");
  const isHit = new Set(ids);
  const isSeen = (rule: EcsRule): boolean =>
    rule.direction === direction || switches.revokeOtherDirection === "revoked";
  const left = group.rules.filter((rule) => !isHit.has(rule.ruleId) || !isSeen(rule));
  if (group.rules.length - left.length === ids.length) {
    draft.putGroup({ ...group, rules: left });
    return;
  }
  const missing = refusal(switches.revokeMissingId);
  if (ids.length === 1 || switches.revokeBatchWithMissingId === "none-deleted") throw missing;
  draft.putGroup({ ...group, rules: left });
  throw new RpcError({ status: missing.status, code: missing.code, message: missing.message, keepsEffect: true });
};

const revokeByPermissions = (context: OperationContext, { group, direction }: Target): void => {
  const { params, draft, switches } = context;
  const scope = {
    direction,
    group,
    groups: draft.groups(),
    lists: draft.lists(),
    switches,
    purpose: "revoke",
    accountId: context.account.accountId,
  } as const;
  const isPriorityLooked = (): boolean =>
    switches.revokePriority === "matched" && switches.authorizePriorityDiffers === "second-rule";
  const isOneOf = (rules: readonly RuleFields[], rule: RuleFields): boolean =>
    rules.some((each) => isSameRule(each, rule, switches, isPriorityLooked));
  const wanted = permissionsOf(params).map((element) => readPermission(element, scope));
  if (wanted.some((each, index) => isOneOf(wanted.slice(0, index), each))) {
    throw refusal("InvalidParam.DuplicatePermissions");
  }
  const isMissing = wanted.some((each) => !isOneOf(group.rules, each));
  if (isMissing && switches.revokePermissionsNoMatch !== "success") throw refusal(switches.revokePermissionsNoMatch);
  draft.putGroup({ ...group, rules: group.rules.filter((rule) => !isOneOf(wanted, rule)) });
};

const run = (context: OperationContext, direction: EcsDirection): Record<string, unknown> => {
  const { params } = context;
  const target = { group: requireOwnGroup(context), direction };
  const ids = listOf(params, "SecurityGroupRuleId");
  if (ids.length > 0) {
    if (structuresOf(params, "Permissions").length > 0 || hasFlatPermission(params)) {
      throw refusal("InvalidParam.Permissions");
    }
    revokeByIds(context, target, ids);
  } else {
    revokeByPermissions(context, target);
  }
  return {};
};

/** The operation `RevokeSecurityGroup`. */
export const revokeSecurityGroup: Operation = inItsWords("RevokeSecurityGroup", {
  takesClientToken: true,
  run: (context) => run(context, "ingress"),
});

/** The operation `RevokeSecurityGroupEgress`. */
export const revokeSecurityGroupEgress: Operation = inItsWords("RevokeSecurityGroupEgress", {
  takesClientToken: true,
  run: (context) => run(context, "egress"),
});
