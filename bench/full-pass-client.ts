// The built sweep function in a process of its own, run once on a timer's tick. The arguments are the bundle and the seconds the
// platform allows; prints one line of JSON.
import { createRequire } from "node:module";

/** What one run cost. */
export interface FullPassCost {
  /** Processor time of the whole process, its helper threads and its part of the network included, from the event to the result. */
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Of the process's whole life. */
  readonly peakBytes: number;
  /** What the handler answered. */
  readonly result: unknown;
}

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

async function main([bundle = "", seconds = ""]: readonly string[]): Promise<void> {
  const { handler } = createRequire(bundle)(bundle) as { readonly handler: Handler };
  const event = { triggerTime: new Date().toISOString(), triggerName: "tick", payload: "" };
  const cpu = process.cpuUsage();
  const from = performance.now();
  const result = await handler(Buffer.from(JSON.stringify(event)), {
    requestId: "bench",
    credentials: { accessKeyId: "ak", accessKeySecret: "sk" },
    function: { timeout: Number(seconds) },
  });
  const wallMs = performance.now() - from;
  const { user, system } = process.cpuUsage(cpu);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const cost: FullPassCost = { cpuMs: (user + system) / 1000, wallMs, peakBytes, result };
  process.stdout.write(`${JSON.stringify(cost)}\n`);
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exit(1);
  },
);
