// The events that the trail has recorded, for those who look them up later.

import type { TrailSwitches } from "./switches.ts";

/** What an event says of a call. */
export type EventData = Readonly<Record<string, unknown>>;

interface Kept {
  /** When the call was made, milliseconds since the epoch. */
  readonly at: number;
  readonly data: EventData;
}

/** Events in memory; the real service keeps them for 90 days. */
const EVENTS_MAX = 10_000;

/** The newest events of the account, whatever became of their delivery. */
export class KeptEvents {
  readonly #switches: Pick<TrailSwitches, "lookupDelayMs">;
  #events: Kept[] = [];

  constructor(switches: Pick<TrailSwitches, "lookupDelayMs">) {
    this.#switches = switches;
  }

  keep(at: number, data: EventData): void {
    this.#events.push({ at, data });
    if (this.#events.length >= EVENTS_MAX * 2) this.#events = this.#events.slice(-EVENTS_MAX);
  }

  /** Those of a time range, both ends included, that can be found by now; oldest first. */
  between(from: number, to: number, now: number): readonly EventData[] {
    const known = Math.min(to, now - this.#switches.lookupDelayMs);
    return this.#events
      .slice(-EVENTS_MAX)
      .filter(({ at }) => at >= from && at <= known)
      .sort((a, b) => a.at - b.at)
      .map(({ data }) => data);
  }

  clear(): void {
    this.#events = [];
  }
}
