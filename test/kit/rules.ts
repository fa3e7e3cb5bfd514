// Builders of rules: name what the test is about, the rest is sensible.
import { type Cidr, parseCidr } from "../../shared/domain/cidr.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import { parseCloudPortRange } from "../../shared/domain/port-range.ts";
import type { Peer, Ports, Rule, RuleSpec } from "../../shared/domain/rule.ts";

/** The block, or an error when the text is none. */
export function aCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw new Error(`not a CIDR: ${text}`);
  return cidr;
}

/** Ports from the cloud's form: `22/22`, or `-1/-1` for any. */
export function somePorts(text: string): Ports {
  const range = parseCloudPortRange(text);
  if (range === null) throw new Error(`not a port range: ${text}`);
  return range === "any" ? { kind: "any" } : { kind: "range", range };
}

/** A peer that is an address block. */
export function fromCidr(text: string): Peer {
  return { kind: "cidr", cidr: aCidr(text) };
}

/** TCP 22 from 203.0.113.7 accepted at priority 1, unless said otherwise. */
export function aSpec(changes: Partial<RuleSpec> = {}): RuleSpec {
  return {
    direction: "ingress",
    protocol: "tcp",
    ports: somePorts("22/22"),
    peer: fromCidr("203.0.113.7/32"),
    policy: "accept",
    priority: 1,
    sourcePorts: { kind: "any" },
    dest: null,
    ...changes,
  };
}

/** As `aSpec`, as the cloud would show it. */
export function aRule(changes: Partial<Rule> = {}): Rule {
  return { ...aSpec(), id: "sgr-1" as RuleId, description: "", createdAt: null, ...changes };
}
