// What a caller is told of a lease: the lease, its reach, and whether it has come to rest.
import { formatBare, formatCidr } from "../../domain/cidr.ts";
import type { Lease, Reach } from "../../domain/lease-record.ts";
import { formatPortRange } from "../../domain/port-range.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import type { Member } from "../../ports/firewall.ts";
import { membersOf } from "../group/open-facts.ts";

export interface LeaseAnswer {
  readonly lease: Lease;
  readonly reach: Reach;
  /** False while the answer is not final: look at the lease again. */
  readonly settled: boolean;
  readonly extended: boolean;
  /** The changes in words. */
  readonly plan: readonly string[];
  readonly notes: readonly string[];
}

/** Hosts, ports and sources that rules of these specs reach in a group with these members. */
export function reachOf(specs: readonly RuleSpec[], members: readonly Member[]): Reach {
  const hosts = new Map<string, Reach["hosts"][number]>();
  for (const spec of specs) {
    for (const member of membersOf(members, spec)) {
      hosts.set(member.eniId, { instanceId: member.instanceId, name: member.instanceName, address: member.address });
    }
    if (hosts.size === 0 && spec.dest) {
      const address = formatBare(spec.dest);
      hosts.set(address, { instanceId: null, name: null, address });
    }
  }
  const [first] = specs;
  const protocol = first && typeof first.protocol === "string" ? first.protocol : "other";
  const ports = first?.ports.kind === "range" ? formatPortRange(first.ports.range) : "all";
  return { hosts: [...hosts.values()], protocol, ports, sources: [...new Set(specs.map(sourceText))] };
}

/** What every answer about an opening says. */
export const NEW_CONNECTIONS_ONLY = "Rules decide about new connections only; what is established may outlive the end.";

const sourceText = (spec: RuleSpec): string =>
  spec.peer.kind === "cidr" ? formatCidr(spec.peer.cidr) : spec.peer.kind;
