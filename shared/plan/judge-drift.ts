// Whose a difference is: the rule of a known service, the work of somebody trusted, of somebody else, or of nobody known yet. Pure.
import { type Cidr, containsCidr } from "../domain/cidr.ts";
import { cloudPrincipalText, isActor } from "../domain/cloud-principal.ts";
import type { Attribution, DriftItem, DriftKind, Verdict } from "../domain/drift-item.ts";
import type { RuleId, RuleKey } from "../domain/ids.ts";
import type { DriftPolicy, ForeignWriter, TrustedPrincipal } from "../domain/policy.ts";
import type { Rule } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { type Actor, isDenied, type Sighting } from "../domain/sighting.ts";

/** What a judgement is made by. */
export interface JudgeTerms {
  readonly drift: DriftPolicy;
  readonly foreignWriters: readonly ForeignWriter[];
  readonly trustedPrincipals: readonly TrustedPrincipal[];
}

/** A difference as far as judging goes. */
export interface JudgedDifference {
  readonly kind: Exclude<DriftKind, "guard">;
  readonly key: RuleKey;
  readonly ruleId: RuleId | null;
  /** Ids under which the rule stood before: the cloud may give a changed rule another one. */
  readonly earlierIds: readonly RuleId[];
  /** The rule that stands; of a removed one null. */
  readonly rule: Rule | null;
  /** Since when it is granted as it should be: earlier calls are about what was before. Null for a rule nobody granted. */
  readonly since: number | null;
}

/** Clocks of the trail and of rules are the cloud's own; events tell whole seconds. */
const CREATED_WITHIN_MS = 60_000;
const CREATED_AFTER_MS = 5000;
const SECOND_MS = 1000;
/** How much longer than for its event a rule waits for the trail to be asked, should very many events have to be asked about. */
const UNASKED_MAX_MS = 30 * 60_000;

/**
 * The calls that may have made the difference, the likeliest last: for a rule that stands the changes that wrote it as it is, before
 * them its creation; for one that is gone the calls that removed it, before them those that made another of it. A change that wrote
 * something else is an earlier one: the event of this difference is still to come. A change names the id that the rule had: where it
 * has another one since, it must have written the rule as it stands. Calls that failed and our own are not among `sightings`.
 */
export function callsBehind(difference: JudgedDifference, sightings: readonly Sighting[]): readonly Sighting[] {
  const { kind, rule, ruleId, key, earlierIds, since } = difference;
  const names = ({ ruleIds }: Sighting): boolean => ruleIds.some((id) => id === ruleId);
  const stands = rule === null ? key : ruleKey(rule);
  const says = (sighting: Sighting): boolean => sighting.rules?.some(({ spec }) => ruleKey(spec) === stands) === true;
  const recent = sightings.filter(({ at }) => at >= (since ?? 0) - CREATED_WITHIN_MS);
  const modifies = recent.filter((it) => it.kind === "modify" && names(it));
  if (rule === null) {
    const revokes = recent.filter((it) => it.kind === "revoke" && (names(it) || says(it)));
    return [...modifies.filter((it) => !mayHaveWritten(it, says)), ...revokes];
  }
  const { createdAt } = rule;
  const wasIts = (id: RuleId): boolean => earlierIds.includes(id);
  const renamed = (it: Sighting): boolean =>
    it.kind === "modify" && says(it) && (it.ruleIds.some(wasIts) || (createdAt !== null && isAbout(it, createdAt)));
  const modified = recent.filter((it) => (modifies.includes(it) && mayHaveWritten(it, says)) || renamed(it));
  if (kind === "edited") return modified;
  const created = recent.filter((it) => it.kind === "authorize" && isAbout(it, createdAt));
  return [...created.filter((it) => it.rules === null), ...created.filter(says), ...modified];
}

/** What an event does not tell may be anything. */
const mayHaveWritten = (sighting: Sighting, says: (sighting: Sighting) => boolean): boolean =>
  sighting.rules === null || says(sighting);

/** A later call that authorizes what stands already adds nothing, and is not its author. */
const isAbout = ({ at }: Sighting, createdAt: number | null): boolean =>
  createdAt === null || (at >= createdAt - CREATED_WITHIN_MS && at <= createdAt + CREATED_AFTER_MS);

/** The calls that may have made a difference that is stored, as far as its item tells. */
export function callsBehindItem(item: DriftItem, sightings: readonly Sighting[]): readonly Sighting[] {
  const { kind, key, ruleId, found } = item;
  if (kind === "guard") return [];
  const rule = found && { ...found.spec, id: ruleId, description: found.description, createdAt: null };
  return callsBehind({ kind, key, ruleId, earlierIds: [], rule, since: null }, sightings);
}

/** What a judgement goes by besides the calls. */
export interface JudgedAt {
  readonly now: number;
  /** When the wait for whoever made it began: when it was first seen, or one like it that was rolled back shortly before. */
  readonly waitsSince: number;
  /** What was said of the same difference before; null for a new one. Events are kept for a time, and what they told outlasts them. */
  readonly before: Pick<DriftItem, "verdict" | "attribution"> | null;
}

/** A verdict, and the call that it goes by; null where none was seen. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly author: Sighting | null;
}

/** The verdict on a difference that any of `calls` may have made, the likeliest last. */
export function judge(
  difference: JudgedDifference,
  calls: readonly Sighting[],
  terms: JudgeTerms,
  times: JudgedAt,
): Judgement {
  const author = authorAmong(calls, terms);
  const { rule, kind } = difference;
  const writer = kind === "added" && rule ? foreignWriterOf(rule, terms) : null;
  if (writer) return { verdict: { kind: "foreign", writer: writer.name }, author };
  const verdict = author ? verdictOn(author, calls, difference, terms, times) : verdictWithout(terms, times);
  return { verdict, author };
}

/**
 * An event alone never outranks one that the trail has confirmed, and hides nobody whom the policy trusts: what it says may be made
 * up, and its time too.
 */
function authorAmong(calls: readonly Sighting[], terms: JudgeTerms): Sighting | null {
  const likeliest = (found: readonly Sighting[]): Sighting | undefined => found.at(-1);
  return (
    likeliest(calls.filter((call) => call.confirmed)) ??
    likeliest(calls.filter((call) => !isDenied(call) && trustedOf(call.actor, terms) !== null)) ??
    likeliest(calls) ??
    null
  );
}

function verdictOn(
  author: Sighting,
  calls: readonly Sighting[],
  difference: JudgedDifference,
  terms: JudgeTerms,
  { now, waitsSince }: JudgedAt,
): Verdict {
  const until = waitsSince + terms.drift.unknownWriterWaitMs;
  const trusted = trustedOf(author.actor, terms);
  const isRival = ({ confirmed, actor }: Sighting): boolean =>
    !confirmed && trustedOf(actor, terms)?.principal !== trusted?.principal;
  // Whoever is trusted loses nothing by waiting. Of anybody else a made-up event could keep the rule open again and again.
  const mayBeOther = trusted !== null || !isSure(author, difference);
  if (mayBeOther && calls.slice(calls.indexOf(author) + 1).some(isRival) && now < until)
    return { kind: "unknown", until };
  if (trusted === null) return { kind: "drift", why: `nobody granted it; ${nameOf(author.actor)} wrote it` };
  const { principal } = trusted;
  if (!author.confirmed && author.doubt !== "refused") {
    if (now < until) return { kind: "unknown", until };
    if (author.doubt === undefined) {
      if (now < until + UNASKED_MAX_MS) return { kind: "unknown", until: until + UNASKED_MAX_MS, unasked: true };
      return {
        kind: "drift",
        why: `the event names ${principal}, and the trail could not be asked in time: too many do`,
      };
    }
    if (author.doubt !== "unreachable")
      return { kind: "drift", why: `the event names ${principal}, and the trail does not confirm it` };
  }
  // What an event does not tell may be somebody else's.
  const isCertain = author.confirmed && author.rules !== null;
  return { kind: "trusted", principal, treat: isCertain ? trusted.treat : "ticket" };
}

/**
 * Whether the trail has told of this very rule who made it what it is: an event that it has not confirmed cannot be about a later
 * change. Earlier ones may say the same: a rule was created when it was, and removed after it was granted.
 */
function isSure({ confirmed, rules, kind, at }: Sighting, difference: JudgedDifference): boolean {
  const { rule, since } = difference;
  if (!confirmed || rules === null) return false;
  if (rule === null) return at >= (since ?? 0) - SECOND_MS;
  if (kind !== "authorize") return true;
  return Math.abs(at - (rule.createdAt ?? 0)) <= CREATED_AFTER_MS;
}

function verdictWithout(terms: JudgeTerms, { now, waitsSince, before }: JudgedAt): Verdict {
  if (before?.attribution && before.verdict.kind !== "unknown") {
    const { verdict } = before;
    const isNamed = ({ principal }: TrustedPrincipal, name: string): boolean =>
      cloudPrincipalText(principal) === cloudPrincipalText(name);
    const trusted = verdict.kind === "trusted" && terms.trustedPrincipals.find((it) => isNamed(it, verdict.principal));
    if (!trusted) return { kind: "drift", why: `nobody granted it; ${before.attribution.actor} wrote it` };
    return {
      kind: "trusted",
      principal: trusted.principal,
      treat: verdict.treat === "ticket" ? "ticket" : trusted.treat,
    };
  }
  const until = waitsSince + terms.drift.unknownWriterWaitMs;
  return now < until
    ? { kind: "unknown", until }
    : { kind: "drift", why: "nobody granted it, and nobody is known to have written it" };
}

/** What the policy says of somebody it trusts; null of everybody else. */
export const trustedOf = (
  actor: Actor,
  { trustedPrincipals }: Pick<JudgeTerms, "trustedPrincipals">,
): TrustedPrincipal | null => trustedPrincipals.find(({ principal }) => isActor(actor, principal)) ?? null;

/** By the source's range or the owner of the group it names; what its description says means nothing. */
export function foreignWriterOf(rule: Rule, terms: JudgeTerms): ForeignWriter | null {
  const { peer, policy } = rule;
  if (policy !== "accept") return null;
  const widthMax = terms.drift.foreignWidthMax;
  const isNarrow = (cidr: Cidr): boolean => cidr.prefix >= (cidr.family === 4 ? widthMax.v4 : widthMax.v6);
  return (
    terms.foreignWriters.find((writer) => {
      if (peer.kind === "cidr")
        return isNarrow(peer.cidr) && writer.sources.some((source) => containsCidr(source, peer.cidr));
      return peer.kind === "group" && writer.ownerAccounts.some((account) => account === peer.owner);
    }) ?? null
  );
}

/** An actor in words. */
export const nameOf = (actor: Actor): string => actor.name || actor.principalId || actor.type;

/** Who made a difference, for the record. */
export const attributionOf = (sighting: Sighting): Attribution => ({
  actor: nameOf(sighting.actor),
  actorType: sighting.actor.type,
  address: sighting.address,
  eventId: sighting.eventId,
  requestId: sighting.requestId,
  operation: sighting.operation,
  at: sighting.at,
  confirmed: sighting.confirmed,
});
