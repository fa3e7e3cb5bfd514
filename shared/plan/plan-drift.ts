// What becomes of the differences between a guarded group and its ledger: reported, left to others, adopted or rolled back. Pure.
import type { Allocation } from "../domain/allocation.ts";
import { type DriftItem, driftIdOf, type HeldBy, type KeptRule } from "../domain/drift-item.ts";
import type { Revert } from "../domain/guard.ts";
import type { RuleKey } from "../domain/ids.ts";
import { cutPaths } from "../domain/operator-path.ts";
import { reachOf } from "../domain/reach.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { attributionOf, authorOf, type JudgedDifference, judge } from "./judge-drift.ts";
import { type KnownRule, type Picture, rulesOf, type Watch } from "./picture.ts";
import type { Difference, PlannedCall } from "./plan-entry.ts";

export interface DriftPlan {
  readonly calls: readonly PlannedCall[];
  /** Items that are new or have moved; to be stored before any call. */
  readonly items: readonly DriftItem[];
  /** Rules whose rollback begins now, and rules that were rolled back too often. */
  readonly reverts: readonly Revert[];
  readonly holds: readonly RuleKey[];
  /** Changes to the ledger by people the policy trusts; null retires. */
  readonly adoptions: readonly {
    readonly spec: RuleSpec;
    readonly allocation: Allocation | null;
    readonly by: string;
  }[];
  readonly lookAt: readonly number[];
}

/** The plan of a pass that watches nothing, or finds nothing. */
export const NO_DRIFT: DriftPlan = { calls: [], items: [], reverts: [], holds: [], adoptions: [], lookAt: [] };

/** So many rules may always be rolled back in one pass, whatever part of the group they are. */
const ALWAYS_MAX = 5;

/** A difference with its item so far and the call that would undo it. */
interface Case {
  readonly item: DriftItem;
  readonly stored: DriftItem | undefined;
  readonly undo: PlannedCall;
}

/**
 *     verdict            observe     enforce
 *     foreign writer     reported    reported
 *     trusted: adopt     adopted     adopted
 *     trusted: ticket    reported    reported
 *     unknown            waiting     waiting, then drift
 *     drift              reported    rolled back, unless something holds it
 *
 * An added rule is revoked, a removed one authorized again and an edited one modified back, each as it is kept in its item.
 */
export function planDrift(
  picture: Picture,
  watch: Watch,
  found: { readonly differences: readonly Difference[]; readonly added: readonly KnownRule[] },
): DriftPlan {
  const cases = [
    ...found.added.map((rule) => addedCase(picture, watch, rule)),
    ...found.differences.map((difference) => grantedCase(picture, watch, difference)),
  ];
  const judged = cases.map((it) => ({ ...it, item: decided(it.item, picture.now) }));
  const wanted = judged
    .filter(({ item }) => watch.acts === "enforce" && item.verdict.kind === "drift")
    .sort((a, b) => Number(a.item.kind === "added") - Number(b.item.kind === "added"));
  const stopped = stopOf(picture, watch, wanted);
  const portion = new Set(wanted.slice(0, watch.changesMax));
  const settled = judged.map((it) => {
    if (!wanted.includes(it)) return it;
    return { ...it, item: undone(it, watch, picture, stopped ?? (portion.has(it) ? null : "ceiling")) };
  });
  const begun = settled.filter(({ item, stored }) => item.state === "rollingBack" && stored?.state !== "rollingBack");
  const present = new Set(settled.map(({ item }) => item.driftId));
  const over = watch.items
    .filter((item) => item.kind !== "guard" && !present.has(item.driftId))
    .map(
      (item): DriftItem => ({
        ...item,
        state: item.state === "rollingBack" ? "rolledBack" : "gone",
        heldBy: null,
        changedAt: picture.now,
      }),
    );
  const moved = settled.filter(({ item, stored }) => stored === undefined || isMoved(item, stored));
  return {
    calls: settled.flatMap(({ item, undo }) => (item.state === "rollingBack" ? [undo] : [])),
    items: [...moved.map(({ item }) => ({ ...item, changedAt: picture.now })), ...over],
    reverts: begun.map(({ item: { key, driftId } }) => ({ key, driftId, at: picture.now })),
    holds: settled.flatMap(({ item }) => (item.heldBy === "hold" && !watch.holds.has(item.key) ? [item.key] : [])),
    adoptions: settled.flatMap(({ item }) => (item.state === "adopted" ? adoptionsOf(item, picture.now) : [])),
    lookAt: [
      ...settled.flatMap(({ item }) => (item.verdict.kind === "unknown" ? [item.verdict.until] : [])),
      ...(stopped === "freeze" && watch.frozenUntil !== null ? [watch.frozenUntil] : []),
      ...(stopped === null && wanted.length > portion.size ? [picture.now] : []),
    ],
  };
}

function addedCase(picture: Picture, watch: Watch, rule: KnownRule): Case {
  const key = ruleKey(rule);
  const stored = watch.items.find((item) => item.kind === "added" && item.ruleId === rule.id && item.key === key);
  const difference = { kind: "added", key, ruleId: rule.id, rule } as const;
  const kept: KeptRule = { spec: specOf(rule), description: rule.description };
  const item = itemOf(picture, watch, difference, stored, {
    entryId: null,
    found: kept,
    wanted: null,
    reach: reachOf(rule, watch.hosts, "opens"),
  });
  const cause = `nobody granted it; it is kept as ${item.driftId}`;
  return {
    item,
    stored,
    undo: { kind: "revoke", entryId: null, ruleId: rule.id, seen: true, cause, rollback: item.driftId },
  };
}

function grantedCase(picture: Picture, watch: Watch, { kind, entry, rule, ruleId, description }: Difference): Case {
  const { key, entryId, spec } = entry;
  const found: KeptRule | null = rule && { spec: specOf(rule), description: rule.description };
  const stored = watch.items.find(
    (item) => item.kind === kind && item.entryId === entryId && isSameKept(item.found, found),
  );
  const item = itemOf(picture, watch, { kind, key, ruleId, rule }, stored, {
    entryId,
    found,
    wanted: { spec, description },
    reach: rule
      ? `${reachOf(rule, watch.hosts, "opens")}, instead of: ${reachOf(spec, watch.hosts, "opens")}`
      : reachOf(spec, watch.hosts, "closes"),
  });
  const rollback = item.driftId;
  const undo: PlannedCall =
    rule !== null
      ? { kind: "modify", entry, ruleId: rule.id, description, cause: "it was changed", rollback }
      : { kind: "authorize", entry, description, beforeIds: [], cause: "it was removed", rollback };
  return { item, stored, undo };
}

function itemOf(
  picture: Picture,
  watch: Watch,
  difference: JudgedDifference,
  stored: DriftItem | undefined,
  content: Pick<DriftItem, "entryId" | "found" | "wanted" | "reach">,
): DriftItem {
  const { now, group } = picture;
  const { kind, key, ruleId, rule } = difference;
  const created = kind === "added" ? (rule?.createdAt ?? now) : now;
  const firstSeenAt = stored?.firstSeenAt ?? Math.min(created, now);
  const author = authorOf(difference, watch.sightings);
  const verdict = judge(difference, author, watch.terms, { now, firstSeenAt });
  const base: DriftItem = stored ?? {
    driftId: driftIdOf([group.groupId, kind, key, ruleId ?? "", content.found?.description ?? "", String(now)]),
    group,
    kind,
    key,
    ruleId,
    ...content,
    verdict,
    state: "waiting",
    attribution: null,
    firstSeenAt,
    changedAt: now,
    heldBy: null,
    rev: 0,
  };
  return { ...base, verdict, attribution: author ? attributionOf(author) : base.attribution };
}

/** What follows from the verdict before anything is rolled back. */
function decided(item: DriftItem, now: number): DriftItem {
  const { verdict } = item;
  switch (verdict.kind) {
    case "unknown":
      return { ...item, state: verdict.until > now ? "waiting" : "reported", heldBy: null };
    case "foreign":
      return { ...item, state: "reported", heldBy: null };
    case "trusted":
      return { ...item, state: verdict.treat === "adopt" ? "adopted" : "reported", heldBy: null };
    case "drift":
      return item.state === "rollingBack" ? item : { ...item, state: "reported", heldBy: null };
  }
}

/**
 * What stops every rollback of this pass, or null. Rules that were created after the baseline was confirmed are surely none of it: of
 * those as many go as a pass may change, however large a part of the group they are. Of anything else a large part is no drift but
 * a mistake, and waits for a person.
 */
function stopOf(picture: Picture, watch: Watch, wanted: readonly Case[]): HeldBy | null {
  if (wanted.length === 0) return null;
  const removed = wanted.filter(({ item }) => item.kind === "removed").length;
  if (watch.isHalfRead || (picture.rules.length === 0 && removed > 1)) return "reading";
  if (watch.frozenUntil !== null) return "freeze";
  const doubtful = wanted.filter(({ item }) => item.kind !== "added" || item.firstSeenAt <= watch.confirmedAt);
  const share = Math.floor(
    (Math.max(picture.rules.length, picture.entries.length) * watch.terms.drift.percentPerPass) / 100,
  );
  if (doubtful.length > Math.min(watch.changesMax, Math.max(ALWAYS_MAX, share))) return "ceiling";
  const before = rulesOf(picture);
  const after = afterUndoing(before, wanted);
  const isCut = watch.interfaces.some(({ addresses, otherRules }) => {
    const [then, now] = [
      [...before, ...otherRules],
      [...after, ...otherRules],
    ];
    return cutPaths(then, now, watch.operatorPath, addresses).length > 0;
  });
  return isCut ? "operatorPath" : null;
}

/** The rules of the group when all of it is rolled back. */
function afterUndoing(rules: readonly Rule[], wanted: readonly Case[]): readonly Rule[] {
  const gone = new Set(wanted.flatMap(({ item }) => (item.found && item.ruleId ? [item.ruleId] : [])));
  const back = wanted.flatMap(({ item }) =>
    item.wanted ? [{ ...item.wanted.spec, id: null, description: item.wanted.description, createdAt: null }] : [],
  );
  return [...rules.filter((rule) => rule.id === null || !gone.has(rule.id)), ...back];
}

function undone({ item, undo, stored }: Case, watch: Watch, picture: Picture, stopped: HeldBy | null): DriftItem {
  if (stopped !== null) return { ...item, state: "reported", heldBy: stopped };
  if (undo.kind === "authorize" && picture.refusals.has(undo.entry.entryId))
    return { ...item, state: "reported", heldBy: "refused" };
  const { revertsMax, revertsWithinMs } = watch.terms.drift;
  const earlier = watch.reverts.filter(
    ({ key, driftId, at }) => key === item.key && driftId !== item.driftId && at > picture.now - revertsWithinMs,
  );
  const isNew = stored?.state !== "rollingBack";
  if (watch.holds.has(item.key) || (isNew && earlier.length >= revertsMax))
    return { ...item, state: "held", heldBy: "hold" };
  return { ...item, state: "rollingBack", heldBy: null };
}

const isMoved = (item: DriftItem, stored: DriftItem): boolean =>
  item.state !== stored.state ||
  item.heldBy !== stored.heldBy ||
  JSON.stringify(item.verdict) !== JSON.stringify(stored.verdict) ||
  JSON.stringify(item.attribution) !== JSON.stringify(stored.attribution);

/** What a trusted person did, as the ledger is to have it. */
function adoptionsOf(item: DriftItem, now: number): DriftPlan["adoptions"] {
  const by = item.verdict.kind === "trusted" ? item.verdict.principal : "";
  const retired = item.wanted ? [{ spec: item.wanted.spec, allocation: null, by }] : [];
  const { found, driftId } = item;
  if (found === null) return retired;
  const allocation: Allocation = {
    provenance: "adopted",
    owner: by,
    application: "",
    reason: `written by ${by}, whose changes the policy adopts (${driftId})`,
    ticket: "",
    allowedSources: [],
    openHours: null,
    description: found.description,
    by,
    at: now,
    seenAt: now,
  };
  return [...retired, { spec: found.spec, allocation, by }];
}

const isSameKept = (one: KeptRule | null, other: KeptRule | null): boolean =>
  one === null || other === null
    ? one === other
    : one.description === other.description && ruleKey(one.spec) === ruleKey(other.spec);

/** What a rule says, without who wrote it. */
function specOf({ direction, protocol, ports, peer, policy, priority, sourcePorts, dest }: Rule): RuleSpec {
  return { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
}
