// What public documents leave open about the log service, as settings.

/** Mutable at run time. */
export interface SlsSwitches {
  /** From writing a log to finding it, milliseconds. About three seconds for recent logs, unpublished for older ones. */
  slsIndexDelayMs: number;
  /** Bytes that one analysis reads; what is beyond is cut off, and the answer `Incomplete`. */
  slsScanBytesMax: number;
  /** UTC days, `2026-11-03,2026-11-04`: each query that touches one reads half of its logs and answers `Incomplete`. */
  slsIncompleteDays: string;
}

/** Where the switches stand unless told otherwise. */
export const defaultSlsSwitches: SlsSwitches = {
  slsIndexDelayMs: 3_000,
  slsScanBytesMax: 400 * 1024 * 1024,
  slsIncompleteDays: "",
};
