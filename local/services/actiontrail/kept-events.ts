// The events that the trail has recorded, for those who look them up later.

import { LineFile } from "../../line-file.ts";
import type { TrailSwitches } from "./switches.ts";

/** What an event says of a call. */
export type EventData = Readonly<Record<string, unknown>>;

interface Kept {
  /** When the call was made, milliseconds since the epoch. */
  readonly at: number;
  readonly data: EventData;
}

/** So many at most; the real service keeps those of 90 days. */
const EVENTS_MAX = 10_000;

/** The newest events of the account, whatever became of their delivery. */
export class KeptEvents {
  readonly #switches: Pick<TrailSwitches, "lookupDelayMs">;
  readonly #file: LineFile<Kept>;
  #events: Kept[] = [];

  /** In the directory they outlive the process. */
  constructor(switches: Pick<TrailSwitches, "lookupDelayMs">, directory?: string) {
    this.#switches = switches;
    this.#file = new LineFile(directory === undefined ? undefined : `${directory}/events.jsonl`);
    this.#events = this.#file.read().slice(-EVENTS_MAX);
  }

  keep(at: number, data: EventData): void {
    const kept = { at, data };
    this.#events.push(kept);
    this.#file.append(kept);
    if (this.#events.length < EVENTS_MAX * 2) return;
    this.#events = this.#events.slice(-EVENTS_MAX);
    this.#file.replace(this.#events);
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
    this.#file.replace([]);
  }

  close(): void {
    this.#file.close();
  }
}
