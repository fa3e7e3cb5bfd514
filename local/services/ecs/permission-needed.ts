// Which action on which resources a call needs, as the service's authorization table has it.

import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { listOf } from "../../protocol/rpc/parameters.ts";
import type { Permission } from "../../ram.ts";
import type { AccountSeed } from "./seed.ts";

/** Parameters that name a resource, by the kind of the resource. */
const namedBy: ReadonlyArray<readonly [string, string]> = [
  ["SecurityGroupId", "securitygroup"],
  ["PrefixListId", "prefixlist"],
  ["PortRangeListId", "portrangelist"],
  ["InstanceId", "instance"],
  ["NetworkInterfaceId", "eni"],
  ["CommandId", "command"],
];
const tagged: Readonly<Record<string, string>> = { securitygroup: "securitygroup", instance: "instance", eni: "eni" };
const resourceIn: ReadonlyArray<readonly [RegExp, string]> = [
  [/SecurityGroup/, "securitygroup"],
  [/PrefixList/, "prefixlist"],
  [/PortRangeList/, "portrangelist"],
  [/NetworkInterface/, "eni"],
  [/Instances|CloudAssistantStatus|Invocation/, "instance"],
  [/Command/, "command"],
];

/** Asked for commands beside the instances that they name. */
const ofCommands: readonly string[] = ["RunCommand", "DescribeInvocations", "DescribeInvocationResults"];

/** What a call needs. A read that names nothing needs all of a kind. */
export function permissionNeeded(
  operation: string,
  params: RpcParameters,
  account: Pick<AccountSeed, "accountId" | "regionId">,
): Permission {
  if (operation === "ListProductQuotas") return { action: `quotas:${operation}`, resources: ["*"] };
  const base = `acs:ecs:${params.RegionId || account.regionId}:${account.accountId}:`;
  const named = namedBy.flatMap(([parameter, kind]) =>
    [params[parameter] ?? "", ...listOf(params, parameter)].filter((id) => id !== "").map((id) => `${kind}/${id}`),
  );
  const ofTags = tagged[params["ResourceType"] ?? ""];
  if (ofTags !== undefined) named.push(...listOf(params, "ResourceId").map((id) => `${ofTags}/${id}`));
  // What a command is kept as has no name before it runs, and its results are asked for by the run alone.
  if (ofCommands.includes(operation)) named.push("command/*");
  const kind = resourceIn.find(([name]) => name.test(operation))?.[1];
  if (named.length === 0 && kind !== undefined) named.push(`${kind}/*`);
  return { action: `ecs:${operation}`, resources: named.length === 0 ? ["*"] : named.map((name) => base + name) };
}
