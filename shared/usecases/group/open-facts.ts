// What has to be known of a group before a rule is opened in it, and the refusals that follow.
import { containsCidr, formatCidr, parseObservedCidr } from "../../domain/cidr.ts";
import type { GroupRow } from "../../domain/guard.ts";
import type { EntryId, GroupRef, RuleId } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule, RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import type { StandbySet } from "../../domain/standby.ts";
import { mergeRules, shadowOf } from "../../domain/verdict.ts";
import { deniedName } from "../../plan/effective-guard.ts";
import { isLeaseOpening, isOpening, type Refusal } from "../../plan/picture.ts";
import { resolved, weightOfRules } from "../../plan/standby-drops.ts";
import { CloudFailure, type GroupFacts, type Member } from "../../ports/firewall.ts";
import { readableGroupRow } from "../../store/group-rows.ts";
import type { App } from "../app.ts";

/** Why a group takes no new rule, in words, or null. `row` is null where what is kept of the group cannot be read. */
export function protection(
  facts: GroupFacts | null,
  members: readonly Member[],
  policy: Policy,
  row: Pick<GroupRow, "deniedName"> | null,
): string | null {
  if (!facts) return "it does not exist";
  if (facts.serviceManaged) return "a cloud service manages it";
  if (policy.groups.denied.includes(facts.ref.groupId)) return "the policy denies it";
  if (row === null) return "what is kept of it cannot be read (table group)";
  const denied = deniedName(policy, facts.name, row);
  if (denied !== null)
    return denied === facts.name ? "the policy denies it" : `the policy denies it as ${denied}, and it was renamed`;
  const service = members.find((member) => member.serviceManaged);
  return service ? `the interface ${service.eniId} of a load balancer or another service is in it` : null;
}

/** Facts a pass needs to judge openings; read once per pass. */
export interface OpenFacts {
  readonly group: GroupFacts | null;
  /** Null where it cannot be read: what opens is refused, and what ends is not held up. */
  readonly row: GroupRow | null;
  readonly members: readonly Member[];
  /** Rules of the other groups of the members, by group id. */
  readonly siblings: ReadonlyMap<string, readonly Rule[]>;
}

/** Reads what is needed; `members` are those the caller already knows. */
export async function readOpenFacts(app: App, ref: GroupRef, known?: readonly Member[]): Promise<OpenFacts> {
  const [group, row, members] = await Promise.all([
    app.inventory.group(ref, "open"),
    readableGroupRow(app.tables, ref),
    known ? Promise.resolve(known) : app.inventory.members(ref, "open"),
  ]);
  const others = [...new Set(members.flatMap((member) => member.groupIds))].filter(
    (groupId) => groupId !== ref.groupId,
  );
  const siblings = new Map<string, readonly Rule[]>();
  await Promise.all(others.map(async (groupId) => siblings.set(groupId, await rulesOf(app, { ...ref, groupId }))));
  return { group, row, members, siblings };
}

/** Who is in which group is known for minutes: of one that was deleted since no rule acts on anybody. */
async function rulesOf(app: App, group: GroupRef): Promise<readonly Rule[]> {
  try {
    return (await app.firewall.readGroup(group, "open")).rules;
  } catch (error) {
    if (error instanceof CloudFailure && error.kind === "groupGone") return [];
    throw error;
  }
}

/** What refuses openings, and what has them wait. */
export interface OpeningRefusals {
  readonly refusals: Map<EntryId, Refusal>;
  /** Leases' entries from which drops take that give way to leases, with these drops. */
  readonly waits: Map<EntryId, readonly RuleId[]>;
  /** Drops that refuse a lease. */
  readonly shadows: readonly Rule[];
}

/**
 * Which entries may not be opened, and why. Openings are admitted in order while there is room. `giving` are drops that give way to
 * leases: these wait for them to be gone. `sets` are those whose lists the rules of the group and
 * its siblings may name, as `setsNamedBy` reads them.
 */
export function refusalsOf(
  picture: {
    ref: GroupRef;
    rules: readonly Rule[];
    entries: readonly Entry[];
    facts: OpenFacts;
    policy: Policy;
    sets: readonly StandbySet[];
    giving?: ReadonlySet<RuleId>;
  },
  now: number,
  skewMs: number,
  skewMaxMs: number,
): OpeningRefusals {
  const { ref, rules, entries, facts, policy, sets, giving = NONE } = picture;
  const refusals = new Map<EntryId, Refusal>();
  const waits = new Map<EntryId, readonly RuleId[]>();
  const shadows: Rule[] = [];
  const protectedBy = protection(facts.group, facts.members, policy, facts.row);
  let added = 0;
  for (const entry of entries) {
    if (!isOpening(entry, now)) continue;
    const reached = membersOf(facts.members, entry.spec);
    const merged = reached.map((member) =>
      mergeRules([rules, ...member.groupIds.map((id) => facts.siblings.get(id) ?? [])]),
    );
    const refuse = (code: string, detail: Refusal["detail"]): void => {
      refusals.set(entry.entryId, { code, detail });
    };
    if (protectedBy) {
      refuse("GROUP_PROTECTED", { group: ref.groupId, why: protectedBy });
      continue;
    }
    if (Math.abs(skewMs) > skewMaxMs) {
      refuse("CLOCK_SKEWED", { seconds: Math.round(skewMs / 1000) });
      continue;
    }
    const drops = (merged.length > 0 ? merged : [rules]).flatMap((list, index) => {
      const member = reached[index];
      return shadowsOf(member ? narrowed(entry.spec, member) : entry.spec, resolved(list, sets), giving);
    });
    const isLease = isLeaseOpening(entry, now);
    const isGiving = ({ id }: Rule): boolean => isLease && id !== null && giving.has(id);
    const shadow = drops.find((drop) => !isGiving(drop));
    if (shadow) {
      if (isLease) shadows.push(shadow);
      const group = siblingOf(shadow, facts) ?? ref.groupId;
      refuse("LEASE_SHADOWED", { rule: shadow.id ?? "", group, priority: shadow.priority });
      continue;
    }
    if (drops.length > 0) waits.set(entry.entryId, [...new Set(drops.flatMap(({ id }) => id ?? []))]);
    // What stands already, written by us and not yet booked or by somebody else, takes no further room.
    if (entry.standing.kind !== "none" || rules.some((rule) => ruleKey(rule) === entry.key)) continue;
    const used = Math.max(...[rules, ...merged].map((list) => weightOfRules(list, sets)));
    const max = policy.limits.rulesPerInterface - policy.limits.rulesKeptFree;
    if (used + added >= max) refuse("RULE_QUOTA_REACHED", { group: ref.groupId, used: used + added, max });
    else added += 1;
  }
  return { refusals, waits, shadows };
}

/** The other group of a host whose rule it is, if it is one's. */
const siblingOf = ({ id }: Rule, { siblings }: OpenFacts): string | undefined =>
  [...siblings].find(([, others]) => others.some((it) => it.id !== null && it.id === id))?.[0];

const NONE: ReadonlySet<RuleId> = new Set();

/** The strongest drop that shadows the spec and does not give way, after those before it that do. */
function shadowsOf(spec: RuleSpec, rules: readonly Rule[], giving: ReadonlySet<RuleId>): readonly Rule[] {
  const shadow = shadowOf(spec, rules);
  if (shadow === null) return [];
  if (shadow.id === null || !giving.has(shadow.id)) return [shadow];
  const rest = rules.filter((rule) => rule !== shadow);
  return [shadow, ...shadowsOf(spec, rest, giving)];
}

/** The members a spec acts on: all, or those with an address that it is narrowed to. */
export function membersOf(members: readonly Member[], spec: RuleSpec): readonly Member[] {
  const { dest } = spec;
  if (!dest) return members;
  const isReached = (text: string): boolean => {
    const address = parseObservedCidr(text);
    return address !== null && containsCidr(dest, address);
  };
  return members.filter(({ address, ipv6 }) => [address, ...ipv6].some(isReached));
}

/** True where the spec is narrowed to one of these interfaces, and the other groups of that are known. */
export function actsOnlyOn(members: readonly Member[], { dest }: RuleSpec): boolean {
  const isMeant = (text: string): boolean => {
    const address = parseObservedCidr(text);
    return address !== null && dest !== null && formatCidr(address) === formatCidr(dest);
  };
  return members.some(({ groupIds, address, ipv6 }) => groupIds.length > 0 && [address, ...ipv6].some(isMeant));
}

function narrowed(spec: RuleSpec, member: Member): RuleSpec {
  if (spec.dest || spec.peer.kind !== "cidr") return spec;
  const family = spec.peer.cidr.family;
  const text = family === 4 ? member.address : member.ipv6[0];
  const dest = text ? parseObservedCidr(text) : null;
  return dest && dest.family === family ? { ...spec, dest } : spec;
}
