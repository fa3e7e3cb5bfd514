// What public documents leave open about events of calls, as settings.

import { type BusSwitches, defaultBusSwitches } from "../eventbridge/switches.ts";

/** Mutable at run time. */
export interface TrailSwitches extends BusSwitches {
  /** From a call to its event on the bus, milliseconds. Unpublished; ActionTrail itself documents up to ten minutes. */
  eventDelayMs: number;
  /** Up to so much more, by chance: events then overtake each other. */
  eventJitterMs: number;
  /**
   * Numbered parameters as sent (`Permissions.1.PortRange`), as a list of objects, as that list in JSON text, or, where
   * there is one permission alone, by the old names without a number (`PortRange`).
   */
  eventParameters: "flat" | "nested" | "nested-text" | "unnumbered";
  /** `requestParameterJson` as JSON text or as an object. */
  eventParameterJson: "text" | "object";
  /** Where an event names the group: in the parameters, in the referenced resources, or in both. */
  eventGroupIn: "both" | "parameters" | "resources";
  /** Whether an event tells what was answered. */
  eventResponse: "told" | "absent";
  /** `eventSource` with the region or without. */
  eventSourceHost: "regional" | "central";
  /** Whose name stands for a product that acts by its service-linked role. */
  eventServiceIdentity: "assumed-role" | "system";
  /** The type of an event of such a product. */
  eventServiceType: "ApiCall" | "AliyunServiceEvent";
  /** Name of the session in which Function Compute acts as a function's role. */
  eventFunctionSession: string;
  /** From a call to finding its event by a look-up, milliseconds. Documented is up to ten minutes. */
  lookupDelayMs: number;
  /** Whether an event that is looked up says `recipientAccountId`: the published sample of an answer does not. */
  lookupAccount: "told" | "absent";
}

/** Where the switches stand unless told otherwise. */
export const defaultTrailSwitches: TrailSwitches = {
  ...defaultBusSwitches,
  eventDelayMs: 3_000,
  eventJitterMs: 0,
  eventParameters: "flat",
  eventParameterJson: "text",
  eventGroupIn: "both",
  eventResponse: "told",
  eventSourceHost: "regional",
  eventServiceIdentity: "assumed-role",
  eventServiceType: "ApiCall",
  eventFunctionSession: "fc-session",
  lookupDelayMs: 5_000,
  lookupAccount: "absent",
};

/** For each switch of shape the readings that are not the default; what a test under every reading goes through. */
export const otherTrailReadings: { readonly [Name in keyof TrailSwitches]?: readonly TrailSwitches[Name][] } = {
  eventBatchMs: [1_000],
  eventTimeZone: ["+08:00"],
  eventData: ["text"],
  eventDelayMs: [0, 600_000],
  eventJitterMs: [600_000],
  eventParameters: ["nested", "nested-text", "unnumbered"],
  eventParameterJson: ["object"],
  eventGroupIn: ["parameters", "resources"],
  eventResponse: ["absent"],
  eventSourceHost: ["central"],
  eventServiceIdentity: ["system"],
  eventServiceType: ["AliyunServiceEvent"],
  eventFunctionSession: ["1-6a0b1c2d"],
  lookupDelayMs: [0, 600_000],
  lookupAccount: ["told"],
};
