// A lease as it is stored and shown: what was asked, and where it stands.
import type { EntryId, GroupRef, LeaseId, RuleId } from "./ids.ts";
import type { LeaseState } from "./lease.ts";
import type { Standing } from "./ledger-entry.ts";
import type { Role } from "./permission.ts";
import type { RuleSpec } from "./rule.ts";
import type { Approval, Justification } from "./second-person.ts";

/** By what a lease is granted. */
export interface LeaseGrant {
  /** Name of the policy's rule, and the version of the policy it stood in. */
  readonly rule: string;
  readonly policyVersion: number;
  /** Roles of whoever asked, at the time. */
  readonly roles: readonly Role[];
  /** The token it was asked with; absent for a company's own, and in leases of earlier versions. */
  readonly tokenId?: string | undefined;
  /** How many second persons the lease needs. */
  readonly approvals: number;
  /** Set when it was opened without them: the instant by which that is to be justified. */
  readonly justifyBy: number | null;
}

/** What was asked for. Fixed when the lease is booked. */
export interface LeaseRequest {
  readonly leaseId: LeaseId;
  readonly principal: string;
  readonly group: GroupRef;
  readonly groupName: string;
  readonly instanceId: string | null;
  /** One spec per source; each is one rule. */
  readonly specs: readonly RuleSpec[];
  readonly entryIds: readonly EntryId[];
  readonly periodMs: number;
  /** Nothing is open before; the end is a period after it, however late it opens. Null for a lease that opens at once. */
  readonly startAt: number | null;
  /** What becomes of sessions that are established at the end. */
  readonly sessions: "keep" | "cut";
  readonly reason: string;
  readonly ticket: string;
  readonly requestedAt: number;
  /** The lease whose place it took when its holder moved, and since when that counts towards its total; null for almost every lease. */
  readonly follows: { readonly leaseId: LeaseId; readonly openedAt: number } | null;
  /** Null for a lease that was recovered from its mark. */
  readonly grant: LeaseGrant | null;
}

/** Where the lease stands. Written by passes, under the group's lock. */
export interface LeaseStatus {
  readonly state: LeaseState;
  /** Instant of the end, milliseconds; while it waits for approval, the instant at which the request lapses. */
  readonly until: number;
  readonly openedAt: number | null;
  readonly closedAt: number | null;
  /** True when a rule stood before the lease: its end removes nothing. */
  readonly preExisting: boolean;
  readonly ruleIds: readonly RuleId[];
  /** Of a lease of several rules what stands for each, by its entry; absent for one rule, and in older rows. */
  readonly standings?: Readonly<Record<EntryId, Standing>>;
  /** Why it failed, ended early or was cancelled: an error code or a sentence. */
  readonly note: string | null;
  /** Detail of the error code in `note`, when it is one. */
  readonly noteDetail: Readonly<Record<string, string | number>> | null;
}

export interface Lease {
  readonly request: LeaseRequest;
  readonly status: LeaseStatus;
  /** Null for a lease that needs no second person. */
  readonly approval: Approval | null;
  /** Of a lease that was opened without the second person it needed; null until it is justified. */
  readonly justification: Justification | null;
  /** Of a lease that was to end with its sessions: what came of it; absent before. */
  readonly sessionsOutcome?: string;
}

/** What a change opens or closes. */
export interface Reach {
  readonly hosts: readonly {
    readonly instanceId: string | null;
    readonly name: string | null;
    readonly address: string;
  }[];
  readonly protocol: string;
  readonly ports: string;
  readonly sources: readonly string[];
}
