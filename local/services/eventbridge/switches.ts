// What public documents leave open about the way of an event to a function, as settings.

/** Mutable at run time. */
export interface BusSwitches {
  /** One event per call, or, above 0, a list of those that arrive within so many milliseconds. */
  eventBatchMs: number;
  /** How the envelope spells its time. */
  eventTimeZone: "Z" | "+08:00";
  /** `data` as an object or as JSON text. */
  eventData: "object" | "text";
  /** The type of the event when an instance comes into another state: ECS has one of its own, CloudMonitor the other. */
  eventInstanceState: "ecs:Instance:StateChange" | "ecs:CloudMonitor:Instance:StateChange";
}

/** Where the switches stand unless told otherwise. */
export const defaultBusSwitches: BusSwitches = {
  eventBatchMs: 0,
  eventTimeZone: "Z",
  eventData: "object",
  eventInstanceState: "ecs:Instance:StateChange",
};
