// ModifySecurityGroupRule and ModifySecurityGroupEgressRule: change a rule in place; its id and creation time stay.
import type { RpcParameters } from "../../../protocol/rpc/parameters.ts";
import { refusal } from "../errors.ts";
import type { EcsDirection, EcsRule } from "../model.ts";
import { newId, type Operation, type OperationContext, requireOwnGroup, timestamp } from "../operation.ts";
import { permissionFieldNames, readPermission } from "../permission.ts";
import { entityTypeOf, isSameRule, peerOf } from "../rule-identity.ts";
import { checkRoomFor, weightOf } from "../rule-quotas.ts";
import type { EcsSwitches } from "../switches.ts";
import { inItsWords } from "../wordings.ts";

const textsOf = (rule: EcsRule): Record<string, string> => ({
  Policy: rule.policy,
  Priority: String(Math.min(rule.priority, 100)),
  IpProtocol: rule.ipProtocol,
  PortRange: rule.portRange,
  PortRangeListId: rule.portRangeListId,
  SourceCidrIp: rule.sourceCidrIp,
  Ipv6SourceCidrIp: rule.ipv6SourceCidrIp,
  SourceGroupId: rule.sourceGroupId,
  SourceGroupOwnerAccount: rule.sourceGroupOwnerAccount,
  SourcePrefixListId: rule.sourcePrefixListId,
  SourcePortRange: rule.sourcePortRange,
  DestCidrIp: rule.destCidrIp,
  Ipv6DestCidrIp: rule.ipv6DestCidrIp,
  DestGroupId: rule.destGroupId,
  DestGroupOwnerAccount: rule.destGroupOwnerAccount,
  DestPrefixListId: rule.destPrefixListId,
  Description: rule.description,
});

/** The whole new rule as parameters: what was sent over what stands. */
const merge = (rule: EcsRule, params: RpcParameters, switches: EcsSwitches): Record<string, string> => {
  const old = textsOf(rule);
  const merged: Record<string, string> = {};
  for (const name of permissionFieldNames) {
    const sent = params[name];
    if (sent === "" && (old[name] ?? "") !== "") throw refusal("InvalidParam.InvalidModifyRuleRequest");
    const isOmitted = sent === undefined && (name === "Policy" || name === "Priority");
    const value = sent ?? (isOmitted && switches.modifyOmitted === "reset" ? undefined : old[name]);
    if (value !== undefined && value !== "") merged[name] = value;
  }
  return merged;
};

const refuseOtherKind = (rule: EcsRule, params: RpcParameters): void => {
  const [side, otherSide] =
    rule.direction === "ingress" ? (["Source", "Dest"] as const) : (["Dest", "Source"] as const);
  if ((params[`${otherSide}GroupId`] ?? "") !== "") throw refusal("InvalidSourceOrDestGroupId.DirectionMissmatch");
  const sent = entityTypeOf({
    cidrIp: params[`${side}CidrIp`] ?? "",
    ipv6CidrIp: params[`Ipv6${side}CidrIp`] ?? "",
    groupId: params[`${side}GroupId`] ?? "",
    prefixListId: params[`${side}PrefixListId`] ?? "",
  });
  if (sent !== "none" && sent !== entityTypeOf(peerOf(rule))) throw refusal("InvalidOperation.ModifySgRuleEntityType");
  const hasRange = (params.PortRange ?? "") !== "";
  const hasList = (params.PortRangeListId ?? "") !== "" && !hasRange;
  if (rule.portRangeListId === "" ? hasList : hasRange) throw refusal("InvalidOperation.ModifyPortRangeType");
  if (params.NicType !== undefined && params.NicType !== rule.nicType) throw refusal("InvalidOperation.ModifyNicType");
};

const run = (context: OperationContext, direction: EcsDirection): Record<string, unknown> => {
  const { params, draft, switches } = context;
  const group = requireOwnGroup(context);
  const ruleId = params.SecurityGroupRuleId ?? "";
  if (ruleId === "") throw refusal("InvalidParam.InvalidModifyRuleRequest");
  const old = group.rules.find((rule) => rule.ruleId === ruleId && rule.direction === direction);
  if (old === undefined) throw refusal(switches.modifyMissingId);
  refuseOtherKind(old, params);
  const read = readPermission(
    { path: "", fields: merge(old, params, switches) },
    {
      direction,
      group,
      groups: draft.groups(),
      lists: draft.lists(),
      switches,
      purpose: "modify",
      accountId: context.account.accountId,
    },
  );
  // Old default rules have priority 110, which nobody may send.
  const isPriorityKept = params.Priority === undefined && switches.modifyOmitted === "keep";
  const fields = isPriorityKept ? { ...read, priority: old.priority } : read;
  const hasTwin = group.rules.some((rule) => rule.ruleId !== ruleId && isSameRule(rule, fields, switches));
  if (hasTwin) throw refusal("InvalidOperation.RuleDuplicate", ruleId);
  const born =
    switches.modifiedRule === "same-id"
      ? { ruleId, createTime: old.createTime }
      : { ruleId: newId(context.random, "sgr"), createTime: timestamp(context.now) };
  const rule: EcsRule = { ...fields, nicType: old.nicType, ...born };
  const rules = group.rules.map((each) => (each.ruleId === ruleId ? rule : each));
  // Another list may hold more. What is over its quota already may be modified as long as it does not grow.
  if (weightOf([rule], draft.lists()) > weightOf([old], draft.lists())) checkRoomFor(context, group, rules);
  draft.putGroup({ ...group, rules });
  return {};
};

/** The operation `ModifySecurityGroupRule`. */
export const modifySecurityGroupRule: Operation = inItsWords("ModifySecurityGroupRule", {
  takesClientToken: true,
  run: (context) => run(context, "ingress"),
});

/** The operation `ModifySecurityGroupEgressRule`. */
export const modifySecurityGroupEgressRule: Operation = inItsWords("ModifySecurityGroupEgressRule", {
  takesClientToken: true,
  run: (context) => run(context, "egress"),
});
