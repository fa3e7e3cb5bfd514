// The parts of the official SDKs that calls to ECS and CloudMonitor need, in one module, so that it is loaded on the first call only.
import { DescribeMetricListRequest } from "@alicloud/cms20190101/dist/models/DescribeMetricListRequest.js";
import {
  PutCustomMetricRequest,
  PutCustomMetricRequestMetricList,
} from "@alicloud/cms20190101/dist/models/PutCustomMetricRequest.js";
import { AuthorizeSecurityGroupEgressRequest } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupEgressRequest.js";
import { AuthorizeSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupRequest.js";
import { DescribeInstancesRequest } from "@alicloud/ecs20140526/dist/models/DescribeInstancesRequest.js";
import { DescribeNetworkInterfacesRequest } from "@alicloud/ecs20140526/dist/models/DescribeNetworkInterfacesRequest.js";
import { DescribeSecurityGroupAttributeRequest } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupAttributeRequest.js";
import { DescribeSecurityGroupsRequest } from "@alicloud/ecs20140526/dist/models/DescribeSecurityGroupsRequest.js";
import { ModifySecurityGroupEgressRuleRequest } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupEgressRuleRequest.js";
import { ModifySecurityGroupRuleRequest } from "@alicloud/ecs20140526/dist/models/ModifySecurityGroupRuleRequest.js";
import { RevokeSecurityGroupEgressRequest } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupEgressRequest.js";
import { RevokeSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupRequest.js";
import * as utils from "@alicloud/openapi-core/dist/utils.js";

/** The official request models of the calls we make; `toMap` gives the wire names. @public reached through the module as a whole */
export const models = {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupRequest,
  DescribeInstancesRequest,
  DescribeMetricListRequest,
  DescribeNetworkInterfacesRequest,
  DescribeSecurityGroupAttributeRequest,
  DescribeSecurityGroupsRequest,
  ModifySecurityGroupEgressRuleRequest,
  ModifySecurityGroupRuleRequest,
  PutCustomMetricRequest,
  PutCustomMetricRequestMetricList,
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupRequest,
};

type Helpers = typeof utils.default;

// Under native ESM the default export of a CommonJS module is the module itself.
const wrapped = utils.default as Helpers | { readonly default: Helpers };

/** The SDK's own helpers: what signs a request, and what its headers are made of. */
export const helpers: Helpers = "default" in wrapped ? wrapped.default : wrapped;

/** Flattens nested parameters the way the generated client does: `Permissions.1.Policy`. @public as above */
export function flattenQuery(parameters: Readonly<Record<string, unknown>>): Record<string, string> {
  return helpers.query({ ...parameters });
}
