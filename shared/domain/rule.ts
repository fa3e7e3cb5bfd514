// A rule: one entry of a security group, in parsed values, and its functional identity.
import type { Cidr } from "./cidr.ts";
import type { RuleId } from "./ids.ts";
import type { PortRange } from "./port-range.ts";

export type Direction = "ingress" | "egress";
export type Policy = "accept" | "drop";

/** `other` is a protocol the cloud shows that we do not grant (a number, or a name of the future). */
export type Protocol = "tcp" | "udp" | "icmp" | "icmpv6" | "gre" | "all" | { readonly other: string };

/** Whom a rule speaks of: the source of an ingress rule, the destination of an egress rule. */
export type Peer =
  | { readonly kind: "cidr"; readonly cidr: Cidr }
  /** `owner`: the account that owns the group as the cloud names it, where it names one; ids are unique without it. */
  | { readonly kind: "group"; readonly groupId: string; readonly owner?: string }
  | { readonly kind: "prefixList"; readonly prefixListId: string }
  | { readonly kind: "opaque"; readonly text: string };

/** Ports of a rule: a range, a port list by id, or `any` where the protocol has none (`-1/-1`). */
export type Ports =
  | { readonly kind: "range"; readonly range: PortRange }
  | { readonly kind: "list"; readonly portRangeListId: string }
  | { readonly kind: "any" };

/** What a rule says, without who wrote it. Source: ECS 2014-05-26 `Permissions.N`. */
export interface RuleSpec {
  readonly direction: Direction;
  readonly protocol: Protocol;
  readonly ports: Ports;
  readonly peer: Peer;
  readonly policy: Policy;
  /** 1 is the strongest; 1 to 100 when written, legacy rules read back above 100. */
  readonly priority: number;
  /** Quintuple extra: ports of the peer; `any` when absent. */
  readonly sourcePorts: Ports;
  /** Quintuple extra: the own side's private address (ingress `DestCidrIp` or `Ipv6DestCidrIp`), null when the rule acts on all members. */
  readonly dest: Cidr | null;
}

/** A rule as the cloud shows it. */
export interface Rule extends RuleSpec {
  /** Null only in very old answers of the cloud. */
  readonly id: RuleId | null;
  readonly description: string;
  /** Milliseconds since the epoch by the cloud's clock; null when the cloud does not say. */
  readonly createdAt: number | null;
}
