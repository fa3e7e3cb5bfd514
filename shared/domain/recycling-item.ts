// One rule that nobody seems to use, and what has become of it: its states, the moves between them, and the rule kept in full.
import { createHash } from "node:crypto";
import type { Allocation } from "./allocation.ts";
import type { KeptRule } from "./drift-item.ts";
import type { EntryId, GroupId, GroupRef, RuleId, RuleKey } from "./ids.ts";
import type { Rule, RuleSpec } from "./rule.ts";
import { entryIdOf, ruleKey } from "./rule-key.ts";

/**
 * `queued`: unused by the evidence; `noticed`: its owner was told; `quarantined`: a drop stands against it; `deleted`: the rule is
 * gone; `restored`: it stands as before and is out of the queue; `exempt`: left alone until an end.
 */
export type RecyclingState = "queued" | "noticed" | "quarantined" | "deleted" | "restored" | "exempt";

/** Who decides a move: the daily job by itself, or a person. */
export type Mover = "program" | "person";

const BOTH: readonly Mover[] = ["program", "person"];
const PROGRAM: readonly Mover[] = ["program"];
const PERSON: readonly Mover[] = ["person"];

/**
 * From state to the states that may follow, and who may decide that.
 *
 *     queued ─> noticed ─> quarantined ─> deleted       by time, evidence, policy and approvals
 *       │          │            │            │
 *       └──────────┴────────────┴────────────┴─> restored, exempt
 *
 * A person may have a noticed rule deleted that cannot be quarantined. A rule that somebody else removed counts as deleted, whatever
 * the state; one that somebody opened again as restored. The program restores what is used after all, and takes up again
 * what was restored or exempt and is unused once more.
 */
const MOVES: Readonly<Record<RecyclingState, Readonly<Partial<Record<RecyclingState, readonly Mover[]>>>>> = {
  queued: { noticed: PROGRAM, deleted: PROGRAM, restored: BOTH, exempt: PERSON },
  noticed: { quarantined: BOTH, deleted: BOTH, restored: BOTH, exempt: PERSON },
  quarantined: { deleted: BOTH, restored: BOTH, exempt: PERSON },
  deleted: { restored: BOTH, exempt: PERSON },
  restored: { queued: PROGRAM, exempt: PERSON },
  exempt: { queued: PROGRAM, deleted: PROGRAM, restored: PERSON, exempt: PERSON },
};

/** Whoever removed, changed or opened a rule beside the program. */
export const OTHERS = "somebody else";
/** Their removal, as an item tells it. */
export const REMOVED_BY_OTHERS = { by: OTHERS, why: "somebody else removed the rule" } as const;

/** Every state, in the order of an item's life. */
export const RECYCLING_STATES = Object.keys(MOVES) as readonly RecyclingState[];

/** True when the mover may take an item from the one state to the other. */
export const mayMove = (from: RecyclingState, to: RecyclingState, mover: Mover): boolean =>
  MOVES[from][to]?.includes(mover) === true;

/** One move: who decided it, why, and when it had come about. */
export interface Transition {
  readonly from: RecyclingState | null;
  readonly to: RecyclingState;
  readonly by: string;
  readonly why: string;
  readonly at: number;
}

/** A move that has been decided and changes the cloud; the item gets there when a reading shows it. */
export interface RecyclingStep {
  readonly to: RecyclingState;
  readonly by: string;
  readonly why: string;
  readonly at: number;
  /** True where the rule itself was asked for: it is opened again also where somebody else has removed it. */
  readonly isAskedFor?: true;
  /** True from just before the program closes the rule: gone without, it was removed by somebody else. A step that follows keeps it. */
  readonly isBegun?: true;
}

/** The two steps a policy may want a person's word for. */
export type ApprovedStep = "quarantine" | "delete";

/** A person's word for one step, bound to exactly what they were shown. */
export interface RecyclingApproval {
  readonly step: ApprovedStep;
  readonly by: string;
  readonly at: number;
  /** `stepDigest` of the change. */
  readonly digest: string;
  /** Of a deletion: the strangers that the quarantine had shown by then; whoever came later is not approved of. */
  readonly saw?: readonly string[];
  /** Of a deletion that cuts the operator path: who answers for it. */
  readonly waivedBy?: string;
  /** True when they were told that the evidence is of the alarm's days alone, and not of the policy's window. */
  readonly onShortEvidence?: boolean;
}

/** What an item waits for, in words; null where only time has to pass. */
export interface Waiting {
  /** `approval`: a person's word; `person`: somebody has to look, nothing goes on by itself; `evidence`: whole evidence. */
  readonly for: "approval" | "person" | "evidence" | "policy";
  readonly why: readonly string[];
}

/** Who had real sessions by a rule: addresses, or blocks where there were too many; `more` when not even those are all. */
export interface EarlierPeers {
  readonly blocks: readonly string[];
  readonly more: boolean;
}

/** The drop against the rule. */
export interface Quarantine {
  /** Ledger entry of the drop. */
  readonly entryId: EntryId;
  readonly drop: RuleSpec;
  /** When a reading first showed the drop; null before. Its silence counts from here. */
  readonly at: number | null;
  /** When it was decided, before the first call for the drop: whom it turns away counts from here. Missing in rows of earlier versions: `at`. */
  readonly askedAt?: number;
  /** Who used the rule before, as far as evidence lives: one of them refused lifts the quarantine. */
  readonly earlier: EarlierPeers;
  /** The first day of that time of which something could still be told late, `2026-11-20`; absent for the last three days. */
  readonly earlierFrom?: string;
  /** How long nobody was refused while the evidence was whole, milliseconds. */
  readonly silentMs: number;
  /** Who was refused so far without an earlier session, and does not look like a scanner; absent before the first night. */
  readonly strangers?: readonly string[];
  /** Paths on which its silence proves nothing, in words. */
  readonly blind: readonly string[];
}

/** From when whoever is turned away or talks on counts; null while no reading has shown the drop. */
export const countsFrom = ({ at, askedAt }: Pick<Quarantine, "at" | "askedAt">): number | null =>
  at === null ? null : (askedAt ?? at);

/** Why a rule is left alone, for whom and until when. */
export interface Exemption {
  readonly owner: string;
  readonly reason: string;
  readonly by: string;
  readonly until: number;
}

/** What the evidence said when it was last looked at. */
export interface Judged {
  readonly at: number;
  readonly verdict: "used" | "idle" | "unknown";
  /** Part of the window with whole evidence, 0 to 1. */
  readonly coverage: number;
  readonly lastUsedAt: number | null;
  readonly reasons: readonly string[];
}

/** One row of the queue. The same rule of the same group has the same item for ever, so that it is never there twice. */
export interface RecyclingItem {
  /** `rc-`, 16 hex digits, a dot and the group's id. */
  readonly itemId: string;
  readonly group: GroupRef;
  readonly groupName: string;
  readonly entryId: EntryId;
  readonly key: RuleKey;
  /** The id under which the rule last stood. */
  readonly ruleId: RuleId | null;
  /** The rule in full, as it stood when it was last read. */
  readonly kept: KeptRule;
  /** Its standing permission when it was deleted, to be given again; null where it had none. */
  readonly allocation: Allocation | null;
  /** Who is told, by the ledger; empty where nobody is known. */
  readonly owner: string;
  /** What its removal closes, in words. */
  readonly reach: string;
  readonly state: RecyclingState;
  readonly since: number;
  readonly step: RecyclingStep | null;
  readonly waiting: Waiting | null;
  readonly approvals: readonly RecyclingApproval[];
  readonly quarantine: Quarantine | null;
  /** Why the cloud took no drop when it was last asked; absent where it was not, or did. Enterprise groups may take none at all. */
  readonly dropRefused?: string;
  readonly exemption: Exemption | null;
  readonly judged: Judged | null;
  /** Days in which it has to be idle, where an alarm had it queued early; absent for the policy's. */
  readonly windowDays?: number;
  /** Newest last; the oldest are forgotten. */
  readonly history: readonly Transition[];
  /** Moves so far, forgotten ones too. */
  readonly moves: number;
  /** Version for compare-and-set; 0 for a row that is not stored yet. */
  readonly rev: number;
}

const HISTORY_MAX = 50;

const ID = /^rc-[0-9a-f]{16}\.(sg-[A-Za-z0-9_-]{1,64})$/;

/** The item of a rule, from its ledger entry's id, which is made of group and key; people see by it whose group it is. */
export const recyclingIdOf = (groupId: GroupId, entryId: EntryId): string => `rc-${entryId.slice(2)}.${groupId}`;

/** The item of the rule that such a drop quarantines. */
export const quarantinedBy = (groupId: GroupId, drop: RuleSpec): string =>
  recyclingIdOf(groupId, entryIdOf(groupId, ruleKey({ ...drop, policy: "accept" })));

/** The group of an item's id; null of any other text. */
export const groupOfRecyclingId = (itemId: string): string | null => ID.exec(itemId)?.[1] ?? null;

/** The item of a rule that is queued, for the first time or, after `before`, once more. */
export function queuedItem(
  rule: Rule,
  about: Pick<RecyclingItem, "group" | "groupName" | "owner" | "reach"> & {
    readonly judged: Judged;
    readonly before: RecyclingItem | null;
    readonly at: number;
  },
): RecyclingItem {
  const { group, groupName, owner, reach, judged, before, at } = about;
  const { id, description, direction, protocol, ports, peer, policy, priority, sourcePorts, dest } = rule;
  const spec: RuleSpec = { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
  const key = ruleKey(spec);
  const entryId = entryIdOf(group.groupId, key);
  const queued = {
    from: before?.state ?? null,
    to: "queued",
    by: "safeport",
    why: judged.reasons.join("; "),
    at,
  } as const;
  return {
    itemId: recyclingIdOf(group.groupId, entryId),
    ...{ group, groupName, entryId, key, ruleId: id, kept: { spec, description }, allocation: null, owner, reach },
    ...{ state: "queued", since: at, step: null, waiting: null, approvals: [], quarantine: null, exemption: null },
    judged,
    history: [...(before?.history ?? []), queued].slice(-HISTORY_MAX),
    moves: (before?.moves ?? 0) + 1,
    rev: before?.rev ?? 0,
  };
}

/** What an approval is bound to: the step, the rule in full and the drop that is to stand against it. */
export const stepDigest = (item: Pick<RecyclingItem, "key" | "kept">, step: ApprovedStep, change: string): string =>
  createHash("sha256")
    .update(JSON.stringify([step, item.key, item.kept.description, change]))
    .digest("hex")
    .slice(0, 16);

/** True while the item is on its way to deletion. */
export const isInQueue = ({ state }: Pick<RecyclingItem, "state">): boolean =>
  state === "queued" || state === "noticed" || state === "quarantined";

/**
 * True for one that an alarm had queued and that has come no further than that by whole evidence: it is in quarantine only where a person
 * has said so who knew. Such a one is judged by the alarm's days.
 */
export const isOnShortEvidence = ({ state, windowDays, approvals }: RecyclingItem): boolean =>
  windowDays !== undefined &&
  (state === "queued" ||
    state === "noticed" ||
    (state === "quarantined" && approvals.some((it) => it.step === "quarantine" && it.onShortEvidence === true)));

/** The item in its next state; nothing that was decided or awaited before holds any more. Throws on a move that is none. */
export function moved(
  item: RecyclingItem,
  to: RecyclingState,
  word: { readonly by: string; readonly why: string; readonly at: number; readonly mover: Mover },
): RecyclingItem {
  if (!mayMove(item.state, to, word.mover)) throw new RangeError(`no ${word.mover} moves ${item.state} to ${to}`);
  const { by, why, at } = word;
  const history = [...item.history, { from: item.state, to, by, why, at }].slice(-HISTORY_MAX);
  const keepsApprovals = to === "noticed" || to === "quarantined";
  return {
    ...item,
    state: to,
    since: at,
    step: null,
    waiting: null,
    approvals: keepsApprovals ? item.approvals : [],
    quarantine: to === "quarantined" ? item.quarantine : null,
    exemption: to === "exempt" ? item.exemption : null,
    history,
    moves: item.moves + 1,
  };
}
