// The life of a lease: its states, the moves between them, and the arithmetic of its end.

/** Where a lease is in its life. */
export type LeaseState =
  | "requested"
  | "approved"
  | "opening"
  | "open"
  | "closing"
  | "closed"
  | "denied"
  | "lapsed"
  | "cancelled"
  | "failed";

/**
 * From state to the states that may follow it.
 *
 *     requested ─> approved ─> opening ─> open ─> closing ─> closed
 *         │            │          ├──────────────────┘
 *         │            │          └─> failed, lapsed, cancelled     nothing of it stands in the cloud, or can still appear
 *         │            └─> lapsed, cancelled, failed
 *         └─> denied, lapsed, cancelled
 *
 * A lease that may have left a rule in the cloud leaves `opening` only through `closing` or `open`; `open` goes straight to
 * `closed` when its rule is already gone or was never its own to remove.
 */
const MOVES: Readonly<Record<LeaseState, readonly LeaseState[]>> = {
  requested: ["approved", "denied", "lapsed", "cancelled"],
  approved: ["opening", "lapsed", "cancelled", "failed"],
  opening: ["open", "closing", "failed", "lapsed", "cancelled"],
  open: ["closing", "closed"],
  closing: ["closed", "failed", "lapsed", "cancelled"],
  closed: [],
  denied: [],
  lapsed: [],
  cancelled: [],
  failed: [],
};

/** Every state, in the order of a lease's life. */
export const LEASE_STATES = Object.keys(MOVES) as readonly LeaseState[];

/** True when a lease may go from the one state to the other; staying is not a move. */
export function canMove(from: LeaseState, to: LeaseState): boolean {
  return MOVES[from].includes(to);
}

/**
 * True when a row that says the one may come to say the other: by a move, or the same again. Who was frozen past its lock may have seen
 * more of a live lease than whoever came after; but what is over stays as it is.
 */
export const mayFollow = (from: LeaseState, to: LeaseState): boolean =>
  from === to || canMove(from, to) || (isLive(from) && isLive(to));

/** True while a rule of the lease may stand in the cloud. */
export function isLive(state: LeaseState): boolean {
  return state === "opening" || state === "open" || state === "closing";
}

/** True when nothing can happen to the lease any more. */
export function isFinal(state: LeaseState): boolean {
  return MOVES[state].length === 0;
}

/** When people are told that a lease is about to end. */
export interface EndNoticeTerms {
  /** Parts of the lifetime, each above 0 and below 1. */
  readonly fractions: readonly number[];
  /** Leases that live shorter are not told of. */
  readonly lifetimeMinMs: number;
}

/** What an extension starts from; instants and durations in milliseconds. */
export interface Extension {
  readonly oldEnd: number;
  readonly now: number;
  readonly periodMs: number;
  /** When the lease was first opened: its total counts from here. */
  readonly openedFrom: number;
  readonly totalMaxMs: number;
}

/** The end after an extension: the later of the old end and a period from now, but never past the total; `cut` when the total took some of it. */
export function extendedEnd(extension: Extension): { readonly end: number; readonly cut: boolean } {
  const wanted = Math.max(extension.oldEnd, extension.now + extension.periodMs);
  const bound = extension.openedFrom + extension.totalMaxMs;
  return { end: Math.min(wanted, bound), cut: bound < wanted };
}
