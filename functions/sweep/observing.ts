// What only this function looks at and tells: the sources of evidence, and metrics. Loaded by the first job that does.
import { loaded } from "../../shared/adapters/system/loaded.ts";
import type { Observing } from "../compose.ts";

export const observing: Observing = (configuration, reading) => ({
  traffic: loaded(async () => (await import("./traffic-sources.ts")).trafficSources(configuration, reading)),
  metrics: async () => {
    const { cmsMetrics, unhurried } = await import("../../shared/adapters/alibaba/cms-metrics.ts");
    return cmsMetrics(unhurried(reading.cms, reading.clock));
  },
});
