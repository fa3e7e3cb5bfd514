// The bus between the trail and the program: events come late, several times, never, or from somebody who made them up.
import type { Dice, Schedule } from "../kit/schedule.ts";
import type { Weather } from "./weather.ts";

/** An event of the trail. */
export type TrailData = Readonly<Record<string, unknown>>;

const HEARD_MAX = 40;
const MINUTE_MS = 60_000;

export interface BusSurroundings {
  readonly dice: Dice;
  readonly schedule: Schedule;
  /** Of now; changed while the run goes on. */
  readonly weather: Weather;
  readonly tell: (line: string) => void;
  readonly onFault: (kind: string) => void;
  /** Has the program look at an event. */
  readonly handOver: (event: string) => void;
}

export class EventBus {
  /** The newest events that the trail has told. */
  readonly heard: TrailData[] = [];
  /** Whose events do not come: somebody keeps them from the bus. */
  readonly heldBack = new Set<string>();
  readonly #around: BusSurroundings;

  constructor(around: BusSurroundings) {
    this.#around = around;
  }

  /** The trail tells an event. */
  told(data: TrailData): void {
    this.heard.push(data);
    if (this.heard.length > HEARD_MAX) this.heard.shift();
    const { userName } = data["userIdentity"] as { readonly userName?: string };
    if (userName !== undefined && this.heldBack.has(userName)) this.#around.onFault("event held back");
    else this.#deliver(data);
  }

  /** Somebody writes an event onto the bus that the trail knows nothing of. */
  forge(data: TrailData): void {
    this.#around.tell(`forged ${String(data["eventId"])}`);
    this.#deliver(data);
  }

  /** Events of calls come some time after, once or more often, or never. */
  #deliver(data: TrailData): void {
    const { dice, schedule, weather, onFault, handOver } = this.#around;
    if (dice.happens(weather.lostEvent)) {
      onFault("lost event");
      return;
    }
    const times = dice.happens(weather.doubleEvent) ? 3 : 1;
    if (times > 1) onFault("double event");
    const event = JSON.stringify({ specversion: "1.0", type: "ecs:ActionTrail:ApiCall", data });
    for (let n = 0; n < times; n++) {
      const isLate = dice.happens(weather.lateEvent);
      if (isLate) onFault("late event");
      schedule.after(isLate ? dice.between(20_000, 12 * MINUTE_MS) : dice.between(0, 500), () => handOver(event));
    }
  }
}
