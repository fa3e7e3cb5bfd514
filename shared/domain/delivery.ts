// How the telling of a notice stands with each target, and when a target is tried again.

/** `told` and `dead` are final. */
export type TargetState =
  | { readonly kind: "told"; readonly at: number }
  | { readonly kind: "dead"; readonly at: number }
  | { readonly kind: "refused"; readonly tries: number; readonly nextAt: number };

/** By the target's name; a target that is not there has not been tried. */
export type DeliveryState = Readonly<Record<string, TargetState>>;

/** How a target takes messages. Instants in milliseconds. */
export interface TargetPace {
  /** Of the messages of the last minute, counted before they are sent. */
  readonly sentAt: readonly number[];
  /** Nothing is sent before. */
  readonly pausedUntil: number;
  /** In a row. */
  readonly failures: number;
  /** Of the last one; null when it takes messages. */
  readonly why: string | null;
}

export const MINUTE_MS = 60_000;

/** A target that nothing is known of. */
export const freshPace: TargetPace = { sentAt: [], pausedUntil: 0, failures: 0, why: null };

/** Messages that the target takes now. A clock that was set back counts as none of them having been sent. */
export function roomOf(pace: TargetPace, perMinute: number, now: number): number {
  if (pace.pausedUntil > now) return 0;
  return Math.max(0, perMinute - recent(pace, now).length);
}

const recent = ({ sentAt }: TargetPace, now: number): readonly number[] =>
  sentAt.filter((at) => at > now - MINUTE_MS && at <= now);

/** The pace with one more message. */
export const paceAfter = (pace: TargetPace, now: number): TargetPace => ({
  ...pace,
  sentAt: [...recent(pace, now), now],
});

const BACKOFF_BASE_MS = 10_000;
const BACKOFF_MAX_MS = 30 * MINUTE_MS;

/** How long to wait after so many failures in a row: full jitter over a time that doubles. `fraction` is in [0, 1). */
export function backoffMs(failures: number, fraction: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.max(0, failures - 1));
  return Math.ceil(fraction * ceiling);
}
