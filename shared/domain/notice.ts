// Notices: what people are told, as typed facts. Words are made when they are sent, in the language of whoever reads them.
import { sha256Hex } from "./digest.ts";
import type { DriftKind, HeldBy } from "./drift-item.ts";
import type { GroupRef } from "./ids.ts";

/**
 * What each kind of notice says. Instants in milliseconds, durations in milliseconds; texts as they are stored, cleaned when they
 * are sent.
 */
export interface NoticeData {
  readonly leaseOpened: { lease: string; principal: string; ports: string; until: number; reason: string };
  readonly leaseEnding: { lease: string; principal: string; ports: string; until: number; leftMs: number };
  /** Its start has come and it could not be opened. */
  readonly leaseNotOpened: { lease: string; principal: string; ports: string; startAt: number; why: string };
  /** Its end has passed and its rule still stands. */
  readonly leaseOverdue: { lease: string; principal: string; dueAt: number; why: string };
  readonly driftFound: { drift: string; change: DriftKind; reach: string; actor: string };
  readonly driftRolledBack: { drift: string; change: DriftKind; reach: string; actor: string };
  readonly driftHeld: { drift: string; change: DriftKind; reach: string; actor: string; heldBy: HeldBy };
  /** Somebody the policy trusts has granted a rule, or taken one over from a lease. */
  readonly driftAdopted: { drift: string; change: DriftKind; reach: string; actor: string };
  /** Somebody has authorized the very rule that leases hold: it is theirs too, or goes with the leases. */
  /** `sensitive`: it is not kept as everybody could reach a sensitive port by it; absent where the group is enforced. */
  readonly ruleClaimed: { leases: string; rules: string; actor: string; kept: boolean; sensitive?: boolean };
  /** A prefix list or port list was changed, and with it what granted rules that name it let through; so the trail, or an event alone. */
  readonly reachChanged: { list: string; rules: string; actor: string; beyond: string; confirmed: boolean };
  /** A group that is to be enforced is only observed. */
  readonly guardFellBack: { why: string };
  readonly recyclingNoticed: { item: string; ports: string; owner: string; lastUsedAt: number | null; nextAt: number };
  /** The next step waits for a person. */
  readonly recyclingWaits: {
    item: string;
    ports: string;
    owner: string;
    step: "quarantine" | "delete" | "restore";
    why: string;
  };
  readonly recyclingQuarantined: { item: string; ports: string; owner: string; until: number };
  /** Somebody came who has been there before: the port is open again. */
  readonly recyclingLifted: { item: string; ports: string; owner: string; visitor: string };
  readonly recyclingDeleted: { item: string; ports: string; owner: string };
  readonly recyclingRestored: { item: string; ports: string; owner: string; by: string; why: string };
  readonly lockdownStarted: {
    lockdown: string;
    cause: string;
    groups: number;
    core: string;
    until: number;
    open: string;
  };
  readonly lockdownEnded: { lockdown: string; cause: string; groups: number };
  readonly approvalAsked: {
    lease: string;
    requester: string;
    ports: string;
    reason: string;
    expiresAt: number;
    /** Hash of the change that is to be decided. */
    change: string;
  };
  readonly approvalDecided: {
    lease: string;
    requester: string;
    by: string;
    decision: "approved" | "denied" | "expired" | "cancelled";
  };
  readonly breakGlass: { lease: string; principal: string; ports: string; until: number; reason: string };
  /** Nobody has said yet why it was opened without its second person. */
  readonly unjustified: {
    lease: string;
    principal: string;
    ports: string;
    reason: string;
    justifyBy: number;
    isLate: boolean;
  };
  /** Of the program itself. */
  readonly healthAlarm: { what: string; since: number | null };
  /** An alarm of the monitoring whose rule says `notify`. */
  readonly alarmReceived: { rule: string; metric: string; state: string; target: string };
  readonly auditReady: { month: string; groups: number; findings: number };
}

export type NoticeKind = keyof NoticeData;

/** From the one that goes before all others to the one that may wait for a digest. */
export type NoticePriority = "alarm" | "high" | "normal" | "low";

/** The order of priorities. */
export const NOTICE_RANKS = { alarm: 0, high: 1, normal: 2, low: 3 } as const satisfies Record<NoticePriority, number>;

/** Kinds that are few whatever happens, and told before all others: an incident makes many of the rest, urgent ones too. */
const FIRST_KINDS: ReadonlySet<NoticeKind> = new Set(["lockdownStarted", "lockdownEnded", "breakGlass", "healthAlarm"]);

/** The place of a kind among all that waits to be told; lower goes first. */
export const placeOf = (kind: NoticeKind): number =>
  FIRST_KINDS.has(kind) ? 0 : 1 + NOTICE_RANKS[NOTICE_PRIORITIES[kind]];

/** Priority of each kind; an `alarm` and a `high` one are told one by one, the others in a digest when there are many. */
export const NOTICE_PRIORITIES: Readonly<Record<NoticeKind, NoticePriority>> = {
  lockdownStarted: "alarm",
  lockdownEnded: "alarm",
  leaseOverdue: "alarm",
  breakGlass: "alarm",
  healthAlarm: "alarm",
  alarmReceived: "alarm",
  unjustified: "high",
  recyclingLifted: "high",
  leaseNotOpened: "high",
  approvalAsked: "high",
  approvalDecided: "high",
  driftHeld: "high",
  guardFellBack: "high",
  reachChanged: "high",
  driftFound: "normal",
  driftRolledBack: "normal",
  driftAdopted: "normal",
  ruleClaimed: "normal",
  recyclingNoticed: "normal",
  recyclingWaits: "normal",
  recyclingQuarantined: "normal",
  recyclingDeleted: "normal",
  recyclingRestored: "normal",
  leaseEnding: "normal",
  auditReady: "normal",
  leaseOpened: "low",
};

/** Whom it is for, before the policy says where to reach them. */
export type Addressee =
  /** A principal, such as the owner of a lease or an entry; their stand-in is the policy's to name. */
  | { readonly kind: "person"; readonly principal: string }
  /** Whoever the policy names for the notice's group. */
  | { readonly kind: "group" }
  | { readonly kind: "role"; readonly role: "approver" | "operator" | "auditor" | "admin" };

/** One notice. */
export interface Notice<Kind extends NoticeKind = NoticeKind> {
  /** `nt-` and 20 hex digits of kind and `dedupe`: told twice it has the same id, by which receivers know it. */
  readonly id: string;
  readonly kind: Kind;
  readonly data: NoticeData[Kind];
  readonly at: number;
  readonly group: GroupRef | null;
  readonly to: readonly Addressee[];
}

/** Longest text of a notice's data, in characters. */
const TEXT_MAX = 500;

/**
 * A notice. `dedupe` names the fact within its kind, such as a lease's id and its end: a pass that a crash repeats tells the same
 * fact again, and it must not become a second notice.
 */
export function noticeOf<Kind extends NoticeKind>(
  kind: Kind,
  fact: {
    readonly at: number;
    readonly group: GroupRef | null;
    readonly to: readonly Addressee[];
    readonly dedupe: string;
    readonly data: NoticeData[Kind];
  },
): Notice<Kind> {
  const { at, group, to, dedupe } = fact;
  const cut = Object.entries(fact.data).map(([name, value]) => [
    name,
    typeof value === "string" ? value.slice(0, TEXT_MAX) : value,
  ]);
  const id = `nt-${sha256Hex(JSON.stringify([kind, dedupe])).slice(0, 20)}`;
  return { id, kind, at, group, to, data: Object.fromEntries(cut) as NoticeData[Kind] };
}
