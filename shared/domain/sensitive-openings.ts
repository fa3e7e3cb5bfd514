// Which rules let everybody reach a sensitive port, or may: by themselves, all together, or with what is granted already. Pure.
import { type Cidr, type Family, widestPrefix } from "./cidr.ts";
import { coversPort } from "./grant.ts";
import { WORLD_PREFIX } from "./reach.ts";
import type { RuleSpec } from "./rule.ts";

/**
 * Those of `specs` that a person has to look at before they are granted beside `granted`. Sources in pieces are judged by their sum, port
 * by port: it makes no difference into how many rules, calls or days somebody divides the world. What stands in `granted` has been
 * looked at: where that is open to everybody already, the others count by themselves. A prefix list, and a peer that nobody can read,
 * may hold everybody, and a list may do so tomorrow. Destinations, protocols and drops above are no excuse.
 */
export function sensitiveOpenings<Spec extends RuleSpec>(
  specs: readonly Spec[],
  granted: readonly RuleSpec[],
  sensitivePorts: readonly number[],
): readonly Spec[] {
  const accepts = specs.filter(isOpening);
  const before = granted.filter(isOpening);
  const found = new Set<Spec>();
  for (const port of sensitivePorts) {
    const onPort = accepts.filter((spec) => coversPort(spec, port));
    const [own, stood] = [blocksOf(onPort), blocksOf(before.filter((spec) => coversPort(spec, port)))];
    const isWide = (family: Family): boolean =>
      isWorld(own, family) || (isWorld([...own, ...stood], family) && !isWorld(stood, family));
    const wide = { 4: isWide(4), 6: isWide(6) } as const;
    for (const spec of onPort)
      if (mayHoldWorld(spec) || (isOfBlock(spec) && wide[spec.peer.cidr.family])) found.add(spec);
  }
  return specs.filter((spec) => found.has(spec));
}

/** True where any of `specs` opens a sensitive port to anybody, to however few. */
export const mayOpenSensitive = (specs: readonly RuleSpec[], sensitivePorts: readonly number[]): boolean =>
  specs.some((spec) => isOpening(spec) && sensitivePorts.some((port) => coversPort(spec, port)));

const isOpening = ({ policy, direction }: RuleSpec): boolean => policy === "accept" && direction === "ingress";

const isOfBlock = <Spec extends RuleSpec>(spec: Spec): spec is Spec & { readonly peer: { readonly kind: "cidr" } } =>
  spec.peer.kind === "cidr";

const mayHoldWorld = ({ peer }: RuleSpec): boolean => peer.kind === "prefixList" || peer.kind === "opaque";

const blocksOf = (specs: readonly RuleSpec[]): readonly Cidr[] => specs.filter(isOfBlock).map(({ peer }) => peer.cidr);

function isWorld(blocks: readonly Cidr[], family: Family): boolean {
  const { v4, v6 } = widestPrefix(blocks);
  const widest = family === 4 ? v4 : v6;
  return widest !== null && widest < WORLD_PREFIX[family];
}
