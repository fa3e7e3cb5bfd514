// The embedded log service: signed HTTP, queries, and logs that the cloud itself writes.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Random } from "../../../shared/ports/random.ts";
import { answerDate, playFault } from "../../call-faults.ts";
import type { SchedulingClock } from "../../clock.ts";
import type { FaultsOf, FaultTable } from "../../faults.ts";
import { type Authorize, allowAll } from "../../ram.ts";
import { hexText } from "../../random.ts";
import { closeServer, listen } from "../functions/functions.ts";
import { readBody } from "../functions/request-body.ts";
import { addLogs, LogStores } from "./log-store.ts";
import { answerOperation, type SlsAnswer } from "./operations.ts";
import { type SlsRequest, verifySls } from "./signature.ts";
import { SlsError } from "./sls-error.ts";
import type { SlsSwitches } from "./switches.ts";

/** A call that was answered. */
export interface SlsCall {
  readonly operation: string;
  readonly accessKeyId: string;
  /** 0 when the connection was cut before anything was done. */
  readonly status: number;
  readonly code?: string;
  readonly params: Readonly<Record<string, string>>;
}

/** How to start it. */
export interface SlsOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  readonly host: string;
  readonly port: number;
  /** Keeps projects and logs across restarts. */
  readonly directory?: string;
  readonly switches: SlsSwitches;
  readonly faults: FaultTable;
  /** The key of a session is known with its token alone. */
  readonly secretOf: (accessKeyId: string, securityToken: string | undefined) => string | undefined;
  /** What callers may do; everything when omitted. */
  readonly authorize?: Authorize;
  /** What the names of resources begin with: `acs:log:<region>:<account>:`. */
  readonly arn: string;
  readonly onCall: (call: SlsCall) => void;
}

/** A log to write. */
export interface NewLog {
  /** Milliseconds since the epoch; kept in seconds. */
  readonly at: number;
  readonly topic?: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** A running log service. */
export interface Sls {
  readonly port: number;
  /** Makes a project, a logstore and an index where they are missing. */
  ensure(project: string, logstore: string, ttlDays?: number): void;
  /** Writes logs as a service of the cloud does. Throws when the logstore does not exist. */
  put(project: string, logstore: string, logs: readonly NewLog[]): void;
  /** Forgets every project. */
  reset(): void;
  stop(): Promise<void>;
}

/** What is no UTF-8 stays as it came: no operation has such a path. */
function decoded(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

const BODY_BYTES_MAX = 10 << 20;
const KEEP_ALIVE_MS = 75_000;
const SKEW_MS_MAX = 15 * 60_000;
const TTL_DAYS = 7;
/** What a logstore that is made for flow logs is indexed by, whether or not a log has it yet. */
const FLOW_LOG_KEYS = [
  ...[
    "version",
    "account-id",
    "region",
    "vpc-id",
    "vswitch-id",
    "vm-id",
    "eni-id",
    "type",
    "protocol",
    "direction",
    "action",
  ],
  ...[
    "srcaddr",
    "srcport",
    "dstaddr",
    "dstport",
    "packets",
    "bytes",
    "start",
    "end",
    "tcp-flags",
    "log-status",
    "traffic_path",
  ],
];

/** Starts listening. */
export async function startSls(options: SlsOptions): Promise<Sls> {
  const { clock, random, switches, authorize = allowAll } = options;
  const stores = new LogStores(options.directory);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const read = await readBody(request, BODY_BYTES_MAX);
    if (read.kind === "aborted") return;
    const [path = "/", rawQuery = ""] = (request.url ?? "/").split(/\?(.*)/s);
    const signed: SlsRequest = {
      method: request.method ?? "",
      path: decoded(path),
      rawQuery,
      headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
      body: read.kind === "body" ? read.body : Buffer.alloc(0),
    };
    let accessKeyId = "";
    let fault: FaultsOf["sls"] | undefined;
    let call = { operation: `${signed.method} ${signed.path}`, params: {} as Record<string, string> };
    const answer = await answerOrRefuse(async () => {
      if (read.kind === "too-long") throw new SlsError(400, "PostBodyTooLarge", "the body is too long");
      accessKeyId = verifySls(signed, (id) => options.secretOf(id, signed.headers["x-acs-security-token"]));
      refuseOldDate(signed, clock);
      const found = answerOperation(signed);
      call = found;
      const denial = authorize(accessKeyId, {
        action: found.action,
        resources: [options.arn + found.resource(stores)],
      });
      if (denial !== undefined)
        throw new SlsError(
          401,
          "Unauthorized",
          `denied by sts or ram, action: ${denial.action}, resource: ${denial.resource}`,
        );
      fault = options.faults.take({ service: "sls", accessKeyId, ...found });
      const isHalf = fault?.kind === "incomplete";
      return underFault(clock, fault, () => found.run({ stores, switches, nowMs: clock.now(), isHalf }));
    });
    options.faults.ended({ service: "sls", accessKeyId, ...call }, fault?.kind);
    const { status = 0, code } = answer ?? {};
    options.onCall({ ...call, accessKeyId, status, ...(code === undefined ? {} : { code }) });
    if (!answer) return void response.destroy();
    response.writeHead(answer.status, {
      date: answerDate(clock.now(), fault),
      "content-type": "application/json",
      "x-log-requestid": hexText(random, 24).toUpperCase(),
      ...answer.headers,
    });
    response.end(answer.body);
  };

  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const port = await listen(server, options.host, options.port);
  return {
    port,
    ensure: (project, logstore, ttlDays = TTL_DAYS) => {
      const now = clock.now();
      const owner = stores.projects().find((each) => each.name === project) ?? stores.createProject(project, "", now);
      const store =
        owner.logstores.get(logstore) ?? stores.createLogstore(owner, { name: logstore, ttlDays, shardCount: 2 }, now);
      const keys = Object.fromEntries(FLOW_LOG_KEYS.map((name) => [name, { type: "text" }]));
      if (store.index === undefined) stores.setIndex(store, { keys });
    },
    put: (project, logstore, logs) => {
      const now = clock.now();
      const added = logs.map(({ at, topic = "", fields }) => ({
        time: Math.floor(at / 1_000),
        topic,
        fields,
        visibleAt: now + switches.slsIndexDelayMs,
      }));
      addLogs(stores.logstore(stores.project(project), logstore), added, now);
    },
    reset: () => stores.clear(),
    stop: async () => {
      await closeServer(server);
      stores.close();
    },
  };
}

async function answerOrRefuse<Answer extends SlsAnswer | undefined>(
  work: () => Promise<Answer>,
): Promise<Answer | SlsAnswer> {
  try {
    return await work();
  } catch (error) {
    return refusalOf(
      error instanceof SlsError ? error : new SlsError(500, "InternalServerError", "Internal server error."),
    );
  }
}

function refusalOf({ status, code, message }: SlsError): SlsAnswer {
  return { status, code, body: JSON.stringify({ errorCode: code, errorMessage: message }) };
}

/** Virtual time may be far from the clients': near either clock is near enough. */
function refuseOldDate({ headers }: SlsRequest, clock: SchedulingClock): void {
  const text = headers["x-log-date"] ?? headers["date"] ?? "";
  const basic = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z");
  const at = Date.parse(basic);
  const isNear = (now: number): boolean => Math.abs(at - now) <= SKEW_MS_MAX;
  if (!isNear(clock.now()) && !isNear(clock.now() - clock.machineOffsetMs()))
    throw new SlsError(400, "RequestTimeExpired", `request time ${text} is more than 15 minutes off`);
}

function underFault(
  clock: SchedulingClock,
  fault: FaultsOf["sls"] | undefined,
  run: () => SlsAnswer,
): Promise<SlsAnswer | undefined> {
  return playFault(fault?.kind === "incomplete" ? undefined : fault, {
    clock,
    perform: () => answerOrRefuse(async () => run()),
    refuse: ({ status, code, message = code }) => refusalOf(new SlsError(status, code, message)),
    html: () => ({
      status: 502,
      headers: { "content-type": "text/html" },
      body: "<html><h1>502 Bad Gateway</h1></html>",
    }),
  });
}
