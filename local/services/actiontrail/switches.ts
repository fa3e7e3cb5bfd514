// What public documents leave open about events of calls, as settings.

/** Mutable at run time. */
export interface TrailSwitches {
  /** From a call to its event on the bus, milliseconds. Unpublished; ActionTrail itself documents up to ten minutes. */
  eventDelayMs: number;
  /** Up to so much more, by chance: events then overtake each other. */
  eventJitterMs: number;
  /** Numbered parameters as sent (`Permissions.1.PortRange`), or as a list of objects. */
  eventParameters: "flat" | "nested";
  /** `requestParameterJson` as JSON text or as an object. */
  eventParameterJson: "text" | "object";
}

/** Where the switches stand unless told otherwise. */
export const defaultTrailSwitches: TrailSwitches = {
  eventDelayMs: 3_000,
  eventJitterMs: 0,
  eventParameters: "flat",
  eventParameterJson: "text",
};
