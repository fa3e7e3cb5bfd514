// What a confirmed baseline would change in a group's ledger: the diff a person looks at before they confirm it. Pure.
import { type Cidr, formatCidr } from "../domain/cidr.ts";
import { sha256Hex } from "../domain/digest.ts";
import type { GroupRef, RuleId, RuleKey } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import { parseMark } from "../domain/mark.ts";
import type { Policy } from "../domain/policy.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { sensitiveOpenings } from "../domain/sensitive-openings.ts";
import { type AllocationsDigest, allocationsDigest } from "./effective-guard.ts";
import { foreignWriterOf } from "./judge-drift.ts";
import { isGenuine } from "./picture.ts";

/** Where a baseline comes from: the rules that stand, or a template of the policy. */
export type BaselineSource =
  | { readonly kind: "rules" }
  | {
      readonly kind: "template";
      readonly name: string;
      readonly rules: readonly { readonly spec: RuleSpec; readonly reason: string }[];
    };

/** One rule of the diff. */
export interface BaselineLine {
  readonly key: RuleKey;
  readonly spec: RuleSpec;
  /** What the rule's description says; of a rule that does not stand, the template's reason. */
  readonly description: string;
  readonly stands: boolean;
  /** The rule that stands; null for one that does not, or that the cloud shows without an id. */
  readonly ruleId: RuleId | null;
  /** True when everybody can reach a sensitive port by it or by several such rules together, or may: to be confirmed by its key. */
  readonly sensitive: boolean;
  /** What the prefix list of a sensitive rule holds now; null where it names none, and where that is not known. */
  readonly blocks: readonly string[] | null;
  /** The cloud service that writes it, where it is a known one. */
  readonly writer: string | null;
}

export interface BaselineDiff {
  /** Would be taken into the ledger. */
  readonly added: readonly BaselineLine[];
  /** Allocated, seen once and standing no longer: would be retired. */
  readonly missing: readonly BaselineLine[];
  /** Allocated, and stays so; not standing while it is owed or outside its open hours. */
  readonly unchanged: readonly BaselineLine[];
  /** Rules of leases: left out. */
  readonly ours: readonly BaselineLine[];
  /** Rules of known foreign writers: left out, and left alone. */
  readonly foreign: readonly BaselineLine[];
  /** Standing, and in no template: would be drift. */
  readonly ungranted: readonly BaselineLine[];
  /** The ledger the diff starts from. */
  readonly ledger: AllocationsDigest;
  /** Of exactly what would be confirmed; leases that come and go do not change it. */
  readonly digest: string;
}

export interface BaselineInput {
  readonly group: GroupRef;
  readonly rules: readonly Rule[];
  readonly entries: readonly Entry[];
  readonly source: BaselineSource;
  readonly policy: Policy;
  readonly installation: string;
  readonly markSecret: string;
  /** What prefix lists hold, as far as that is known. */
  readonly lists: ReadonlyMap<string, readonly Cidr[]>;
}

/** Compares what stands with what is allocated and what the source names. */
export function baselineDiff(input: BaselineInput): BaselineDiff {
  const { group, rules, entries, source, policy } = input;
  const standing = new Map(rules.map((rule) => [ruleKey(rule), rule]));
  const allocated = new Map(entries.flatMap((it) => (it.allocation ? [[it.key, it.allocation] as const] : [])));
  const named = source.kind === "template" ? source.rules : [];
  const inTemplate = new Set(named.map(({ spec }) => ruleKey(spec)));
  const lists = { added: [], missing: [], unchanged: [], ours: [], foreign: [], ungranted: [] };
  const diff: Record<keyof typeof lists, BaselineLine[]> = lists;
  const line = (spec: RuleSpec, description: string, writer: string | null = null): BaselineLine => {
    const key = ruleKey(spec);
    const rule = standing.get(key);
    return {
      key,
      spec: specOf(spec),
      description,
      stands: rule !== undefined,
      ruleId: rule?.id ?? null,
      sensitive: false,
      blocks: null,
      writer,
    };
  };

  for (const { key, spec, allocation, suspension } of entries) {
    if (allocation === null) continue;
    const isOwed = allocation.seenAt === null || allocation.openHours !== null || suspension !== null;
    const mayBeAway = isOwed || inTemplate.has(key);
    const list = standing.has(key) || mayBeAway ? diff.unchanged : diff.missing;
    list.push(line(spec, standing.get(key)?.description ?? allocation.description));
  }
  for (const { spec, reason } of new Map(named.map((it) => [ruleKey(it.spec), it])).values())
    if (!allocated.has(ruleKey(spec))) diff.added.push(line(spec, standing.get(ruleKey(spec))?.description ?? reason));
  for (const [key, rule] of standing) {
    if (allocated.has(key) || inTemplate.has(key)) continue;
    const writer = foreignWriterOf(rule, {
      drift: policy.drift,
      foreignWriters: policy.foreignWriters,
      trustedPrincipals: policy.trustedPrincipals,
    });
    const list = isOurs(input, rule)
      ? diff.ours
      : writer
        ? diff.foreign
        : source.kind === "rules"
          ? diff.added
          : diff.ungranted;
    list.push(line(rule, rule.description, writer?.name ?? null));
  }
  for (const list of Object.values(diff)) list.sort((a, b) => (a.key < b.key ? -1 : 1));
  markSensitive(input, [diff.added, diff.unchanged]);
  const ledger = allocationsDigest(entries);
  const keysOf = (lines: readonly BaselineLine[]): readonly RuleKey[] => lines.map((it) => it.key);
  const confirmed = [diff.added, diff.missing, diff.unchanged, diff.ungranted].map(keysOf);
  const held = [...diff.added, ...diff.unchanged].flatMap(({ key, blocks }) => (blocks ? [[key, blocks]] : []));
  const from = source.kind === "template" ? `template ${source.name}` : source.kind;
  const looked = [group.groupId, from, confirmed, ledger.digest, ...(held.length > 0 ? [held] : [])];
  return { ...diff, ledger, digest: sha256Hex(JSON.stringify(looked)) };
}

/** What is to be confirmed one by one: of all that is confirmed together, as it makes one opening. */
function markSensitive({ policy, lists }: BaselineInput, confirmed: readonly BaselineLine[][]): void {
  const specs = confirmed.flat().map(({ spec }) => spec);
  const open = new Set(sensitiveOpenings(specs, [], policy.lease.sensitivePorts));
  for (const list of confirmed)
    for (const [place, line] of list.entries()) {
      if (!open.has(line.spec)) continue;
      const held = line.spec.peer.kind === "prefixList" ? lists.get(line.spec.peer.prefixListId) : undefined;
      list[place] = { ...line, sensitive: true, blocks: held?.map(formatCidr).sort() ?? null };
    }
}

/** What of the diff a person has to confirm one by one. */
export function sensitiveOf({ added, unchanged }: BaselineDiff): readonly BaselineLine[] {
  return [...added, ...unchanged].filter((it) => it.sensitive);
}

/** Booked as ours for leases, or carrying a true mark. */
function isOurs(input: BaselineInput, rule: Rule): boolean {
  const isBooked = input.entries.some(({ standing }) => standing.kind === "ours" && standing.ruleId === rule.id);
  const mark = parseMark(rule.description);
  return isBooked || (mark !== null && isGenuine(mark, rule, input));
}

/** What a rule says, without who wrote it. */
function specOf({ direction, protocol, ports, peer, policy, priority, sourcePorts, dest }: RuleSpec): RuleSpec {
  return { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
}
