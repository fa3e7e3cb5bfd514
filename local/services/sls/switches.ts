// What public documents leave open about the log service, as settings.

/** Mutable at run time. */
export interface SlsSwitches {
  /** From writing a log to finding it, milliseconds. About three seconds for recent logs, unpublished for older ones. */
  slsIndexDelayMs: number;
  /** From the end of a window of flow records to its logs, milliseconds. Unpublished. */
  flowLogDelayMs: number;
  /** Bytes that one analysis reads; what is beyond is cut off, and the answer `Incomplete`. */
  slsScanBytesMax: number;
}

/** Where the switches stand unless told otherwise. */
export const defaultSlsSwitches: SlsSwitches = {
  slsIndexDelayMs: 3_000,
  flowLogDelayMs: 0,
  slsScanBytesMax: 400 * 1024 * 1024,
};
