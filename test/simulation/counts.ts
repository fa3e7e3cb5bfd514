// What a run came to, in numbers.

export interface Counts {
  calls: number;
  /** Calls of the program that changed a rule. */
  changes: number;
  ticks: number;
  events: number;
  /** Faults by kind. */
  readonly faults: Map<string, number>;
  /** Moves of leases and locks from state to state. */
  readonly moves: Map<string, number>;
  /** How often each checker has looked at something. */
  readonly checks: Map<string, number>;
}

export const freshCounts = (): Counts => ({
  ...{ calls: 0, changes: 0, ticks: 0, events: 0 },
  ...{ faults: new Map(), moves: new Map(), checks: new Map() },
});
