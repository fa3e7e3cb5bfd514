// What only this function looks at and tells: the sources of evidence, metrics, and the way of notices. The first two are loaded by the first job that does.
import { httpsNotifier } from "../../shared/adapters/notify/notifier.ts";
import { loaded } from "../../shared/adapters/system/loaded.ts";
import type { Observing } from "../compose.ts";

export const observing: Observing = (configuration, reading) => ({
  traffic: loaded(async () => (await import("./traffic-sources.ts")).trafficSources(configuration, reading)),
  metrics: async () => {
    const { cmsMetrics, unhurried } = await import("../../shared/adapters/alibaba/cms-metrics.ts");
    return cmsMetrics(unhurried(reading.cms, reading.clock));
  },
  notifier: httpsNotifier({
    clock: reading.clock,
    installation: configuration.settings.installation,
    privateHosts: configuration.notifyPrivateHosts,
    secret: reading.secret,
  }),
});
