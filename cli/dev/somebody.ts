// Somebody else in the embedded cloud: an ordinary user with rights to change groups, who does not know safeport.
import { AuthorizeSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/AuthorizeSecurityGroupRequest.js";
import { RevokeSecurityGroupRequest } from "@alicloud/ecs20140526/dist/models/RevokeSecurityGroupRequest.js";
import { ecsRpcClient, type RequestModel } from "../../shared/adapters/alibaba/rpc-client.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { Clock } from "../../shared/ports/clock.ts";

/** Where somebody acts, and with which key. */
export interface Somebody {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  /** Host and port of ECS. */
  readonly ecs: string;
  readonly region: string;
  readonly groupId: string;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** A rule in the words of the cloud. */
export interface SomebodysRule {
  readonly port: number;
  readonly source: string;
}

/** Opens a port, or removes what is open on it, as the cloud's own tools would. Throws CloudFailure. */
export async function act(who: Somebody, what: "open" | "remove", { port, source }: SomebodysRule): Promise<void> {
  const { accessKeyId, accessKeySecret, ecs, region, groupId, clock = systemClock } = who;
  const rpc = ecsRpcClient({
    clock,
    credentials: () => ({ accessKeyId, accessKeySecret }),
    endpoint: () => ecs,
    protocol: "http",
  });
  const permission = {
    ipProtocol: "tcp",
    portRange: `${port}/${port}`,
    sourceCidrIp: source,
    policy: "accept",
    priority: "1",
  };
  const fields = { regionId: region, securityGroupId: groupId };
  const request = (): RequestModel =>
    what === "open"
      ? new AuthorizeSecurityGroupRequest({
          ...fields,
          permissions: [{ ...permission, description: "just for a test" }],
        })
      : new RevokeSecurityGroupRequest({ ...fields, permissions: [permission] });
  const action = what === "open" ? "AuthorizeSecurityGroup" : "RevokeSecurityGroup";
  await rpc.call({ action, region, priority: "open", reading: false, request });
}
