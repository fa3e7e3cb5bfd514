// The budget of calls to one API in one region: counted per minute of the clock, as the cloud counts. Pure arithmetic.

/** The cloud counts calls per minute and, beyond the limit, blocks the rest of that minute. */
const WINDOW_MS = 60_000;
/** A Throttling answer halves the limit … */
const LOWERED_TO = 0.5;
/** … but not below this part of the full one … */
const LOWEST = 0.1;
/** … and every minute gives this part of the full one back. */
const RECOVERED_PER_WINDOW = 0.05;
/** A block is at most this part of what is left, so that many instances find something where little is left. */
const BLOCK_OF_FREE = 1 / 8;

/** What all instances together have taken in one minute. */
export interface CallBudget {
  /** Number of the minute since the epoch. */
  readonly window: number;
  /** Calls in blocks handed out, less what came back unused, plus the calls that did not ask. */
  readonly taken: number;
  /** The limit that the last Throttling answer left, and the minute of that answer. */
  readonly lowered: { readonly to: number; readonly window: number } | null;
}

/** A budget as the store has it, with what a conditional write compares. */
export interface KeptBudget {
  readonly budget: CallBudget;
  readonly version: number;
}

/** The minute of an instant. */
export function windowOf(ms: number): number {
  return Math.floor(ms / WINDOW_MS);
}

/** The instant at which a minute is over. */
export function endOfWindow(window: number): number {
  return (window + 1) * WINDOW_MS;
}

/**
 * The budget at an instant. A row of the next minute comes from a clock a little ahead of ours and counts; one further
 * ahead comes from a clock that was wrong, and is void.
 */
export function budgetAt(kept: CallBudget | null, ms: number): CallBudget {
  const window = windowOf(ms);
  if (kept === null) return { window, taken: 0, lowered: null };
  if (kept.window === window || kept.window === window + 1) return kept;
  const { lowered } = kept;
  return { window, taken: 0, lowered: lowered && { ...lowered, window: Math.min(lowered.window, window) } };
}

/** Calls a minute at present, of `most` at best. */
export function limitOf({ window, lowered }: CallBudget, most: number): number {
  if (lowered === null) return most;
  const minutes = Math.max(0, window - lowered.window);
  return Math.min(most, lowered.to + minutes * Math.ceil(most * RECOVERED_PER_WINDOW));
}

/** True in the minute of a Throttling answer: the cloud refuses everything until it is over. */
export function isBlocked({ window, lowered }: CallBudget): boolean {
  return lowered?.window === window;
}

/** The calls of a minute up to which somebody with this share (0 to 1) may go; at least one. */
export function allowance(limit: number, share: number): number {
  return Math.max(1, Math.floor(limit * share));
}

/** Calls to hand out to somebody with this share: 0 to `block`. */
export function blockFor(budget: CallBudget, ask: { most: number; share: number; block: number }): number {
  if (isBlocked(budget)) return 0;
  const free = allowance(limitOf(budget, ask.most), ask.share) - budget.taken;
  return Math.max(0, Math.min(ask.block, Math.ceil(free * BLOCK_OF_FREE)));
}

/** The budget with calls added, or with unused ones given back when negative. */
export function withTaken(budget: CallBudget, calls: number): CallBudget {
  return { ...budget, taken: Math.max(0, budget.taken + calls) };
}

/** The budget after a Throttling answer in a minute. Many answers of one minute lower it once. */
export function withThrottling(budget: CallBudget, window: number, most: number): CallBudget {
  if (budget.lowered !== null && budget.lowered.window >= window) return budget;
  const to = Math.max(Math.ceil(most * LOWEST), Math.floor(limitOf(budget, most) * LOWERED_TO));
  return { ...budget, lowered: { to, window } };
}
