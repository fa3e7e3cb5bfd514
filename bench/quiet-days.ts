// How long virtual time takes in which nothing happens: timers tick, jobs run, flow logs are written, and nothing is to be done.
import { readFileSync } from "node:fs";
import { watchAccount } from "../cli/dev/monitoring.ts";
import { type Built, startInstallation } from "./installation.ts";
import { progress, row, verdict } from "./printing.ts";

const DAYS = 45;
const SHORT_DAYS = 3;
const DAY_MS = 86_400_000;
const PROMISE_S = 180;
const MINUTES_A_DAY = 1_440;
const JIFFIES_A_SECOND = 100;

/** What a process has used so far; 0 where the system does not tell. */
function processorSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / JIFFIES_A_SECOND;
  } catch {
    return 0;
  }
}

/** `operation count` of the most frequent ones. */
function countsOf(calls: readonly { readonly service: string; readonly operation: string }[]): string {
  const counts = new Map<string, number>();
  for (const { service, operation } of calls) {
    const name = `${service} ${operation}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = [...counts].sort(([, a], [, b]) => b - a).slice(0, 6);
  return most.map(([name, count]) => `${name} ${count}`).join(", ");
}

/** Moves the clock day by day; whether 45 days take no longer than promised, after a short run by its later days. */
export async function benchQuietDays(built: Built, isShort: boolean): Promise<boolean> {
  const days = isShort ? SHORT_DAYS : DAYS;
  const { cloud, stop } = await startInstallation(built, { groups: 0 });
  try {
    await watchAccount(cloud, `${cloud.endpoints.api}/alarm/nobody`);
    const startMs = performance.now();
    const startCpu = process.cpuUsage();
    const control = async (): Promise<void> => {
      const init = { method: "POST", body: JSON.stringify({ ms: DAY_MS }) };
      const answer = await fetch(`${cloud.endpoints.control}/clock/advance`, init);
      if (!answer.ok) throw new Error(`advance answered ${answer.status}`);
    };
    const endsS: number[] = [];
    for (let day = 1; day <= days; day += 1) {
      await control();
      endsS.push((performance.now() - startMs) / 1_000);
      progress(`day ${day}: ${endsS.at(-1)?.toFixed(1)} s`);
    }
    const [firstS = 0] = endsS;
    const tookS = endsS.at(-1) ?? 0;
    // The first day also makes up for what is behind: the evidence of the days before.
    const aDayS = (tookS - firstS) / (days - 1);
    const allS = firstS + aDayS * (DAYS - 1);
    progress("");
    row(`${days} days`, `${tookS.toFixed(1)} s, the first ${firstS.toFixed(1)} s`);
    row("a further minute", `${((aDayS * 1_000) / MINUTES_A_DAY).toFixed(2)} ms`);
    const { user, system } = process.cpuUsage(startCpu);
    const ofSweep = cloud.functions.registry.pids("sweep").map(processorSeconds);
    const sums = [(user + system) / 1e6, ofSweep.reduce((sum, each) => sum + each, 0)].map((sum) => sum.toFixed(1));
    row("processor", `${sums[0]} s the cloud, ${sums[1]} s the function sweep`);
    row("calls of the last 10,000", countsOf(cloud.calls.since(0).calls));
    return verdict(`${DAYS} days in ${PROMISE_S} s, by this ${allS.toFixed(0)} s`, allS <= PROMISE_S);
  } finally {
    await stop();
  }
}
