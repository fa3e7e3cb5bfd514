// What runs the program in a simulated account: processes that die and are replaced, a tick each minute, wake-ups, and whoever tries again.
import type { Policy } from "../../shared/domain/policy.ts";
import { AppError } from "../../shared/errors/app-error.ts";
import type { App } from "../../shared/usecases/app.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { awaitWakeup, sweep, type WakeupCall } from "../../shared/usecases/operation/sweep.ts";
import { NO_TROUBLE, type Trouble } from "../kit/mortal-process.ts";
import { Dice, type Schedule } from "../kit/schedule.ts";
import { SimProcess, type SimSurroundings } from "./sim-process.ts";
import type { Weather } from "./weather.ts";

const MINUTE_MS = 60_000;
/** How far clocks are ahead. */
const SKEWS_MS = [0, 0, -900, 1400, -3000, 3000];
/** What a call of a function has until it is cut off. */
export const DEADLINE_MS = 45_000;

/** The account that a platform is in. */
export interface PlatformSurroundings {
  readonly seed: string;
  readonly dice: Dice;
  readonly schedule: Schedule;
  readonly weather: Weather;
  /** What a process meets that has this trouble. */
  surroundings(trouble: Trouble): SimSurroundings;
  /** In force now. */
  policy(): Policy;
  tell(line: string): void;
  /** The program has thrown something in the course of its work. */
  failed(error: unknown, during: string): void;
  count(kind: string): void;
  disturb(kind: string, lastsMs: number): void;
  onTick(): void;
  /** Every minute, with a tick or without. */
  onMinute(): void;
}

interface Living {
  readonly process: SimProcess;
  readonly app: App;
}

export class SimPlatform {
  readonly #around: PlatformSurroundings;
  readonly #hasWakeups: boolean;
  readonly #processes: Living[] = [];
  readonly #works = new Set<Promise<void>>();
  /** Wake-ups that were asked for, by shard and second. */
  readonly #armed = new Set<string>();
  #born = 0;
  #isOver = false;

  constructor(around: PlatformSurroundings) {
    this.#around = around;
    this.#hasWakeups = around.dice.happens(0.5);
  }

  /** True once no tick comes any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Some process of the program; those that have died are replaced. */
  #process(): Living {
    const slot = this.#around.dice.between(0, 2);
    const living = this.#processes[slot];
    if (living && !living.process.isDead) return living;
    const born = this.#newProcess(this.#around.weather);
    this.#processes[slot] = born;
    return born;
  }

  /** A new version: from now on work goes to new processes, while those before finish what they have begun, frozen or not. */
  deploy(): void {
    this.#around.tell("deploy");
    this.#around.disturb("deploy", 0);
    this.#processes.length = 0;
  }

  #newProcess(trouble: Trouble): Living {
    this.#born += 1;
    const { seed, dice } = this.#around;
    const process = new SimProcess(`safeport-${this.#born}`, this.#around.surroundings(trouble), {
      ...{ who: "safeport", accessKeyId: "ak-safeport", isProgram: true },
      skewMs: dice.pick(SKEWS_MS),
    });
    if (trouble === this.#around.weather) this.#jump(process, new Dice(`clock ${this.#born} of ${seed}`));
    return { process, app: process.app(`${seed}/${this.#born}`) };
  }

  /** In some hours a machine's clock is set anew, forward or back. */
  #jump(process: SimProcess, dice: Dice): void {
    const { schedule, weather, tell, count } = this.#around;
    schedule.after(dice.between(1, 60 * MINUTE_MS), () => {
      if (process.isDead || this.#isOver) return;
      if (dice.happens(weather.jump)) {
        const skewMs = dice.pick(SKEWS_MS);
        tell(`the clock of ${process.name} jumps by ${skewMs - process.skewMs} ms`);
        count("clock jump");
        process.skewMs = skewMs;
      }
      this.#jump(process, dice);
    });
  }

  /** The program in a process of its own that nothing happens to. */
  quietApp(): App {
    return this.#newProcess({ ...NO_TROUBLE }).app;
  }

  /**
   * Work of the program on some process; true when it came to its end. When it fails or its process dies, somebody tries again. What is
   * thrown has to be one of the program's own failures.
   */
  start(name: string, work: (app: App) => Promise<unknown>, tries = 4): Promise<boolean> {
    const task = this.#attempt(name, work, tries);
    const tracked = task.then(() => undefined);
    this.#works.add(tracked);
    void tracked.then(() => this.#works.delete(tracked));
    return task;
  }

  async #attempt(name: string, work: (app: App) => Promise<unknown>, tries: number): Promise<boolean> {
    const { dice, schedule, tell, failed } = this.#around;
    for (let attempt = 0; attempt < tries; attempt++) {
      const { process, app } = this.#process();
      const ended = work(app).then(
        () => "done" as const,
        (error: unknown) => {
          tell(`${process.name} ${name} fails: ${error instanceof Error ? error.message : String(error)}`);
          if (error instanceof AppError && error.entry.retry === "never") return "refused" as const;
          failed(error, name);
          return "failed" as const;
        },
      );
      const outcome = await Promise.race([ended, process.died.then(() => "failed" as const)]);
      if (outcome === "done") return true;
      if (outcome === "refused") return false;
      await schedule.sleep(dice.between(1000, 10_000));
    }
    return false;
  }

  /** Waits for all work that was started. */
  async rest(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works);
  }

  #sweep(cause: string): void {
    const options = (app: App) => ({
      ...{ policy: this.#around.policy(), cause, jobs: allJobs },
      deadlineAt: app.clock.monotonicMs() + DEADLINE_MS,
    });
    void this.start(cause, (app) => sweep(app, options(app)), 1);
  }

  /** A wake-up of the shard for `at` is asked for, in so long. */
  arm({ shard, at, again }: WakeupCall & { readonly shard: number }, delayMs: number): void {
    if (!this.#hasWakeups) return;
    const { dice, schedule, weather, disturb } = this.#around;
    if (dice.happens(weather.lostWakeup)) {
      disturb("lost wake-up", 0);
      return;
    }
    // The platform takes one for each second of a shard: the next by the same name is refused.
    const name = `${shard}/${Math.ceil(at / 1000)}/${again}`;
    if (this.#armed.has(name)) return;
    this.#armed.add(name);
    schedule.after(delayMs + dice.between(0, 400), () => {
      void this.start(
        "wake-up",
        async (app) => {
          await awaitWakeup(app, shard, { at, again });
          const deadlineAt = app.clock.monotonicMs() + DEADLINE_MS;
          const policy = this.#around.policy();
          await sweep(app, { policy, cause: "wake-up", deadlineAt, jobs: allJobs, shard });
        },
        2,
      );
    });
  }

  /** Minutes go by, each with its tick, until `end` is called. */
  live(): void {
    const { dice, schedule, weather, disturb, onTick, onMinute } = this.#around;
    const minute = (): void => {
      if (this.#isOver) return;
      if (dice.happens(weather.missedTick)) disturb("missed tick", MINUTE_MS);
      else {
        onTick();
        this.#sweep("tick");
        if (dice.happens(weather.doubleTick)) {
          disturb("double tick", 0);
          this.#sweep("tick");
        }
      }
      onMinute();
      schedule.after(MINUTE_MS, minute);
    };
    schedule.after(MINUTE_MS, minute);
  }

  end(): void {
    this.#isOver = true;
  }
}
