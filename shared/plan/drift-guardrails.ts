// What keeps the rollbacks of a pass back: all of them, the doubtful ones, or those that would open in a lockdown or cut the operators' path. Pure.
import { containsCidr, formatCidr } from "../domain/cidr.ts";
import type { HeldBy } from "../domain/drift-item.ts";
import { isCut, pathSpecs } from "../domain/operator-path.ts";
import { isOpenToWorld } from "../domain/reach.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import { mayOverlap, trafficAtMost } from "../domain/traffic.ts";
import { letsThrough } from "../domain/verdict.ts";
import type { Case } from "./drift-case.ts";
import { isSuspending, type KnownRule, type Picture, rulesOf, type Watch, type WatchedInterface } from "./picture.ts";
import { isToClose } from "./plan-lockdown.ts";

/** What becomes of the rollbacks that a pass wants. */
export interface Guarded {
  /** Why none of them goes; null where some may. */
  readonly stopped: HeldBy | null;
  /** What keeps each of them back; null for those that go now. */
  readonly heldBy: ReadonlyMap<Case, HeldBy | null>;
  /** True where some go only with the next pass. */
  readonly isMore: boolean;
}

/** So many rules may always be rolled back in one pass, whatever part of the group they are. */
const ALWAYS_MAX = 5;

/**
 *     1. mode, a half-read group or ledger, freeze   none goes
 *     2. lockdown that closes accepts                what would open any that it would close stays
 *     3. ceiling                                     the doubtful stay, and so does all that would not close
 *     4. changes of one pass                         the rest goes with the next
 *     5. operators' path                             what would cut it stays, whatever else goes
 */
export function guardRollbacks(
  picture: Picture,
  watch: Watch,
  wanted: readonly Case[],
  waiting: readonly Case[],
): Guarded {
  const stopped = stopOf(picture, watch, wanted, waiting);
  if (stopped !== null) return { stopped, heldBy: new Map(wanted.map((it) => [it, stopped])), isMore: false };
  const shut = shutOf(picture, watch, wanted);
  const clear = inOrder(clearOf(picture, watch, wanted, waiting).filter((it) => !shut.has(it)));
  const { going, cutting } = goingOf(picture, watch, clear);
  const heldOf = (it: Case): HeldBy | null =>
    shut.has(it) ? "lockdown" : going.has(it) ? null : cutting.has(it) ? "operatorPath" : ("ceiling" as const);
  return {
    stopped,
    heldBy: new Map(wanted.map((it) => [it, heldOf(it)])),
    isMore: clear.length > going.size + cutting.size,
  };
}

function stopOf(picture: Picture, watch: Watch, wanted: readonly Case[], waiting: readonly Case[]): HeldBy | null {
  if (wanted.length === 0) return null;
  if (picture.mode !== "normal") return "mode";
  const removed = [...wanted, ...waiting].filter(({ item }) => item.kind === "removed").length;
  if (watch.isHalfRead || (picture.rules.length === 0 && removed > 1)) return "reading";
  return watch.frozenUntil === null ? null : "freeze";
}

const shutOf = (picture: Picture, watch: Watch, wanted: readonly Case[]): ReadonlySet<Case> =>
  new Set(wanted.filter(({ undo }) => undo.kind !== "revoke" && isShut(undo.entry.spec, picture, watch)));

/**
 * While a lockdown keeps the group closed by its accepts there is no drop that would stop what comes back: whatever it would close at its
 * next look is not opened before. What it leaves open, for core ports and operators, is put back as ever.
 */
export function isShut(
  spec: RuleSpec,
  { entries, now }: Pick<Picture, "entries" | "now">,
  policy: Pick<Watch, "core" | "operatorPath">,
): boolean {
  const isOn = entries.some(({ suspension }) =>
    suspension?.by.some((it) => it.kind === "lockdown" && isSuspending(it, now)),
  );
  return isOn && isToClose(spec, policy);
}

/**
 * Of rules that were granted, or may have been when the baseline was confirmed, a large part is no drift but a mistake, and waits for
 * a person. What still waits for its event counts as well: it must not matter in what order events come. Meanwhile what was surely
 * opened after the confirmation is closed all the same, as somebody could else hide it behind a few words changed in other rules;
 * but not what lets through only what those rules were granted for, as it may be what has become of them.
 */
function clearOf(picture: Picture, watch: Watch, wanted: readonly Case[], waiting: readonly Case[]): readonly Case[] {
  const doubtful = [...wanted, ...waiting].filter(({ isNew }) => !isNew);
  const size = Math.max(picture.rules.length, picture.entries.length);
  const share = Math.floor((size * watch.terms.drift.percentPerPass) / 100);
  if (doubtful.length <= Math.min(watch.changesMax, Math.max(ALWAYS_MAX, share))) return wanted;
  const granted = doubtful.flatMap(({ item }) => (item.wanted ? [item.wanted.spec] : []));
  return wanted.filter(
    ({ item, isNew }) => isNew && item.found?.spec.policy === "accept" && !standsInFor(item.found.spec, granted),
  );
}

/** True when every packet that the accept lets through was granted by one of the others, as far as these can be compared. */
function standsInFor(spec: RuleSpec, granted: readonly RuleSpec[]): boolean {
  const isSame = (one: RuleSpec): boolean => ruleKey({ ...one, priority: spec.priority }) === ruleKey(spec);
  return granted.some((one) => isSame(one) || letsThrough(spec, [asRule(one)]));
}

/** What is open to everybody closes first, however much else was added to keep a pass busy. */
function inOrder(cases: readonly Case[]): readonly Case[] {
  const rank = ({ item }: Case): number =>
    item.kind !== "added" ? 1 : item.found && isOpenToWorld(item.found.spec) ? 0 : 2;
  return [...cases].sort((a, b) => rank(a) - rank(b));
}

/** As many as a pass may change, without those that would cut the operators' path. */
function goingOf(
  picture: Picture,
  watch: Watch,
  clear: readonly Case[],
): { readonly going: ReadonlySet<Case>; readonly cutting: ReadonlySet<Case> } {
  const isCut = cutsOf(picture, watch, clear);
  let going: readonly Case[] = [];
  let cutting: readonly Case[] = [];
  for (let place = 0; place < clear.length && going.length < watch.changesMax; ) {
    const next = clear.slice(place, place + watch.changesMax - going.length);
    place += next.length;
    // What gives the path back may come behind what takes it.
    const tried = withoutCutting(going, [...cutting, ...next], isCut);
    const again =
      tried.length === 0 ? [] : withoutCutting([...going, ...tried], left([...cutting, ...next], tried), isCut);
    going = [...going, ...tried, ...again];
    cutting = left([...cutting, ...next], going);
  }
  return { going: new Set(going), cutting: new Set(cutting) };
}

/** Whether these, behind others that do not, cut the operators' path. */
type CutsPath = (base: readonly Case[], cases: readonly Case[]) => boolean;

/**
 * Only the ways in that a case has to do with are looked at for it, and interfaces that no rule tells apart count as one: however many
 * hosts a group has, and however many rules somebody adds for single ones, the pass has its lock for half a minute.
 */
function cutsOf(picture: Picture, watch: Watch, clear: readonly Case[]): CutsPath {
  const before = rulesOf(picture);
  const changes = new Map(clear.map((it) => [it, changesOf(it)]));
  const interfaces = unlike(watch.interfaces, [...before, ...[...changes.values()].flat()]);
  const ways: { readonly spec: RuleSpec; readonly otherRules: readonly Rule[] }[] = [];
  for (const { addresses, otherRules } of interfaces)
    for (const path of watch.operatorPath) {
      const specs = pathSpecs(path, addresses);
      // Nothing can be said for a path that nobody can read.
      if (specs === null) return () => true;
      ways.push(...specs.map((spec) => ({ spec, otherRules })));
    }
  const wanted = ways.map(({ spec }) => trafficAtMost(spec));
  const touched = (specs: readonly RuleSpec[]): readonly number[] => {
    const changed = specs.filter((it) => it.direction === "ingress").map(trafficAtMost);
    return [...wanted.keys()].filter((way) => changed.some((it) => wanted[way] && mayOverlap(wanted[way], it)));
  };
  const waysOf = new Map([...changes].map(([it, specs]) => [it, touched(specs)]));
  return (base, cases) => {
    const after = afterUndoing(before, [...base, ...cases]);
    const concerned = new Set(cases.flatMap((it) => waysOf.get(it) ?? []));
    return [...concerned].some((way) => {
      const { spec, otherRules } = ways[way] ?? { spec: null, otherRules: [] };
      return spec !== null && isCut(spec, [...before, ...otherRules], [...after, ...otherRules]);
    });
  };
}

const changesOf = ({ item }: Case): readonly RuleSpec[] =>
  [item.found, item.wanted].flatMap((kept) => (kept ? [kept.spec] : []));

/** One interface of all those that the rules, their other groups' among them, say the same of. */
function unlike(interfaces: readonly WatchedInterface[], rules: readonly RuleSpec[]): readonly WatchedInterface[] {
  const numbers = new Map<Rule, number>();
  const numberOf = (rule: Rule): number => {
    const number = numbers.get(rule) ?? numbers.size;
    numbers.set(rule, number);
    return number;
  };
  const narrow = [...rules, ...interfaces.flatMap((it) => it.otherRules)].flatMap(({ dest }) => dest ?? []);
  const dests = [...new Map(narrow.map((dest) => [formatCidr(dest), dest])).values()];
  const found = new Map<string, WatchedInterface>();
  for (const it of interfaces) {
    const hosts = it.addresses.map((host) => [
      host.family,
      dests.flatMap((dest, place) => (containsCidr(dest, host) ? place : [])),
    ]);
    found.set(JSON.stringify([it.otherRules.map(numberOf), hosts]), it);
  }
  return [...found.values()];
}

const left = (all: readonly Case[], taken: readonly Case[]): readonly Case[] => all.filter((it) => !taken.includes(it));

/** Those of `cases` that can go after `base` without a cut, found by halving. */
function withoutCutting(base: readonly Case[], cases: readonly Case[], isCut: CutsPath): readonly Case[] {
  if (cases.length === 0 || !isCut(base, cases)) return cases;
  if (cases.length === 1) return [];
  const half = Math.ceil(cases.length / 2);
  const first = withoutCutting(base, cases.slice(0, half), isCut);
  return [...first, ...withoutCutting([...base, ...first], cases.slice(half), isCut)];
}

/** The rules of the group when these are rolled back. */
function afterUndoing(rules: readonly KnownRule[], cases: readonly Case[]): readonly Rule[] {
  const gone = new Set(cases.flatMap(({ item }) => (item.found && item.ruleId ? [item.ruleId] : [])));
  const back = cases.flatMap(({ item }) => (item.wanted ? [asRule(item.wanted.spec)] : []));
  return [...rules.filter(({ id }) => !gone.has(id)), ...back];
}

const asRule = (spec: RuleSpec): Rule => ({ ...spec, id: null, description: "", createdAt: null });
