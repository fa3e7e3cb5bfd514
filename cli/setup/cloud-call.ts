// Calls of setup and doctor to the cloud's RPC services, with the operator's own keys.
import {
  actionTrailRpcClient,
  cloudMonitorRpcClient,
  ecsRpcClient,
  quotasRpcClient,
  type RpcClient,
  type RpcSettings,
  ramRpcClient,
  vpcRpcClient,
} from "../../shared/adapters/alibaba/rpc-client.ts";
import type { Configuration, Credentials } from "../../shared/config/settings.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";

/** How often a call is made that is refused because of too many. */
const TRIES = 4;

/** Where the services are, and who asks them. */
export interface CloudPlace {
  readonly configuration: Pick<Configuration, "endpoints" | "region">;
  readonly credentials: Credentials;
  readonly clock: Clock;
}

/** The services by their names; each call is one request with these parameters. */
export interface CloudCalls {
  readonly ecs: RpcClient;
  readonly cms: RpcClient;
  readonly vpc: RpcClient;
  readonly actionTrail: RpcClient;
  readonly ram: RpcClient;
  readonly quotas: RpcClient;
  /** The answer's JSON. Throws CloudFailure. */
  ask(rpc: RpcClient, action: string, parameters?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
}

/** Calls in the installation's own region. */
export function cloudCalls({ configuration, credentials, clock }: CloudPlace): CloudCalls {
  const { endpoints, region } = configuration;
  const at = (set: string | null, host: string): RpcSettings => {
    const url = set === null ? null : new URL(set);
    return {
      clock,
      credentials: () => credentials,
      endpoint: () => url?.host ?? host,
      protocol: url?.protocol === "http:" ? "http" : "https",
    };
  };
  return {
    ecs: ecsRpcClient(at(endpoints.ecs, `ecs.${region}.aliyuncs.com`)),
    cms: cloudMonitorRpcClient(at(endpoints.cms, `metrics.${region}.aliyuncs.com`)),
    vpc: vpcRpcClient(at(endpoints.vpc, `vpc.${region}.aliyuncs.com`)),
    actionTrail: actionTrailRpcClient(at(endpoints.actionTrail, `actiontrail.${region}.aliyuncs.com`)),
    // One service for the whole account.
    ram: ramRpcClient(at(endpoints.ram, "ram.aliyuncs.com")),
    quotas: quotasRpcClient(at(endpoints.quotas, "quotas.aliyuncs.com")),
    async ask(rpc, action, parameters = {}) {
      const request = () => ({ toMap: () => ({ RegionId: region, ...parameters }) });
      for (let tries = 1; ; tries++) {
        try {
          return { ...(await rpc.call({ action, region, priority: "inventory", reading: false, request })) };
        } catch (error) {
          if (!(error instanceof CloudFailure) || error.kind !== "throttled" || tries === TRIES) throw error;
          await clock.sleep(1000 * 2 ** tries);
        }
      }
    },
  };
}
