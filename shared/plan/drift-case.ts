// A difference as a case: its item of drift, the call that would undo it, and the change to the ledger that would adopt it. Pure.
import type { Allocation } from "../domain/allocation.ts";
import { type DriftItem, driftIdOf, type KeptRule } from "../domain/drift-item.ts";
import type { EntryId, RuleId, RuleKey } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { DriftPolicy } from "../domain/policy.ts";
import { reachOf } from "../domain/reach.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { Difference, PlannedCall } from "./entry-plan.ts";
import { attributionOf, callsBehind, type JudgedDifference, judge } from "./judge-drift.ts";
import { isAllocatedAlways } from "./open-window.ts";
import { type KnownRule, mayStillGo, type Picture, rulesOf, type Watch, wordsToKeep } from "./picture.ts";

/** A change to the ledger by somebody the policy trusts; null retires. */
export interface Adoption {
  readonly spec: RuleSpec;
  readonly allocation: Allocation | null;
  readonly by: string;
  /** The rule that stands for it; null for what is retired. */
  readonly standsAs: RuleId | null;
}

/** A difference with its item so far and the call that would undo it. */
export interface Case {
  readonly item: DriftItem;
  readonly stored: DriftItem | undefined;
  /** The ids under which its rule stands and stood. */
  readonly ruleIds: readonly RuleId[];
  readonly undo: PlannedCall;
  /** When its wait for whoever wrote it began. */
  readonly waitsSince: number;
  /** True for a rule that was surely created after the baseline was confirmed. */
  readonly isNew: boolean;
  /** The changes to the ledger by which it would be adopted; null where a person has to decide. */
  readonly adoption: readonly Adoption[] | null;
  /** The rule is closed for a time, so that there is nothing to undo. */
  readonly isClosed?: true;
}

/** The case of a rule nobody granted. */
export function addedCase(picture: Picture, watch: Watch, rule: KnownRule): Case {
  const key = ruleKey(rule);
  const stored = watch.items.find((item) => item.kind === "added" && item.ruleId === rule.id && item.key === key);
  const difference = {
    kind: "added",
    key,
    ruleId: rule.id,
    earlierIds: formerIds(picture, watch, null),
    rule,
    since: null,
  } as const;
  const kept: KeptRule = { spec: specOf(rule), description: rule.description };
  const { item, waitsSince } = judgedItem(picture, watch, difference, stored, {
    entryId: null,
    found: kept,
    wanted: null,
    reach: reachOf(rule, watch.hosts, "opens"),
  });
  const cause = `nobody granted it; it is kept as ${item.driftId}`;
  const by = principalOf(item);
  return {
    item,
    stored,
    waitsSince,
    ruleIds: [rule.id],
    undo: { kind: "revoke", entryId: null, ruleId: rule.id, seen: true, cause, rollback: item.driftId },
    isNew: rule.createdAt !== null && rule.createdAt > watch.confirmedAt,
    adoption: by === null || isAllocated(picture, key) ? null : [adopted(picture, item, by, kept, null)],
  };
}

/** The same of one that is closed for a time: once it is adopted no rule stands for it yet, and it is given back with that time's end. */
export function closedCase(picture: Picture, watch: Watch, rule: KnownRule): Case {
  const found = addedCase(picture, watch, rule);
  const given = (allocation: Allocation): Allocation => ({ ...allocation, seenAt: picture.readAt });
  const adoption =
    found.adoption?.map((it) => ({ ...it, allocation: it.allocation && given(it.allocation), standsAs: null })) ?? null;
  return { ...found, adoption, isClosed: true };
}

/** The case of a granted rule that is gone or stands otherwise. */
export function grantedCase(picture: Picture, watch: Watch, difference: Difference): Case {
  const { kind, entry, rule, ruleId, earlierId, description } = difference;
  const { key, entryId, spec } = entry;
  const found: KeptRule | null = rule && { spec: specOf(rule), description: rule.description };
  const stored = watch.items.find(
    (item) => item.kind === kind && item.entryId === entryId && isSameKept(item.found, found),
  );
  const earlierIds = [...formerIds(picture, watch, entryId), ...(earlierId === null ? [] : [earlierId])];
  const { item, waitsSince } = judgedItem(
    picture,
    watch,
    { kind, key, ruleId, earlierIds, rule, since: grantedSince(entry, watch) },
    stored,
    {
      entryId,
      found,
      wanted: { spec, description },
      reach: rule
        ? `${reachOf(rule, watch.hosts, "opens")}, instead of: ${reachOf(spec, watch.hosts, "opens")}`
        : reachOf(spec, watch.hosts, "closes"),
    },
  );
  const undo = undoOf(picture, difference, item.driftId);
  const ruleIds = [...earlierIds, ...(ruleId === null ? [] : [ruleId])];
  return { item, stored, waitsSince, ruleIds, undo, isNew: false, adoption: adoptionOf(picture, difference, item) };
}

/** Ids in open items of an entry, or of rules nobody granted, that no rule has any more. */
function formerIds(picture: Picture, { items }: Watch, entryId: EntryId | null): readonly RuleId[] {
  const standing = new Set(picture.rules.map(({ id }) => id));
  return items.flatMap((item) =>
    item.entryId === entryId && item.ruleId !== null && !standing.has(item.ruleId) ? [item.ruleId] : [],
  );
}

function undoOf(picture: Picture, { entry, rule, description }: Difference, rollback: string): PlannedCall {
  if (rule === null) return { kind: "authorize", entry, description, beforeIds: [], cause: "it was removed", rollback };
  // Two rules cannot say the same: where another one says it already, the changed one goes.
  if (rulesOf(picture).some((it) => it.id !== rule.id && ruleKey(it) === entry.key))
    return { kind: "revoke", entryId: null, ruleId: rule.id, seen: true, cause: "it was changed", rollback };
  if (isNarrowedForGood(rule, entry.spec))
    return { kind: "authorize", entry, description, beforeIds: [], cause: "it was narrowed", rollback };
  return { kind: "modify", entry, ruleId: rule.id, description, cause: "it was changed", rollback };
}

/**
 * No call takes source ports, or the address that it is narrowed to, off a rule: left out they stay. What was granted is opened anew, and the
 * changed rule is one that nobody granted then.
 */
const isNarrowedForGood = (rule: Rule, granted: RuleSpec): boolean =>
  (rule.sourcePorts.kind !== "any" && granted.sourcePorts.kind === "any") ||
  (rule.dest !== null && granted.dest === null);

function judgedItem(
  picture: Picture,
  watch: Watch,
  difference: JudgedDifference,
  stored: DriftItem | undefined,
  content: Pick<DriftItem, "entryId" | "found" | "wanted" | "reach">,
): Pick<Case, "item" | "waitsSince"> {
  const { now, group } = picture;
  const { kind, key, ruleId, rule } = difference;
  // A rule that differed in another way before was changed since, and its creation tells nothing of when.
  const isKnown = watch.items.some((it) => it.ruleId === ruleId);
  const isDated = kind === "added" && !isKnown && rule !== null && rule.createdAt !== null;
  // By our clock: where it is ahead, whoever wrote the rule would else have no wait left.
  const created = isDated ? rule.createdAt + watch.aheadMs : now;
  const firstSeenAt = stored?.firstSeenAt ?? Math.min(created, now);
  const calls = callsBehind(difference, watch.sightings);
  const chainedSince = stored ? stored.chainedSince : chainOf(watch, ruleId, content.entryId);
  // Twice a wait for all of them: the last has one of its own, and whoever goes on changing the rule comes to no third.
  const ownWait = chainedSince === undefined ? firstSeenAt : chainedSince + watch.terms.drift.unknownWriterWaitMs;
  const waitsSince = Math.min(ownWait, ...earlierWaits(watch, key, now));
  const { verdict, author } = judge(difference, calls, watch.terms, { now, waitsSince, before: stored ?? null });
  const base: DriftItem = stored ?? {
    driftId: driftIdOf([group.groupId, kind, key, ruleId ?? "", ...textOf(content.found), String(now)]),
    group,
    kind,
    key,
    ruleId,
    ...content,
    verdict,
    state: "waiting",
    attribution: null,
    firstSeenAt,
    ...(chainedSince !== undefined && { chainedSince }),
    changedAt: now,
    heldBy: null,
    rev: 0,
  };
  // Somebody may have changed what a rule nobody granted says of itself: it is kept as it goes.
  const { found } = content;
  const attribution = author ? attributionOf(author) : base.attribution;
  return { item: { ...base, found, verdict, attribution }, waitsSince };
}

/** Since when a rule has been waiting that was changed once more before anybody was known to have changed it. */
function chainOf({ items }: Watch, ruleId: RuleId | null, entryId: EntryId | null): number | undefined {
  const before = items.find(
    (item) =>
      item.verdict.kind === "unknown" &&
      ((ruleId !== null && item.ruleId === ruleId) || (entryId !== null && item.entryId === entryId)),
  );
  return before && (before.chainedSince ?? before.firstSeenAt);
}

/** A rule that is made again after its rollback has no wait of its own: else whoever makes up events could go on for ever. */
const earlierWaits = ({ reverts, terms }: Watch, key: RuleKey, now: number): readonly number[] =>
  reverts.flatMap((revert) =>
    revert.key === key && revert.since !== undefined && revert.at > now - revertsKeptMs(terms.drift)
      ? [revert.since]
      : [],
  );

/** How long a rollback is remembered: for the hold, and for the wait of what is made again. */
export const revertsKeptMs = ({ revertsWithinMs, unknownWriterWaitMs }: DriftPolicy): number =>
  Math.max(revertsWithinMs, unknownWriterWaitMs);

/** When its allocation was given, or the rule read since, the later: by the cloud's clock, which calls are told by. */
function grantedSince({ allocation }: Entry, { aheadMs }: Watch): number | null {
  return allocation === null ? null : Math.max(allocation.at, allocation.seenAt ?? allocation.at) - aheadMs;
}

/**
 * What a trusted person did to a granted rule, as the ledger is to have it. Granted first and retired then: whoever dies in between leaves
 * nothing of it to be rolled back, and knows once more whose it was.
 */
function adoptionOf(picture: Picture, { entry, rule }: Difference, item: DriftItem): readonly Adoption[] | null {
  const by = principalOf(item);
  if (by === null) return null;
  const retired = { spec: entry.spec, allocation: null, by, standsAs: null };
  if (rule === null) return [retired];
  if (!isAllocatedAlways(entry)) return null;
  const kept: KeptRule = { spec: specOf(rule), description: rule.description };
  const allocation = adopted(picture, item, by, kept, entry.allocation);
  if (ruleKey(rule) === entry.key) return [allocation];
  return isAllocated(picture, ruleKey(rule)) ? null : [allocation, retired];
}

/** With what was said of the rule before, where it was granted. */
function adopted(
  picture: Picture,
  item: DriftItem,
  by: string,
  { spec, description }: KeptRule,
  before: Allocation | null,
): Adoption {
  const why = `written by ${by}, whose changes the policy adopts (${item.driftId})`;
  const rule: Rule = { ...spec, description, id: item.ruleId, createdAt: null };
  const allocation: Allocation = {
    application: "",
    ticket: "",
    allowedSources: [],
    openHours: null,
    ...before,
    provenance: "adopted",
    owner: before?.owner ?? by,
    reason: before?.reason ?? why,
    // A mark of ours would end the rule, and no call empties a description.
    description: wordsToKeep(rule, picture) ?? `safeport ledger: ${item.driftId}`,
    by,
    at: picture.readAt,
    // What is being rolled back may not stand: to adopt it is to open it.
    seenAt: item.ruleId !== null && mayStillGo(picture, { ...rule, id: item.ruleId }) ? null : picture.readAt,
  };
  return { spec, allocation, by, standsAs: item.ruleId };
}

const principalOf = ({ verdict }: DriftItem): string | null => (verdict.kind === "trusted" ? verdict.principal : null);

const isAllocated = ({ entries }: Picture, key: RuleKey): boolean =>
  entries.some((entry) => entry.key === key && entry.allocation !== null);

const textOf = (kept: KeptRule | null): readonly string[] => (kept ? [ruleKey(kept.spec), kept.description] : []);

const isSameKept = (one: KeptRule | null, other: KeptRule | null): boolean =>
  JSON.stringify(textOf(one)) === JSON.stringify(textOf(other));

/** What a rule says, without who wrote it. */
function specOf({ direction, protocol, ports, peer, policy, priority, sourcePorts, dest }: Rule): RuleSpec {
  return { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
}
