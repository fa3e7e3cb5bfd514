// What a lease has of second persons: their words, and what was said afterwards where it was opened without them.

/** One person's word. */
export interface ApprovalWord {
  /** The principal who spoke, and the person that is. */
  readonly by: string;
  readonly person: string;
  /** The persons in the chain that issued the token it was spoken with; words of earlier versions have none. */
  readonly issuers?: readonly string[];
  /** The token it was spoken with, or by which a link was good; absent for a company's own. */
  readonly tokenId?: string | undefined;
  /** True where that has been revoked since: the word counts for nothing. */
  readonly isVoid?: boolean;
  readonly decision: "approve" | "deny";
  readonly reason: string;
  readonly at: number;
  readonly via: "api" | "link";
  /** The change it is about. */
  readonly change: string;
}

/** What a lease that needs second persons has of them. Instants in milliseconds. */
export interface Approval {
  /** How many persons have to approve; 0 for a lease that waits for its start alone. */
  readonly needed: number;
  /** Hash of the exact change, see `changeOf`. */
  readonly change: string;
  /** Person who asked. */
  readonly requester: string;
  /** Who issued the token it was asked with, as in `Caller`; absent where nobody did, and in requests of earlier versions. */
  readonly requesterIssuers?: readonly string[] | undefined;
  /** True where words by tokens to which one person's led count as one: the policy said so when it was asked for or decided. */
  readonly distinctIssuers?: boolean;
  /** Whom it was put to first: owners and stand-ins of the port by the ledger; empty where the ledger names none. */
  readonly askedOf: readonly string[];
  readonly lapsesAt: number;
  readonly words: readonly ApprovalWord[];
  readonly approvedAt: number | null;
  /** Version for compare-and-set. */
  readonly rev: number;
}

/** What was said afterwards of a lease that was opened without the second person it needed. */
export interface Justification {
  readonly by: string;
  readonly at: number;
  readonly text: string;
}
