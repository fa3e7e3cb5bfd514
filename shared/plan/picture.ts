// What a plan is made from, and the small questions asked of it. Pure.
import type { Cidr } from "../domain/cidr.ts";
import type { DriftItem } from "../domain/drift-item.ts";
import type { GroupRow, Guard } from "../domain/guard.ts";
import type { EntryId, GroupRef, RuleId, RuleKey } from "../domain/ids.ts";
import type { Entry, Holder, Intent, Suspender } from "../domain/ledger-entry.ts";
import { formatMark, type Mark, parseMark, verifyMark } from "../domain/mark.ts";
import type { Mode } from "../domain/mode.ts";
import { windowAt } from "../domain/open-hours.ts";
import type { OperatorPath } from "../domain/operator-path.ts";
import type { Rule } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { Sighting } from "../domain/sighting.ts";
import type { JudgeTerms } from "./judge-drift.ts";

/** Why an entry may not be opened: an error code with its detail. */
export interface Refusal {
  readonly code: string;
  readonly detail: Readonly<Record<string, string | number>>;
}

/** Everything a plan is made from. Instants in milliseconds. */
export interface Picture {
  readonly now: number;
  /** When the rules were read, which is long before where a process was frozen since: what people did in between is still to be heard. */
  readonly readAt: number;
  /** When this pass first read them. */
  readonly readSince: number;
  readonly group: GroupRef;
  readonly rules: readonly Rule[];
  readonly entries: readonly Entry[];
  /** Ids of entries whose rows cannot be read. */
  readonly unreadable: ReadonlySet<string>;
  /** Rules of such entries whose leases are over, as the leases' own rows tell. */
  readonly overdue: ReadonlySet<RuleId>;
  readonly intents: readonly Intent[];
  /** True while an intent cannot be read: what is gone may be gone by it. */
  readonly hasUnreadIntents: boolean;
  /** False when this installation's state is lost: then a valid mark alone makes a rule ours. */
  readonly stateKnown: boolean;
  readonly installation: string;
  readonly markSecret: string;
  readonly lateEffectMaxMs: number;
  /** What may be called at all; ends may be in every mode. */
  readonly mode: Mode;
  /** Entries nobody may newly open, and why. */
  readonly refusals: ReadonlyMap<EntryId, Refusal>;
  /** Entries of leases that open when drops of ours, which are on their way out, are gone. */
  readonly waits: ReadonlySet<EntryId>;
  /** Leases that are not opened while nobody can tell whether they are on, or the ledger has not all of them. Others on the same rule are. */
  readonly doubted: ReadonlySet<string>;
  /** Ids this pass has revoked, whatever a stale reading says. */
  readonly revoked: ReadonlySet<RuleId>;
  /** Entries whose authorize this pass has seen answered with success. */
  readonly accepted: ReadonlySet<EntryId>;
  /** Entries of which this pass has written a rule's mark anew: what a reading shows of them stands. */
  readonly restated: ReadonlySet<EntryId>;
  /** So often within the time may somebody undo a drop or a suspension; then a person is asked. */
  readonly undone: { readonly max: number; readonly withinMs: number };
  /** What differences are judged by; null where the pass does not look for any. */
  readonly watch: Watch | null;
}

/** A watch over a group. */
export interface Watch {
  /** `observe` reports, `enforce` rolls back, `none` closes what was open from when it was guarded. */
  readonly acts: Guard;
  readonly terms: JudgeTerms;
  /** Ports that nobody opens to everybody unseen. */
  readonly sensitivePorts: readonly number[];
  /** How far our clock is ahead of the cloud's, where that is more than it may be; else 0, as the answers tell whole seconds. */
  readonly aheadMs: number;
  /** When a person confirmed the group's baseline. */
  readonly confirmedAt: number;
  /** False where the ledger is not wholly read, or not the one a person confirmed: then nothing is adopted into it. */
  readonly mayAdopt: boolean;
  /** Calls of other people that succeeded, oldest first. */
  readonly sightings: readonly Sighting[];
  /** Open items of the group. */
  readonly items: readonly DriftItem[];
  readonly reverts: GroupRow["reverts"];
  readonly holds: ReadonlySet<RuleKey>;
  /** End of the freeze window that is open now; null outside. */
  readonly frozenUntil: number | null;
  /** True when a row of the ledger cannot be read. */
  readonly isHalfRead: boolean;
  /** Changes one pass may make. */
  readonly changesMax: number;
  /** Hosts the group's rules act on; null when that is not known. */
  readonly hosts: number | null;
  /** Ports that a lockdown leaves open, as the policy writes them. */
  readonly core: readonly string[];
  /** What must always reach a host, and the hosts, where anything must; a group without any has no path to cut. */
  readonly operatorPath: readonly OperatorPath[];
  readonly interfaces: readonly WatchedInterface[];
}

/** A network interface of the group, and what its other groups say. */
export interface WatchedInterface {
  readonly addresses: readonly Cidr[];
  readonly otherRules: readonly Rule[];
}

/** A rule with an id; very old answers of the cloud lack it, and such a rule is nobody's to change. */
export type KnownRule = Rule & { readonly id: RuleId };

/** The rules of a picture that can be named and that this pass has not revoked. */
export function rulesOf(picture: Picture): readonly KnownRule[] {
  return picture.rules.filter((rule): rule is KnownRule => rule.id !== null && !picture.revoked.has(rule.id));
}

/** True where a revoke that is not written down yet has closed the rule, or may have. */
export const mayBeRevoked = ({ intents }: Picture, ruleId: RuleId): boolean =>
  intents.some(({ call, ruleIds }) => call === "revoke" && ruleIds.includes(ruleId));

/** True where a modify of ours has made another rule of it than is read, or may have: a stale reading shows what it said before. */
export const mayBeModified = ({ intents, readAt, lateEffectMaxMs }: Picture, rule: KnownRule): boolean =>
  intents.some(
    (intent) =>
      intent.call === "modify" &&
      intent.ruleIds.includes(rule.id) &&
      intent.rules.some(({ spec }) => ruleKey(spec) !== ruleKey(rule)) &&
      mayStillAct(intent, readAt, lateEffectMaxMs),
  );

/** True where a call of ours may still close the rule, or make another of it: that it is read does not tell that it stays. */
export const mayStillGo = (picture: Picture, rule: KnownRule): boolean =>
  mayBeModified(picture, rule) ||
  picture.intents.some(
    (intent) =>
      intent.call === "revoke" &&
      intent.ruleIds.includes(rule.id) &&
      mayStillAct(intent, picture.readAt, picture.lateEffectMaxMs),
  );

/** True while the hold is neither ended nor past its end. */
export const isHolding = (holder: Holder, now: number): boolean => holder.ended === null && holder.until > now;

/** True while the suspender keeps the entry closed. */
export const isSuspending = (suspender: Suspender, now: number): boolean =>
  suspender.until === null || suspender.until > now;

/** True while somebody keeps the entry closed. One that is over is still to be given back, and whoever waits beside that is opened with it. */
const isSuspended = ({ suspension }: Entry, now: number): boolean =>
  suspension?.by.some((it) => isSuspending(it, now)) === true;

/** True when a lease waits for the entry's rule. */
export const isLeaseOpening = (entry: Entry, now: number): boolean =>
  !isSuspended(entry, now) &&
  entry.holders.some((it) => it.kind === "lease" && isHolding(it, now) && it.openedAt === null);

/** True when somebody waits for the entry's rule to be opened for the first time, or anew by its hours. Holds on drops open nothing. */
export function isOpening(entry: Entry, now: number): boolean {
  const { allocation, standing, suspension } = entry;
  if (isSuspended(entry, now)) return false;
  if (isLeaseOpening(entry, now)) return true;
  if (allocation === null) return false;
  if (allocation.openHours === null) return allocation.seenAt === null;
  // What its hours had open before is given back.
  if (suspension !== null) return false;
  const isOwed = standing.kind === "none" || allocation.seenAt === null;
  return isOwed && windowAt(allocation.openHours, now) !== null;
}

/** True when an attempt of the intent may still take effect. */
export const mayStillAct = (intent: Intent, now: number, lateEffectMaxMs: number): boolean =>
  intent.attemptsEndAt + lateEffectMaxMs > now;

/** The mark an entry's rule has to carry: the end of its last holder. `live` is not empty. */
export function markOf(
  entry: Entry,
  live: readonly Holder[],
  picture: Pick<Picture, "installation" | "markSecret">,
): string {
  const last = live.reduce((a, b) => (b.until > a.until ? b : a));
  return formatMark({
    installation: picture.installation,
    entryId: entry.entryId,
    until: last.until,
    groupId: entry.group.groupId,
    key: entry.key,
    secret: picture.markSecret,
    reason: last.reason,
  });
}

/** True when two descriptions carry the same mark; the reason behind it means nothing. */
export function isSameMark(one: string, other: string): boolean {
  const [a, b] = [parseMark(one), parseMark(other)];
  return (
    a !== null &&
    b !== null &&
    a.installation === b.installation &&
    a.entryId === b.entryId &&
    a.until === b.until &&
    a.mac === b.mac
  );
}

/** True when the mark is this installation's, and true for this rule of this group. */
export function isGenuine(
  mark: Mark,
  rule: Rule,
  picture: Pick<Picture, "group" | "installation" | "markSecret">,
): boolean {
  const { group, installation, markSecret: secret } = picture;
  return mark.installation === installation && verifyMark(mark, { groupId: group.groupId, key: ruleKey(rule), secret });
}

/** True when the rule carries a true mark of this installation, which would end it. */
export function carriesOurMark(rule: Rule, picture: Pick<Picture, "group" | "installation" | "markSecret">): boolean {
  const mark = parseMark(rule.description);
  return mark !== null && isGenuine(mark, rule, picture);
}

/**
 * What the ledger keeps of a rule's words: nothing of a mark that is not the rule's own, which ends nothing and is somebody's text; null where
 * the mark is ours, as that goes.
 */
export function wordsToKeep(
  rule: Rule,
  picture: Pick<Picture, "group" | "installation" | "markSecret">,
): string | null {
  if (parseMark(rule.description) === null) return rule.description;
  return carriesOurMark(rule, picture) ? null : "";
}
