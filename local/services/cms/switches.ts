// What public documents leave open about alarms, as settings.

/** Mutable at run time. */
export interface CmsSwitches {
  /** The width of `timestamp` in a webhook: both have been seen. */
  alarmTimestamp: "milliseconds" | "seconds";
  /** Wait before a webhook that failed is tried again, milliseconds. */
  alarmRetryMs: number;
}

/** Where the switches stand unless told otherwise. */
export const defaultCmsSwitches: CmsSwitches = { alarmTimestamp: "milliseconds", alarmRetryMs: 1_000 };
