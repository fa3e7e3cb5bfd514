// The sources of evidence, in a file of their own: what does not collect does not load them.
import { unhurried } from "../../shared/adapters/alibaba/cms-metrics.ts";
import { balancerTraffic, hostTraffic } from "../../shared/adapters/alibaba/cms-traffic.ts";
import { flowLogTraffic } from "../../shared/adapters/alibaba/flow-log-traffic.ts";
import { slsClient } from "../../shared/adapters/alibaba/sls-client.ts";
import type { Configuration } from "../../shared/config/settings.ts";
import type { TrafficSources } from "../../shared/ports/traffic.ts";
import type { ObservedWith } from "../compose.ts";

/** Those that the configuration names. */
export function trafficSources(
  { endpoints, flowLogs, accountId }: Configuration,
  { clock, credentials, vpc, cms }: ObservedWith,
): TrafficSources {
  const sls = slsClient({ clock, credentials, endpoint: endpoints.sls });
  return {
    ...(flowLogs.length === 0 ? {} : { flowLog: flowLogTraffic({ clock, sls, vpc, places: flowLogs }) }),
    balancer: balancerTraffic(unhurried(cms, clock)),
    host: hostTraffic(unhurried(cms, clock), accountId),
  };
}
