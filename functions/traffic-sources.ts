// The sources of evidence, in a file of their own: what does not collect does not load them.
import { unhurried } from "../shared/adapters/alibaba/cms-metrics.ts";
import { balancerTraffic, hostTraffic } from "../shared/adapters/alibaba/cms-traffic.ts";
import { flowLogTraffic } from "../shared/adapters/alibaba/flow-log-traffic.ts";
import type { RpcClient } from "../shared/adapters/alibaba/rpc-client.ts";
import { slsClient } from "../shared/adapters/alibaba/sls-client.ts";
import type { Configuration, Credentials } from "../shared/config/settings.ts";
import type { Clock } from "../shared/ports/clock.ts";
import type { TrafficSources } from "../shared/ports/traffic.ts";

/** What the sources are read with. */
interface Reading {
  readonly clock: Clock;
  readonly credentials: () => Credentials;
  readonly vpc: RpcClient;
  readonly cms: RpcClient;
}

/** Those that the configuration names. */
export function trafficSources(
  { endpoints, flowLogs, accountId }: Configuration,
  { clock, credentials, vpc, cms }: Reading,
): TrafficSources {
  const sls = slsClient({ clock, credentials, endpoint: endpoints.sls });
  return {
    ...(flowLogs.length === 0 ? {} : { flowLog: flowLogTraffic({ clock, sls, vpc, places: flowLogs }) }),
    balancer: balancerTraffic(unhurried(cms, clock)),
    host: hostTraffic(unhurried(cms, clock), accountId),
  };
}
