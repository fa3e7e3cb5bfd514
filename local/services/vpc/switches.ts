// What public documents leave open about flow logs, as settings.

/** Mutable at run time. */
export interface VpcSwitches {
  /** From creating or activating a flow log to its first window, milliseconds; it is `Activating` meanwhile. Unpublished. */
  flowLogActivatingMs: number;
  /** From the end of a window of flow records to its logs, milliseconds. Unpublished. */
  flowLogDelayMs: number;
}

/** Where the switches stand unless told otherwise. */
export const defaultVpcSwitches: VpcSwitches = { flowLogActivatingMs: 1_000, flowLogDelayMs: 0 };
