// The trail port: what the account's own record of calls says, as ActionTrail keeps it.
import type { GroupId, GroupRef } from "../domain/ids.ts";
import type { ListRef } from "../domain/list-ref.ts";
import type { Direction } from "../domain/rule.ts";
import type { Sighting } from "../domain/sighting.ts";

/** A call as its record tells it, for whichever group it is looked at. */
export type SightedCall = Omit<Sighting, "groupId">;

/** What an event's record comes to. */
export type TrailReading =
  | {
      readonly kind: "call";
      /** The call by itself: there is one without any group, such as a change of a prefix list. */
      readonly call: SightedCall;
      /** The call once for each group that it names. */
      readonly sightings: readonly Sighting[];
      /** The group that it made; it is among the sightings too. */
      readonly createdGroup: GroupId | null;
      /** Prefix lists and port lists that it changes. Which groups name one the record does not tell. */
      readonly lists: readonly ListRef[];
      /** Whose trail it is; empty when the record does not tell, as one that was looked up may not. */
      readonly accountId: string;
    }
  /** A call of a kind that changes nothing of ours, such as a read or another service's. */
  | { readonly kind: "other"; readonly operation: string }
  /** Not a record that can be understood, or a call that took effect on a group that it does not name. */
  | { readonly kind: "unreadable"; readonly why: string };

/** Calls of one kind that change rules of one direction. */
export interface RuleCalls {
  readonly kind: "authorize" | "modify" | "revoke";
  readonly direction: Direction;
}

export interface Trail {
  /** Reads a record as it came with an event, in every shape that is documented; never throws. Sightings are unconfirmed. */
  read(record: unknown, receivedAt: number): TrailReading;
  /**
   * The same record as the trail itself keeps it, which makes its sightings confirmed; null while it is not there (up to 10
   * minutes). Throws CloudFailure.
   */
  lookUp(region: string, eventId: string): Promise<TrailReading | null>;
  /**
   * The newest of the group's calls since an instant as the trail itself keeps them, confirmed, 250 at most: whatever events are made up,
   * none of them is there. That a call is missing says nothing: the trail may name no group with it. Throws CloudFailure.
   */
  lookUpCalls(group: GroupRef, which: RuleCalls, since: number): Promise<readonly Sighting[]>;
}
