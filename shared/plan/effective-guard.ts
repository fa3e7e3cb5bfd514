// How far a group is guarded, by policy, tag and row; and how far it acts, by what a person has confirmed. Pure.
import type { Allocation } from "../domain/allocation.ts";
import { sha256Hex } from "../domain/digest.ts";
import { type Baseline, type GivenBack, type GroupRow, type Guard, strongerGuard } from "../domain/guard.ts";
import type { GroupRef, RuleKey } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { Policy } from "../domain/policy.ts";

/** The tag by which a group asks to be guarded. */
export const GUARD_TAG = "safeport:guard";

/** The allocations of a group in two values that can be kept and compared. */
export interface AllocationsDigest {
  readonly count: number;
  readonly digest: string;
}

/**
 * Counts the allocations and digests them with their rules, in the order of their keys. When a rule was seen takes no part, and
 * neither do entries that leases alone hold: both change without a person.
 */
export function allocationsDigest(entries: readonly Entry[]): AllocationsDigest {
  const lines = entries.flatMap(({ key, allocation }) =>
    allocation === null ? [] : [`${key}\n${canonical(allocation)}`],
  );
  return { count: lines.length, digest: sha256Hex(lines.sort().join("\n")) };
}

/** What the guard of a group follows from. */
export interface GuardInput {
  readonly policy: Policy;
  readonly facts: {
    readonly ref: GroupRef;
    readonly name: string;
    readonly tags: Readonly<Record<string, string>>;
  };
  readonly row: GroupRow;
  readonly entries: readonly Entry[];
}

export interface EffectiveGuard {
  /** What policy or tag ask for. */
  readonly level: Guard;
  /** What is done: `enforce` acts as `observe` until the confirmed baseline and the ledger agree. */
  readonly acts: Guard;
  /** What the group's row is to keep: a tag never lowers it. */
  readonly tagGuard: Guard;
  /** What the group's row is to keep: the name by which the policy guards it. */
  readonly guardName: string | null;
  /** What the group's row is to keep: the name by which the policy denies it. */
  readonly deniedName: string | null;
  /** The line that says so: of the policy, or the group's tag. */
  readonly line: string;
  /** True when the tag asks for less than the row keeps, and no policy decides. */
  readonly tagLowered: boolean;
  /** Each difference between what is asked for and what is done, with its remedy. */
  readonly why: readonly string[];
}

/**
 *     policy by id  policy by name  tag or row        level
 *     any           any             any               policy by id
 *     absent        any             any               policy by name
 *     absent        absent          observe, enforce  observe
 *     absent        absent          none              none
 *
 * Names change as easily as tags: of the group's name and the one by which it was guarded before, the stronger guard counts.
 *
 * A baseline agrees as `baselineAgrees` says.
 */
export function effectiveGuard({ policy, facts, row, entries }: GuardInput): EffectiveGuard {
  const { groupId } = facts.ref;
  const why: string[] = [];
  const byId = guardNamed(policy, groupId);
  const byName = strongestNamed(policy, [facts.name, row.guardName]);
  const named = byId ?? byName?.guard;
  const guardName = byId === undefined && byName && byName.guard !== "none" ? byName.name : null;
  const asked = guardOfTag(facts.tags);
  const tagGuard = strongerGuard(row.tagGuard, asked);
  const tagLowered = named === undefined && tagGuard !== asked;
  const tag = tagOf(facts.tags);
  if (named === undefined && tag === "enforce")
    why.push(`the tag ${GUARD_TAG} asks for enforce and gets observe: set groups.guards in the policy to enforce`);
  else if (named === undefined && tag !== undefined && tag !== "none" && tag !== "observe")
    why.push(`the tag ${GUARD_TAG} says neither none nor observe: correct it`);
  if (tagLowered)
    why.push(
      `the tag ${GUARD_TAG} asks for ${asked}, ${tagGuard} stays until a person confirms: PUT /v1/groups/${groupId}/guard`,
    );
  if (guardName !== null && guardName !== facts.name)
    why.push(
      `the policy guards the group as ${guardName}, and it was renamed: a name lowers no guard, set groups.guards for ${groupId}`,
    );
  const level = named ?? tagGuard;
  const doubt = level === "enforce" ? doubtOf(row.baseline, entries) : null;
  if (doubt !== null) why.push(`enforce acts as observe: ${doubt}, POST /v1/groups/${groupId}/baseline`);
  const acts = doubt === null ? level : "observe";
  const guardedAs = byId === undefined ? byName?.name : groupId;
  const line = guardedAs === undefined ? `tag ${GUARD_TAG}: ${level}` : `groups.guards.${guardedAs}: ${level}`;
  return { level, acts, tagGuard, guardName, deniedName: deniedName(policy, facts.name, row), line, tagLowered, why };
}

/** The name by which the policy denies a group: the one it has, or the one it was denied by before. */
export function deniedName(
  { groups }: Pick<Policy, "groups">,
  name: string,
  row: Pick<GroupRow, "deniedName">,
): string | null {
  return [name, row.deniedName].find((it) => groups.denied.some((denied) => denied === it)) ?? null;
}

/** What the group's tag asks for; a tag gives `observe` at most. */
export function guardOfTag(tags: Readonly<Record<string, string>>): Guard {
  const text = tagOf(tags);
  return text === "observe" || text === "enforce" ? "observe" : "none";
}

const tagOf = (tags: Readonly<Record<string, string>>): string | undefined =>
  Object.hasOwn(tags, GUARD_TAG) ? tags[GUARD_TAG] : undefined;

/**
 * True when the ledger is the one that was confirmed, or that a change under way will make of it; with what was given back beside, all of
 * it or nothing: what is lost from a ledger is a disagreement, whoever gave it.
 */
export function baselineAgrees(baseline: Baseline, entries: readonly Entry[]): boolean {
  const isKnown = (actual: AllocationsDigest): boolean =>
    isSameDigest(baseline, actual) || (baseline.next !== null && isSameDigest(baseline.next, actual));
  if (isKnown(allocationsDigest(entries))) return true;
  const { givenBack } = baseline;
  const others = entries.filter((entry) => !givenBack?.some((it) => isGivenBack(it, entry)));
  return others.length + (givenBack?.length ?? 0) === entries.length && isKnown(allocationsDigest(others));
}

/** The baseline of a ledger that agrees with its own: what was given back is counted like the rest. What is still to be written is not. */
export function countedBaseline(
  { confirmedBy, confirmedAt, next, givenBack = [] }: Omit<Baseline, keyof AllocationsDigest>,
  entries: readonly Entry[],
): Baseline {
  const owed = givenBack.filter((it) => !entries.some((entry) => isGivenBack(it, entry)));
  const counted = { confirmedBy, confirmedAt, ...allocationsDigest(entries), next };
  return owed.length > 0 ? { ...counted, givenBack: owed } : counted;
}

/** The baseline with what is given back noted, or with nothing given back of a rule that loses its allocation. */
export function withGivenBack(baseline: Baseline, key: RuleKey, entry: Entry | null): Baseline {
  const { givenBack = [], ...rest } = baseline;
  const others = givenBack.filter((it) => it.key !== key);
  const noted = entry?.allocation ? [...others, { key, digest: allocationsDigest([entry]).digest }] : others;
  return noted.length > 0 ? { ...rest, givenBack: noted } : rest;
}

const isGivenBack = ({ digest }: GivenBack, entry: Entry): boolean => allocationsDigest([entry]).digest === digest;

/** True when two say the same of a ledger. */
export const isSameDigest = (a: AllocationsDigest, b: AllocationsDigest): boolean =>
  a.count === b.count && a.digest === b.digest;

/** Why the ledger is not what was confirmed, in words; null where it is. */
export function doubtOf(baseline: Baseline | null, entries: readonly Entry[]): string | null {
  if (baseline === null) return "no person has confirmed a baseline; look at it and confirm it";
  if (baselineAgrees(baseline, entries)) return null;
  const { count } = allocationsDigest(entries);
  return `the ledger (${count} allocations) is not the one ${baseline.confirmedBy} confirmed (${baseline.count}); look at the difference and confirm it anew`;
}

/** The stronger of what the policy says of the names; the first where they are the same. */
function strongestNamed(policy: Policy, names: readonly (string | null)[]): { name: string; guard: Guard } | undefined {
  const found = names.flatMap((name) => {
    if (name === null) return [];
    const guard = guardNamed(policy, name);
    return guard === undefined ? [] : [{ name, guard }];
  });
  return found.find(({ guard }) => found.every((it) => strongerGuard(guard, it.guard) === guard));
}

function guardNamed(policy: Policy, name: string): Guard | undefined {
  const { guards } = policy.groups;
  return Object.hasOwn(guards, name) ? guards[name] : undefined;
}

/** Fields in a fixed order, so that the same allocation is the same text whoever made the object. */
function canonical({ seenAt: _, openHours, ...allocation }: Allocation): string {
  const { provenance, owner, application, reason, ticket, allowedSources, description, by, at, backup } = allocation;
  const hours = openHours && [openHours.zone, openHours.windows.map(({ days, from, to }) => [days, from, to])];
  const said = [provenance, owner, application, reason, ticket, allowedSources, hours, description, by, at];
  return JSON.stringify(backup ? [...said, backup] : said);
}
