// From the words of a request to the rules it asks for. Refuses everything that could mean two things.
import { type Cidr, formatBare, parseCidr } from "./cidr.ts";
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

/** Why a request cannot be a rule: the code of the answer and the values its text needs. */
export type GrantProblem =
  | { readonly code: "PORT_INVALID"; readonly detail: { readonly port: string } }
  | { readonly code: "PROTOCOL_INVALID"; readonly detail: { readonly protocol: string } }
  | { readonly code: "SOURCE_INVALID"; readonly detail: { readonly source: string } }
  | {
      readonly code: "SOURCE_PROTOCOL_MISMATCH";
      readonly detail: { readonly source: string; readonly protocol: string };
    }
  /** The source is of the one family of addresses and the host of the other. */
  | { readonly code: "DEST_FAMILY_MISMATCH"; readonly detail: { readonly source: string; readonly address: string } };

export type GrantResult =
  | { readonly ok: true; readonly specs: readonly RuleSpec[] }
  | { readonly ok: false; readonly problem: GrantProblem };

type GrantedProtocol = "tcp" | "udp" | "icmp" | "gre" | "all";
const GRANTED: readonly GrantedProtocol[] = ["tcp", "udp", "icmp", "gre", "all"];
const NO_PORTS: Ports = { kind: "any" };

/**
 * The ingress accepts that the words ask for, one per distinct source in the order given, or the first problem found.
 * Throws RangeError on a priority that is not 1 to 100: that comes from policy, not from the caller.
 */
export function parseGrant(words: GrantWords): GrantResult {
  if (!Number.isInteger(words.priority) || words.priority < 1 || words.priority > 100) {
    throw new RangeError(`priority ${words.priority} is not a whole number from 1 to 100`);
  }
  const protocolText = words.protocol ?? "tcp";
  const protocol = GRANTED.find((name) => name === protocolText.toLowerCase());
  if (protocol === undefined) return refused({ code: "PROTOCOL_INVALID", detail: { protocol: short(protocolText) } });
  const ports = protocol === "tcp" || protocol === "udp" ? portsOf(words.port) : noPortsOf(words.port);
  if (ports === null) return refused({ code: "PORT_INVALID", detail: { port: short(words.port ?? "") } });
  if (words.sources.length === 0) return refused({ code: "SOURCE_INVALID", detail: { source: "" } });

  const dest = words.dest ?? null;
  const specs = new Map<string, RuleSpec>();
  for (const text of words.sources) {
    const cidr = parseCidr(text);
    const source = short(text);
    if (cidr === null) return refused({ code: "SOURCE_INVALID", detail: { source } });
    if (cidr.family === 6 && protocol === "icmp") {
      return refused({ code: "SOURCE_PROTOCOL_MISMATCH", detail: { source, protocol } });
    }
    if (dest !== null && dest.family !== cidr.family) {
      return refused({ code: "DEST_FAMILY_MISMATCH", detail: { source, address: formatBare(dest) } });
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

function portsOf(text: string | undefined): Ports | null {
  const range = text === undefined ? null : parsePortRange(text);
  return range === null ? null : { kind: "range", range };
}

function noPortsOf(text: string | undefined): Ports | null {
  return text === undefined || text === "-1" || text === "-1/-1" ? NO_PORTS : null;
}

function refused(problem: GrantProblem): GrantResult {
  return { ok: false, problem };
}

/** The caller's text, short enough to repeat in an answer. */
function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
