// The embedded CloudMonitor: signed RPC over HTTP, alarms on the clock, system events to the bus.

import { join } from "node:path";
import type { SchedulingClock } from "../../clock.ts";
import { keepJson, keptJson } from "../../kept-json.ts";
import type { RpcParameters } from "../../protocol/rpc/parameters.ts";
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import { type RpcSurroundings, startRpcEndpoint } from "../../rpc-endpoint.ts";
import type { Told } from "../eventbridge/cloud-event.ts";
import { type AlarmRule, parseResourceRule } from "./alarm-rule.ts";
import { alarmForm } from "./alarm-webhook.ts";
import { Alarms } from "./alarms.ts";
import { type Dimensions, MetricStore, pointOf } from "./metric-store.ts";
import { operations } from "./operations.ts";
import type { CmsSwitches } from "./switches.ts";
import { type SystemEvent, toldOf } from "./system-event.ts";

/** How to start it. */
export interface CmsOptions extends RpcSurroundings {
  readonly accountId: string;
  readonly regionId: string;
  /** Keeps alarm rules and metrics across restarts. */
  readonly directory?: string;
  readonly switches: CmsSwitches;
  readonly instanceName: (instanceId: string) => string | undefined;
  readonly tell: (told: Told) => void;
}

/** One measurement of a product's metric. */
export interface Measurement {
  readonly namespace: string;
  readonly metricName: string;
  readonly dimensions: Dimensions;
  readonly value: number;
  /** Absent: now. */
  readonly at?: number;
}

/** A running CloudMonitor. */
export interface Cms {
  readonly port: number;
  /** Webhooks that wait for their answer. */
  readonly inFlight: number;
  idle(): Promise<void>;
  /** What a product measures by itself, as no API can. */
  measure(measurement: Measurement): void;
  systemEvent(event: SystemEvent): void;
  /** Puts an alarm rule as PutResourceMetricRule does. Throws an RpcError for one that it refuses. */
  putRule(params: RpcParameters): void;
  /** Forgets metrics, rules and notices on their way. */
  reset(): void;
  stop(): Promise<void>;
}

const CALLS_PER_SECOND = 50;

/** Starts listening. */
export async function startCms(options: CmsOptions): Promise<Cms> {
  const { clock, random, accountId, regionId, switches, faults, directory } = options;
  const metrics = new MetricStore(directory);
  const file = directory === undefined ? undefined : join(directory, "alarm-rules.json");
  const alarms = new Alarms(
    {
      clock,
      metrics,
      retryMs: () => switches.alarmRetryMs,
      takeFault: (ruleName) => faults.take({ service: "alarm", operation: ruleName }),
      formOf: (notice) =>
        alarmForm(notice, {
          userId: accountId,
          regionId,
          random,
          timestamp: switches.alarmTimestamp,
          instanceName: options.instanceName,
        }),
      onChange: (rules) => {
        if (file !== undefined) keepJson(file, rules);
      },
    },
    file === undefined ? [] : keptJson<readonly AlarmRule[]>(file, []),
  );
  const systemEvent = (event: SystemEvent): void =>
    options.tell(toldOf(event, { accountId, regionId, random, now: clock.now() }));
  const allow = callsPerSecond(clock);

  const perform = (operation: string, params: RpcParameters): Record<string, unknown> => {
    const run = operations.get(operation);
    if (!run)
      throw new RpcError({ status: 404, code: "InvalidAction.NotFound", message: "There is no such operation." });
    if (!allow(operation))
      throw new RpcError({
        status: 400,
        code: "Throttling.User",
        message: "Request was denied due to user flow control.",
      });
    return run({ params, now: clock.now(), accountId, metrics, alarms, systemEvent });
  };

  const endpoint = await startRpcEndpoint(options, {
    service: "cms",
    product: "Cms",
    hostId: `metrics.${regionId}.aliyuncs.com`,
    version: "2019-01-01",
    resource: "*",
    forbidden: { code: "AccessForbidden", message: "User not authorized to operate on the specified resource." },
    perform,
  });
  return {
    port: endpoint.port,
    get inFlight() {
      return alarms.inFlight;
    },
    idle: () => alarms.idle(),
    measure: ({ namespace, metricName, dimensions, value, at = clock.now() }) =>
      metrics.put(namespace, metricName, dimensions, pointOf(at, value)),
    systemEvent,
    putRule: (params) => alarms.put(parseResourceRule(params)),
    reset: () => {
      metrics.clear();
      alarms.clear();
    },
    stop: async () => {
      await endpoint.stop();
      metrics.close();
    },
  };
}

function callsPerSecond(clock: SchedulingClock): (operation: string) => boolean {
  const counts = new Map<string, { second: number; count: number }>();
  return (operation) => {
    const second = Math.floor(clock.now() / 1_000);
    const before = counts.get(operation);
    const count = before?.second === second ? before.count + 1 : 1;
    counts.set(operation, { second, count });
    return count <= CALLS_PER_SECOND;
  };
}
