// How long 200 groups take to be locked down: from the post of the alarm to the last read-back, the function's cold start included.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "../local/random.ts";
import { seedAccount } from "../local/seed.ts";
import { listProbeWord } from "../shared/domain/list-probe.ts";
import { type Built, type Installation, startInstallation } from "./installation.ts";
import { progress, row, verdict } from "./printing.ts";

const GROUPS = 200;
const GROUPS_SHORT = 40;
const CALL_MS = 30;
const PROMISE_MS = 2000;
const READ = "DescribeSecurityGroupAttribute";
/** The job that computes the plans is booked by the first tick and begins with the next one. */
const PLANNED_AFTER_MS = 2_000;

interface View {
  readonly id: string;
  readonly closed: boolean;
  readonly groups: readonly { readonly group: string; readonly closed: boolean; readonly left: readonly string[] }[];
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
}

/** Prints what a lockdown took, how many calls, and whether the groups were as before when it was lifted. Answers whether the promise was kept. */
export async function benchLockdown(built: Built, isShort: boolean): Promise<boolean> {
  const groups = isShort ? GROUPS_SHORT : GROUPS;
  const isKept = await measured(built, groups, false);
  progress("the same by filling prefix lists");
  return (await measured(built, groups, true)) && isKept;
}

async function measured(built: Built, groups: number, byLists: boolean): Promise<boolean> {
  const names = Array.from({ length: groups }, (_, index) => `bench-${index}`);
  const scope = `{ groups: [${names.join(", ")}] }`;
  const rule = `  - { rule: flood, do: lockdown, scope: ${scope} }\n`;
  const { accountId, regionId } = seedAccount(seededRandom("safeport bench"));
  const installation = await startInstallation(built, {
    groups,
    timer: false,
    policy: (text) => {
      const withRule = text.replace("alarms:\n", `alarms:\n${rule}`);
      return byLists ? withRule.replace("lockdown:\n", `lockdown:\n  prefixLists: [${scope}]\n`) : withRule;
    },
    ...(byLists && { environment: { SAFEPORT_LOCKDOWN_LISTS: listProbeWord(accountId, regionId, "20261127") } }),
  });
  try {
    progress("waits for the plans to be computed beforehand");
    // The first tick looks at every group and books the jobs.
    await installation.tick();
    await sleep(PLANNED_AFTER_MS);
    await installation.tick();
    return await measure(installation, groups, byLists);
  } finally {
    await installation.stop();
  }
}

/** Calls that change a rule or a list. */
const WRITING = /^(?:Authorize|Revoke|Modify)/;
/** One for everybody; the policy of `npm start` names no operators' sources. */
const LISTS_MAX = 2;

async function measure(installation: Installation, groups: number, byLists: boolean): Promise<boolean> {
  const { cloud, groupIds, call, alarmWebhook } = installation;
  const rulesOf = (groupId: string) => cloud.ecs.groups().find((it) => it.groupId === groupId)?.rules ?? [];
  const before = groupIds.map((groupId) => rulesOf(groupId).length);
  const delay = { times: 1_000_000, fault: { kind: "delay", ms: CALL_MS } } as const;
  cloud.faults.set([
    { service: "ecs", ...delay },
    { service: "ots", ...delay },
  ]);
  const since = cloud.calls.since(0).next;
  const post = async (alertState: string): Promise<number> => {
    const startedAt = performance.now();
    const body = new URLSearchParams({ alertName: "flood", alertState, triggerLevel: "CRITICAL", ruleId: "flood" });
    const response = await fetch(alarmWebhook, { method: "POST", body });
    await response.text();
    return performance.now() - startedAt;
  };
  const cloudCpuBefore = process.cpuUsage();
  const postedAt = cloud.clock.now();
  const tookMs = await post("ALERT");
  const cloudCpu = process.cpuUsage(cloudCpuBefore);
  const { calls } = cloud.calls.since(since);
  const cpuMs = cloud.functions.registry.pids("alarm").reduce((sum, pid) => sum + processorMs(pid), 0);
  const { body } = await call("GET", "/v1/lockdown");
  const [lockdown] = (body as { lockdowns: readonly View[] }).lockdowns;
  const open = lockdown?.groups.filter((it) => !it.closed) ?? [];
  const isDropped = groupIds.filter((groupId) => rulesOf(groupId).some((it) => it.policy === "Drop")).length;
  row("groups, milliseconds of a call", `${groups}, ${CALL_MS}`);
  for (const step of lockdown?.steps ?? []) row(`  ${step.name}, after the arrival`, `${step.ms} ms`);
  row("from the post to its answer", `${tookMs.toFixed(0)} ms, cold start included`);
  row("groups with drops; not read back", `${isDropped}; ${open.length} ${open[0]?.left.join("; ") ?? ""}`);
  const readAt = calls.findLast((it) => it.operation === READ && it.status === 200)?.at ?? Number.POSITIVE_INFINITY;
  const readBackMs = readAt - postedAt;
  row("from the post to the last read-back", `${readBackMs.toFixed(0)} ms, cold start included`);
  row("processor: the function; the cloud", `${cpuMs} ms; ${((cloudCpu.user + cloudCpu.system) / 1000).toFixed(0)} ms`);
  for (const service of ["ecs", "ots"])
    row(`calls: ${service}`, countsOf(calls.filter((it) => it.service === service)));
  const writing = calls.filter((it) => it.service === "ecs" && WRITING.test(it.operation)).length;
  row("writing calls", `${writing}`);
  await sleep(1100);
  const liftedMs = await post("OK");
  const isEmpty = cloud.ecs.lists().every(({ entries }) => entries.length === 0);
  const isBack = isEmpty && groupIds.every((groupId, index) => rulesOf(groupId).length === before[index]);
  row("from the OK to its answer", `${liftedMs.toFixed(0)} ms; groups as before: ${isBack}`);
  return verdict(
    `${groups} groups within ${PROMISE_MS} ms${byLists ? `, by ${LISTS_MAX} writing calls at most` : ""}, and back`,
    readBackMs <= PROMISE_MS &&
      open.length === 0 &&
      isDropped === groups &&
      isBack &&
      (!byLists || writing <= LISTS_MAX),
  );
}

/** What a process has taken of the processor, milliseconds; by the kernel's ticks of 10 ms. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user, system] = stat.slice(stat.lastIndexOf(")")).split(" ").slice(12, 14);
  return (Number(user) + Number(system)) * 10;
}

function countsOf(calls: readonly { readonly operation: string }[]): string {
  const counts = new Map<string, number>();
  for (const { operation } of calls) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  return `${calls.length}: ${[...counts].map(([operation, count]) => `${operation} ${count}`).join(", ")}`;
}
