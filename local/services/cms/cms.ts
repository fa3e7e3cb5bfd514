// The embedded CloudMonitor: signed RPC over HTTP, alarms on the clock, system events to the bus.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import type { Random } from "../../../shared/ports/random.ts";
import { answerDate, playFault } from "../../call-faults.ts";
import type { SchedulingClock } from "../../clock.ts";
import type { FaultsOf, FaultTable } from "../../faults.ts";
import { verifyAcs3 } from "../../protocol/rpc/acs3.ts";
import { parseParameters, type RpcParameters } from "../../protocol/rpc/parameters.ts";
import { errorBody, RpcError } from "../../protocol/rpc/rpc-error.ts";
import type { Told } from "../eventbridge/cloud-event.ts";
import { newEventId } from "../eventbridge/cloud-event.ts";
import { closeServer, listen } from "../functions/functions.ts";
import { readBody } from "../functions/request-body.ts";
import type { AlarmRule } from "./alarm-rule.ts";
import { alarmForm } from "./alarm-webhook.ts";
import { Alarms } from "./alarms.ts";
import { type Dimensions, MetricStore, pointOf } from "./metric-store.ts";
import { operations } from "./operations.ts";
import type { CmsSwitches } from "./switches.ts";
import { type SystemEvent, toldOf } from "./system-event.ts";

/** A call that was answered. */
export interface CmsCall {
  readonly operation: string;
  readonly accessKeyId: string;
  /** 0 when the connection was cut before anything was done. */
  readonly status: number;
  readonly code?: string;
  readonly params: RpcParameters;
}

/** How to start it. */
export interface CmsOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  readonly accountId: string;
  readonly regionId: string;
  /** Keeps the alarm rules across restarts; metrics are kept in memory alone. */
  readonly directory?: string;
  readonly host: string;
  readonly port: number;
  readonly switches: CmsSwitches;
  readonly faults: FaultTable;
  /** The key of a session is known with its token alone. */
  readonly secretOf: (accessKeyId: string, securityToken: string | undefined) => string | undefined;
  readonly instanceName: (instanceId: string) => string | undefined;
  readonly tell: (told: Told) => void;
  readonly onCall: (call: CmsCall) => void;
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
  /** Forgets metrics, rules and notices on their way. */
  reset(): void;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly body: string;
  readonly type?: string;
}

const BODY_BYTES_MAX = 1 << 20;
const CALLS_PER_SECOND = 50;
const KEEP_ALIVE_MS = 75_000;

/** Starts listening. */
export async function startCms(options: CmsOptions): Promise<Cms> {
  const { clock, random, accountId, regionId, switches, faults, directory } = options;
  const metrics = new MetricStore();
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
        if (file !== undefined) keep(file, rules);
      },
    },
    file === undefined ? [] : kept(file),
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

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = await readBody(request, BODY_BYTES_MAX);
    if (read.kind !== "body") return void response.destroy();
    const [path = "/", rawQuery = ""] = (request.url ?? "/").split(/\?(.*)/s);
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const requestId = newEventId(random).toUpperCase();
    const operation = headers["x-acs-action"] ?? "";
    const params = parseParameters({
      rawQuery,
      contentType: headers["content-type"] ?? "",
      body: read.body.toString("utf8"),
    });
    let accessKeyId = "";
    const attempt = (work: () => Record<string, unknown>): Answer => {
      try {
        return { status: 200, body: JSON.stringify({ RequestId: requestId, ...work() }) };
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        const origin = { requestId, hostId: `metrics.${regionId}.aliyuncs.com`, product: "Cms" };
        return { status: error.status, code: error.code, body: JSON.stringify(errorBody(error, origin)) };
      }
    };
    const refused = attempt(() => {
      accessKeyId = verifyAcs3({ method: request.method ?? "", path, rawQuery, headers, body: read.body }, (id) =>
        options.secretOf(id, headers["x-acs-security-token"]),
      );
      if (headers["x-acs-version"] !== "2019-01-01")
        throw new RpcError({ status: 404, code: "InvalidVersion", message: "The specified version is not valid." });
      return {};
    });
    const call = { service: "cms", operation, accessKeyId, params } as const;
    const fault = refused.status === 200 ? faults.take(call) : undefined;
    const answer =
      refused.status === 200
        ? await underFault(clock, fault, () => attempt(() => perform(operation, params)))
        : refused;
    faults.ended(call, fault?.kind);
    const { status = 0, code } = answer ?? {};
    options.onCall({ operation, accessKeyId, status, params, ...(code === undefined ? {} : { code }) });
    if (!answer) return void response.destroy();
    response.writeHead(answer.status, {
      date: answerDate(clock.now(), fault),
      "content-type": answer.type ?? "application/json;charset=utf-8",
      "x-acs-request-id": requestId,
    });
    response.end(answer.body);
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: 1 << 20 }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const port = await listen(server, options.host, options.port);
  return {
    port,
    get inFlight() {
      return alarms.inFlight;
    },
    idle: () => alarms.idle(),
    measure: ({ namespace, metricName, dimensions, value, at = clock.now() }) =>
      metrics.put(namespace, metricName, dimensions, pointOf(at, value)),
    systemEvent,
    reset: () => {
      metrics.clear();
      alarms.clear();
    },
    stop: () => closeServer(server),
  };
}

function underFault(
  clock: SchedulingClock,
  fault: FaultsOf["cms"] | undefined,
  perform: () => Answer,
): Promise<Answer | undefined> {
  return playFault(fault, {
    clock,
    perform: async () => perform(),
    refuse: ({ status, code, message = code }) => ({
      status,
      code,
      body: JSON.stringify({ Code: code, Message: message }),
    }),
    html: () => ({ status: 502, body: "<html><body><h1>502 Bad Gateway</h1></body></html>", type: "text/html" }),
  });
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

function kept(file: string): readonly AlarmRule[] {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as AlarmRule[];
  } catch {
    return [];
  }
}

function keep(file: string, rules: readonly AlarmRule[]): void {
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify(rules));
  renameSync(`${file}.new`, file);
}
