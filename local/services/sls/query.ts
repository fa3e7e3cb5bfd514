// GetLogs and GetLogsV2: one query over a range of time.

import { analyse, type Row } from "./analysis.ts";
import { type Log, type Logstore, logsIn } from "./log-store.ts";
import { parseSearch } from "./search.ts";
import { SlsError } from "./sls-error.ts";

/** What is asked, as the two operations have it in common. */
export interface Query {
  readonly from: number;
  readonly to: number;
  readonly query: string;
  readonly line: number;
  readonly offset: number;
  readonly reverse: boolean;
}

/** What is answered, as the two operations have it in common. */
export interface QueryResult {
  readonly progress: "Complete" | "Incomplete";
  readonly hasSql: boolean;
  readonly processedRows: number;
  /** Names and values of what was read. */
  readonly processedBytes: number;
  readonly rows: readonly Row[];
}

const LINES_MAX = 100;

/** Reads the parameters of either operation. */
export function parseQuery(given: Readonly<Record<string, unknown>>): Query {
  const whole = (name: string, fallback: number | undefined, code: string): number => {
    const value = given[name] === undefined || given[name] === "" ? fallback : Number(given[name]);
    if (value === undefined || !Number.isInteger(value) || value < 0)
      throw new SlsError(400, code, `the parameter ${name} is not valid`);
    return value;
  };
  const from = whole("from", undefined, "InvalidTimeRange");
  const to = whole("to", undefined, "InvalidTimeRange");
  if (from >= to) throw new SlsError(400, "InvalidTimeRange", "request time range is invalid");
  const line = whole("line", LINES_MAX, "InvalidLine");
  if (line > LINES_MAX) throw new SlsError(400, "InvalidLine", `line is 0 to ${LINES_MAX}`);
  const offset = whole("offset", 0, "InvalidOffset");
  const query = String(given["query"] ?? "*");
  const hasSql = query.includes("|");
  // The SDK sends the defaults along, which say nothing.
  if (hasSql && ((given["line"] !== undefined && ![0, LINES_MAX].includes(line)) || offset !== 0))
    throw new SlsError(400, "ParameterInvalid", "line and offset are 0 with an analysis: page with LIMIT x,y");
  return { from, to, query, line, offset, reverse: String(given["reverse"]) === "true" };
}

/** Runs it. A cut reads only so many bytes of logs, or half of them, and says so. */
export function runQuery(
  store: Logstore,
  asked: Query,
  world: {
    readonly nowMs: number;
    readonly bytesMax: number;
    readonly isHalf: boolean;
    readonly columns: ReadonlySet<string>;
  },
): QueryResult {
  if (store.index === undefined)
    throw new SlsError(400, "IndexConfigNotExist", `logstore ${store.name} has no index configured`);
  const bar = asked.query.indexOf("|");
  const search = parseSearch(bar < 0 ? asked.query : asked.query.slice(0, bar));
  const found = logsIn(store, asked.from, asked.to, world.nowMs).filter(search);
  const kept = world.isHalf ? found.slice(0, Math.floor(found.length / 2)) : found;
  const isAnalysis = bar >= 0;
  const read = isAnalysis ? firstBytes(kept, world.bytesMax) : kept;
  const processedBytes = read.reduce((sum, log) => sum + bytesOf(log), 0);
  const rows = isAnalysis ? analyse(asked.query.slice(bar + 1), read, world.columns) : plainRows(read, asked);
  const isWhole = !world.isHalf && read.length === kept.length;
  return {
    progress: isWhole ? "Complete" : "Incomplete",
    hasSql: isAnalysis,
    processedRows: read.length,
    processedBytes,
    rows,
  };
}

function plainRows(logs: readonly Log[], { line, offset, reverse }: Query): Row[] {
  const ordered = reverse ? [...logs].reverse() : logs;
  return ordered.slice(offset, offset + line).map(({ fields, time, topic }) => ({
    ...fields,
    __time__: String(time),
    __topic__: topic,
    __source__: "",
  }));
}

function firstBytes(logs: readonly Log[], bytesMax: number): readonly Log[] {
  let bytes = 0;
  const end = logs.findIndex((log) => {
    bytes += bytesOf(log);
    return bytes > bytesMax;
  });
  return end < 0 ? logs : logs.slice(0, end);
}

const bytesOf = ({ fields }: Log): number => {
  let bytes = 0;
  for (const [name, value] of Object.entries(fields)) bytes += name.length + value.length;
  return bytes;
};
