// Drops over address blocks as drops on prefix lists that hold those blocks when they are filled, and back. Pure.
import { type Cidr, cidrOf, formatCidr, parseCidr } from "../domain/cidr.ts";
import { sha256Hex } from "../domain/digest.ts";
import type { GroupId } from "../domain/ids.ts";
import { parseMark } from "../domain/mark.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import type { StandbyList, StandbySet } from "../domain/standby.ts";
import { besides } from "./plan-passage.ts";

/** Entries a list may have. Source: limits of ECS. */
const BLOCKS_MAX = 200;

/** Drops that differ in nothing but their blocks, which one list takes in. */
interface Bundle {
  readonly drop: RuleSpec;
  readonly list: StandbyList;
}

/**
 * The drops of a lockdown bundled by what they stop, each bundle with the list that takes the place of its blocks; null where that cannot be: a
 * drop names no block, or there are more than a list takes.
 */
function bundled(drops: readonly RuleSpec[]): readonly Bundle[] | null {
  const blocks = new Map<string, { readonly drop: RuleSpec; readonly cidrs: Cidr[] }>();
  for (const drop of drops) {
    if (drop.peer.kind !== "cidr" || drop.policy !== "drop") return null;
    const { family } = drop.peer.cidr;
    const what = JSON.stringify([drop.protocol, drop.ports, drop.priority, family]);
    const known = blocks.get(what);
    if (known) known.cidrs.push(...halved(drop.peer.cidr));
    else blocks.set(what, { drop, cidrs: halved(drop.peer.cidr) });
  }
  const found = [...blocks.values()].map(({ drop, cidrs }) => ({ drop, list: listOf(cidrs) }));
  return found.some(({ list }) => list.blocks.length > BLOCKS_MAX) ? null : found;
}

/** Nobody has shown that a list takes everybody in one block. */
const halved = (cidr: Cidr): Cidr[] =>
  cidr.prefix > 0 ? [cidr] : [cidrOf(cidr.family, 0n, 1), cidrOf(cidr.family, (cidr.last + 1n) / 2n, 1)];

function listOf(cidrs: readonly Cidr[]): StandbyList {
  const blocks = [...new Set(cidrs.map(formatCidr))].sort();
  const family = cidrs[0]?.family ?? 4;
  return { key: sha256Hex(blocks.join()).slice(0, 12), family, blocks, listId: null };
}

/** The lists that these drops need, each once; null where lists cannot stand for them. */
export function listsFor(drops: readonly RuleSpec[]): readonly StandbyList[] | null {
  const all = bundled(drops);
  return all && [...new Map(all.map(({ list }) => [list.key, list])).values()];
}

/** The same drops on lists that the cloud has; null where one is missing, or lists cannot stand for them. */
export function onLists(drops: readonly RuleSpec[], lists: readonly StandbyList[]): readonly RuleSpec[] | null {
  const named = bundled(drops)?.map(({ drop, list }): RuleSpec | null => {
    const prefixListId = lists.find(({ key }) => key === list.key)?.listId;
    return prefixListId ? { ...drop, peer: { kind: "prefixList", prefixListId } } : null;
  });
  return named?.every((it) => it !== null) ? named : null;
}

/** What the drops on lists count for in a quota, each by the room its list has. */
export const weightOfDrops = (drops: readonly RuleSpec[]): number | null =>
  bundled(drops)?.reduce((sum, { list }) => sum + list.blocks.length, 0) ?? null;

/** What rules count for: one each, and those on lists of ours by the room these have. Other people's lists count for one: how many is not known here. */
export function weightOfRules(rules: readonly RuleSpec[], sets: readonly StandbySet[]): number {
  return rules.reduce((sum, rule) => sum + (listNamed(rule, sets)?.list.blocks.length ?? 1), 0);
}

/** The set and list of ours that a rule names. */
export function listNamed(
  { peer }: RuleSpec,
  sets: readonly StandbySet[],
): { readonly set: StandbySet; readonly list: StandbyList } | null {
  if (peer.kind !== "prefixList") return null;
  for (const set of sets) {
    const list = set.lists.find(({ listId }) => listId === peer.prefixListId);
    if (list) return { set, list };
  }
  return null;
}

/** The drops over blocks that a drop on the list is when it is filled. */
const spelledOut = <R extends RuleSpec>(drop: R, { blocks }: StandbyList): readonly R[] =>
  blocks.flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr ? [{ ...drop, peer: { kind: "cidr", cidr } }] : [];
  });

/** Drops with those on lists of ours as what they are when the lists are filled. */
export const inBlocks = (drops: readonly RuleSpec[], sets: readonly StandbySet[]): readonly RuleSpec[] =>
  drops.flatMap((drop) => {
    const named = listNamed(drop, sets);
    return named ? spelledOut(drop, named.list) : [drop];
  });

/**
 * Rules with those on lists of ours spelled out: as nothing where a reading has shown the list empty, else, to be on the safe side, as
 * what it holds when it is filled.
 */
export function resolved(rules: readonly Rule[], sets: readonly StandbySet[]): readonly Rule[] {
  return rules.flatMap((rule) => {
    const named = listNamed(rule, sets);
    if (named === null) return [rule];
    return named.set.shown === "empty" && named.set.holders.length === 0 ? [] : spelledOut(rule, named.list);
  });
}

/** Both families: which one the list is of is not known. */
const EVERYBODY: readonly string[] = ["0.0.0.0/0", "::/0"];

/**
 * What stands in for sets whose rows cannot be read: each list that a drop of ours names, and none of these sets has, filled with everybody.
 * Drops on a customer's lists bear no mark, and are as they were.
 */
export function standInFor(rules: readonly (RuleSpec | Rule)[], sets: readonly StandbySet[]): StandbySet {
  const isOurs = (rule: RuleSpec | Rule): boolean =>
    rule.policy === "drop" && (!("description" in rule) || parseMark(rule.description) !== null);
  const ids = rules.flatMap((rule) =>
    rule.peer.kind === "prefixList" && isOurs(rule) && listNamed(rule, sets) === null ? [rule.peer.prefixListId] : [],
  );
  const lists = [...new Set(ids)].map((listId): StandbyList => ({ key: "", family: 4, blocks: EVERYBODY, listId }));
  return { name: "", region: "", lists, members: [], holders: [], shown: null, rev: 0 };
}

/** The drops that stay of one on a filled list when these accepts are let through it; null where they have nothing in common. */
export function besideListed(
  drop: RuleSpec,
  list: StandbyList,
  accepts: readonly RuleSpec[],
): readonly RuleSpec[] | null {
  const whole = spelledOut(drop, list);
  const pieces = accepts.reduce<readonly RuleSpec[]>(
    (left, accept) => left.flatMap((piece) => besides(piece, accept) ?? [piece]),
    whole,
  );
  return pieces.length === whole.length && pieces.every((piece) => whole.includes(piece)) ? null : pieces;
}

/**
 * True when filling the lists closes nothing but these groups. All lists have to be there: with half of them doors would stay open that
 * are said to be closed.
 */
export const isWithin = ({ members, lists }: StandbySet, groups: ReadonlySet<GroupId>): boolean =>
  members.length > 0 && members.every((id) => groups.has(id)) && lists.every(({ listId }) => listId !== null);
