// What a lockdown does in one group: the drops that close every port but the core ones, or the accepts to close where drops cannot be. Pure.
import { type Cidr, complementOf, type Family, formatCidr, parseCidr } from "../domain/cidr.ts";
import { parseCorePort } from "../domain/core-port.ts";
import { parseGrant } from "../domain/grant.ts";
import type { RuleKey } from "../domain/ids.ts";
import { cutPaths, type OperatorPath } from "../domain/operator-path.ts";
import { parsePortRange } from "../domain/port-range.ts";
import type { Peer, Ports, Protocol, Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { StandbySet } from "../domain/standby.ts";
import { covers, mayOverlap, trafficAtLeast, trafficAtMost } from "../domain/traffic.ts";
import type { WatchedInterface } from "./picture.ts";
import { unrestorable } from "./plan-suspended.ts";
import { splitAccept } from "./split-accept.ts";
import { weightOfRules } from "./standby-drops.ts";

/** What the plan of one group is made from. */
export interface LockdownPicture {
  readonly type: "normal" | "enterprise";
  readonly rules: readonly Rule[];
  readonly interfaces: readonly WatchedInterface[];
  /** As the policy writes them. */
  readonly core: readonly string[];
  readonly operatorPath: readonly OperatorPath[];
  /** Rules over all groups of one interface. */
  readonly rulesPerInterface: number;
  /** Accepts that lockdowns have closed already, which are to be planned as if they stood; none when absent. */
  readonly closed?: readonly RuleSpec[];
  /** Sets whose lists the rules may name: such rules count for more than one. */
  readonly sets?: readonly StandbySet[];
}

/** What to do in the group, and what stays open all the same. */
export interface LockdownPlan {
  /** `drops` of priority 1; accepts that are suspended, where drops cannot be; `none`: the group is left as it is. */
  readonly way: "drops" | "suspend" | "none";
  readonly drops: readonly RuleSpec[];
  readonly suspends: readonly RuleSpec[];
  /** Narrower accepts that have to stand before wider ones are suspended, for what core ports and operators need of those. */
  readonly keeps: readonly RuleSpec[];
  /** Why not by drops, or why not at all; null where drops do it. */
  readonly why: string | null;
  /** Accepts that stay, each with the reason. */
  readonly left: readonly string[];
  /** False when more than core ports and operators' ways stays open by them. */
  readonly isWhole: boolean;
}

const PORT_MAX = 65_535;
const PRIORITY = 1;

/**
 *     group                                     what is planned
 *     normal, room for the drops                drops
 *     enterprise, or no room for the drops      accepts suspended; of those that core ports or operators need, all else
 *     either, and an operator would be cut off  none
 *
 * A drop of priority 1 wins against every accept of every group of an interface, so that it must never cover an operator: on the
 * operator's ports it covers all addresses but theirs. ICMP stays, for path MTU discovery.
 */
export function planLockdown(picture: LockdownPicture): LockdownPlan {
  const drops = lockdownDrops(picture);
  // With drops every accept that is closed now stands again.
  const used = usedOf({ ...picture, rules: [...picture.rules, ...closedOf(picture)] });
  const standing = new Set(picture.rules.map(ruleKey));
  const fresh = drops.filter((spec) => !standing.has(ruleKey(spec))).length;
  const why =
    picture.type === "enterprise"
      ? "enterprise groups are not known to take drops"
      : // What stands needs no room, however many rules others have added since.
        fresh > 0 && used + fresh > picture.rulesPerInterface
        ? `${fresh} drops do not fit: an interface has ${used} of ${picture.rulesPerInterface} rules`
        : null;
  return why === null ? byDrops(picture, drops) : planSuspensions(picture, why);
}

/** What the rules of the fullest interface count for. */
export function usedOf({
  rules,
  interfaces,
  sets = [],
}: Pick<LockdownPicture, "rules" | "interfaces" | "sets">): number {
  const own = weightOfRules(rules, sets);
  return Math.max(own, ...interfaces.map((it) => own + weightOfRules(it.otherRules, sets)));
}

/** Accepts that lockdowns have closed and that do not stand. */
function closedOf({ rules, closed = [] }: LockdownPicture): readonly Rule[] {
  const standing = new Set(rules.map(ruleKey));
  return closed.filter((spec) => !standing.has(ruleKey(spec))).map(asRule);
}

/** The way without drops; also for a group whose drops the cloud has refused. `mayKeep`: narrower accepts may take the place of wide ones. */
export function planSuspensions(picture: LockdownPicture, why: string, mayKeep = true): LockdownPlan {
  const left: string[] = [];
  let isWhole = true;
  const suspends: RuleSpec[] = [];
  const keeps = new Map<RuleKey, RuleSpec>();
  const standing = new Set(picture.rules.map(ruleKey));
  const room = picture.rulesPerInterface - usedOf(picture);
  const closed = new Set(closedOf(picture));
  for (const rule of [...picture.rules, ...closed]) {
    if (!isIngressAccept(rule) || isPing(rule.protocol)) continue;
    const lasting = closed.has(rule) ? null : unrestorable(rule);
    const reason = keptFor(rule, picture) ?? lasting;
    const parts =
      mayKeep && lasting === null && reason !== null && !isNarrow(rule, picture) && splitAccept(rule, picture);
    const all = new Map([...keeps, ...(parts || []).map((part) => [ruleKey(part), part] as const)]);
    const isFit = [...all.keys()].filter((key) => !standing.has(key)).length <= room;
    if (reason === null) suspends.push(specOf(rule));
    else if (parts && isFit) {
      suspends.push(specOf(rule));
      for (const [key, part] of all) keeps.set(key, part);
    } else {
      left.push(`${ruleKey(rule)} stays: ${reason}`);
      isWhole &&= isNarrow(rule, picture);
    }
  }
  const gone = new Set(suspends.map(ruleKey));
  const stay = [...picture.rules, ...closed].filter((rule) => !gone.has(ruleKey(rule)));
  const after = [...stay, ...[...keeps.values()].map(asRule)];
  const cut = cutIn(picture, after);
  if (cut !== null) return { way: "none", drops: [], suspends: [], keeps: [], why: cut, left, isWhole: false };
  return { way: "suspend", drops: [], suspends, keeps: [...keeps.values()], why, left, isWhole };
}

/** Accepts by which more comes in than core ports and operators need, and which could be closed: none where accepts are closed. */
export const opensMore = (
  rules: readonly Rule[],
  policy: Pick<LockdownPicture, "core" | "operatorPath">,
): readonly Rule[] => rules.filter((rule) => unrestorable(rule) === null && letsInMore(rule, policy));

/** True for an accept by which more comes in than core ports and operators need, whether it stands or not. */
export const letsInMore = (rule: RuleSpec, policy: Pick<LockdownPicture, "core" | "operatorPath">): boolean =>
  isIngressAccept(rule) && !isPing(rule.protocol) && !isNarrow(rule, policy);

function byDrops(picture: LockdownPicture, drops: readonly RuleSpec[]): LockdownPlan {
  const added = drops.map(asRule);
  const cut = cutIn(picture, [...picture.rules, ...added]);
  if (cut !== null) return { way: "none", drops: [], suspends: [], keeps: [], why: cut, left: [], isWhole: false };
  return { way: "drops", drops, suspends: [], keeps: [], why: null, left: [], isWhole: true };
}

const asRule = (spec: RuleSpec): Rule => ({ ...spec, id: null, description: "", createdAt: null });

/** The operator's ways that would be cut at any interface, in words; null for none. */
function cutIn({ rules, interfaces, operatorPath }: LockdownPicture, after: readonly Rule[]): string | null {
  for (const { addresses, otherRules } of interfaces) {
    const [path] = cutPaths([...rules, ...otherRules], [...after, ...otherRules], operatorPath, addresses);
    if (path) return `it would cut the operator path ${path.protocol} ${path.port} from ${path.sources.join(", ")}`;
  }
  return null;
}

/** Drops over the complement of the core ports; on operators' ports over the complement of their addresses. */
function lockdownDrops({ rules, interfaces, core, operatorPath }: LockdownPicture): readonly RuleSpec[] {
  const accepts = rules.concat(interfaces.flatMap((it) => it.otherRules)).filter(isIngressAccept);
  const hasSix = interfaces.some((it) => it.addresses.some((address) => address.family === 6)) || accepts.some(isOfSix);
  return dropsAround(core, operatorPath, { hasSix, hasGre: accepts.some(isOfGre) });
}

/** The same, for hosts that are let in by IPv6 or GRE, or are not. */
export function dropsAround(
  core: readonly string[],
  operatorPath: readonly OperatorPath[],
  { hasSix, hasGre }: { readonly hasSix: boolean; readonly hasGre: boolean },
): readonly RuleSpec[] {
  const families: readonly Family[] = hasSix ? [4, 6] : [4];
  return families.flatMap((family) => [
    ...portDrops("tcp", family, core, operatorPath),
    ...portDrops("udp", family, core, operatorPath),
    ...(hasGre ? blocksOf(operatorsOf("gre", operatorPath), family).map((peer) => dropOf("gre", NO_PORTS, peer)) : []),
  ]);
}

const isOfSix = (rule: Rule): boolean => trafficAtMost(rule).family !== 4;

const isOfGre = (rule: Rule): boolean => ["gre", "all", "unknown"].includes(trafficAtMost(rule).kind);

/** False where accepts let in IPv6 or GRE for which the drops, planned some time before, have nothing. */
export function dropsSuffice(drops: readonly RuleSpec[], rules: readonly Rule[]): boolean {
  const accepts = rules.filter(isIngressAccept);
  return (hasSixDrop(drops) || !accepts.some(isOfSix)) && (hasGreDrop(drops) || !accepts.some(isOfGre));
}

export const hasSixDrop = (drops: readonly RuleSpec[]): boolean =>
  drops.some(({ peer }) => peer.kind === "cidr" && peer.cidr.family === 6);

export const hasGreDrop = (drops: readonly RuleSpec[]): boolean => drops.some(({ protocol }) => protocol === "gre");

const NO_PORTS: Ports = { kind: "any" };

/** The line of ports cut into pieces at whose ports the same addresses may come in; each piece has the drops of all others. */
function portDrops(
  protocol: "tcp" | "udp",
  family: Family,
  core: readonly string[],
  operatorPath: readonly OperatorPath[],
): readonly RuleSpec[] {
  const open = core.flatMap((text) => parseCorePort(text) ?? []).filter((it) => it.protocol === protocol);
  const paths = operatorPath.flatMap((path) => rangesOf(protocol, path));
  const edges = [...open.map((it) => it.range), ...paths.map((it) => it.range)];
  const starts = [...new Set([1, ...edges.flatMap(({ from, to }) => [from, to + 1])])]
    .filter((port) => port <= PORT_MAX)
    .sort((a, b) => a - b);
  const pieces: { from: number; to: number; sources: readonly Cidr[] }[] = [];
  for (const [index, from] of starts.entries()) {
    const to = (starts[index + 1] ?? PORT_MAX + 1) - 1;
    const isIn = ({ range }: { readonly range: { readonly from: number; readonly to: number } }): boolean =>
      range.from <= from && to <= range.to;
    if (open.some(isIn)) continue;
    const sources = paths.filter(isIn).flatMap((it) => it.sources);
    const last = pieces.at(-1);
    if (last && last.to === from - 1 && textOf(last.sources) === textOf(sources)) last.to = to;
    else pieces.push({ from, to, sources });
  }
  return pieces.flatMap(({ from, to, sources }) =>
    blocksOf(sources, family).map((peer) => dropOf(protocol, { kind: "range", range: { from, to } }, peer)),
  );
}

const textOf = (cidrs: readonly Cidr[]): string => cidrs.map(formatCidr).sort().join();

/** Everybody but these. */
const blocksOf = (sources: readonly Cidr[], family: Family): readonly Peer[] =>
  complementOf(sources, family).map((cidr) => ({ kind: "cidr", cidr }));

const dropOf = (protocol: "tcp" | "udp" | "gre", ports: Ports, peer: Peer): RuleSpec => ({
  direction: "ingress",
  protocol,
  ports,
  peer,
  policy: "drop",
  priority: PRIORITY,
  sourcePorts: NO_PORTS,
  dest: null,
});

function rangesOf(protocol: "tcp" | "udp", path: OperatorPath) {
  if (path.protocol !== protocol && path.protocol !== "all") return [];
  const range = path.protocol === "all" ? { from: 1, to: PORT_MAX } : parsePortRange(path.port);
  return range === null ? [] : [{ range, sources: path.sources.flatMap((text) => parseCidr(text) ?? []) }];
}

const operatorsOf = (protocol: "gre", operatorPath: readonly OperatorPath[]): readonly Cidr[] =>
  operatorPath
    .filter((path) => path.protocol === protocol || path.protocol === "all")
    .flatMap((path) => path.sources.flatMap((text) => parseCidr(text) ?? []));

/** Why an accept has to stay in a lockdown without drops, or null. */
export function keptFor(
  rule: RuleSpec,
  { core, operatorPath }: Pick<LockdownPicture, "core" | "operatorPath">,
): string | null {
  const traffic = trafficAtMost(rule);
  const isCore = core.some((text) => {
    const port = parseCorePort(text);
    return port !== null && mayOverlap(traffic, trafficAtMost(anyTo(port.protocol, port.range, rule)));
  });
  if (isCore) return "it opens a core port, too";
  const isOperators = operatorPath.some((path) => {
    const { protocol, sources } = path;
    const grant = parseGrant({ protocol, sources, priority: PRIORITY, ...portOf(path) });
    return !grant.ok || grant.specs.some((spec) => mayOverlap(traffic, trafficAtMost(spec)));
  });
  return isOperators ? "operators come in by it" : null;
}

/** True for an accept that a lockdown without drops closes whole. */
export const isToClose = (rule: RuleSpec, policy: Pick<LockdownPicture, "core" | "operatorPath">): boolean =>
  isIngressAccept(rule) && !isPing(rule.protocol) && keptFor(rule, policy) === null;

/** True when the accept opens nothing but a core port, or a way of operators to themselves. */
function isNarrow(rule: RuleSpec, { core, operatorPath }: Pick<LockdownPicture, "core" | "operatorPath">): boolean {
  const { protocol, ports } = rule;
  const isIn = (range: { readonly from: number; readonly to: number }) =>
    ports.kind === "range" && range.from <= ports.range.from && ports.range.to <= range.to;
  const isCore = core
    .flatMap((text) => parseCorePort(text) ?? [])
    .some((it) => it.protocol === protocol && isIn(it.range));
  const traffic = trafficAtMost(rule);
  const isOperators = operatorPath.some((path) => {
    const grant = parseGrant({ protocol: path.protocol, sources: path.sources, priority: PRIORITY, ...portOf(path) });
    return grant.ok && grant.specs.some((spec) => coversAll(spec, traffic));
  });
  return isCore || isOperators;
}

const portOf = ({ port }: OperatorPath) => (port === "" ? {} : { port });

function coversAll(spec: RuleSpec, traffic: ReturnType<typeof trafficAtMost>): boolean {
  const least = trafficAtLeast(spec);
  return least !== null && covers(least, traffic);
}

const anyTo = (protocol: "tcp" | "udp", range: { from: number; to: number }, { peer }: RuleSpec): RuleSpec =>
  dropOf(protocol, { kind: "range", range }, peer);

const isPing = (protocol: Protocol): boolean => protocol === "icmp" || protocol === "icmpv6";

const isIngressAccept = (rule: RuleSpec): boolean => rule.policy === "accept" && rule.direction === "ingress";

/** What a rule says, without who wrote it. */
function specOf({ direction, protocol, ports, peer, policy, priority, sourcePorts, dest }: Rule): RuleSpec {
  return { direction, protocol, ports, peer, policy, priority, sourcePorts, dest };
}
