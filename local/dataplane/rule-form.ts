// A rule in the form that decisions need: parsed once, its references still open.

import { type Cidr, parseCidr } from "./cidr.ts";
import { type PortRange, parsePortRange } from "./port-range.ts";
import type { Rule } from "./topology.ts";

/** Protocols a rule can name. */
export type RuleProtocol = "TCP" | "UDP" | "ICMP" | "ICMPv6" | "GRE" | "ALL";

/** The other side of a rule: addresses, or a reference to a group or a prefix list. The first that is given counts. */
export type Peer =
  | { readonly kind: "block"; readonly blocks: readonly Cidr[] }
  | { readonly kind: "group"; readonly groupId: string }
  | { readonly kind: "prefix-list"; readonly prefixListId: string };

/** What a rule says, whoever it applies to. */
export interface RuleForm {
  readonly ruleId: string;
  readonly direction: "ingress" | "egress";
  readonly accept: boolean;
  readonly priority: number;
  readonly protocol: RuleProtocol;
  readonly peer: Peer;
  /** The instance's side, where the rule names it: the destination of ingress, the source of egress. */
  readonly own: Cidr | undefined;
  readonly sourcePorts: PortRange;
  /** A range, or the id of a port list. */
  readonly destPorts: PortRange | { readonly portRangeListId: string };
}

const PROTOCOLS = {
  TCP: "TCP",
  UDP: "UDP",
  ICMP: "ICMP",
  ICMPV6: "ICMPv6",
  GRE: "GRE",
  ALL: "ALL",
} as const satisfies Record<string, RuleProtocol>;

const protocolNames: ReadonlyMap<string, RuleProtocol> = new Map(Object.entries(PROTOCOLS));

function peerOf(block?: string, groupId?: string, prefixListId?: string): Peer {
  if (block) return { kind: "block", blocks: [parseCidr(block)].filter((cidr) => cidr !== undefined) };
  if (groupId) return { kind: "group", groupId };
  if (prefixListId) return { kind: "prefix-list", prefixListId };
  return { kind: "block", blocks: [] };
}

function parse(rule: Rule): RuleForm | undefined {
  const direction = rule.direction.toLowerCase() === "egress" ? "egress" : "ingress";
  const protocol = protocolNames.get(rule.ipProtocol.toUpperCase());
  const sourcePorts = parsePortRange(rule.sourcePortRange);
  const destPorts =
    !rule.portRange && rule.portRangeListId
      ? { portRangeListId: rule.portRangeListId }
      : parsePortRange(rule.portRange);
  const source = rule.sourceCidrIp || rule.ipv6SourceCidrIp;
  const dest = rule.destCidrIp || rule.ipv6DestCidrIp;
  const ownText = direction === "ingress" ? dest : source;
  const own = ownText ? parseCidr(ownText) : undefined;
  if (protocol === undefined || sourcePorts === undefined || destPorts === undefined) return undefined;
  if (ownText && own === undefined) return undefined;
  return {
    ruleId: rule.ruleId,
    direction,
    accept: rule.policy.toUpperCase() === "ACCEPT",
    priority: rule.priority,
    protocol,
    peer:
      direction === "ingress"
        ? peerOf(source, rule.sourceGroupId, rule.sourcePrefixListId)
        : peerOf(dest, rule.destGroupId, rule.destPrefixListId),
    own,
    sourcePorts,
    destPorts,
  };
}

const forms = new WeakMap<Rule, { readonly form: RuleForm | undefined }>();

/** The form of a rule, or undefined when it can match no packet. Rules are values: each is parsed once. */
export function formOf(rule: Rule): RuleForm | undefined {
  const known = forms.get(rule);
  if (known !== undefined) return known.form;
  const form = parse(rule);
  forms.set(rule, { form });
  return form;
}

/** Strongest first: lower priority number, then Drop before Accept. */
export function compareForms(a: RuleForm, b: RuleForm): number {
  return a.priority - b.priority || Number(a.accept) - Number(b.accept);
}
