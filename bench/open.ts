// What an open costs: its latency without the clouds' time, and the calls it makes.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Built, type Installation, inFolder, startInstallation } from "./installation.ts";
import { coveredMs, percentile } from "./percentile.ts";
import { progress, row, verdict } from "./printing.ts";
import { processMs } from "./process-time.ts";
import type { Timing } from "./timed-handler.ts";

const GROUPS = 4;
const WARM_UP = 40;
const MEASURED = 200;
const SHARE_MS_MAX = 15;
const ECS_CALLS_MAX = 3;
/** Long enough for no lease to end meanwhile; short enough for each to arm a wake-up of its own second. */
const PERIOD_S = 1800;

interface Opened {
  readonly totalMs: number;
  /** Services and operations in the order of arrival. */
  readonly calls: readonly string[];
}

/** Opens leases one after another in a warm process and prints the figures. Answers whether the promises were kept. */
export async function benchOpen(built: Built): Promise<boolean> {
  return inFolder(async (folder) => {
    const timings = join(folder, "timings.jsonl");
    const installation = await startInstallation(built, { groups: GROUPS, timer: false, timings });
    try {
      const opened: Opened[] = [];
      for (let index = 0; index < WARM_UP + MEASURED; index++) {
        opened.push(await open(installation, index));
        progress(`opened ${opened.length} of ${WARM_UP + MEASURED} leases`);
      }
      progress("");
      const lines = readFileSync(timings, "utf8").trim().split("\n");
      const timed = lines.map((line) => JSON.parse(line) as Timing);
      if (timed.length !== opened.length) throw new Error(`${timed.length} of ${opened.length} requests were timed`);
      const floorMs = percentile(
        Array.from({ length: 9 }, () => processMs("0")),
        50,
      );
      row("node -e 0 on this machine now", `${floorMs.toFixed(0)} ms (median of 9)`);
      return report(opened.slice(WARM_UP), timed.slice(WARM_UP), floorMs);
    } finally {
      await installation.stop();
    }
  });
}

async function open({ cloud, call, groupIds }: Installation, index: number): Promise<Opened> {
  const { next } = cloud.calls.since(Number.MAX_SAFE_INTEGER);
  const group = groupIds[index % groupIds.length] ?? "";
  // Every other one by the call of the owner's document; each in a rule of its own, so that none extends another.
  const port = 10_000 + index;
  const query = new URLSearchParams({ group, port: `${port}`, period: `${PERIOD_S}`, source: "203.0.113.7" });
  const ask = { group, port, period: PERIOD_S, source: "203.0.113.7", reason: "bench" };
  const startMs = performance.now();
  const { status, body } = await (Math.floor(index / groupIds.length) % 2 === 0
    ? call("PUT", `/safeport/temp_allow?${query}`)
    : call("POST", "/v1/leases", ask));
  const totalMs = performance.now() - startMs;
  const calls = cloud.calls
    .since(next)
    .calls.map(({ service, operation, params }) =>
      service === "ots" ? `${service} ${operation} ${params?.["table"] ?? ""}`.trim() : `${service} ${operation}`,
    );
  if (status === 200 || status === 201) return { totalMs, calls };
  const said = cloud.functions.registry
    .logs()
    .lines()
    .slice(-20)
    .map(({ text }) => text);
  throw new Error([`lease ${index}: ${status} ${JSON.stringify(body)}`, ...calls, ...said].join("\n"));
}

function report(opened: readonly Opened[], timed: readonly Timing[], floorMs: number): boolean {
  const clouds = timed.map(({ calls }) => coveredMs(calls));
  const handlers = timed.map(({ handler }) => handler.to - handler.from);
  const shares = handlers.map((ms, index) => ms - (clouds[index] ?? 0));
  const platform = opened.map(({ totalMs }, index) => totalMs - (handlers[index] ?? 0));
  row("opens, one after another", `${opened.length}, half temp_allow, half POST /v1/leases`);
  row("total at the client, p50 p99", both(opened.map(({ totalMs }) => totalMs)));
  row("  gateway and process, p50 p99", both(platform));
  row("  clouds' calls, p50 p99", both(clouds));
  row("  our share, p50 p99", both(shares));
  row(
    "  our share / node -e 0, p50 p99",
    [50, 99].map((at) => (percentile(shares, at) / floorMs).toFixed(2)).join("  "),
  );
  row("  processor time, p50 p99", both(timed.map(({ cpuMs }) => cpuMs)));
  row("  how", "inside the function: the handler's time without the time in which a call is under way");
  const kept = [
    verdict(`p99 of our share <= ${SHARE_MS_MAX} ms`, percentile(shares, 99) <= SHARE_MS_MAX),
    calls(opened, "ecs", ECS_CALLS_MAX),
    calls(opened, "ots"),
    calls(opened, "fc"),
  ];
  const lists = new Map<string, number>();
  for (const { calls: list } of opened) {
    const text = list.join("\n");
    lists.set(text, (lists.get(text) ?? 0) + 1);
  }
  const [usual] = [...lists].sort((a, b) => b[1] - a[1]);
  row("the usual list of calls", `${usual?.[1] ?? 0} of ${opened.length} opens`);
  for (const line of usual?.[0].split("\n") ?? []) row("", line);
  return kept.every(Boolean);
}

/** Prints how many calls to a service an open makes, and whether that is within what is promised. */
function calls(opened: readonly Opened[], service: string, max?: number): boolean {
  const counts = opened.map((each) => each.calls.filter((call) => call.startsWith(`${service} `)).length);
  row(`${service} calls per open, p50 max`, `${percentile(counts, 50)}  ${percentile(counts, 100)}`);
  return max === undefined || verdict(`${service} calls per open <= ${max}`, percentile(counts, 100) <= max);
}

function both(samples: readonly number[]): string {
  return `${percentile(samples, 50).toFixed(1)} ms  ${percentile(samples, 99).toFixed(1)} ms`;
}
