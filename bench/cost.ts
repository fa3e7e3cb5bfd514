// What a month costs: calls of a quiet day, of a lease and of somebody's change are counted on the embedded cloud, and multiplied.
import { type HourTerms, hourOf, keptShare } from "./function-hours.ts";
import { type Built, type Installation, startInstallation } from "./installation.ts";
import { progress, row } from "./printing.ts";

/** An account to estimate for; the last three are per day. */
interface Size {
  readonly name: string;
  readonly groups: number;
  readonly leases: number;
  /** Calls to ECS that change anything, whoever makes them: each is an event. */
  readonly changes: number;
}

const SIZES: readonly Size[] = [
  { name: "small", groups: 10, leases: 10, changes: 50 },
  { name: "medium", groups: 200, leases: 100, changes: 1_000 },
  { name: "large", groups: 5_000, leases: 1_000, changes: 20_000 },
];
/** A day of each is counted; the difference is what a group costs. */
const COUNTED_GROUPS = [4, 24] as const;
const COUNTED_LEASES = 10;
const COUNTED_CHANGES = 10;
const HOURS = 24;
const HOUR_MS = 3_600_000;
const DAYS = 30;

/** Counts by what is paid for. */
type Bill = Readonly<Record<(typeof ITEMS)[number], number>>;
const ITEMS = ["invocations", "reads", "writes", "ecs", "cms", "sls", "trail", "vpc"] as const;

/** List prices that facts are known for; the rest is told in units. */
const PRICE = {
  /** A Function Compute unit, first tier of the mainland. */
  cu: 0.000_11,
  /** An hour in which a function is invoked costs as much at least. */
  functionHour: 0.01,
  /** Ten thousand units of Tablestore read, high performance; what a write costs is not public here and taken as the same. */
  tenThousandUnits: 0.01,
};
/** As s.yaml has it. */
const VCPU = 0.5;
const MEMORY_GB = 0.5;
/** Function Compute's own factors (unconfirmed): units of a vCPU second, a GB second, and a call. */
const CU = { vcpuS: 1, gbS: 0.15, call: 75 / 10_000 };
/** An instance goes a minute after its last request, and its memory is paid until then. */
const KEPT_S = 60;
const KEPT_HOUR_CU = 3600 * MEMORY_GB * CU.gbS;
const HOUR: HourTerms = { keptS: KEPT_S, keptHour: KEPT_HOUR_CU * PRICE.cu, least: PRICE.functionHour };
/** What a call of a cloud takes within a region, and what ours takes beside it; assumed, not measured. */
const CALL_S = 0.02;
const OWN_S = 0.03;

/** Prints the estimate. Nothing is promised but that it is printed. */
export async function benchCost(built: Built): Promise<boolean> {
  const [few, many] = COUNTED_GROUPS;
  const quiet = await withAccount(built, few, async (installation) => {
    // The day comes last: the token is good for one.
    const lease = await countEach(installation, COUNTED_LEASES, openAndClose);
    const change = await countEach(installation, COUNTED_CHANGES, changeSomething);
    return { lease, change, day: await countDay(installation) };
  });
  const wide = await withAccount(built, many, countDay);
  const perGroup = scaled(minus(wide, quiet.day), 1 / (many - few));
  const base = minus(quiet.day, scaled(perGroup, few));
  row(
    "counted",
    `a day with ${few} and with ${many} groups, ${COUNTED_LEASES} leases, ${COUNTED_CHANGES} changes by others`,
  );
  say("a quiet day, no group", base);
  say("a day of a group", perGroup);
  say("a lease", quiet.lease);
  say("a change by somebody", quiet.change);
  for (const size of SIZES) {
    const { name, groups, leases, changes } = size;
    const day = [
      base,
      scaled(perGroup, groups),
      scaled(quiet.lease, leases),
      scaled(quiet.change, changes + leases * 2),
    ].reduce(plus);
    const head = `${name}: ${groups} groups, ${leases} leases and ${changes} changes a day`;
    // `api` is asked for leases, and `audit` is told of every change, ours included.
    tellMonth(head, scaled(day, DAYS), [leases / HOURS, (changes + leases * 2) / HOURS]);
  }
  row(
    "assumed",
    `${CALL_S * 1000} ms for a call of a cloud, ${OWN_S * 1000} ms beside, an instance kept ${KEPT_S} s, requests at any time, list prices in CNY`,
  );
  row("Tablestore units", "as the answers of the calls tell them; a refused condition is answered without");
  row("not counted", "storage, flow logs and their index (`bench -- evidence`), traffic; write units priced as reads");
  return true;
}

/** `perHour`: requests of each function but the one that is invoked every minute, and so is kept all the time. */
function tellMonth(name: string, month: Bill, perHour: readonly number[]): void {
  const calls = ITEMS.slice(1).reduce((sum, item) => sum + month[item], 0);
  const runS = month.invocations * OWN_S + calls * CALL_S;
  const usedCu = runS * VCPU * CU.vcpuS + month.invocations * CU.call;
  const keptAtOnce = perHour.reduce((sum, requests) => sum + keptShare(requests, HOUR), 1);
  const keptCny = perHour.reduce((sum, requests) => sum + hourOf(requests, HOUR), HOUR.keptHour) * DAYS * HOURS;
  const cu = usedCu + keptAtOnce * DAYS * HOURS * KEPT_HOUR_CU;
  const functionsCny = usedCu * PRICE.cu + keptCny;
  const tablesCny = ((month.reads + month.writes) / 10_000) * PRICE.tenThousandUnits;
  row(name, `about CNY ${(functionsCny + tablesCny).toFixed(1)} a month`);
  row("  functions", `${whole(month.invocations)} invocations, ${whole(cu)} CU, CNY ${functionsCny.toFixed(1)}`);
  row("  Tablestore", `${whole(month.reads)} read and ${whole(month.writes)} write units, CNY ${tablesCny.toFixed(1)}`);
  row("  free", `${whole(month.ecs)} ECS, ${whole(month.trail)} ActionTrail, ${whole(month.vpc)} VPC calls`);
  row(
    "  CloudMonitor",
    `${whole(month.cms)} calls; 1,000,000 reads a month are free, custom metrics that are aggregated too`,
  );
  row("  log service", `${whole(month.sls)} queries`);
}

const whole = (value: number): string => Math.round(value).toLocaleString("en-US");

function say(name: string, bill: Bill): void {
  row(name, ITEMS.map((item) => `${item} ${bill[item].toFixed(bill[item] < 10 ? 1 : 0)}`).join(", "));
}

async function withAccount<Result>(
  built: Built,
  groups: number,
  work: (installation: Installation) => Promise<Result>,
): Promise<Result> {
  const installation = await startInstallation(built, {
    groups,
    environment: { SAFEPORT_HEARTBEAT: "on" },
  });
  try {
    // Whatever a first start does is not of every day.
    await advance(installation, 2 * HOUR_MS);
    return await work(installation);
  } finally {
    await installation.stop();
  }
}

/** Virtual time alone, by the hour, because the list of calls holds no more than that. */
async function countDay(installation: Installation): Promise<Bill> {
  let day = NOTHING;
  for (let hour = 0; hour < HOURS; hour += 1) {
    const since = next(installation);
    await advance(installation, HOUR_MS);
    day = plus(day, billOf(installation, since, 60));
    progress(`hour ${hour + 1} of ${HOURS}`);
  }
  progress("");
  return day;
}

async function countEach(
  installation: Installation,
  times: number,
  work: (installation: Installation, index: number) => Promise<number>,
): Promise<Bill> {
  const since = next(installation);
  let invocations = 0;
  for (let index = 0; index < times; index += 1) invocations += await work(installation, index);
  return scaled(billOf(installation, since, invocations), 1 / times);
}

/** A request, a wake-up, and the ticks in between, which a quiet day has too and which are few beside. */
async function openAndClose(installation: Installation, index: number): Promise<number> {
  const group = installation.groupIds[index % installation.groupIds.length] ?? "";
  const ask = { group, port: 20_000 + index, period: 60, source: "203.0.113.7" };
  const { status, body } = await installation.call("POST", "/v1/leases", ask);
  if (status !== 201) throw new Error(`a lease was answered ${status}: ${JSON.stringify(body)}`);
  await advance(installation, 90_000);
  return 2;
}

/** Somebody tags a group: an event that the function looks at and that changes no rule. */
async function changeSomething({ cloud, groupIds }: Installation, index: number): Promise<number> {
  const foreign = cloud.account.users.find(({ name }) => name === "foreign");
  const groupId = groupIds[index % groupIds.length] ?? "";
  cloud.trail.record({
    ...{ service: "ecs", operation: "ModifySecurityGroupAttribute", status: 200, at: cloud.clock.now() },
    ...{ accessKeyId: foreign?.accessKeyId ?? "", principal: "foreign", address: "203.0.113.9" },
    params: { SecurityGroupId: groupId, RegionId: cloud.account.regionId, Description: `note ${index}` },
  } as unknown as Parameters<typeof cloud.trail.record>[0]);
  await cloud.advance(30_000);
  return 1;
}

const NOTHING: Bill = Object.fromEntries(ITEMS.map((item) => [item, 0])) as unknown as Bill;
const combined = (one: Bill, other: Bill, how: (a: number, b: number) => number): Bill =>
  Object.fromEntries(ITEMS.map((item) => [item, how(one[item], other[item])])) as unknown as Bill;
const plus = (one: Bill, other: Bill): Bill => combined(one, other, (a, b) => a + b);
const minus = (one: Bill, other: Bill): Bill => combined(one, other, (a, b) => Math.max(0, a - b));
const scaled = (bill: Bill, by: number): Bill => combined(bill, bill, (a) => a * by);

const next = ({ cloud }: Installation): number => cloud.calls.since(Number.MAX_SAFE_INTEGER).next;

async function advance({ cloud }: Installation, ms: number): Promise<void> {
  await cloud.advance(ms);
}

function billOf({ cloud }: Installation, since: number, invocations: number): Bill {
  const bill = { ...NOTHING, invocations } as Record<keyof Bill, number>;
  for (const call of cloud.calls.since(since).calls) {
    if (call.caller.principal === "foreign") continue;
    bill.reads += call.units?.reads ?? 0;
    bill.writes += call.units?.writes ?? 0;
    if (call.service === "ecs" || call.service === "cms" || call.service === "sls" || call.service === "vpc")
      bill[call.service] += 1;
    if (call.service === "actiontrail") bill.trail += 1;
  }
  return bill;
}
