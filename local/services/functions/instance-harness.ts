// Runs inside an instance's process: loads a built bundle and hands it one event at a time, in the cloud's time.
// Depends on nothing but Node, and is bundled to a file of its own.

import { createRequire } from "node:module";
import { Socket } from "node:net";
import { join } from "node:path";
import { CHANNEL_FD, frameOf, frameReader } from "./instance-channel.ts";
import type { ContextFields, InstanceMessage, InvokeMessage, StopMessage } from "./instance-messages.ts";

type Callback = (error: unknown, value?: unknown) => void;
type Hook = (context: unknown, callback?: Callback) => unknown;
type Handler = (event: Buffer, context: unknown, callback?: Callback) => unknown;

const MachineDate = Date;
const channel = new Socket({ fd: CHANNEL_FD });
let offsetMs = 0;

installCloudDate();

// A terminal's Ctrl-C reaches the whole process group; the platform decides when an instance ends.
process.on("SIGINT", () => undefined);
// Nor does an instance live longer than its platform.
channel.on("close", () => process.exit(0));

interface Bundle {
  readonly handler: Handler;
  readonly initialize: Hook | undefined;
  readonly preStop: Hook | undefined;
  initialized: boolean;
}

let loaded: Bundle | undefined;
let loadMs: number | undefined;

const onData = frameReader((message: InvokeMessage | StopMessage, event) => {
  offsetMs = message.offsetMs;
  if (message.kind === "stop") {
    void stop(message).finally(() => send({ kind: "stopped" }));
    return;
  }
  run(message.context, event).catch((error: unknown) => send({ kind: "failure" }, failureOf(error)));
});
channel.on("data", onData);

async function run(fields: ContextFields, event: Buffer): Promise<void> {
  const context = contextOf(fields);
  const start = process.hrtime();
  const wasLoaded = loaded?.initialized === true;
  const bundle = loadBundle();
  if (!bundle.initialized) {
    const { initialize } = bundle;
    if (initialize) await settle((callback) => initialize(context, callback), initialize.length >= 2);
    bundle.initialized = true;
  }
  // By a clock that takes nothing of the start that is measured: for `performance` Node would load eight modules.
  if (!wasLoaded) loadMs = millisecondsSince(start);
  const value = await settle((callback) => bundle.handler(event, context, callback), bundle.handler.length >= 3);
  const result: InstanceMessage = loadMs === undefined ? { kind: "result" } : { kind: "result", loadMs };
  loadMs = undefined;
  send(result, bytesOf(value));
}

function millisecondsSince(start: [seconds: number, nanoseconds: number]): number {
  const [seconds, nanoseconds] = process.hrtime(start);
  return seconds * 1000 + nanoseconds / 1e6;
}

/** What the hook throws is told, and changes nothing. */
async function stop({ context: fields }: StopMessage): Promise<void> {
  const preStop = loaded?.preStop;
  if (preStop === undefined) return;
  const context = contextOf(fields);
  try {
    await settle((callback) => preStop(context, callback), preStop.length >= 2);
  } catch (error) {
    process.stderr.write(`preStop: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}

function loadBundle(): Bundle {
  if (loaded) return loaded;
  const [file = "index", name = "handler"] = (process.env["FC_FUNCTION_HANDLER"] ?? "index.handler").split(".");
  const codePath = process.env["FC_FUNC_CODE_PATH"] ?? process.cwd();
  const exported = createRequire(join(codePath, "index.js"))(join(codePath, `${file}.js`)) as Record<string, unknown>;
  const handler = exported[name];
  if (typeof handler !== "function") throw new Error(`the bundle exports no function "${name}"`);
  const hookOf = (hook: string): Hook | undefined =>
    typeof exported[hook] === "function" ? (exported[hook] as Hook) : undefined;
  loaded = {
    handler: handler as Handler,
    initialize: hookOf("initialize"),
    preStop: hookOf("preStop"),
    initialized: false,
  };
  return loaded;
}

// Both styles of handler: one that returns a promise or a value, and one that takes a callback.
function settle(call: (callback?: Callback) => unknown, takesCallback: boolean): Promise<unknown> {
  if (!takesCallback) return Promise.resolve().then(() => call());
  return new Promise((resolve, reject) => {
    const returned = call((error, value) => (error ? reject(error) : resolve(value)));
    if (returned instanceof Promise) returned.catch(reject);
  });
}

function bytesOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === "string") return Buffer.from(value);
  return Buffer.from(JSON.stringify(value) ?? "");
}

function failureOf(thrown: unknown): Buffer {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const stackTrace = (error.stack ?? "").split("\n").slice(1, 11);
  const text = JSON.stringify({
    errorMessage: error.message,
    errorType: error.name,
    stackTrace: stackTrace.map((line) => line.trim()),
  });
  return Buffer.from(text);
}

function send(message: InstanceMessage, bytes: Uint8Array = new Uint8Array()): void {
  channel.write(frameOf(message, bytes));
}

function contextOf(fields: ContextFields): Record<string, unknown> {
  const write = (level: string, words: readonly unknown[]): void => {
    const text = words.map((word) => (typeof word === "string" ? word : JSON.stringify(word))).join(" ");
    process.stdout.write(`${new Date().toISOString()} ${fields.requestId} [${level}] ${text}\n`);
  };
  return {
    ...fields,
    service: { logProject: "", logStore: "", qualifier: "LATEST" },
    tracing: { openTracingSpanBaggages: {} },
    callbackWaitsForEmptyEventLoop: false,
    logger: {
      requestId: fields.requestId,
      debug: (...words: unknown[]) => write("debug", words),
      info: (...words: unknown[]) => write("info", words),
      log: (...words: unknown[]) => write("info", words),
      warn: (...words: unknown[]) => write("warn", words),
      error: (...words: unknown[]) => write("error", words),
    },
  };
}

// Bundles read the time from Date. Only "now" moves: parsing and arithmetic stay the platform's own.
function installCloudDate(): void {
  const nowMs = (): number => MachineDate.now() + offsetMs;
  function CloudDate(this: unknown, ...words: unknown[]): unknown {
    if (new.target === undefined) return new MachineDate(nowMs()).toString();
    return Reflect.construct(MachineDate, words.length === 0 ? [nowMs()] : words, new.target);
  }
  CloudDate.prototype = MachineDate.prototype;
  Object.defineProperty(CloudDate, "name", { value: "Date" });
  Object.defineProperty(CloudDate, "length", { value: 7 });
  CloudDate.now = nowMs;
  CloudDate.parse = MachineDate.parse;
  CloudDate.UTC = MachineDate.UTC;
  Object.defineProperty(MachineDate.prototype, "constructor", {
    value: CloudDate,
    configurable: true,
    writable: true,
  });
  globalThis.Date = CloudDate as unknown as DateConstructor;
}
