// Every operation the embedded ECS knows; what is not here is refused as unknown.

import {
  describeCloudAssistantStatus,
  describeInvocationResults,
  describeInvocations,
  stopInvocation,
} from "../assistant/describe-invocations.ts";
import { createCommand, invokeCommand, runCommand } from "../assistant/invoke.ts";
import { listKinds } from "./lists.ts";
import type { Operation } from "./operation.ts";
import { authorizeSecurityGroup, authorizeSecurityGroupEgress } from "./operations/authorize-security-group.ts";
import { deleteInstance, startInstance, stopInstance } from "./operations/change-instance-state.ts";
import { createSecurityGroup } from "./operations/create-security-group.ts";
import { deleteSecurityGroup } from "./operations/delete-security-group.ts";
import { describeInstances } from "./operations/describe-instances.ts";
import { describeNetworkInterfaces } from "./operations/describe-network-interfaces.ts";
import { describeRegions } from "./operations/describe-regions.ts";
import { describeSecurityGroupAttribute } from "./operations/describe-security-group-attribute.ts";
import { describeSecurityGroupReferences } from "./operations/describe-security-group-references.ts";
import { describeSecurityGroups } from "./operations/describe-security-groups.ts";
import { joinSecurityGroup } from "./operations/join-security-group.ts";
import { leaveSecurityGroup } from "./operations/leave-security-group.ts";
import { listProductQuotas } from "./operations/list-product-quotas.ts";
import { describeListAssociations, describeListEntries, describeLists } from "./operations/list-reads.ts";
import { listTagResources } from "./operations/list-tag-resources.ts";
import { createList, deleteList, modifyList } from "./operations/list-writes.ts";
import { modifySecurityGroupAttribute } from "./operations/modify-security-group-attribute.ts";
import { modifySecurityGroupPolicy } from "./operations/modify-security-group-policy.ts";
import { modifySecurityGroupEgressRule, modifySecurityGroupRule } from "./operations/modify-security-group-rule.ts";
import { modifyInstanceAttribute, modifyNetworkInterfaceAttribute } from "./operations/replace-groups.ts";
import { revokeSecurityGroup, revokeSecurityGroupEgress } from "./operations/revoke-security-group.ts";
import { tagResources, untagResources } from "./operations/tag-resources.ts";

/** The operations of ECS, by the name in `x-acs-action`. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ["AuthorizeSecurityGroup", authorizeSecurityGroup],
  ["AuthorizeSecurityGroupEgress", authorizeSecurityGroupEgress],
  ["CreateCommand", createCommand],
  ["CreatePortRangeList", createList(listKinds["port-range"])],
  ["CreatePrefixList", createList(listKinds.prefix)],
  ["CreateSecurityGroup", createSecurityGroup],
  ["DeletePortRangeList", deleteList(listKinds["port-range"])],
  ["DeletePrefixList", deleteList(listKinds.prefix)],
  ["DeleteInstance", deleteInstance],
  ["DeleteSecurityGroup", deleteSecurityGroup],
  ["DescribeCloudAssistantStatus", describeCloudAssistantStatus],
  ["DescribeInstances", describeInstances],
  ["DescribeInvocationResults", describeInvocationResults],
  ["DescribeInvocations", describeInvocations],
  ["DescribeNetworkInterfaces", describeNetworkInterfaces],
  ["DescribePortRangeListAssociations", describeListAssociations(listKinds["port-range"])],
  ["DescribePortRangeListEntries", describeListEntries(listKinds["port-range"])],
  ["DescribePortRangeLists", describeLists(listKinds["port-range"])],
  ["DescribePrefixListAssociations", describeListAssociations(listKinds.prefix)],
  ["DescribePrefixListAttributes", describeListEntries(listKinds.prefix)],
  ["DescribePrefixLists", describeLists(listKinds.prefix)],
  ["DescribeRegions", describeRegions],
  ["DescribeSecurityGroupAttribute", describeSecurityGroupAttribute],
  ["DescribeSecurityGroupReferences", describeSecurityGroupReferences],
  ["DescribeSecurityGroups", describeSecurityGroups],
  ["InvokeCommand", invokeCommand],
  ["JoinSecurityGroup", joinSecurityGroup],
  ["LeaveSecurityGroup", leaveSecurityGroup],
  ["ListTagResources", listTagResources],
  ["ModifyInstanceAttribute", modifyInstanceAttribute],
  ["ModifyNetworkInterfaceAttribute", modifyNetworkInterfaceAttribute],
  ["ModifyPortRangeList", modifyList(listKinds["port-range"])],
  ["ModifyPrefixList", modifyList(listKinds.prefix)],
  ["ModifySecurityGroupAttribute", modifySecurityGroupAttribute],
  ["ModifySecurityGroupEgressRule", modifySecurityGroupEgressRule],
  ["ModifySecurityGroupPolicy", modifySecurityGroupPolicy],
  ["ModifySecurityGroupRule", modifySecurityGroupRule],
  ["RevokeSecurityGroup", revokeSecurityGroup],
  ["RevokeSecurityGroupEgress", revokeSecurityGroupEgress],
  ["RunCommand", runCommand],
  ["StartInstance", startInstance],
  ["StopInstance", stopInstance],
  ["StopInvocation", stopInvocation],
  ["TagResources", tagResources],
  ["UntagResources", untagResources],
]);

/** The quota centre, which tells how often the operations may be called. */
const quotaOperations: ReadonlyMap<string, Operation> = new Map([
  ["ListProductQuotas", listProductQuotas([...operations.keys()])],
]);

/** By the version in `x-acs-version`, and by the name in `x-acs-action`. */
export const operationsOf = (version: string): ReadonlyMap<string, Operation> | undefined => {
  if (version === "2014-05-26") return operations;
  return version === "2020-05-10" ? quotaOperations : undefined;
};
