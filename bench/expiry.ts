// How late leases close, in real time: from a lease's end until its rule is gone from the embedded ECS.
import { setTimeout as sleep } from "node:timers/promises";
import { type Built, type Installation, startInstallation } from "./installation.ts";
import { percentile } from "./percentile.ts";
import { progress, row, verdict } from "./printing.ts";

/** How many leases, ending when, and what is promised. */
export interface ExpiryPlan {
  readonly name: string;
  readonly wakeups: boolean;
  readonly leases: number;
  /** That many of them end in one and the same second. */
  readonly inOneSecond: number;
  /** All end within this time. */
  readonly withinMs: number;
  readonly groups: number;
  /** The promise, over this percentile of the leases. */
  readonly promise: { readonly percent: number; readonly ms: number };
}

interface Booked {
  readonly until: number;
  readonly ruleId: string;
  readonly groupId: string;
}

interface LeaseAnswer {
  readonly until: string;
  readonly ruleIds: readonly string[];
  readonly settled: boolean;
}

interface Wanted {
  readonly end: number;
  /** Whether it has to be just this second. */
  readonly exact: boolean;
}

/** The shortest period the policy allows. */
const PERIOD_S_MIN = 60;
const LEAD_MS = 62_000;
const AT_ONCE = 4;
/** Longer than the promise: a lease that is still open then is told as such. */
const WAIT_MS = 100_000;

/** Opens the leases through the API, waits for their ends and prints how late each rule went. Answers whether the promise was kept. */
export async function benchExpiry(built: Built, plan: ExpiryPlan): Promise<boolean> {
  const installation = await startInstallation(built, {
    groups: plan.groups,
    environment: plan.wakeups ? {} : { SAFEPORT_WAKEUPS: "off" },
  });
  try {
    const goneAt = watchRules(installation);
    const firstEnd = wholeSecond(Date.now() + LEAD_MS);
    const booked = await openAll(installation, endsOf(plan, firstEnd));
    await untilGone(booked, goneAt);
    return report(plan, installation, booked, goneAt);
  } finally {
    await installation.stop();
  }
}

/** The ends asked for, earliest first: evenly spread whole seconds, and a heap of them in the middle. */
function endsOf({ leases, inOneSecond, withinMs }: ExpiryPlan, firstEnd: number): Wanted[] {
  const spread = leases - inOneSecond;
  const heapAt = wholeSecond(firstEnd + withinMs / 2);
  const ends = Array.from({ length: spread }, (_, index) => ({
    end: wholeSecond(firstEnd + (withinMs * index) / spread),
    exact: false,
  }));
  const heap = Array.from({ length: inOneSecond }, () => ({ end: heapAt, exact: true }));
  return [...ends, ...heap].sort((a, b) => a.end - b.end);
}

/** The instant at which each of our rules was seen to be gone. */
function watchRules({ cloud }: Installation): ReadonlyMap<string, number> {
  const goneAt = new Map<string, number>();
  const standing = new Map<string, ReadonlySet<string>>();
  cloud.ecs.onRulesChanged((groupIds) => {
    const now = Date.now();
    for (const groupId of groupIds) {
      const group = cloud.ecs.groups().find((each) => each.groupId === groupId);
      const rules = new Set(group?.rules.map(({ ruleId }) => ruleId));
      for (const ruleId of standing.get(groupId) ?? []) if (!rules.has(ruleId)) goneAt.set(ruleId, now);
      standing.set(groupId, rules);
    }
  });
  return goneAt;
}

async function openAll(installation: Installation, ends: readonly Wanted[]): Promise<readonly Booked[]> {
  const booked: Booked[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < ends.length; index = next++) {
      const wanted = ends[index];
      if (wanted) booked.push(await open(installation, index, wanted));
      progress(`opened ${booked.length} of ${ends.length} leases`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return booked;
}

/** Opens one lease; neighbours in order go to different groups. */
async function open({ call, groupIds }: Installation, index: number, { end, exact }: Wanted): Promise<Booked> {
  const groupId = groupIds[index % groupIds.length] ?? "";
  // An end is rounded up to a whole second: sent late in a second, the request would end one second after the one that is meant.
  const intoSecond = Date.now() % 1000;
  if (exact && intoSecond > 600) await sleep(1000 - intoSecond + 5);
  const period = Math.max(PERIOD_S_MIN, Math.floor((end - Date.now()) / 1000));
  const ask = { group: groupId, port: 10_000 + index, source: "203.0.113.7", period, reason: "bench" };
  const { status, body } = await call("POST", "/v1/leases", ask);
  const { until, ruleIds, settled } = body as LeaseAnswer;
  const [ruleId] = ruleIds ?? [];
  if (status !== 201 || ruleId === undefined)
    throw new Error(`lease ${index} was not opened (${status}, settled ${settled}): ${JSON.stringify(body)}`);
  return { until: Date.parse(until), ruleId, groupId };
}

async function untilGone(booked: readonly Booked[], goneAt: ReadonlyMap<string, number>): Promise<void> {
  const lastEnd = Math.max(...booked.map(({ until }) => until));
  for (;;) {
    const left = booked.filter(({ ruleId }) => !goneAt.has(ruleId)).length;
    progress(`${booked.length - left} of ${booked.length} closed; ${seconds(lastEnd - Date.now())} until the last end`);
    if (left === 0 || Date.now() > lastEnd + WAIT_MS) break;
    await sleep(500);
  }
  progress("");
}

function report(
  plan: ExpiryPlan,
  { cloud }: Installation,
  booked: readonly Booked[],
  goneAt: ReadonlyMap<string, number>,
): boolean {
  const closed = booked.flatMap((each) => {
    const at = goneAt.get(each.ruleId);
    return at === undefined ? [] : [{ ...each, lateMs: at - each.until }];
  });
  const late = closed.map(({ lateMs }) => lateMs);
  const early = late.filter((ms) => ms < 0).length;
  const ends = booked.map(({ until }) => until);
  const perSecond = new Map<number, number>();
  for (const end of ends) perSecond.set(end, (perSecond.get(end) ?? 0) + 1);
  const { percent, ms } = plan.promise;
  const isKept = early === 0 && closed.length === booked.length && percentile(late, percent) <= ms;
  const revokes = cloud.calls.since(0).calls.filter(({ operation }) => operation === "RevokeSecurityGroup");
  row("leases, groups", `${booked.length}, ${plan.groups}`);
  row(
    "ends",
    `within ${seconds(Math.max(...ends) - Math.min(...ends))}, at most ${Math.max(...perSecond.values())} in one second`,
  );
  row("closed, of them early", `${closed.length}, ${early}`);
  row("writing calls", `${revokes.length}`);
  row("lateness p50", `${percentile(late, 50)} ms`);
  row("lateness p99", `${percentile(late, 99)} ms`);
  row("lateness max", `${percentile(late, 100)} ms`);
  verdict(`${percent === 100 ? "max" : `p${percent}`} <= ${ms} ms`, isKept);
  for (const { until, groupId, lateMs } of closed.filter((each) => each.lateMs > ms).slice(0, 10))
    row("too late", `${lateMs} ms, end ${new Date(until).toISOString()}, ${groupId}`);
  return isKept;
}

const wholeSecond = (ms: number): number => Math.ceil(ms / 1000) * 1000;
const seconds = (ms: number): string => `${Math.round(ms / 1000)} s`;
