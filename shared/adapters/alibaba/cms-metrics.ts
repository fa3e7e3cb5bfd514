// The metrics port on CloudMonitor's custom metrics, and what is read of its metrics for evidence.
import type { Clock } from "../../ports/clock.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import type { MetricPoint, Metrics } from "../../ports/metrics.ts";
import { fields, incomplete, text, textOrNull } from "./ecs-answers.ts";
import type { RpcCall, RpcClient } from "./rpc-client.ts";

/** The SDK's text says so; the user guide has 100. */
const ENTRIES_PER_CALL = 21;
/** A point is reported for both, or spans over seven days cannot be queried. */
const PERIODS_S = [60, 300] as const;
const CALLS_AT_ONCE = 8;
/** The most that one call answers. */
const POINTS_PER_CALL = 1440;

/** Calls a second are counted for the whole account: who is too fast waits, and tries again. */
const TRIES = 5;
const AGAIN_AFTER_MS = 1_000;

/** CloudMonitor as called here: not faster than it allows. */
export function unhurried(rpc: RpcClient, clock: Clock): RpcClient {
  const call = async (asked: RpcCall): Promise<Readonly<Record<string, unknown>>> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await rpc.call(asked);
      } catch (error) {
        if (!(error instanceof CloudFailure) || error.kind !== "throttled" || attempt === TRIES) throw error;
        await clock.sleep(AGAIN_AFTER_MS * attempt);
      }
    }
  };
  return { call, skewMs: () => rpc.skewMs() };
}

/** Already aggregated values (`Type` 1), which are free of charge. */
export function cmsMetrics(rpc: RpcClient): Metrics {
  return {
    async publish(region, points, callsMax) {
      const perCall = Math.floor(ENTRIES_PER_CALL / PERIODS_S.length);
      const batches: MetricPoint[][] = [];
      for (let start = 0; start < points.length && batches.length < callsMax; start += perCall)
        batches.push(points.slice(start, start + perCall));
      for (let start = 0; start < batches.length; start += CALLS_AT_ONCE)
        await Promise.all(batches.slice(start, start + CALLS_AT_ONCE).map((batch) => put(rpc, region, batch)));
      return { published: batches.flat().length, calls: batches.length };
    },
  };
}

async function put(rpc: RpcClient, region: string, points: readonly MetricPoint[]): Promise<void> {
  const entries = points.flatMap(({ name, dimensions, value, at }) =>
    PERIODS_S.map((period) => ({
      groupId: "0",
      metricName: name,
      dimensions: JSON.stringify(dimensions),
      type: "1",
      period: String(period),
      time: String(at),
      values: JSON.stringify({
        Average: value,
        Minimum: value,
        Maximum: value,
        Sum: value,
        SampleCount: 1,
        LastValue: value,
      }),
    })),
  );
  await rpc.call({
    action: "PutCustomMetric",
    region,
    priority: "inventory",
    reading: false,
    request: (models) =>
      new models.PutCustomMetricRequest({
        metricList: entries.map((entry) => new models.PutCustomMetricRequestMetricList(entry)),
      }),
  });
}

/** What to read of a metric. */
export interface MetricAsk {
  readonly region: string;
  readonly namespace: string;
  readonly metric: string;
  /** Empty: every series of the metric. */
  readonly dimensions: readonly Readonly<Record<string, string>>[];
  /** Milliseconds, the second not included; at most 31 days. */
  readonly from: number;
  readonly until: number;
}

/** One value of a series; fields beside `at` as the service names them. */
export type MetricValue = Readonly<Record<string, unknown>> & { readonly at: number };

/** The period that is kept for 91 days. */
export const PERIOD_S = 300;

/**
 * Every value of five minutes, to the last page; null when `callsMax` calls were not enough. Throws `CloudFailure`.
 */
export async function readMetric(
  rpc: RpcClient,
  ask: MetricAsk,
  calls: { left: number },
): Promise<readonly MetricValue[] | null> {
  const values: MetricValue[] = [];
  let nextToken: string | null = null;
  do {
    if (calls.left <= 0) return null;
    calls.left -= 1;
    // The interval is open on the left and closed on the right.
    const asked: Record<string, unknown> = {
      namespace: ask.namespace,
      metricName: ask.metric,
      period: String(PERIOD_S),
      startTime: String(ask.from - 1),
      endTime: String(ask.until - 1),
      length: String(POINTS_PER_CALL),
      ...(ask.dimensions.length === 0 ? {} : { dimensions: JSON.stringify(ask.dimensions) }),
      ...(nextToken === null ? {} : { nextToken }),
    };
    const answer = await rpc.call({
      action: "DescribeMetricList",
      region: ask.region,
      priority: "inventory",
      reading: true,
      request: (models) => new models.DescribeMetricListRequest(asked),
    });
    // The list comes as JSON in a text; none at all when nothing was measured.
    const list: unknown = text(answer["Datapoints"]) === "" ? [] : parsed(text(answer["Datapoints"]));
    if (!Array.isArray(list)) throw incomplete("DescribeMetricList", "the answer's Datapoints are no list");
    for (const each of list) {
      const value = fields(each);
      values.push({ ...value, at: Number(value["timestamp"]) });
    }
    nextToken = textOrNull(answer["NextToken"]);
  } while (nextToken !== null);
  return values.filter(({ at }) => ask.from <= at && at < ask.until);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
