// The operator path: sources and ports that must always reach the hosts, and whether a change of rules would cut them off.
import type { Cidr } from "./cidr.ts";
import { parseGrant } from "./grant.ts";
import type { RuleKey } from "./ids.ts";
import type { Rule, RuleSpec } from "./rule.ts";
import { ruleKey } from "./rule-key.ts";
import { letsThrough, unresolvedDrops } from "./verdict.ts";

/** One way in, in the words of a grant: each of the sources to the port. */
export interface OperatorPath {
  readonly protocol: string;
  /** `22` or `8000-8010`; empty where the protocol has no ports. */
  readonly port: string;
  readonly sources: readonly string[];
}

/**
 * The paths that the rules of an interface surely let through before, from any one of their sources, and not after. `own` are the
 * interface's addresses, so that rules narrowed to one host are judged for that host; without them such rules count
 * as drops for everybody and as accepts for nobody. A path that cannot be read is cut: nothing can be said for it.
 *
 * A drop that stands before and after, and whose list or group nobody can look into here, may leave the path alone: what the other
 * rules do to it counts by itself, too. Otherwise one such drop would have every path count as cut already.
 */
export function cutPaths(
  before: readonly Rule[],
  after: readonly Rule[],
  paths: readonly OperatorPath[],
  own: readonly Cidr[] = [],
): readonly OperatorPath[] {
  return paths.filter((path) => {
    const specs = pathSpecs(path, own);
    return specs === null || specs.some((spec) => isCut(spec, before, after));
  });
}

/** As `cutPaths`, of one of the rules that would let a path through. */
export function isCut(spec: RuleSpec, before: readonly Rule[], after: readonly Rule[]): boolean {
  if (letsThrough(spec, before) && !letsThrough(spec, after)) return true;
  const stays = lastingUnknown(spec, before, after);
  if (stays.size === 0) return false;
  const known = (rules: readonly Rule[]) => rules.filter((rule) => !stays.has(ruleKey(rule)));
  return letsThrough(spec, known(before)) && !letsThrough(spec, known(after));
}

/** Drops of both that may take from the path, had we known whom they name. */
function lastingUnknown(spec: RuleSpec, before: readonly Rule[], after: readonly Rule[]): ReadonlySet<RuleKey> {
  // At any priority: `letsThrough` asks at the priority of each accept.
  const asked = { ...spec, priority: Number.MAX_SAFE_INTEGER };
  const later = new Set(after.map(ruleKey));
  return new Set(
    unresolvedDrops(asked, before)
      .map(ruleKey)
      .filter((key) => later.has(key)),
  );
}

/** True when the path can be read: a protocol that is granted, its port, and sources that go with it. */
export const isOperatorPath = (path: OperatorPath): boolean => pathSpecs(path, []) !== null;

/** One rule per source, and per address of `own`, that would let the path through; null when the words are none. */
export function pathSpecs({ protocol, port, sources }: OperatorPath, own: readonly Cidr[]): readonly RuleSpec[] | null {
  // `letsThrough` asks at the priority of each accept; this one means nothing.
  const grant = parseGrant({ protocol, ...(port === "" ? {} : { port }), sources, priority: 1 });
  if (!grant.ok) return null;
  return grant.specs.flatMap((spec) => {
    const { peer } = spec;
    if (peer.kind !== "cidr") return [];
    const hosts = own.filter((host) => host.family === peer.cidr.family);
    return hosts.length === 0 ? [spec] : hosts.map((dest) => ({ ...spec, dest }));
  });
}
