// From the words of a request to the rules it asks for. Refuses everything that could mean two things.
import { type Cidr, parseCidr } from "./cidr.ts";
import { parsePortRange } from "./port-range.ts";
import type { Ports, RuleSpec } from "./rule.ts";
import { ruleKey } from "./rule-key.ts";

/** What a request asks for, as text. */
export interface GrantWords {
  /** `tcp` (the default), `udp`, `icmp`, `gre` or `all`, in any case. */
  readonly protocol?: string | undefined;
  /** `22`, `22/22` or `8000-8010`; absent, `-1` or `-1/-1` where the protocol has no ports. */
  readonly port?: string | undefined;
  /** Addresses or blocks; one rule each. */
  readonly sources: readonly string[];
  readonly priority: number;
  /** The one host the rules act on; null or absent for every member of the group. */
  readonly dest?: Cidr | null | undefined;
}

/** Why a request cannot be a rule. */
export type GrantProblemCode =
  | "PORT_INVALID"
  | "PORT_MISSING"
  | "PORT_NOT_APPLICABLE"
  | "PROTOCOL_INVALID"
  | "SOURCE_INVALID"
  | "SOURCE_MISSING"
  | "SOURCE_PROTOCOL_MISMATCH"
  | "DEST_FAMILY_MISMATCH"
  | "PRIORITY_INVALID";

export interface GrantProblem {
  readonly code: GrantProblemCode;
  /** One sentence for the caller. */
  readonly detail: string;
}

export type GrantResult =
  | { readonly ok: true; readonly specs: readonly RuleSpec[] }
  | { readonly ok: false; readonly problem: GrantProblem };

type GrantedProtocol = "tcp" | "udp" | "icmp" | "gre" | "all";
const GRANTED: readonly GrantedProtocol[] = ["tcp", "udp", "icmp", "gre", "all"];
const NO_PORTS: Ports = { kind: "any" };

/** The ingress accepts that the words ask for, one per distinct source in the order given, or the first problem found. */
export function parseGrant(words: GrantWords): GrantResult {
  const protocol = GRANTED.find((name) => name === (words.protocol ?? "tcp").toLowerCase());
  if (protocol === undefined) {
    return refused("PROTOCOL_INVALID", `Protocol ${quoted(words.protocol ?? "")} is not one of ${GRANTED.join(", ")}.`);
  }
  const ports = protocol === "tcp" || protocol === "udp" ? portsOf(words.port) : noPortsOf(words.port, protocol);
  if ("code" in ports) return { ok: false, problem: ports };
  if (!Number.isInteger(words.priority) || words.priority < 1 || words.priority > 100) {
    return refused("PRIORITY_INVALID", `Priority ${words.priority} is not a whole number from 1 to 100.`);
  }
  if (words.sources.length === 0) return refused("SOURCE_MISSING", "At least one source address or block is needed.");

  const dest = words.dest ?? null;
  const specs = new Map<string, RuleSpec>();
  for (const text of words.sources) {
    const cidr = parseCidr(text);
    if (cidr === null)
      return refused("SOURCE_INVALID", `${quoted(text)} is not an address or block with no host bits set.`);
    if (cidr.family === 6 && protocol === "icmp") {
      return refused("SOURCE_PROTOCOL_MISMATCH", `Protocol icmp is IPv4 only; ${quoted(text)} is IPv6.`);
    }
    if (dest !== null && dest.family !== cidr.family) {
      return refused(
        "DEST_FAMILY_MISMATCH",
        `${quoted(text)} is IPv${cidr.family} and the target's address is IPv${dest.family}.`,
      );
    }
    const spec: RuleSpec = {
      direction: "ingress",
      protocol,
      ports,
      peer: { kind: "cidr", cidr },
      policy: "accept",
      priority: words.priority,
      sourcePorts: NO_PORTS,
      dest,
    };
    specs.set(ruleKey(spec), spec);
  }
  return { ok: true, specs: [...specs.values()] };
}

/**
 * True when the rule may let traffic to this TCP or UDP port through. What cannot be told (a port list, a protocol we do not
 * know) counts as covering, because the question is asked to protect the port.
 */
export function coversPort(spec: RuleSpec, port: number): boolean {
  switch (spec.protocol) {
    case "icmp":
    case "icmpv6":
    case "gre":
      return false;
    case "all":
      return true;
    case "tcp":
    case "udp":
      return coversInRange(spec.ports, port);
    default:
      return coversByNumber(spec.protocol.other, spec.ports, port);
  }
}

function coversByNumber(protocol: string, ports: Ports, port: number): boolean {
  if (!/^\d+$/.test(protocol)) return true;
  const known = Number(protocol);
  return (known === 6 || known === 17) && coversInRange(ports, port);
}

function coversInRange(ports: Ports, port: number): boolean {
  return ports.kind !== "range" || (ports.range.from <= port && port <= ports.range.to);
}

function portsOf(text: string | undefined): Ports | GrantProblem {
  if (text === undefined) return { code: "PORT_MISSING", detail: "Protocols tcp and udp need a port." };
  const range = parsePortRange(text);
  if (range !== null) return { kind: "range", range };
  return {
    code: "PORT_INVALID",
    detail: `${quoted(text)} is not a port or range from 1 to 65535, such as 22 or 8000-8010.`,
  };
}

function noPortsOf(text: string | undefined, protocol: GrantedProtocol): Ports | GrantProblem {
  if (text === undefined || text === "-1" || text === "-1/-1") return NO_PORTS;
  return { code: "PORT_NOT_APPLICABLE", detail: `Protocol ${protocol} has no ports; leave out ${quoted(text)}.` };
}

function refused(code: GrantProblemCode, detail: string): GrantResult {
  return { ok: false, problem: { code, detail } };
}

/** The caller's text, short enough and plain enough to repeat in an answer. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
