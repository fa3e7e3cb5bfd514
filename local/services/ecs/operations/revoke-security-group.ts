// RevokeSecurityGroup and RevokeSecurityGroupEgress: remove rules, by id or by what they permit.
import { listOf, structuresOf } from "../../../protocol/rpc/parameters.ts";
import { RpcError } from "../../../protocol/rpc/rpc-error.ts";
import { refusal } from "../errors.ts";
import type { EcsDirection, EcsGroup, EcsRule } from "../model.ts";
import { type Operation, type OperationContext, requireOwnGroup } from "../operation.ts";
import { readPermission } from "../permission.ts";
import { hasFlatPermission, permissionsOf, permissionsPerCallMax } from "../permissions.ts";
import { identityOf, type RuleFields } from "../rule-identity.ts";
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
  if (switches.revokeBatchWithMissingId === "none-deleted") throw missing;
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
  const identity = (rule: RuleFields): string =>
    identityOf(switches.revokePriority === "ignored" ? { ...rule, priority: 0 } : rule, switches);
  const wanted = permissionsOf(params).map((element) => identity(readPermission(element, scope)));
  if (new Set(wanted).size < wanted.length) throw refusal("InvalidParam.DuplicatePermissions");
  const present = new Set(group.rules.map(identity));
  const isMissing = wanted.some((each) => !present.has(each));
  if (isMissing && switches.revokePermissionsNoMatch !== "success") throw refusal(switches.revokePermissionsNoMatch);
  draft.putGroup({ ...group, rules: group.rules.filter((rule) => !wanted.includes(identity(rule))) });
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
