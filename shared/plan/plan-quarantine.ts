// The quarantine of a rule: the drop that does to every packet what the rule's deletion would do, or why there is none. Pure.
import { type Cidr, cidrOf, containsCidr, formatBare } from "../domain/cidr.ts";
import { cutPaths, isCut, type OperatorPath, pathSpecs } from "../domain/operator-path.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import type { StandbySet } from "../domain/standby.ts";
import { covers, mayOverlap, overlapOf, type Traffic, trafficAtLeast, trafficAtMost } from "../domain/traffic.ts";
import { unrestorable } from "./plan-suspended.ts";
import { weightOfRules } from "./standby-drops.ts";

/** A group whose rules an interface is under. */
export interface QuarantineGroup {
  readonly groupId: string;
  /** True when members of the group reach each other whatever its rules say: a basic group with the inner policy Accept. */
  readonly isOpenInside: boolean;
  readonly rules: readonly Rule[];
}

/** A network interface that the rule acts on, with every group it is in, the rule's own among them. */
export interface QuarantineInterface {
  readonly eniId: string;
  readonly addresses: readonly Cidr[];
  readonly groups: readonly QuarantineGroup[];
}

export interface QuarantineAsk {
  readonly rule: Rule;
  /** The rule's own group; it alone is judged where no interface is in it. */
  readonly group: QuarantineGroup;
  readonly interfaces: readonly QuarantineInterface[];
  /** Why nothing may be written into the group, or null. */
  readonly protectedBy: string | null;
  readonly operatorPath: readonly OperatorPath[];
  /** Rules over all groups of one interface. */
  readonly rulesMax: number;
  /** Sets whose lists the rules may name: such rules count for more than one. */
  readonly sets: readonly StandbySet[];
}

/** A path to the port that no drop of ours stops: that nothing is refused on it proves nothing. */
export interface BlindPath {
  readonly kind: "loadBalancer" | "sameGroup" | "liveSessions" | "otherRule";
  readonly text: string;
}

export type QuarantinePlan =
  | { readonly kind: "drop"; readonly spec: RuleSpec; readonly blind: readonly BlindPath[] }
  | {
      readonly kind: "refused";
      readonly why: readonly string[];
      /** Those of `why` that say whom else it would stop. */
      readonly hits: readonly string[];
      /** Those of `why` that say which operators its deletion shuts out: nobody deletes it for want of use alone. */
      readonly cuts: readonly string[];
      readonly blind: readonly BlindPath[];
    };

/** Where a classic load balancer forwards and checks from. Source: monitoring-and-traffic, CLB documents. */
const LOAD_BALANCERS = cidrOf(4, 0x64_40_00_00n, 10);
/** Longest life of a session's entry in the cloud. */
const SESSION_S = 910;

/**
 * The drop twin of the rule at the rule's own strength. A drop wins a tie, so that it stops what the rule lets through, and nothing
 * stronger is needed. It is refused when, on the merged rules of any interface, it would stop a packet that other rules
 * let through once the rule is gone: what is planned leaves every verdict as the rule's deletion would.
 */
export function planQuarantine(ask: QuarantineAsk): QuarantinePlan {
  const { rule, group } = ask;
  const blind = blindPaths(ask);
  const refusals = unwritable(rule);
  if (ask.protectedBy !== null) refusals.push(`the group takes no rule from us: ${ask.protectedBy}`);
  const cuts = cutsOf(ask);
  if (refusals.length > 0) return { kind: "refused", why: [...refusals, ...cuts], hits: cuts, cuts, blind };

  const spec: RuleSpec = { ...specOf(rule), policy: "drop" };
  const drop: Rule = { ...rule, policy: "drop" };
  const why = new Set<string>();
  const hurt = new Set<string>();
  let isIdle = true;
  for (const one of reachedBy(ask)) {
    const merged = one.groups.flatMap((it) => it.rules.map((each) => ({ rule: each, groupId: it.groupId })));
    const rest = merged.filter((it) => !(it.rule.id === rule.id && it.groupId === group.groupId));
    for (const target of narrowedTo(spec, one)) {
      for (const hit of hits(target, drop, rest)) hurt.add(`it would also stop what ${named(hit, group)} lets through`);
      if (!rest.some((it) => precedes(it.rule, rule) && coveredBy(trafficAtMost(target), it.rule))) isIdle = false;
    }
    const used = weightOfRules(
      merged.map((it) => it.rule),
      ask.sets,
    );
    if (used >= ask.rulesMax) why.add(`${one.eniId || group.groupId} has no room for one more rule`);
    const before = merged.map((it) => it.rule);
    for (const path of cutPaths(before, [...before, drop], ask.operatorPath, one.addresses)) hurt.add(cutInWords(path));
  }
  for (const cut of cuts) hurt.add(cut);
  if (isIdle) why.add("stronger rules decide about all of its traffic: a drop would stop nothing and prove nothing");
  const all = [...hurt, ...why];
  return all.length > 0 ? { kind: "refused", why: all, hits: [...hurt], cuts, blind } : { kind: "drop", spec, blind };
}

/** The interfaces whose rules are merged; the group by itself where no interface is in it. */
const reachedBy = ({ group, interfaces }: QuarantineAsk): readonly QuarantineInterface[] =>
  interfaces.length > 0 ? interfaces : [{ eniId: "", addresses: [], groups: [group] }];

/** The operator paths that go through the rule alone, or may, in words. */
function cutsOf(ask: QuarantineAsk): readonly string[] {
  const { rule, group, operatorPath } = ask;
  const cuts = reachedBy(ask).flatMap(({ groups, addresses }) => {
    const before = groups.flatMap((it) => it.rules);
    const isIt = (groupId: string, { id }: Rule): boolean => groupId === group.groupId && id === rule.id;
    const after = groups.flatMap((it) => it.rules.filter((each) => !isIt(it.groupId, each)));
    const maybe =
      trafficAtLeast(rule) === null ? operatorPath.filter((it) => mayServe(rule, it, after, addresses)) : [];
    return [...cutPaths(before, after, operatorPath, addresses).map(cutInWords), ...maybe.map(maybeInWords)];
  });
  return [...new Set(cuts)];
}

/** True where the path goes through the rule alone if those are operators whom its list or group holds: nobody can look into it here. */
function mayServe(rule: Rule, path: OperatorPath, rest: readonly Rule[], own: readonly Cidr[]): boolean {
  const any = { kind: "any" } as const;
  return (pathSpecs(path, own) ?? []).some((spec) => {
    const peer = rule.peer.kind === "cidr" ? rule.peer : spec.peer;
    const ports = rule.ports.kind === "list" ? spec.ports : rule.ports;
    const sourcePorts = rule.sourcePorts.kind === "list" ? any : rule.sourcePorts;
    return isCut(spec, [...rest, { ...rule, peer, ports, sourcePorts }], rest);
  });
}

const cutInWords = ({ protocol, port, sources }: OperatorPath): string =>
  `it would cut the operator path ${protocol} ${port} from ${sources.join(", ")}`;

const maybeInWords = (path: OperatorPath): string =>
  `${cutInWords(path)}, if its list or group holds them: name them in a rule of their own`;

interface Placed {
  readonly rule: Rule;
  readonly groupId: string;
}

/** Accepts of which the drop would take something that nothing stronger decides about once the rule is gone. */
function hits(target: RuleSpec, drop: Rule, rest: readonly Placed[]): readonly Placed[] {
  const wanted = trafficAtMost(target);
  return rest.filter((it) => {
    const { rule } = it;
    if (rule.policy !== "accept" || rule.direction !== target.direction || precedes(rule, drop)) return false;
    const offered = trafficAtMost(rule);
    if (!mayOverlap(wanted, offered)) return false;
    const common = overlapOf(wanted, offered);
    return !rest.some(
      ({ rule: other }) =>
        precedes(other, rule) && (other.policy === "drop" || precedes(other, drop)) && coveredBy(common, other),
    );
  });
}

/** True when the first decides before the second, an accept or weaker: stronger, or a drop at a tie. */
const precedes = (first: RuleSpec, second: RuleSpec): boolean =>
  first.direction === second.direction &&
  (first.priority < second.priority || (first.priority === second.priority && first.policy === "drop"));

function coveredBy(traffic: Traffic, rule: RuleSpec): boolean {
  const surely = trafficAtLeast(rule);
  return surely !== null && covers(surely, traffic);
}

/** The rule as it acts on one interface: once for each of its addresses of the peer's family. */
function narrowedTo(spec: RuleSpec, { addresses }: QuarantineInterface): readonly RuleSpec[] {
  const { peer, dest } = spec;
  if (peer.kind !== "cidr") return [spec];
  const own = addresses.filter((address) => address.family === peer.cidr.family);
  if (own.length === 0) return [spec];
  const reached = dest === null ? own : own.filter((address) => containsCidr(dest, address));
  return reached.map((address) => ({ ...spec, dest: address }));
}

/** Why no twin of the rule can be written, whatever else stands. */
function unwritable(rule: Rule): string[] {
  const why: string[] = [];
  if (rule.direction !== "ingress") why.push("only rules for what comes in are quarantined");
  if (rule.policy !== "accept") why.push("it lets nothing through");
  if (typeof rule.protocol !== "string") why.push(`its protocol ${rule.protocol.other} cannot be written`);
  // What could not be given back just as it was is not taken away either.
  const lasting = unrestorable(rule);
  if (lasting !== null) why.push(lasting);
  if (rule.peer.kind === "cidr" && containsCidr(LOAD_BALANCERS, rule.peer.cidr))
    why.push(`only load balancers come from ${formatBare(rule.peer.cidr)}, and no rule stops those`);
  return why;
}

function blindPaths({ rule, group, interfaces }: QuarantineAsk): readonly BlindPath[] {
  const paths: BlindPath[] = [
    { kind: "loadBalancer", text: "what a load balancer forwards to the hosts, and its health checks" },
    { kind: "liveSessions", text: `sessions that were there before the drop, for up to ${SESSION_S} s` },
  ];
  const open = new Set(
    interfaces.flatMap((it) => it.groups.filter((one) => one.isOpenInside).map((one) => one.groupId)),
  );
  if (open.size > 0)
    paths.push({ kind: "sameGroup", text: `hosts of the same group reach each other: ${[...open].sort().join(", ")}` });
  const others = new Set(
    interfaces.flatMap((it) =>
      it.groups.flatMap((one) =>
        one.rules
          .filter((other) => other.policy === "accept" && precedes(other, rule))
          .filter((other) => mayOverlap(trafficAtMost(rule), trafficAtMost(other)))
          .map((other) => named({ rule: other, groupId: one.groupId }, group)),
      ),
    ),
  );
  if (others.size > 0)
    paths.push({
      kind: "otherRule",
      text: `what stronger rules let through as well: ${[...others].sort().join(", ")}`,
    });
  return paths;
}

const named = ({ rule, groupId }: Placed, own: QuarantineGroup): string =>
  `${rule.id ?? "a rule"} (priority ${rule.priority}${groupId === own.groupId ? "" : `, of ${groupId}`})`;

const specOf = ({ direction, protocol, ports, peer, policy, priority, sourcePorts, dest }: RuleSpec): RuleSpec => ({
  direction,
  protocol,
  ports,
  peer,
  policy,
  priority,
  sourcePorts,
  dest,
});
