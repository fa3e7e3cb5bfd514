// What a pass is asked for, and what it says it saw and did.
import type { LockRow } from "../../domain/group-lock.ts";
import type { EntryId, GroupRef, LeaseId, RuleId } from "../../domain/ids.ts";
import type { LeaseStatus } from "../../domain/lease-record.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule } from "../../domain/rule.ts";
import type { Refusal } from "../../plan/picture.ts";
import type { CallPriority, Member } from "../../ports/firewall.ts";
import type { Due } from "../../store/due.ts";

export interface PassOptions {
  readonly cause: string;
  readonly actor: string;
  /** From where somebody asked for it; absent where nobody did. */
  readonly from?: string | undefined;
  /** The line of the policy that decided about it; absent where none was asked. */
  readonly decidedBy?: string | undefined;
  readonly policy: Policy;
  readonly priority: CallPriority;
  /** Monotonic instant after which no further change is started. */
  readonly deadlineAt: number;
  /** Due rows that brought the pass about; those whose lease or group is at rest after it are deleted. */
  readonly rows: readonly Due[];
  /** Lines that go into the record before what the pass did, where it did something. */
  readonly says?: readonly string[];
  /** False when this installation's state is lost; looked up when absent. */
  readonly stateKnown?: boolean;
  /** The row of the group's lock as it was read a little earlier, null where there was none; read when absent. */
  readonly lockRow?: LockRow | null | undefined;
  /** True to compare the group with its ledger, where it is guarded. */
  readonly drift?: boolean;
  /** Interfaces the caller already knows, where its lease is narrowed to one instance; for what else opens they are read. */
  readonly members?: readonly Member[];
}

/** What a pass saw and did. */
export interface PassReport {
  /** Leases that reached their final state in this pass, with the ids of their rules. */
  readonly closed: readonly { readonly leaseId: LeaseId; readonly ruleIds: readonly RuleId[] }[];
  readonly opened: readonly LeaseId[];
  /** Leases of the group that still need something: their due rows stay. */
  readonly unsettled: ReadonlySet<LeaseId>;
  /** All leases the ledger of the group held when the pass began, but for those that it had in part and that want to be opened. */
  readonly held: ReadonlySet<LeaseId>;
  /** Where the leases of the ledger stand. */
  readonly statuses: ReadonlyMap<LeaseId, LeaseStatus>;
  readonly recovered: number;
  /** The ledger as the last reading has shown it: what stands for each entry, and for whom it was seen standing. */
  readonly entries: ReadonlyMap<EntryId, Entry>;
  /** Entries the cloud did not let open, or be written as they were granted. */
  readonly refusals: ReadonlyMap<EntryId, Refusal>;
  /** As the last reading has shown them. */
  readonly rules: readonly Rule[];
  /** Other groups whose quarantines have given way to a lease of this one: their drops go with a pass over them. */
  readonly gaveWay: readonly GroupRef[];
  /** How many of the due rows stay. */
  readonly rowsLeft: number;
  /** True when the cloud refused to close what is to be closed. */
  readonly endRefused: boolean;
  readonly lines: readonly string[];
}
