// Whose a difference is: the rule of a known service, the work of somebody trusted, of somebody else, or of nobody known yet. Pure.
import { type Cidr, containsCidr } from "../domain/cidr.ts";
import type { Attribution, DriftKind, Verdict } from "../domain/drift-item.ts";
import type { RuleId, RuleKey } from "../domain/ids.ts";
import type { DriftPolicy, ForeignWriter, TrustedPrincipal } from "../domain/policy.ts";
import { coversSensitivePort, isOpenToWorld } from "../domain/reach.ts";
import type { Rule } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { Actor, Sighting } from "../domain/sighting.ts";

/** What a judgement is made by. */
export interface JudgeTerms {
  readonly drift: DriftPolicy;
  readonly foreignWriters: readonly ForeignWriter[];
  readonly trustedPrincipals: readonly TrustedPrincipal[];
  readonly sensitivePorts: readonly number[];
  /** False where the trail cannot be asked: then what it would confirm is left alone and reported. */
  readonly trailAnswers: boolean;
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
}

/** Clocks of the trail and of rules are the cloud's own; events tell whole seconds. */
const CREATED_WITHIN_MS = 60_000;
const CREATED_AFTER_MS = 5000;

/**
 * The call that made the difference, if one was seen: for a rule that stands the last change that wrote it as it is, else its
 * creation; for one that is gone the last call that removed it or made another of it. A change that wrote something else is an
 * earlier one: the event of this difference is still to come. A change names the id that the rule had: where it has another one
 * since, it must have written the rule as it stands. Calls that failed and our own are not among `sightings`.
 */
export function authorOf(difference: JudgedDifference, sightings: readonly Sighting[]): Sighting | null {
  const { kind, rule, ruleId, key, earlierIds } = difference;
  const isNamed = ({ ruleIds }: Sighting, ids: readonly RuleId[]): boolean => ids.some((id) => ruleIds.includes(id));
  const names = (sighting: Sighting): boolean => ruleId !== null && isNamed(sighting, [ruleId]);
  const stands = rule === null ? key : ruleKey(rule);
  const says = (sighting: Sighting): boolean => sighting.rules?.some(({ spec }) => ruleKey(spec) === stands) === true;
  const last = (found: readonly Sighting[]): Sighting | null => found.at(-1) ?? null;
  const modifies = sightings.filter((it) => it.kind === "modify" && names(it));
  if (kind === "removed") {
    const revokes = sightings.filter((it) => it.kind === "revoke" && (names(it) || says(it)));
    return last(revokes) ?? last(modifies.filter((it) => !mayHaveWritten(it, says)));
  }
  const createdAt = rule?.createdAt ?? null;
  const renamed = (it: Sighting): boolean =>
    it.kind === "modify" && says(it) && (isNamed(it, earlierIds) || (createdAt !== null && isAbout(it, createdAt)));
  const modified = last(sightings.filter((it) => (modifies.includes(it) && mayHaveWritten(it, says)) || renamed(it)));
  if (modified || kind === "edited") return modified;
  const created = sightings.filter((it) => it.kind === "authorize" && isAbout(it, createdAt));
  return last(created.filter(says)) ?? last(created.filter((it) => it.rules === null));
}

/** What an event does not tell may be anything. */
const mayHaveWritten = (sighting: Sighting, says: (sighting: Sighting) => boolean): boolean =>
  sighting.rules === null || says(sighting);

/** A later call that authorizes what stands already adds nothing, and is not its author. */
const isAbout = ({ at }: Sighting, createdAt: number | null): boolean =>
  createdAt === null || (at >= createdAt - CREATED_WITHIN_MS && at <= createdAt + CREATED_AFTER_MS);

/** The verdict on a difference whose author is known or not. */
export function judge(
  difference: JudgedDifference,
  author: Sighting | null,
  terms: JudgeTerms,
  { now, firstSeenAt }: { readonly now: number; readonly firstSeenAt: number },
): Verdict {
  const { rule, kind } = difference;
  const writer = kind === "added" && rule ? foreignWriterOf(rule, terms) : null;
  if (writer) return { kind: "foreign", writer: writer.name };
  const waitUntil = firstSeenAt + terms.drift.unknownWriterWaitMs;
  if (!author)
    return now < waitUntil
      ? { kind: "unknown", until: waitUntil }
      : { kind: "drift", why: "nobody granted it, and nobody is known to have written it" };
  const trusted = terms.trustedPrincipals.find(({ principal }) => isPrincipal(author.actor, principal));
  if (!trusted) return { kind: "drift", why: `nobody granted it; ${nameOf(author.actor)} wrote it` };
  const { principal } = trusted;
  if (!author.confirmed && terms.trailAnswers)
    return now < waitUntil
      ? { kind: "unknown", until: waitUntil }
      : { kind: "drift", why: `the event names ${principal}, and the trail does not confirm it` };
  const isSensitive = rule !== null && isOpenToWorld(rule) && coversSensitivePort(rule, terms.sensitivePorts);
  return { kind: "trusted", principal, treat: isSensitive || !author.confirmed ? "ticket" : trusted.treat };
}

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
      return peer.kind === "group" && peer.owner !== undefined && writer.ownerAccounts.includes(peer.owner);
    }) ?? null
  );
}

/** Of a role the session takes no part: it changes with every run. */
export function isPrincipal(actor: Actor, principal: string): boolean {
  if (actor.type !== "assumed-role") return actor.name === principal || actor.principalId === principal;
  const [role = ""] = actor.name.split(":");
  const [roleId = ""] = actor.principalId.split(":");
  return (role !== "" && role === principal) || (roleId !== "" && roleId === principal);
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
