// What becomes of a rule in the recycling queue next: it waits, its owner is told, it is quarantined, deleted, or left alone. Pure.
import { formatUtc } from "../domain/instant.ts";
import {
  type ApprovedStep,
  type Judged,
  OTHERS,
  REMOVED_BY_OTHERS,
  type RecyclingApproval,
  type RecyclingItem,
  stepDigest,
  type Waiting,
} from "../domain/recycling-item.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { QuarantinePlan } from "./plan-quarantine.ts";

/** How the queue moves; durations in milliseconds. */
export interface RecyclingTerms {
  readonly noticeMs: number;
  readonly quarantineMs: number;
  /** Steps that need no person's word. */
  readonly auto: { readonly quarantine: boolean; readonly delete: boolean };
  /** How long a restored rule is left alone before it may be queued anew. */
  readonly requeueAfterMs: number;
}

/** Somebody with real earlier sessions who wants the rule: refused by the drop, or talking past it. */
export interface Visitor {
  readonly peer: string;
  readonly how: "refused" | "talking";
  readonly at: number;
}

/** Somebody who was refused and has no earlier session; `who` tells one from another, whatever the words of the day. */
export interface Stranger {
  readonly who: string;
  readonly text: string;
  /** True of a crowd in which somebody with earlier sessions may stand, whom nobody can let in by that. */
  readonly mayBeEarlier?: true;
}

/** What the evidence shows since the quarantine began. */
export interface QuarantineWatch {
  readonly visitors: readonly Visitor[];
  /** Peers that were refused, have no earlier session and do not look like scanners. */
  readonly strangers: readonly Stranger[];
  /** Time since the quarantine in which the evidence was whole. */
  readonly silentMs: number;
  /** Why the evidence is not whole now; empty when it is. */
  readonly gaps: readonly string[];
}

/** Everything the next step of one item is decided from. */
export interface ItemPicture {
  readonly item: RecyclingItem;
  readonly now: number;
  readonly terms: RecyclingTerms;
  /** True in a group that the policy names for recycling. */
  readonly isNamed: boolean;
  /** The rule as it stands; null when the reading does not show it. */
  readonly rule: Rule | null;
  readonly judged: Judged;
  /** Why the rule stays out of the queue whatever its use: protected, held by a lease, never closed; null when it does not. */
  readonly staysOut: string | null;
  /** Why `judged` is by an alarm's few days alone, and the policy's whole window does not say so; null where it does. */
  readonly short: readonly string[] | null;
  readonly plan: QuarantinePlan;
  /** Whether the drop stands; null outside a quarantine. */
  readonly dropStands: boolean | null;
  readonly watch: QuarantineWatch | null;
}

export type NextStep =
  | { readonly kind: "stay"; readonly waiting: Waiting | null }
  | { readonly kind: "notice"; readonly why: string }
  | { readonly kind: "quarantine"; readonly by: string; readonly why: string; readonly drop: RuleSpec }
  | { readonly kind: "delete"; readonly by: string; readonly why: string }
  /** The rule stays, or comes back: it is used, changed, or none of the queue's business any more. */
  | { readonly kind: "restore"; readonly by: string; readonly why: string };

const PROGRAM = "safeport";
const stay = (waiting: Waiting | null = null): NextStep => ({ kind: "stay", waiting });
const restore = (why: string, by = PROGRAM): NextStep => ({ kind: "restore", by, why });

/** True when a rule that has this item, or none, is to be queued. `unknown` never is. */
export function isQueueable(picture: Omit<ItemPicture, "item"> & { readonly item: RecyclingItem | null }): boolean {
  const { item, now, terms, judged, staysOut, rule } = picture;
  if (rule === null || staysOut !== null || judged.verdict !== "idle") return false;
  if (item === null) return true;
  if (item.step !== null) return false;
  if (item.state === "exempt") return item.exemption === null || item.exemption.until <= now;
  return item.state === "restored" && item.since + terms.requeueAfterMs <= now;
}

/**
 *     state        seen                                          next
 *     queued       used, changed, protected                      restored
 *                  unknown                                       waits for evidence
 *                  idle, and the policy names the group          noticed
 *     noticed      idle, the notice over, approved or auto       quarantined
 *                  idle by an alarm's few days alone             waits for evidence, or a person who knows
 *                  the drop would hit something else             waits for a person, who may have it deleted without
 *     quarantined  somebody with earlier sessions                restored at once
 *                  the drop hits what was opened since           restored
 *                  gaps in the evidence                          the clock stands
 *                  silence long enough, approved or auto         deleted
 *     any of them  the rule is gone                              deleted, by somebody else
 *     deleted      the rule stands                               restored, by somebody else
 */
export function advanceItem(picture: ItemPicture): NextStep {
  const { item, rule } = picture;
  switch (item.state) {
    case "queued":
    case "noticed":
      return rule === null ? gone() : (leaving(picture, rule) ?? onItsWay(picture));
    case "quarantined":
      return rule === null ? gone() : (lifting(picture, rule) ?? quarantined(picture));
    case "deleted":
      return rule === null ? stay() : restore("somebody opened it again", OTHERS);
    case "restored":
    case "exempt":
      return stay();
  }
}

const gone = (): NextStep => ({ kind: "delete", ...REMOVED_BY_OTHERS });

/** Why the rule leaves the queue, or null. */
function leaving({ item, judged, staysOut }: ItemPicture, rule: Rule): NextStep | null {
  if (staysOut !== null) return restore(staysOut);
  if (rule.description !== item.kept.description || ruleKey(rule) !== item.key)
    return restore("somebody changed the rule");
  return judged.verdict === "used" ? restore(`it is used: ${judged.reasons.join("; ")}`) : null;
}

function onItsWay(picture: ItemPicture): NextStep {
  const { item, now, terms, judged, isNamed, plan, short } = picture;
  if (judged.verdict === "unknown") return stay({ for: "evidence", why: judged.reasons });
  if (!isNamed) return stay({ for: "policy", why: ["the policy does not name the group in recycling.groups"] });
  if (item.state === "queued") return { kind: "notice", why: judged.reasons.join("; ") };
  if (now < item.since + terms.noticeMs) return stay();
  if (plan.kind === "refused") {
    const word = approvalOf(picture, "delete", changeOf("delete", item, plan));
    const isWaived = plan.cuts.length === 0 || word?.waivedBy !== undefined;
    if (word && isWaived) return { kind: "delete", by: word.by, why: withoutQuarantine(plan, word) };
    return stay({ for: "person", why: [...plan.why, ...(word ? [] : voided(item, "delete"))] });
  }
  const unwritten = item.dropRefused && approvalOf(picture, "delete", changeOf("delete", item, plan));
  if (unwritten)
    return { kind: "delete", by: unwritten.by, why: `${item.dropRefused}; and a person wants the rule deleted` };
  const why = `unused, and nobody objected in ${daysOf(terms.noticeMs)} days`;
  const word = approvalOf(picture, "quarantine", changeOf("quarantine", item, plan));
  if (word) return { kind: "quarantine", by: word.by, why, drop: plan.spec };
  if (short !== null) return stay(untilWhole(short));
  if (terms.auto.quarantine) return { kind: "quarantine", by: PROGRAM, why, drop: plan.spec };
  const asks = ["the policy wants a person's word before a quarantine", ...voided(item, "quarantine")];
  return stay({ for: "approval", why: asks });
}

/** Why the drop goes and the rule stays, or null. */
function lifting(picture: ItemPicture, rule: Rule): NextStep | null {
  const { isNamed, dropStands, watch, plan } = picture;
  const visitors = watch?.visitors ?? [];
  if (visitors.length > 0) return restore(visitors.map(inWords).join("; "));
  if (dropStands === false) return restore("somebody else removed the drop", OTHERS);
  if (!isNamed) return restore("the policy does not name the group any more");
  // Rules that were opened since count as those that stood: the drop takes nothing that the deletion would leave.
  if (plan.kind === "refused" && plan.hits.length > 0) return restore(plan.hits.join("; "));
  return leaving(picture, rule);
}

function quarantined(picture: ItemPicture): NextStep {
  const { item, terms, judged, watch, short } = picture;
  if (watch === null) return stay({ for: "evidence", why: ["nothing is known since the quarantine began"] });
  if (watch.gaps.length > 0) return stay({ for: "evidence", why: watch.gaps });
  if (judged.verdict === "unknown") return stay({ for: "evidence", why: judged.reasons });
  const word = approvalOf(picture, "delete", "");
  const unseen = watch.strangers.filter(({ who }) => word?.saw?.includes(who) !== true);
  const doubts = unseen.map(({ text }) => text);
  // Who has approved it before they came has not approved that: it is said at once, and not when the time is over.
  if (word && doubts.length > 0) return stay({ for: "approval", why: [...doubts, ...voided(item, "delete")] });
  // Who is cut off waits for a person to see it, and need not wait for the end of the time.
  const among = unseen.filter(({ mayBeEarlier }) => mayBeEarlier === true).map(({ text }) => text);
  if (watch.silentMs < terms.quarantineMs) return stay(among.length === 0 ? null : { for: "person", why: among });
  const why = `nobody who ever used it was refused in ${daysOf(watch.silentMs)} days`;
  if (word) return { kind: "delete", by: word.by, why };
  if (short !== null) return stay(untilWhole(short));
  // Who never came before may have come for the first time: that is for a person to tell.
  if (doubts.length > 0) return stay({ for: "approval", why: doubts });
  if (terms.auto.delete) return { kind: "delete", by: PROGRAM, why };
  return stay({ for: "approval", why: ["the policy wants a person's word before a deletion"] });
}

/** What an approval of the step is bound to beside the rule: the drop, or why there can be none; in quarantine the rule alone. */
export function changeOf(
  step: ApprovedStep,
  { state, dropRefused = "" }: Pick<RecyclingItem, "state" | "dropRefused">,
  plan: QuarantinePlan,
): string {
  if (step === "quarantine") return plan.kind === "drop" ? ruleKey(plan.spec) : "";
  if (state === "quarantined") return "";
  return plan.kind === "drop" ? dropRefused : [...plan.why].sort().join("\n");
}

const withoutQuarantine = ({ cuts }: QuarantinePlan & { readonly kind: "refused" }, { waivedBy }: RecyclingApproval) =>
  `it cannot be quarantined, and a person wants it deleted${cuts.length > 0 ? `; ${cuts.join("; ")}, for which ${waivedBy} answers` : ""}`;

/** Says of an approval that was given for something else than is the case now. */
const voided = ({ approvals }: RecyclingItem, step: ApprovedStep): readonly string[] =>
  approvals
    .filter((it) => it.step === step)
    .map(({ by, at }) => `the approval by ${by} of ${formatUtc(at)} no longer counts: it was given before that`);

/** The person's word for exactly this step and change, if there is one; where the evidence is short, of one who knew. */
const approvalOf = (
  { item, short }: Pick<ItemPicture, "item" | "short">,
  step: ApprovedStep,
  change: string,
): RecyclingApproval | undefined =>
  item.approvals.find(
    (it) => it.digest === stepDigest(item, step, change) && (short === null || it.onShortEvidence === true),
  );

const untilWhole = (short: readonly string[]): Waiting => ({
  for: "evidence",
  why: ["an alarm had it queued, by its few days alone", ...short],
});

const inWords = ({ peer, how }: Visitor): string =>
  how === "refused" ? `${peer}, who used it before, was refused` : `${peer}, who used it before, still talks`;

const daysOf = (ms: number): number => Math.floor(ms / 86_400_000);
