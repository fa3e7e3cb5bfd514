// What of a lockdown's drop stays when a lease is let through it. Pure.
import { type Cidr, complementOf, overlaps } from "../domain/cidr.ts";
import type { PortRange } from "../domain/port-range.ts";
import type { RuleSpec } from "../domain/rule.ts";

const ALL_PORTS: PortRange = { from: 1, to: 65_535 };

/**
 * The drops that, together, stop what `drop` stops and `accept` does not let in; null where the two have nothing in common, or where
 * what they have cannot be told in ports and addresses.
 *
 *     ports below the accept's │ its ports, all other addresses │ ports above
 */
export function besides(drop: RuleSpec, accept: RuleSpec): readonly RuleSpec[] | null {
  if (drop.policy !== "drop" || (accept.protocol !== "all" && accept.protocol !== drop.protocol)) return null;
  if (drop.peer.kind !== "cidr" || accept.peer.kind !== "cidr") return null;
  if (accept.ports.kind === "list" || drop.ports.kind === "list") return null;
  const [whole, open] = [rangeOf(drop), rangeOf(accept)];
  const [from, to] = [Math.max(whole.from, open.from), Math.min(whole.to, open.to)];
  const { cidr } = drop.peer;
  if (from > to || !overlaps(cidr, accept.peer.cidr)) return null;
  const piece = (range: PortRange, peer: Cidr): readonly RuleSpec[] =>
    range.from > range.to
      ? []
      : [
          {
            ...drop,
            peer: { kind: "cidr", cidr: peer },
            ports: drop.ports.kind === "any" ? drop.ports : { kind: "range", range },
          },
        ];
  return [
    ...piece({ from: whole.from, to: from - 1 }, cidr),
    ...without(cidr, accept.peer.cidr).flatMap((peer) => piece({ from, to }, peer)),
    ...piece({ from: to + 1, to: whole.to }, cidr),
  ];
}

const rangeOf = ({ ports }: RuleSpec): PortRange => (ports.kind === "range" ? ports.range : ALL_PORTS);

/** The blocks of `outer` that hold no address of `inner`. */
const without = (outer: Cidr, inner: Cidr): readonly Cidr[] =>
  complementOf([...complementOf([outer], outer.family), inner], outer.family);
