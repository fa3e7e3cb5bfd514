// What the whole program may do to the cloud. Ending what was opened for a time is exempt from it in every mode.

/**
 * `normal`: everything. `close-only`: opens nothing and rolls nothing back. `halt`: writes nothing but the ends of what safeport
 * itself opened.
 */
export type Mode = "normal" | "close-only" | "halt";

/** From the freest to the strictest. */
export const MODES: readonly Mode[] = ["normal", "close-only", "halt"];

/** The mode, and who set it. Instants in milliseconds. */
export interface ModeInForce {
  readonly mode: Mode;
  /** Null where nobody ever set it. */
  readonly since: number | null;
  readonly by: string | null;
  readonly reason: string;
}

/** True when `mode` allows less than `other`. */
export const isStricter = (mode: Mode, other: Mode): boolean => MODES.indexOf(mode) > MODES.indexOf(other);
