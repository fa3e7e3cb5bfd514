// The instances of one function: one request each, the most recently used first, a queue when all are busy.

import { errorBody, Instance, type InstanceOptions, type RunOutcome } from "./instance.ts";

/** Settings of a pool. */
export interface PoolOptions extends Omit<InstanceOptions, "onExit" | "environment"> {
  /** Asked for each new instance. */
  readonly environment: () => InstanceOptions["environment"];
  readonly instancesMax: number;
  /** Real milliseconds after which an unused instance is released. */
  readonly idleMs: number;
}

type Run = Parameters<Instance["run"]>[0];

const CRASHED: RunOutcome = {
  kind: "failure",
  errorType: "UnhandledInvocationError",
  body: errorBody("the process exited unexpectedly (signal SIGKILL)"),
};

interface Idle {
  readonly instance: Instance;
  readonly sinceMs: number;
}

/** Starts, reuses and releases instances. */
export class InstancePool {
  readonly #options: PoolOptions;
  readonly #all = new Set<Instance>();
  readonly #idle: Idle[] = [];
  readonly #waiting: Array<() => void> = [];
  #reaper: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** How many processes exist now. */
  get size(): number {
    return this.#all.size;
  }

  pids(): readonly number[] {
    return [...this.#all].flatMap((instance) => (instance.pid === undefined ? [] : [instance.pid]));
  }

  /**
   * Runs one invocation on an idle, a new, or the next free instance. `prepare` is called when its turn has come. With
   * `crash` the instance dies before it has begun, or after its work and before its result is known.
   */
  async run(prepare: () => Run, crash?: "before" | "after"): Promise<RunOutcome> {
    while (this.#idle.length === 0 && this.#all.size >= this.#options.instancesMax)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const instance = this.#idle.pop()?.instance ?? this.#start();
    if (crash === "before") instance.kill();
    const ended = await instance.run(prepare());
    if (crash === "after") instance.kill();
    const outcome = crash === "after" ? CRASHED : ended;
    if (
      crash !== undefined ||
      instance.isDead ||
      (outcome.kind === "failure" && outcome.errorType === "FunctionTimeout")
    )
      instance.kill();
    else this.#rest(instance);
    this.#waiting.shift()?.();
    return outcome;
  }

  /** Kills every process at once, as a lost machine would; running invocations fail. */
  kill(): number {
    const count = this.#all.size;
    for (const instance of this.#all) instance.kill();
    this.#idle.length = 0;
    return count;
  }

  /** Releases what is idle now and everything else when it has answered. */
  retire(): void {
    this.#closed = true;
    clearInterval(this.#reaper);
    for (const { instance } of this.#idle.splice(0)) instance.stop();
  }

  #start(): Instance {
    const instance = new Instance({
      ...this.#options,
      environment: this.#options.environment(),
      onExit: (dead) => {
        this.#all.delete(dead);
        const index = this.#idle.findIndex((idle) => idle.instance === dead);
        if (index >= 0) this.#idle.splice(index, 1);
        this.#waiting.shift()?.();
      },
    });
    this.#all.add(instance);
    return instance;
  }

  #rest(instance: Instance): void {
    if (this.#closed) {
      instance.stop();
      return;
    }
    this.#idle.push({ instance, sinceMs: performance.now() });
    instance.freeze();
    this.#reaper ??= setInterval(() => this.#release(), Math.max(50, this.#options.idleMs / 10)).unref();
  }

  #release(): void {
    const beforeMs = performance.now() - this.#options.idleMs;
    while (this.#idle[0] && this.#idle[0].sinceMs <= beforeMs) this.#idle.shift()?.instance.stop();
  }
}
