// The operations of the log service that are served: which one a request is, and its answer.

import type { LogStores, Project } from "./log-store.ts";
import { parseQuery, type Query, type QueryResult, runQuery } from "./query.ts";
import type { SlsRequest } from "./signature.ts";
import { SlsError } from "./sls-error.ts";
import type { SlsSwitches } from "./switches.ts";

/** An answer before its date and request id. */
export interface SlsAnswer {
  readonly status: number;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an operation works on. */
export interface SlsContext {
  readonly stores: LogStores;
  readonly switches: SlsSwitches;
  readonly nowMs: number;
  /** Whether the query reads half and answers `Incomplete`. */
  readonly isHalf: boolean;
}

/** A recognised call. */
export interface FoundOperation {
  readonly operation: string;
  readonly params: Record<string, string>;
  /** The permission that it needs, and on what: `project/<name>/logstore/<name>`. */
  readonly action: string;
  readonly resource: (stores: LogStores) => string;
  readonly run: (context: SlsContext) => SlsAnswer;
}

interface Call {
  readonly request: SlsRequest;
  readonly logstore: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, string>>;
}

type Run = (context: SlsContext, call: Call) => SlsAnswer;

const json = (document: unknown, headers: Record<string, string> = {}): SlsAnswer => ({
  status: 200,
  headers,
  body: JSON.stringify(document),
});
const empty: SlsAnswer = { status: 200, body: "" };
const DAY_S = 86_400;

const routes: ReadonlyArray<readonly [string, RegExp, string, Run]> = [
  ["POST", /^\/$/, "CreateProject", createProject],
  ["GET", /^\/$/, "GetProject", getProject],
  ["POST", /^\/logstores$/, "CreateLogStore", createLogstore],
  ["GET", /^\/logstores$/, "ListLogStores", listLogstores],
  ["GET", /^\/logstores\/([^/]+)\/index$/, "GetIndex", getIndex],
  ["POST", /^\/logstores\/([^/]+)\/index$/, "CreateIndex", createIndex],
  ["POST", /^\/logstores\/([^/]+)\/logs$/, "GetLogsV2", getLogsV2],
  ["GET", /^\/logstores\/([^/]+)$/, "GetLogStore", getLogstoreOrLogs],
  ["PUT", /^\/logstores\/([^/]+)$/, "UpdateLogStore", updateLogstore],
];

/** Which operation a request asks for. Throws the refusal of an unknown one. */
export function answerOperation(request: SlsRequest): FoundOperation {
  const query = Object.fromEntries(new URLSearchParams(request.rawQuery));
  for (const [method, path, name, run] of routes) {
    const found = path.exec(request.path);
    if (request.method !== method || !found) continue;
    const logstore = found[1] ?? "";
    const body = request.method === "GET" ? {} : bodyOf(request);
    const operation = name === "GetLogStore" && query["type"] === "log" ? "GetLogs" : name;
    const asked = String((operation === "GetLogsV2" ? body["query"] : query["query"]) ?? "");
    const params = { ...(logstore === "" ? {} : { logstore }), ...(asked === "" ? {} : { query: asked }) };
    const asksLogs = operation === "GetLogs" || operation === "GetLogsV2";
    const inProject = operation === "CreateProject" ? String(body["projectName"] ?? "") : undefined;
    return {
      operation,
      params,
      action: `log:${asksLogs ? "GetLogStoreLogs" : operation}`,
      resource: (stores) => {
        const project = inProject ?? projectNameOf(stores, request);
        return path.source.includes("logstores")
          ? `project/${project}/logstore/${logstore || "*"}`
          : `project/${project}`;
      },
      run: (context) => run(context, { request, logstore, body, query }),
    };
  }
  throw new SlsError(404, "NotImplemented", `${request.method} ${request.path} is not served here`);
}

function bodyOf({ body, headers }: SlsRequest): Readonly<Record<string, unknown>> {
  if ((headers["x-log-compresstype"] ?? "") !== "")
    throw new SlsError(400, "PostBodyInvalid", "compressed bodies are not served here");
  try {
    const parsed: unknown = JSON.parse(body.toString("utf8"));
    if (typeof parsed === "object" && parsed !== null) return parsed as Record<string, unknown>;
  } catch {
    // The refusal below.
  }
  throw new SlsError(400, "PostBodyInvalid", "the body is no JSON object");
}

/** The project is the first label of the host; an address names none, and then the only project is meant. */
function projectNameOf(stores: LogStores, { headers }: SlsRequest): string {
  const host = (headers["host"] ?? "").split(":")[0] ?? "";
  const isAddress = /^[\d.]+$/.test(host) || host === "localhost";
  const [only, ...more] = stores.projects();
  if (isAddress) return only && more.length === 0 ? only.name : "";
  return host.split(".")[0] ?? "";
}

function projectOf({ stores }: SlsContext, { request }: Call): Project {
  return stores.project(projectNameOf(stores, request));
}

function createProject({ stores, nowMs }: SlsContext, { body }: Call): SlsAnswer {
  stores.createProject(String(body["projectName"] ?? ""), String(body["description"] ?? ""), nowMs);
  return empty;
}

function getProject(context: SlsContext, call: Call): SlsAnswer {
  const { name, description, createdAt } = projectOf(context, call);
  const createTime = new Date(createdAt).toISOString();
  return json({ projectName: name, description, status: "Normal", createTime, lastModifyTime: createTime });
}

function createLogstore(context: SlsContext, call: Call): SlsAnswer {
  const { logstoreName, ttl, shardCount } = call.body;
  const store = { name: String(logstoreName ?? ""), ttlDays: Number(ttl), shardCount: Number(shardCount ?? 2) };
  context.stores.createLogstore(projectOf(context, call), store, context.nowMs);
  return empty;
}

function updateLogstore(context: SlsContext, call: Call): SlsAnswer {
  const store = context.stores.logstore(projectOf(context, call), call.logstore);
  context.stores.setRetention(store, Number(call.body["ttl"] ?? store.ttlDays), context.nowMs);
  return empty;
}

function listLogstores(context: SlsContext, call: Call): SlsAnswer {
  const logstores = [...projectOf(context, call).logstores.keys()];
  return json({ count: logstores.length, total: logstores.length, logstores });
}

function getLogstoreOrLogs(context: SlsContext, call: Call): SlsAnswer {
  const store = context.stores.logstore(projectOf(context, call), call.logstore);
  if (call.query["type"] === "log") return getLogs(context, call);
  const { name, ttlDays, shardCount, createdAt, changedAt } = store;
  const createTime = Math.floor(createdAt / 1_000);
  return json({
    logstoreName: name,
    ttl: ttlDays,
    shardCount,
    createTime,
    lastModifyTime: Math.floor(changedAt / 1_000),
    mode: "standard",
  });
}

function createIndex(context: SlsContext, call: Call): SlsAnswer {
  const store = context.stores.logstore(projectOf(context, call), call.logstore);
  if (store.index !== undefined) throw new SlsError(400, "IndexAlreadyExist", "log store index is already created");
  context.stores.setIndex(store, call.body);
  return empty;
}

function getIndex(context: SlsContext, call: Call): SlsAnswer {
  const { index } = context.stores.logstore(projectOf(context, call), call.logstore);
  if (index === undefined) throw new SlsError(404, "IndexConfigNotExist", "index config doesn't exist");
  return json(index);
}

function query(context: SlsContext, call: Call, given: Readonly<Record<string, unknown>>): QueryResult {
  const store = context.stores.logstore(projectOf(context, call), call.logstore);
  const { keys = {} } = (store.index ?? {}) as { readonly keys?: object };
  const columns = new Set([...Object.keys(keys), ...store.columns]);
  const { nowMs, switches } = context;
  const asked = parseQuery(given);
  const isHalf = context.isHalf || touchesDay(asked, switches.slsIncompleteDays);
  return runQuery(store, asked, { nowMs, isHalf, bytesMax: switches.slsScanBytesMax, columns });
}

/** Whether a range of seconds touches one of the UTC days. */
function touchesDay({ from, to }: Query, days: string): boolean {
  const starts = days.split(",").map((day) => Date.parse(`${day.trim()}T00:00:00Z`) / 1_000);
  return starts.some((start) => from < start + DAY_S && to > start);
}

function getLogs(context: SlsContext, call: Call): SlsAnswer {
  const { progress, rows, processedRows, hasSql } = query(context, call, call.query);
  return json(rows, {
    "x-log-progress": progress,
    "x-log-count": String(rows.length),
    "x-log-processed-rows": String(processedRows),
    "x-log-elapsed-millisecond": "1",
    "x-log-has-sql": String(hasSql),
  });
}

function getLogsV2(context: SlsContext, call: Call): SlsAnswer {
  const { progress, rows, processedRows, processedBytes, hasSql } = query(context, call, call.body);
  const meta = {
    progress,
    count: rows.length,
    hasSQL: hasSql,
    processedRows,
    elapsedMillisecond: 1,
    limited: rows.length,
    processedBytes,
  };
  return json({ meta, data: rows });
}
