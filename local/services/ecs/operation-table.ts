// Every operation the embedded ECS knows; what is not here is refused as unknown.
import type { Operation } from "./operation.ts";
import { authorizeSecurityGroup, authorizeSecurityGroupEgress } from "./operations/authorize-security-group.ts";
import { createSecurityGroup } from "./operations/create-security-group.ts";
import { deleteSecurityGroup } from "./operations/delete-security-group.ts";
import { describeInstances } from "./operations/describe-instances.ts";
import { describeNetworkInterfaces } from "./operations/describe-network-interfaces.ts";
import { describeRegions } from "./operations/describe-regions.ts";
import { describeSecurityGroupAttribute } from "./operations/describe-security-group-attribute.ts";
import { describeSecurityGroups } from "./operations/describe-security-groups.ts";
import { joinSecurityGroup } from "./operations/join-security-group.ts";
import { leaveSecurityGroup } from "./operations/leave-security-group.ts";
import { modifySecurityGroupPolicy } from "./operations/modify-security-group-policy.ts";
import { modifySecurityGroupEgressRule, modifySecurityGroupRule } from "./operations/modify-security-group-rule.ts";
import { revokeSecurityGroup, revokeSecurityGroupEgress } from "./operations/revoke-security-group.ts";
import { tagResources } from "./operations/tag-resources.ts";

/** By the name the request carries in `x-acs-action`. */
export const operations: ReadonlyMap<string, Operation> = new Map([
  ["AuthorizeSecurityGroup", authorizeSecurityGroup],
  ["AuthorizeSecurityGroupEgress", authorizeSecurityGroupEgress],
  ["CreateSecurityGroup", createSecurityGroup],
  ["DeleteSecurityGroup", deleteSecurityGroup],
  ["DescribeInstances", describeInstances],
  ["DescribeNetworkInterfaces", describeNetworkInterfaces],
  ["DescribeRegions", describeRegions],
  ["DescribeSecurityGroupAttribute", describeSecurityGroupAttribute],
  ["DescribeSecurityGroups", describeSecurityGroups],
  ["JoinSecurityGroup", joinSecurityGroup],
  ["LeaveSecurityGroup", leaveSecurityGroup],
  ["ModifySecurityGroupEgressRule", modifySecurityGroupEgressRule],
  ["ModifySecurityGroupPolicy", modifySecurityGroupPolicy],
  ["ModifySecurityGroupRule", modifySecurityGroupRule],
  ["RevokeSecurityGroup", revokeSecurityGroup],
  ["RevokeSecurityGroupEgress", revokeSecurityGroupEgress],
  ["TagResources", tagResources],
]);
