// The deployed functions: their instances, their timers, and the two ways to call them.

import type { Random } from "../../../shared/ports/random.ts";
import type { SchedulingClock } from "../../clock.ts";
import { Courier } from "../../delivery.ts";
import type { FaultTable } from "../../faults.ts";
import { hexText } from "../../random.ts";
import { type EventPattern, parsePattern } from "../eventbridge/event-pattern.ts";
import { type Queues, queueIn } from "../smq/queues.ts";
import { type Acceptance, AsyncQueue } from "./async-queue.ts";
import { destinationMessage } from "./destination.ts";
import {
  checkDefinition,
  type EventRetry,
  type EventSchema,
  type FunctionDefinition,
  type InvocationOutcome,
} from "./function-definition.ts";
import { errorBody } from "./instance.ts";
import type { ContextFields, RoleCredentials } from "./instance-messages.ts";
import { InstancePool } from "./instance-pool.ts";
import { InstanceWatchdog } from "./instance-watchdog.ts";
import { type LogLine, LogRing } from "./log-ring.ts";
import type { QueuedInvocation } from "./queue-journal.ts";
import { startTimer } from "./timers.ts";

/** What the registry needs. */
export interface RegistryOptions {
  readonly clock: SchedulingClock;
  readonly random: Random;
  readonly harnessPath: string;
  /** Keeps the asynchronous queue and the functions' output across restarts. */
  readonly directory?: string;
  readonly region: string;
  readonly accountId: string;
  /** Present keys of the functions' role: asked for each call, and for the environment of each new instance. */
  readonly role: () => RoleCredentials;
  /** Real milliseconds an unused instance is kept; default 60,000. */
  readonly idleMs?: number;
  /** Whether idle instances are stopped; default true. */
  readonly freeze?: boolean;
  /** Requests that may run at once in the account, those of reserved functions among them; default 100. */
  readonly concurrencyMax?: number;
  /** Where events and results go that are sent to a queue. */
  readonly queues?: Queues;
  /** First wait before a failed asynchronous call is tried again; default 1,000. */
  readonly backoffMs?: number;
  readonly faults?: FaultTable;
  /** Told why the queue could not be kept in `directory`; what is accepted is run all the same. */
  readonly onUnwritable?: (error: unknown) => void;
  /** Told each line that functions write; then none goes to a file. */
  readonly onLog?: (line: LogLine) => void;
}

/** A function that wants events of the default bus. */
export interface EventTarget {
  readonly function: string;
  readonly pattern: EventPattern;
  readonly async: boolean;
  readonly retry: EventRetry;
  readonly schema: EventSchema;
  readonly deadLetter?: string;
}

interface Deployed {
  readonly definition: FunctionDefinition;
  readonly pool: InstancePool;
  readonly eventTargets: readonly EventTarget[];
  readonly stopTimers: readonly (() => void)[];
  /** Requests that wait for a process or run. */
  running: number;
}

const CONCURRENCY_MAX = 100;

/** Runs functions by name. */
export class FunctionRegistry {
  readonly #options: RegistryOptions;
  readonly #deployed = new Map<string, Deployed>();
  readonly #queue: AsyncQueue;
  readonly #watchdog = new InstanceWatchdog();
  readonly #logs: LogRing;
  readonly #idleListeners: Array<() => void> = [];
  readonly #ticks: Courier;
  #inFlight = 0;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#logs = new LogRing(options.onLog === undefined ? options.directory : undefined);
    this.#ticks = new Courier(options.clock);
    this.#queue = new AsyncQueue({
      clock: options.clock,
      ...(options.directory === undefined ? {} : { directory: options.directory }),
      ...(options.backoffMs === undefined ? {} : { backoffMs: options.backoffMs }),
      ...(options.onUnwritable === undefined ? {} : { onUnwritable: options.onUnwritable }),
      retriesMax: (name) => this.#deployed.get(name)?.definition.asyncRetriesMax ?? 3,
      ageMsMax: (name) => (this.#deployed.get(name)?.definition.asyncMaxAgeS ?? 86_400) * 1_000,
      isDeployed: (name) => this.has(name),
      invoke: async ({ id, function: name, event, attempt }) => {
        const call = { requestId: id, retryCount: attempt };
        const outcome = await this.invoke(name, Buffer.from(event, "base64"), call);
        return outcome.errorType === "ResourceThrottled" ? undefined : outcome;
      },
      takeFault: (name) => options.faults?.take({ service: "async", operation: name }),
      onEnd: (invocation, outcome) => this.#tellDestination(invocation, outcome),
    });
  }

  /** Invocations that wait for an instance or run. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Accepted asynchronous invocations that have not ended. */
  get queued(): number {
    return this.#queue.size;
  }

  has(name: string): boolean {
    return this.#deployed.has(name);
  }

  /** The function as it was deployed last. */
  find(name: string): FunctionDefinition | undefined {
    return this.#deployed.get(name)?.definition;
  }

  logs(): LogRing {
    return this.#logs;
  }

  newRequestId(): string {
    const hex = (length: number): string => hexText(this.#options.random, length);
    return `1-${hex(8)}-${hex(8)}-${hex(12)}`;
  }

  /** Puts a function in place of any earlier one of its name; running calls end on the old instances. */
  deploy(definition: FunctionDefinition): void {
    checkDefinition(definition);
    const timers = (definition.triggers ?? []).flatMap((trigger) => (trigger.type === "timer" ? [trigger] : []));
    const stopTimers = timers.map((timer) =>
      startTimer(this.#options.clock, timer, (event) => this.#tick(definition.name, timer.name, event)),
    );
    const earlier = this.#deployed.get(definition.name);
    for (const stop of earlier?.stopTimers ?? []) stop();
    earlier?.pool.retire();
    const eventTargets = eventTargetsOf(definition);
    const pool = this.#poolOf(definition);
    this.#deployed.set(definition.name, { definition, pool, stopTimers, eventTargets, running: 0 });
    this.#queue.wake(definition.name);
  }

  /** What the deployed functions want of the default event bus. */
  eventTargets(): readonly EventTarget[] {
    return [...this.#deployed.values()].flatMap((deployed) => deployed.eventTargets);
  }

  /** Runs a function once and answers how it ended; never rejects. */
  async invoke(
    name: string,
    event: Uint8Array,
    call: { readonly requestId?: string; readonly retryCount?: number } = {},
  ): Promise<InvocationOutcome> {
    const requestId = call.requestId ?? this.newRequestId();
    const deployed = this.#deployed.get(name);
    if (!deployed)
      return { requestId, errorType: "FunctionNotFound", body: errorBody(`function ${name} does not exist`) };
    const limit = this.#limitOf(deployed);
    if (limit.running >= limit.max)
      return { requestId, errorType: "ResourceThrottled", body: errorBody(`${name}: ${limit.max} requests run`) };
    this.#inFlight += 1;
    deployed.running += 1;
    try {
      const timeoutMs = (deployed.definition.timeoutS ?? 60) * 1_000;
      const context = this.#contextOf(deployed.definition, requestId, call.retryCount ?? 0);
      const fault = this.#options.faults?.take({ service: "function", operation: name });
      const skewMs = fault?.kind === "skew" ? fault.ms : 0;
      const outcome = await deployed.pool.run(
        () => ({ event, context, timeoutMs, offsetMs: this.#options.clock.machineOffsetMs() + skewMs }),
        fault?.kind === "crash" ? (fault.when ?? "after") : undefined,
      );
      if (outcome.kind === "result") return { requestId, body: outcome.body };
      this.#log(name, requestId, `${outcome.errorType}: ${outcome.body.toString("utf8")}`);
      return { requestId, body: outcome.body, errorType: outcome.errorType };
    } finally {
      this.#inFlight -= 1;
      deployed.running -= 1;
      // After the caller's own reaction to the outcome, which may start the next invocation.
      if (this.#inFlight === 0) setImmediate(() => this.#tellIdle());
    }
  }

  /** Accepts an asynchronous invocation. */
  submit(
    name: string,
    event: Buffer,
    options: { readonly delayMs?: number; readonly taskId?: string; readonly requestId?: string } = {},
  ): { readonly requestId: string; readonly acceptance: Acceptance } {
    const { requestId = this.newRequestId(), ...rest } = options;
    return { requestId, acceptance: this.#queue.submit({ id: requestId, function: name, event, ...rest }) };
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }

  /** Kills every instance of a function at once; answers how many, or undefined without such a function. */
  kill(name: string): number | undefined {
    return this.#deployed.get(name)?.pool.kill();
  }

  /** Kills the instances of every function. */
  killAll(): void {
    for (const { pool } of this.#deployed.values()) pool.kill();
  }

  /** Process ids of a function's instances. */
  pids(name: string): readonly number[] {
    return this.#deployed.get(name)?.pool.pids() ?? [];
  }

  /** Drops queued invocations and task ids, and starts timers anew at the clock's present. */
  reset(): void {
    this.#queue.clear();
    this.#ticks.clear();
    for (const { definition } of [...this.#deployed.values()]) this.deploy(definition);
  }

  /** Starts nothing by itself any more: timers stop, and what is queued waits for the next start. Calls that run go on. */
  hold(): void {
    this.#queue.hold();
    for (const { stopTimers } of this.#deployed.values()) for (const stop of stopTimers) stop();
  }

  close(): void {
    this.#queue.close();
    for (const { pool, stopTimers } of this.#deployed.values()) {
      for (const stop of stopTimers) stop();
      pool.retire();
      pool.kill();
    }
    this.#deployed.clear();
    this.#watchdog.close();
    this.#logs.close();
  }

  #tick(name: string, timer: string, event: Buffer): void {
    this.#ticks.send({
      fault: this.#options.faults?.take({ service: "timer", operation: name, params: { timer } }),
      attempt: async () => {
        this.submit(name, event);
        return true;
      },
    });
  }

  /** How many requests run that share a limit with the function's next one, and the limit. */
  #limitOf(deployed: Deployed): { readonly running: number; readonly max: number } {
    const { reservedConcurrency } = deployed.definition;
    if (reservedConcurrency !== undefined) return { running: deployed.running, max: reservedConcurrency };
    const all = [...this.#deployed.values()];
    const sharing = all.filter(({ definition }) => definition.reservedConcurrency === undefined);
    const reserved = all.reduce((sum, { definition }) => sum + (definition.reservedConcurrency ?? 0), 0);
    return {
      running: sharing.reduce((sum, { running }) => sum + running, 0),
      max: Math.max(0, (this.#options.concurrencyMax ?? CONCURRENCY_MAX) - reserved),
    };
  }

  #tellDestination(invocation: QueuedInvocation, outcome: InvocationOutcome | undefined): void {
    const { onSuccess, onFailure } = this.#deployed.get(invocation.function)?.definition.destinations ?? {};
    const name = outcome !== undefined && outcome.errorType === undefined ? onSuccess : onFailure;
    if (name === undefined) return;
    const { region, accountId, clock } = this.#options;
    const message = destinationMessage(invocation, outcome, { region, accountId, nowMs: clock.now() });
    const queue = queueIn(name);
    if (queue === undefined) this.submit(name, message);
    else this.#options.queues?.send(queue, { at: clock.now(), body: message.toString("utf8") });
  }

  #tellIdle(): void {
    if (this.#inFlight === 0) for (const listener of this.#idleListeners.splice(0)) listener();
  }

  #poolOf(definition: FunctionDefinition): InstancePool {
    const { harnessPath, freeze = true, idleMs = 60_000 } = this.#options;
    return new InstancePool({
      harnessPath,
      freeze,
      idleMs,
      bundle: definition.bundle,
      environment: () => this.#environmentOf(definition),
      instancesMax: definition.instancesMax ?? 8,
      watchdog: this.#watchdog,
      onOutput: (requestId, text) => this.#log(definition.name, requestId, text),
    });
  }

  #log(name: string, requestId: string, text: string): void {
    const line = { at: this.#options.clock.now(), function: name, requestId, text };
    this.#logs.add(line);
    this.#options.onLog?.(line);
  }

  #contextOf(definition: FunctionDefinition, requestId: string, retryCount: number): ContextFields {
    const { role, region, accountId } = this.#options;
    const { name, handler = "index.handler", memoryMb = 512, timeoutS = 60 } = definition;
    const { accessKeyId, accessKeySecret, securityToken } = role();
    const credentials = { accessKeyId, accessKeySecret, securityToken };
    return {
      requestId,
      retryCount,
      credentials,
      region,
      accountId,
      function: { name, handler, memory: memoryMb, timeout: timeoutS },
    };
  }

  #environmentOf(definition: FunctionDefinition): Record<string, string> {
    const { region, accountId } = this.#options;
    const role = this.#options.role();
    const { name, handler = "index.handler", memoryMb = 512 } = definition;
    return {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      TZ: "UTC",
      FC_FUNC_CODE_PATH: definition.bundle,
      FC_ACCOUNT_ID: accountId,
      FC_FUNCTION_HANDLER: handler,
      FC_FUNCTION_MEMORY_SIZE: String(memoryMb),
      FC_FUNCTION_NAME: name,
      FC_REGION: region,
      FC_VER_ID: "LATEST",
      FC_INSTANCE_ID: `c-${hexText(this.#options.random, 32)}`,
      ALIBABA_CLOUD_ACCESS_KEY_ID: role.accessKeyId,
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: role.accessKeySecret,
      ALIBABA_CLOUD_SECURITY_TOKEN: role.securityToken,
      ...definition.environment,
    };
  }
}

function eventTargetsOf({ name, triggers = [] }: FunctionDefinition): readonly EventTarget[] {
  return triggers.flatMap((trigger) =>
    trigger.type === "eventbridge"
      ? [
          {
            function: name,
            pattern: parsePattern(trigger.pattern),
            async: trigger.async ?? false,
            retry: trigger.retry ?? "BACKOFF_RETRY",
            schema: trigger.schema ?? "CloudEvents",
            ...(trigger.deadLetter === undefined ? {} : { deadLetter: trigger.deadLetter }),
          },
        ]
      : [],
  );
}
