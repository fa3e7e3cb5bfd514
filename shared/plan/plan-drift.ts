// What becomes of the differences between a guarded group and its ledger: reported, left to others, adopted or rolled back. Pure.
import { cidrOf } from "../domain/cidr.ts";
import type { DriftItem, HeldBy } from "../domain/drift-item.ts";
import type { Revert } from "../domain/guard.ts";
import type { RuleKey } from "../domain/ids.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { mayOverlap, type Traffic, trafficAtMost } from "../domain/traffic.ts";
import { type Adoption, addedCase, type Case, closedCase, grantedCase } from "./drift-case.ts";
import { guardRollbacks } from "./drift-guardrails.ts";
import type { Difference, PlannedCall } from "./entry-plan.ts";
import { againAt } from "./mode-guard.ts";
import { type KnownRule, mayBeRevoked, type Picture, rulesOf, type Watch } from "./picture.ts";
import { withTickets } from "./sensitive-tickets.ts";

export interface DriftPlan {
  readonly calls: readonly PlannedCall[];
  /** Items that are new or have moved; to be stored before any call. */
  readonly items: readonly DriftItem[];
  /** Rules whose rollback begins now, and rules that were rolled back too often. */
  readonly reverts: readonly Revert[];
  readonly holds: readonly RuleKey[];
  /** Changes to the ledger by people the policy trusts. */
  readonly adoptions: readonly Adoption[];
  readonly lookAt: readonly number[];
}

/** The plan of a pass that watches nothing, or finds nothing. */
export const NO_DRIFT: DriftPlan = { calls: [], items: [], reverts: [], holds: [], adoptions: [], lookAt: [] };

/**
 *     verdict            observe     enforce
 *     foreign writer     reported    reported
 *     trusted: adopt     adopted     adopted
 *     trusted: ticket    reported    reported
 *     unknown            waiting     waiting, then drift
 *     drift              reported    rolled back, unless something holds it
 *
 * An added rule is revoked, a removed one authorized again and an edited one modified back, each as it is kept in its item.
 * Adopted is only what the ledger can say by itself: not the rule of a lease, nor one with open hours. A group that is guarded no more
 * has no drift: what was open of it is over.
 *
 * What nobody granted and is closed for a time is adopted of whom the policy trusts, and else not judged: once it is given back it is of
 * our call, and nobody's event is about that.
 */
export function planDrift(
  picture: Picture,
  watch: Watch,
  found: {
    readonly differences: readonly Difference[];
    readonly added: readonly KnownRule[];
    readonly closed: readonly KnownRule[];
  },
): DriftPlan {
  if (watch.acts === "none") return { ...NO_DRIFT, items: unguarded(picture, watch) };
  const cases = withTickets(picture.entries, watch.sensitivePorts, [
    ...found.added.map((rule) => addedCase(picture, watch, rule)),
    ...found.differences.map((difference) => grantedCase(picture, watch, difference)),
    ...found.closed.map((rule) => closedCase(picture, watch, rule)),
  ]);
  const judged = cases
    .map((it) => ({ ...it, item: decided(it, watch) }))
    .filter(({ item, isClosed }) => !isClosed || item.state === "adopted");
  const drifted = judged.filter(({ item }) => watch.acts === "enforce" && item.verdict.kind === "drift");
  const kept = new Map(drifted.map((it) => [it, keptBy(it, watch, picture)]));
  const wanted = drifted.filter((it) => kept.get(it) === null);
  const waiting = judged.filter(({ item }) => item.verdict.kind === "unknown");
  const { stopped, heldBy, isMore } = guardRollbacks(picture, watch, wanted, waiting);
  const settled = judged.map((it) => {
    const keeper = kept.get(it);
    if (keeper === undefined) return it;
    return { ...it, item: undone(it.item, keeper ?? heldBy.get(it) ?? null) };
  });
  const counted = new Set(watch.reverts.map(({ driftId }) => driftId));
  const begun = settled.filter(({ item }) => item.state === "rollingBack" && !counted.has(item.driftId));
  const present = new Set(settled.map(({ item }) => item.driftId));
  const differing = new Set(settled.flatMap(({ ruleIds }) => ruleIds));
  const over = watch.items
    .filter((item) => item.kind !== "guard" && !present.has(item.driftId))
    .map((item): DriftItem => {
      // A rule that differs in another way by now was not rolled back.
      const isUndone = isOurDoing(picture, item) && !(item.ruleId !== null && differing.has(item.ruleId));
      return { ...item, state: isUndone ? "rolledBack" : "gone", heldBy: null, changedAt: picture.now };
    });
  const moved = settled.filter(
    ({ item, stored }) => stored === undefined || isMoved(item, stored) || rewriteAt(item) <= picture.now,
  );
  const written = new Set(moved.map(({ item }) => item));
  return {
    calls: settled.flatMap(({ item, undo }) => (item.state === "rollingBack" ? [undo] : [])),
    items: [...moved.map(({ item }) => ({ ...item, changedAt: picture.now })), ...over],
    reverts: begun.map(({ item: { key, driftId, attribution }, waitsSince }) => ({
      ...{ key, driftId, at: picture.now },
      ...(attribution && { since: waitsSince }),
    })),
    holds: settled.flatMap(({ item }) => (item.heldBy === "hold" && !watch.holds.has(item.key) ? [item.key] : [])),
    adoptions: settled.flatMap(({ item, adoption }) => (item.state === "adopted" ? (adoption ?? []) : [])),
    lookAt: [
      ...settled.flatMap(({ item }) => (item.verdict.kind === "unknown" ? [item.verdict.until] : [])),
      ...settled.flatMap(({ item }) =>
        isSpared(item) ? [rewriteAt(written.has(item) ? { ...item, changedAt: picture.now } : item)] : [],
      ),
      ...(stopped === "mode" || settled.some(({ item }) => item.heldBy === "lockdown") ? [againAt(picture.now)] : []),
      ...(stopped === "freeze" && watch.frozenUntil !== null ? [watch.frozenUntil] : []),
      ...(isMore ? [picture.now] : []),
    ],
  };
}

/** True where it was being rolled back, or a revoke whose outcome nobody knows may close its rule, whatever was decided since. */
const isOurDoing = (picture: Picture, { state, found, ruleId }: DriftItem): boolean =>
  state === "rollingBack" || (found !== null && ruleId !== null && mayBeRevoked(picture, ruleId));

/** A rollback that has come about is one still: what it took can be restored. Whether it comes about is waited for. */
function unguarded(picture: Picture, { items }: Watch): readonly DriftItem[] {
  const rules = rulesOf(picture);
  const isShown = ({ ruleId }: DriftItem): boolean => rules.some(({ id }) => id === ruleId);
  const stands = (item: DriftItem): boolean =>
    item.kind === "added" ? isShown(item) : !rules.some((rule) => ruleKey(rule) === item.key);
  const isOver = (item: DriftItem): boolean =>
    item.kind !== "guard" && !(item.ruleId !== null && isShown(item) && mayBeRevoked(picture, item.ruleId));
  return items.filter(isOver).map((item): DriftItem => {
    const isUndone = isOurDoing(picture, item) && !stands(item);
    return { ...item, state: isUndone ? "rolledBack" : "gone", heldBy: null, changedAt: picture.now };
  });
}

/** Rows of drift go 400 days after their last write. */
const REWRITE_AFTER_MS = 300 * 24 * 60 * 60_000;

/** Who made it is known by its item alone once the events are gone: without it, it would be rolled back. */
const isSpared = ({ state, verdict }: DriftItem): boolean => state === "reported" && verdict.kind === "trusted";

/** When the item is to be written anew, so that it lives as long as its difference stands. */
const rewriteAt = (item: DriftItem): number =>
  isSpared(item) ? item.changedAt + REWRITE_AFTER_MS : Number.POSITIVE_INFINITY;

/** What follows from the verdict before anything is rolled back. */
function decided({ item, adoption }: Case, watch: Watch): DriftItem {
  const { verdict } = item;
  switch (verdict.kind) {
    case "unknown":
      return { ...item, state: "waiting", heldBy: null };
    case "trusted": {
      const isAdopted = verdict.treat === "adopt" && watch.mayAdopt && adoption !== null;
      return { ...item, state: isAdopted ? "adopted" : "reported", heldBy: null };
    }
    case "foreign":
    case "drift":
      return { ...item, state: "reported", heldBy: null };
  }
}

/** What keeps this one difference from being rolled back, or null. */
function keptBy({ item, undo, stored }: Case, watch: Watch, picture: Picture): HeldBy | null {
  if (undo.kind === "authorize" && picture.refusals.has(undo.entry.entryId)) return "refused";
  if (watch.holds.has(item.key)) return "hold";
  if (takesFromAssistant(item.wanted) && !takesFromAssistant(item.found)) return "cloudAssistant";
  const { revertsMax, revertsWithinMs } = watch.terms.drift;
  const earlier = watch.reverts.filter(
    ({ key, driftId, at }) => key === item.key && driftId !== item.driftId && at > picture.now - revertsWithinMs,
  );
  return stored?.state !== "rollingBack" && earlier.length >= revertsMax ? "hold" : null;
}

/**
 * Where agents of Cloud Assistant report to. No public document says which addresses: the whole block in which services of the cloud
 * listen, by HTTP and HTTPS.
 */
const toAssistant = (port: number): Traffic =>
  trafficAtMost({
    direction: "egress",
    protocol: "tcp",
    ports: { kind: "range", range: { from: port, to: port } },
    peer: { kind: "cidr", cidr: cidrOf(4, 0x64400000n, 10) },
    policy: "accept",
    priority: 1,
    sourcePorts: { kind: "any" },
    dest: null,
  });

/** Through it a host is repaired when nobody gets in any more: no drop that may cut it is written without a person. */
function takesFromAssistant(kept: DriftItem["wanted"]): boolean {
  if (kept?.spec.direction !== "egress" || kept.spec.policy !== "drop") return false;
  const dropped = trafficAtMost(kept.spec);
  return [80, 443].some((port) => mayOverlap(toAssistant(port), dropped));
}

function undone(item: DriftItem, heldBy: HeldBy | null): DriftItem {
  if (heldBy === null) return { ...item, state: "rollingBack", heldBy };
  return { ...item, state: heldBy === "hold" ? "held" : "reported", heldBy };
}

const isMoved = (item: DriftItem, stored: DriftItem): boolean =>
  item.state !== stored.state ||
  item.heldBy !== stored.heldBy ||
  item.found?.description !== stored.found?.description ||
  JSON.stringify(item.verdict) !== JSON.stringify(stored.verdict) ||
  JSON.stringify(item.attribution) !== JSON.stringify(stored.attribution);
