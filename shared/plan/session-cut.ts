// How established sessions of a lease are ended on its hosts: the script, and what it says. Pure.
import { formatCidr, overlaps, parseCidr } from "../domain/cidr.ts";
import { oneLine } from "../domain/one-line.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { mayOverlap, trafficAtMost } from "../domain/traffic.ts";

const LEFT = "safeport-left";
/** What a script may be, to the letter: numbers and addresses, and no other word than these. */
const FILTER =
  /^( or |\( dst (\d[\d.]{6,14}\/\d{1,2}|\[[0-9a-f:.]{2,39}\/\d{1,3}\]) and sport >= :\d{1,5} and sport <= :\d{1,5} \))+$/;

/** A session that the host itself began has a port of its own too: more ports than these are more than a service's. */
const PORTS_MAX = 16;
/** Where Linux takes the ports of connections that a host begins, unless it is told otherwise. */
const EPHEMERAL = { from: 32_768, to: 60_999 };
/** What a host that talks to itself is seen as; other hosts never are. */
const LOOPBACK = ["127.0.0.1/32", "::1/128"].flatMap((text) => parseCidr(text) ?? []);

/** Why sessions of a rule are not ended, null where they can be: TCP to few ports, from other hosts' addresses. */
export function whyNotCut({ direction, protocol, ports, peer, policy }: RuleSpec): string | null {
  if (direction !== "ingress" || policy !== "accept" || protocol !== "tcp" || ports.kind !== "range")
    return "only TCP sessions to ports can be";
  if (peer.kind !== "cidr") return "only sessions from addresses can be";
  const { from, to } = ports.range;
  if (to - from >= PORTS_MAX)
    return `of more than ${PORTS_MAX} ports some may be those of connections that the hosts began themselves`;
  if (from !== to && from <= EPHEMERAL.to && to >= EPHEMERAL.from)
    return `ports from ${EPHEMERAL.from} to ${EPHEMERAL.to} are those of connections that the hosts began themselves, unless it is a single one`;
  if (LOOPBACK.some((own) => overlaps(own, peer.cidr))) return "the hosts' own loopback address is in the source";
  return null;
}

/**
 * A script for a host's root that ends the established sessions to exactly the ports and from exactly the sources of these rules, and
 * lists the ones that are left. It is made of numbers alone; what does not look so is a bug and throws. Null where no rule can be cut.
 */
export function cutScript(specs: readonly RuleSpec[]): string | null {
  const filters = specs
    .filter((spec) => whyNotCut(spec) === null)
    .flatMap(({ peer, ports }) => {
      if (peer.kind !== "cidr" || ports.kind !== "range") return [];
      const block = formatCidr(peer.cidr);
      const { from, to } = ports.range;
      return [`( dst ${peer.cidr.family === 6 ? `[${block}]` : block} and sport >= :${from} and sport <= :${to} )`];
    });
  if (filters.length === 0) return null;
  const filter = filters.join(" or ");
  if (!FILTER.test(filter)) throw new Error("a filter of sessions is not made of numbers");
  return [
    "set -e",
    `ss -K -H -n -t state established '( ${filter} )'`,
    `echo ${LEFT}`,
    `ss -H -n -t state established '( ${filter} )'`,
    "",
  ].join("\n");
}

/** How many sessions the script ended and how many it found left; null where its output is none of the script's. */
export function readCut(output: string): { readonly ended: number; readonly left: number } | null {
  const lines = output.split("\n").map((line) => line.trim());
  const at = lines.indexOf(LEFT);
  if (at < 0) return null;
  const count = (part: readonly string[]): number => part.filter((line) => line !== "").length;
  return { ended: count(lines.slice(0, at)), left: count(lines.slice(at + 1)) };
}

/** What came of it on one host, in words. */
export function cutWords(host: string, exitCode: number, output: string): string {
  const cut = exitCode === 0 ? readCut(output) : null;
  if (cut === null) return `${host}: not cut, its command ended with ${exitCode}: ${oneLine(output, 100)}`;
  return `${host}: ${cut.ended} ended, ${cut.left} left`;
}

/** A rule that may let in what the spec did: sessions that somebody else wants too. Who is in a group or a list is not known here. */
export function otherWayIn(spec: RuleSpec, merged: readonly Rule[]): Rule | null {
  const wanted = trafficAtMost(spec);
  const isOther = (rule: Rule): boolean =>
    rule.policy === "accept" && rule.direction === spec.direction && mayOverlap(trafficAtMost(rule), wanted);
  return merged.find(isOther) ?? null;
}
