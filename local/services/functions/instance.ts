// One instance: a Node process that holds one loaded bundle and serves one invocation at a time.

import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { CHANNEL_FD, frameOf, frameReader } from "./instance-channel.ts";
import type { ContextFields, InstanceMessage, InvokeMessage, StopMessage } from "./instance-messages.ts";
import type { InstanceWatchdog } from "./instance-watchdog.ts";

/** What an instance is started with. */
export interface InstanceOptions {
  readonly harnessPath: string;
  readonly bundle: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly freeze: boolean;
  readonly watchdog: InstanceWatchdog;
  readonly onOutput: (requestId: string, text: string) => void;
  readonly onExit: (instance: Instance) => void;
}

/** Answer of one run, before a request id is put on it. */
export type RunOutcome =
  | { readonly kind: "result"; readonly body: Buffer; readonly loadMs?: number }
  | {
      readonly kind: "failure";
      readonly errorType: "HandledInvocationError" | "UnhandledInvocationError" | "FunctionTimeout";
      readonly body: Buffer;
    };

const PRE_STOP_MS_MAX = 90_000;

/** Stopped by a signal between calls, as the platform withholds CPU from idle instances. */
export class Instance {
  readonly #options: InstanceOptions;
  readonly #child: ChildProcess;
  /** None where the machine had no room for another process. */
  readonly #channel: Socket | undefined;
  #finish: ((outcome: RunOutcome) => void) | undefined;
  #requestId = "-";
  /** What its last invocation was told; absent before the first. */
  #last: { readonly context: ContextFields; readonly offsetMs: number } | undefined;
  #frozen = false;
  #dead = false;

  constructor(options: InstanceOptions) {
    this.#options = options;
    this.#child = spawn(process.execPath, [options.harnessPath], {
      cwd: options.bundle,
      env: { ...options.environment },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#channel = (this.#child.stdio as ChildProcess["stdio"] | undefined)?.[CHANNEL_FD] as Socket | undefined;
    if (this.#child.pid !== undefined) options.watchdog.add(this.#child.pid);
    const onData = frameReader((message: InstanceMessage, bytes) => this.#onMessage(message, bytes));
    this.#channel?.on("data", onData);
    // Whoever writes is told too.
    this.#channel?.on("error", () => undefined);
    this.#child.on("error", (error) => this.#onExit(error.message));
    this.#child.on("exit", (code, signal) => this.#onExit(signal ? `signal ${signal}` : `exit code ${code}`));
    for (const stream of [this.#child.stdout, this.#child.stderr]) this.#collect(stream);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get isDead(): boolean {
    return this.#dead;
  }

  /** Runs the handler once; never rejects. After a timeout or a crash the instance is dead. */
  run(invocation: {
    readonly event: Uint8Array;
    readonly context: ContextFields;
    readonly offsetMs: number;
    readonly timeoutMs: number;
  }): Promise<RunOutcome> {
    const { event, context, offsetMs, timeoutMs } = invocation;
    this.#requestId = context.requestId;
    this.#last = { context, offsetMs };
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#end({
          kind: "failure",
          errorType: "FunctionTimeout",
          body: errorBody(`timed out after ${timeoutMs} ms`),
        });
        this.kill();
      }, timeoutMs);
      this.#finish = (outcome) => {
        clearTimeout(timer);
        resolve(outcome);
      };
      this.#thaw();
      const message: InvokeMessage = { kind: "invoke", context, offsetMs };
      this.#send(message, event, (error) => this.#onExit(error.message));
    });
  }

  /** Stops the process between calls. */
  freeze(): void {
    if (!this.#options.freeze || this.#dead || this.#frozen) return;
    this.#frozen = this.#child.kill("SIGSTOP");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends an instance that rests: its hook `preStop` first, for 90 s at most. */
  stop(): void {
    const last = this.#last;
    if (this.#dead || last === undefined) {
      this.kill();
      return;
    }
    this.#thaw();
    const timer = setTimeout(() => this.kill(), PRE_STOP_MS_MAX);
    this.#child.once("exit", () => clearTimeout(timer));
    const message: StopMessage = { kind: "stop", context: last.context, offsetMs: last.offsetMs };
    this.#send(message, new Uint8Array(), () => this.kill());
  }

  #send(message: InvokeMessage | StopMessage, bytes: Uint8Array, onError: (error: Error) => void): void {
    if (this.#channel === undefined) {
      onError(new Error("it could not be started"));
      return;
    }
    this.#channel.write(frameOf(message, bytes), (error) => {
      if (error) onError(error);
    });
  }

  #thaw(): void {
    if (!this.#frozen) return;
    this.#child.kill("SIGCONT");
    this.#frozen = false;
  }

  #onMessage(message: InstanceMessage, body: Buffer): void {
    if (message.kind === "stopped") {
      this.kill();
      return;
    }
    if (message.kind === "result") {
      this.#end(
        message.loadMs === undefined ? { kind: "result", body } : { kind: "result", body, loadMs: message.loadMs },
      );
      return;
    }
    this.#end({ kind: "failure", errorType: "HandledInvocationError", body });
  }

  #onExit(reason: string): void {
    if (!this.#dead) {
      this.#dead = true;
      if (this.#child.pid !== undefined) this.#options.watchdog.remove(this.#child.pid);
      this.#options.onExit(this);
    }
    const body = errorBody(`the process exited unexpectedly (${reason})`);
    this.#end({ kind: "failure", errorType: "UnhandledInvocationError", body });
  }

  #end(outcome: RunOutcome): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.(outcome);
  }

  #collect(stream: NodeJS.ReadableStream | null): void {
    let rest = "";
    stream?.setEncoding("utf8");
    stream?.on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#options.onOutput(this.#requestId, line);
    });
    stream?.on("end", () => {
      if (rest !== "") this.#options.onOutput(this.#requestId, rest);
    });
  }
}

/** The error of a failed invocation as the platform words it. */
export function errorBody(errorMessage: string, errorType = "Error"): Buffer {
  return Buffer.from(JSON.stringify({ errorMessage, errorType, stackTrace: [] }));
}
