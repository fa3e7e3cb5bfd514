// Stands around the built `api` function in its own process: times the handler and every HTTP call it makes, changes neither.
import { subscribe } from "node:diagnostics_channel";
import { appendFileSync } from "node:fs";
import type { ClientRequest, IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Span } from "./percentile.ts";

/** One invocation, as a line of the timings file. Milliseconds of the process's own monotonic clock. */
export interface Timing {
  readonly handler: Span;
  /** First byte asked for to last byte answered, of each call to a cloud service. */
  readonly calls: readonly Span[];
  /** Processor time of the whole process meanwhile, also while calls are under way. */
  readonly cpuMs: number;
}

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

const bundle = process.env["BENCH_BUNDLE"] ?? "";
const file = process.env["BENCH_TIMINGS"] ?? "";
const inner = createRequire(join(bundle, "index.js"))(join(bundle, "index.js")) as { readonly handler: Handler };

const begun = new Map<object, number>();
let calls: Span[] = [];

subscribe("http.client.request.start", (message) => {
  const { request } = message as { readonly request: ClientRequest };
  begun.set(request, performance.now());
});
subscribe("http.client.response.finish", (message) => {
  const { request, response } = message as { readonly request: ClientRequest; readonly response: IncomingMessage };
  // Said when the head of the answer has come; its body is part of the call.
  response.once("end", () => {
    const from = begun.get(request);
    begun.delete(request);
    if (from !== undefined) calls.push({ from, to: performance.now() });
  });
});

/** The handler that is deployed. */
export const handler: Handler = async (event, context) => {
  calls = [];
  const cpu = process.cpuUsage();
  const from = performance.now();
  try {
    return await inner.handler(event, context);
  } finally {
    const to = performance.now();
    const { user, system } = process.cpuUsage(cpu);
    const timing: Timing = { handler: { from, to }, calls, cpuMs: (user + system) / 1000 };
    appendFileSync(file, `${JSON.stringify(timing)}\n`);
  }
};
