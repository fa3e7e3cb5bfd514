// What the merged rules of an interface do to the traffic of a rule: which drop would shadow it, and whether all of it gets through.

import type { Rule, RuleSpec } from "./rule.ts";
import { covers, mayOverlap, overlapOf, type Traffic, trafficAtLeast, trafficAtMost } from "./traffic.ts";

/** The rules of all groups of an interface in the order they decide: strongest priority first, drop before accept at a tie. */
export function mergeRules<R extends RuleSpec>(lists: readonly (readonly R[])[]): R[] {
  const weight = (rule: R) => (rule.policy === "drop" ? 0 : 1);
  return lists.flat().sort((a, b) => a.priority - b.priority || weight(a) - weight(b));
}

/**
 * The strongest drop that takes away any part of what `spec` is to let through; null when there is none. A drop counts unless one
 * stronger accept covers everything the two have in common. Errs to naming a drop, never to missing one, except drops
 * whose extent nobody can tell here: `unresolvedDrops`. To judge one interface only, give `spec` its address as `dest`.
 */
export function shadowOf(spec: RuleSpec, merged: readonly Rule[]): Rule | null {
  return drops(spec, merged).find((drop) => isResolved(drop) && takesFrom(spec, drop, merged)) ?? null;
}

/** The drops that may shadow `spec`, had we known the members of the group, prefix list or port list they name. */
export function unresolvedDrops(spec: RuleSpec, merged: readonly Rule[]): Rule[] {
  return drops(spec, merged).filter((drop) => !isResolved(drop) && takesFrom(spec, drop, merged));
}

/**
 * True when the merged rules surely accept every packet that `spec` is to let through: one accept covers them all and no drop,
 * resolved or not, comes before it. The spec itself may be among the rules. Leave out `unresolvedDrops` to ask
 * about the rest of the rules.
 */
export function letsThrough(spec: RuleSpec, merged: readonly Rule[]): boolean {
  const wanted = trafficAtMost(spec);
  return merged.some((accept) => {
    if (accept.policy !== "accept" || accept.direction !== spec.direction || !coveredBy(wanted, accept)) return false;
    const asked = { ...spec, priority: accept.priority };
    return !drops(asked, merged).some((drop) => takesFrom(asked, drop, merged));
  });
}

/** Drops that come before an accept of the spec's priority, strongest first. */
function drops(spec: RuleSpec, merged: readonly Rule[]): Rule[] {
  return mergeRules([merged]).filter(
    (rule) => rule.policy === "drop" && rule.direction === spec.direction && rule.priority <= spec.priority,
  );
}

function takesFrom(spec: RuleSpec, drop: Rule, merged: readonly Rule[]): boolean {
  const wanted = trafficAtMost(spec);
  const taken = trafficAtMost(drop);
  if (!mayOverlap(wanted, taken)) return false;
  const common = overlapOf(wanted, taken);
  return !merged.some(
    (rule) =>
      rule.policy === "accept" &&
      rule.direction === spec.direction &&
      rule.priority < drop.priority &&
      coveredBy(common, rule),
  );
}

function coveredBy(traffic: Traffic, accept: RuleSpec): boolean {
  const accepted = trafficAtLeast(accept);
  return accepted !== null && covers(accepted, traffic);
}

function isResolved(rule: RuleSpec): boolean {
  return rule.peer.kind === "cidr" && rule.ports.kind !== "list" && rule.sourcePorts.kind !== "list";
}
