// The traffic port on VPC flow logs in the log service.

import { type PortUse, WINDOW_MS } from "../../domain/evidence.ts";
import type { SessionThresholds } from "../../domain/recycling-policy.ts";
import type { Clock } from "../../ports/clock.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import type { MemberTraffic, Traffic, TrafficAsk, TrafficReach, TrafficReading } from "../../ports/traffic.ts";
import { TrafficFailure } from "../../ports/traffic.ts";
import { fields, text } from "./ecs-answers.ts";
import {
  type Capture,
  type Coverage,
  coverageQuery,
  flowsQuery,
  type LogRow,
  type LogSpan,
  readCoverage,
  readFlows,
  timesOf,
} from "./flow-log-query.ts";
import type { RpcClient } from "./rpc-client.ts";
import type { SlsClient } from "./sls-client.ts";

/** Where the flow logs of a region are. */
export interface FlowLogPlace {
  readonly region: string;
  readonly project: string;
  readonly logstore: string;
}

export interface FlowLogSettings {
  readonly clock: Clock;
  readonly sls: SlsClient;
  /** The API of 2016-04-28 of VPC: what is captured, and whether it arrives. */
  readonly vpc: RpcClient;
  readonly places: readonly FlowLogPlace[];
  /** The service answers up to a million. */
  readonly rowsPerPage?: number;
}

const DAY_MS = 86_400_000;
/** A log that is nearly too old may be gone in part. */
const RETENTION_MARGIN_MS = DAY_MS;
const ROWS_PER_PAGE = 100_000;
/** The same request, until the answer is whole; then the span is cut in two. */
const TRIES = 2;
const FAILED_MAX = 2;
const AGAIN_AFTER_MS = 1_000;
const FLOW_LOGS_PER_PAGE = 50;
const FLOW_LOG_PAGES_MAX = 20;

/** Nothing is asked before the first call. */
export function flowLogTraffic(settings: FlowLogSettings): Traffic {
  const { clock, sls, places, rowsPerPage = ROWS_PER_PAGE } = settings;
  const captures = new Map<string, Capture>();
  const placeOf = (region: string): FlowLogPlace | undefined => places.find((place) => place.region === region);

  /**
   * Tells of the rows page by page, so that nobody holds all of them: of all pages, or of as many as there were before the answers stayed
   * incomplete or no question was left. Answers whether those were all.
   */
  async function ask(
    place: FlowLogPlace,
    span: LogSpan,
    query: (page: { readonly offset: number; readonly size: number }) => string,
    told: { readonly spent: Spent; readonly rows: (rows: readonly LogRow[], isWhole: boolean) => void },
  ): Promise<boolean> {
    for (let offset = 0; ; ) {
      const page = await askPage(place, span, query({ offset, size: rowsPerPage }), told.spent);
      told.rows(page.rows, page.isWhole);
      offset += page.rows.length;
      if (!page.isWhole) return false;
      if (page.rows.length < rowsPerPage) return true;
    }
  }

  async function askPage(place: FlowLogPlace, span: LogSpan, query: string, spent: Spent) {
    const { region, project, logstore } = place;
    let rows: readonly LogRow[] = [];
    for (let attempt = 0; attempt < TRIES; attempt += 1) {
      if (attempt > 0) await clock.sleep(AGAIN_AFTER_MS * 2 ** (attempt - 1));
      if (!spent.mayAsk()) return { rows, isWhole: false };
      const path = `/logstores/${logstore}/logs`;
      const body = { ...timesOf(span), query };
      const answer = fields(await sls.call({ region, project, method: "POST", path, body }));
      const meta = fields(answer["meta"]);
      const data = answer["data"];
      if (!Array.isArray(data)) throw new TrafficFailure("unavailable", "the log service's answer has no data");
      spent.add(Number(meta["processedBytes"]) || 0, data.length);
      rows = data as readonly LogRow[];
      if (text(meta["progress"]) === "Complete") return { rows, isWhole: true };
    }
    return { rows, isWhole: false };
  }

  /** What a part of the span tells; a part whose answers stay incomplete is cut, down to one window. */
  async function readSpan(place: FlowLogPlace, span: Asked, found: Findings, spent: Spent): Promise<boolean> {
    const capture = captures.get(place.region) ?? captureOf(null);
    const { aggregationS } = capture;
    // Coverage first: what arrives between the two questions may be known without counting, never count without being known.
    const coverage: LogRow[] = [];
    const isKnown = await ask(place, span, (page) => coverageQuery(span, { aggregationS, ...page }), {
      spent,
      rows: (rows) => coverage.push(...rows),
    });
    const { thresholds } = span;
    // What a part told proves use, whatever becomes of the rest; what it left unclear the rest may clear up.
    const rows = (some: readonly LogRow[], isWhole: boolean): void =>
      readFlows(isWhole ? some : some.filter(({ kind }) => kind !== "unclear"), span, found.ports);
    const isTold =
      isKnown && (await ask(place, span, (page) => flowsQuery(span, { thresholds, ...page }), { spent, rows }));
    if (isTold) {
      readCoverage(coverage, capture, found.coverage);
      return true;
    }
    const windows = (span.until - span.from) / WINDOW_MS;
    if (windows <= 1) found.failed += 1;
    // Where not even two single windows can be read, the service answers nothing whole at present.
    if (windows <= 1 || found.failed >= FAILED_MAX || !spent.mayAsk()) return false;
    const middle = span.from + Math.max(1, Math.floor(windows / 2)) * WINDOW_MS;
    const first = await readSpan(place, { ...span, until: middle }, found, spent);
    const second = await readSpan(place, { ...span, from: middle }, found, spent);
    return first && second;
  }

  return {
    async reach(region) {
      const place = placeOf(region);
      if (place === undefined) return null;
      const { project, logstore } = place;
      const store = fields(await sls.call({ region, project, method: "GET", path: `/logstores/${logstore}` }));
      const ttlDays = Number(store["ttl"]);
      if (!Number.isFinite(ttlDays))
        throw new TrafficFailure("unavailable", "the logstore does not say how long it keeps");
      const logs = await flowLogsOf(settings.vpc, place);
      captures.set(region, captureOf(logs));
      return {
        // A logstore that was made yesterday has nothing of the day before.
        retentionMs: Math.max(0, Math.min(ttlDays * DAY_MS - RETENTION_MARGIN_MS, ageOf(store, clock.now()))),
        blind: blindness(logs, place),
        trouble: troubleOf(logs ?? []),
        // The shipped setting of the service; one that does not say may be so.
        ipv4Only: (logs ?? []).some((log) => text(log["IpVersion"]) !== "DualStack"),
      };
    },

    async read(asked, queriesMax) {
      const place = placeOf(asked.region);
      const found: Findings = { coverage: new Map(), ports: new Map(), failed: 0 };
      const spent = new Spent(queriesMax);
      if (place === undefined) return { kind: "complete", members: [], cost: spent.cost() };
      try {
        const isWhole = await readSpan(place, spanOf(asked), found, spent);
        return { kind: isWhole ? "complete" : "incomplete", members: membersOf(found), cost: spent.cost() };
      } catch (error) {
        if (!(error instanceof TrafficFailure)) throw error;
        const { kind, message, cloudCode, requestId } = error;
        throw new TrafficFailure(kind, message, { cloudCode, requestId, queries: spent.cost().queries, cause: error });
      }
    },
  };
}

interface Asked extends LogSpan {
  readonly thresholds: SessionThresholds;
}

/** Since the logstore was made; one that does not say is as old as anything. */
function ageOf(store: Readonly<Record<string, unknown>>, now: number): number {
  const madeAt = Number(store["createTime"]) * 1000;
  return madeAt > 0 ? now - madeAt : Number.POSITIVE_INFINITY;
}

const spanOf = ({ from, until, members, watched, recycling }: TrafficAsk): Asked => ({
  ...{ from, until, members, watched },
  thresholds: recycling.session,
});

interface Findings {
  readonly coverage: Map<string, Coverage>;
  readonly ports: Map<string, Map<string, PortUse>>;
  /** Single windows that stayed incomplete. */
  failed: number;
}

/** Questions and their cost. */
class Spent {
  readonly #max: number;
  #queries = 0;
  #bytes = 0;
  #rows = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Counts the question that is about to be asked. */
  mayAsk(): boolean {
    return this.#queries < this.#max;
  }

  add(bytes: number, rows: number): void {
    this.#queries += 1;
    this.#bytes += bytes;
    this.#rows += rows;
  }

  cost(): TrafficReading["cost"] {
    return { queries: this.#queries, bytes: this.#bytes, rows: this.#rows };
  }
}

function membersOf({ coverage, ports }: Findings): MemberTraffic[] {
  const members = new Set([...coverage.keys(), ...ports.keys()]);
  return [...members].sort().map((member) => ({
    member,
    seen: coverage.get(member)?.seen ?? 0n,
    skipped: coverage.get(member)?.skipped ?? 0n,
    ports: [...(ports.get(member)?.values() ?? [])],
  }));
}

type FlowLog = Readonly<Record<string, unknown>>;

/** The flow logs that deliver to the logstore; null when they may not be described. */
async function flowLogsOf(
  vpc: RpcClient,
  { region, project, logstore }: FlowLogPlace,
): Promise<readonly FlowLog[] | null> {
  const found: FlowLog[] = [];
  try {
    for (let page = 1; page <= FLOW_LOG_PAGES_MAX; page += 1) {
      const asked = {
        RegionId: region,
        ProjectName: project,
        LogStoreName: logstore,
        PageNumber: page,
        PageSize: FLOW_LOGS_PER_PAGE,
      };
      const answer = await vpc.call({
        action: "DescribeFlowLogs",
        region,
        priority: "inventory",
        reading: true,
        request: () => ({ toMap: () => asked }),
      });
      const list = fields(answer["FlowLogs"])["FlowLog"];
      if (!Array.isArray(list)) throw new TrafficFailure("unavailable", "the answer has no flow logs");
      found.push(...list.map(fields));
      if (list.length < FLOW_LOGS_PER_PAGE) break;
    }
    return found;
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    if (error.kind === "refused") return null;
    throw new TrafficFailure(error.kind === "throttled" ? "throttled" : "unavailable", error.message, { cause: error });
  }
}

/**
 * The longest of their windows: each shorter one is in there too. Which traffic a flow log captures is settled when it is made: what lies
 * in the logstore of before may be of another one, of drops alone. Where nothing tells which of them it is, the youngest counts.
 */
function captureOf(logs: readonly FlowLog[] | null): Capture {
  const minutes = (logs ?? [])
    .map((log) => Number(log["AggregationInterval"]))
    .filter((each) => [1, 5, 10].includes(each));
  const made = (logs ?? []).flatMap((log) => {
    const at = Date.parse(text(log["CreationTime"]));
    return Number.isNaN(at) ? [] : [{ of: text(log["ResourceId"]), at }];
  });
  const youngest = (some: typeof made): number => Math.max(Number.NEGATIVE_INFINITY, ...some.map(({ at }) => at));
  return {
    aggregationS: minutes.length === 0 ? WINDOW_MS / 1000 : Math.max(...minutes) * 60,
    vouchesFrom: (places) => {
      const own = made.filter(({ of }) => places.includes(of));
      return youngest(own.length > 0 ? own : made);
    },
  };
}

/** Why silence means nothing: it is not known what is captured, or it is only a part. */
function blindness(logs: readonly FlowLog[] | null, { project, logstore }: FlowLogPlace): TrafficReach["blind"] {
  if (logs === null) return "the flow logs may not be described: the role needs vpc:DescribeFlowLogs";
  const place = `${project}/${logstore}`;
  if (logs.length === 0) return `no flow log delivers to ${place}`;
  const drops = logs.find((log) => text(log["TrafficType"]) === "Drop");
  if (drops) return `the flow log ${text(drops["FlowLogId"])} captures refused traffic alone`;
  // Who is refused in a quarantine would not be seen, and it would look silent.
  const accepts = logs.find((log) => text(log["TrafficType"]) === "Allow");
  if (accepts) return `the flow log ${text(accepts["FlowLogId"])} captures accepted traffic alone`;
  return null;
}

/** What makes gaps: a flow log that is stopped, or does not arrive. */
function troubleOf(logs: readonly FlowLog[]): TrafficReach["trouble"] {
  const stopped = logs.find((log) => text(log["Status"]) === "Inactive");
  if (stopped) return `the flow log ${text(stopped["FlowLogId"])} is stopped`;
  const failed = logs.find((log) => text(log["FlowLogDeliverStatus"]) === "FAILED");
  return failed
    ? `the flow log ${text(failed["FlowLogId"])} does not arrive: ${text(failed["FlowLogDeliverErrorMessage"])}`
    : null;
}
