// The trail port: what the account's own record of calls says, as ActionTrail keeps it.
import type { Sighting } from "../domain/sighting.ts";

/** What an event's record comes to. */
export type TrailReading =
  /** One sighting for each group the call concerns; none when it concerns no group. `createdGroup` names one that is new. */
  | { readonly kind: "call"; readonly sightings: readonly Sighting[]; readonly accountId: string }
  /** A call of a kind that changes nothing of ours, such as a read or another service's. */
  | { readonly kind: "other"; readonly operation: string }
  /** Not a record that can be understood. */
  | { readonly kind: "unreadable"; readonly why: string };

export interface Trail {
  /** Reads a record as it came with an event, in every shape that is documented; never throws. Sightings are unconfirmed. */
  read(record: unknown, receivedAt: number): TrailReading;
  /** The same record as the trail itself keeps it; null while it is not there (up to 10 minutes). Throws CloudFailure. */
  lookUp(region: string, eventId: string): Promise<TrailReading | null>;
}
