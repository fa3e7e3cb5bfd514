// What the owner of the account says about recycling, as values. Text, defaults and checks are in `shared/config/recycling-schema.ts`.
import { type Cidr, containsCidr } from "./cidr.ts";
import type { PortRange } from "./port-range.ts";
import type { Rule, RuleSpec } from "./rule.ts";
import { trafficAtMost } from "./traffic.ts";

/** Which rules something speaks of: every condition that is there must hold; none at all means every rule. */
export interface RuleMatch {
  /** Groups by id or name; empty for any. */
  readonly groups: readonly string[];
  /** `tcp`, `udp`, `icmp`, `gre` or `all`; null for any. A rule of all protocols is meant by each. */
  readonly protocol: string | null;
  /** Rules that cover one of these ports, or whose ports nobody can tell; null for any. */
  readonly ports: PortRange | null;
  /** Rules whose peer lies within one of these blocks; empty for any. */
  readonly sources: readonly Cidr[];
  /** Ids of groups and prefix lists that are the rule's peer; empty for any. */
  readonly peers: readonly string[];
}

/** Rules that are never closed for want of use. */
export interface NeverClose extends RuleMatch {
  readonly reason: string;
}

/** Rules that stay, used or not, until a day. */
export interface Exemption extends RuleMatch {
  readonly owner: string;
  readonly reason: string;
  /** The first instant at which it no longer holds. */
  readonly until: number;
}

/** Days of the year, both inclusive, `MM-DD`; across the turn of the year when the end comes before the beginning. */
export interface SeasonWindow {
  readonly from: string;
  readonly to: string;
}

/** Rules that are needed at some times of the year only. */
export interface Season extends RuleMatch {
  readonly owner: string;
  readonly reason: string;
  readonly windows: readonly SeasonWindow[];
}

/** A listener of a load balancer and who is behind it: the listener's port is not the hosts' port. */
export interface BalancedListener {
  readonly region: string;
  readonly loadBalancerId: string;
  readonly protocol: "tcp" | "udp";
  readonly listenerPort: number;
  readonly hostPort: number;
  /** Instances that it forwards to. */
  readonly instances: readonly string[];
}

/** Who tells of traffic. */
export type TrafficSourceKind = "flowLog" | "balancer" | "host";

/** What tells a session from a scan. */
export interface SessionThresholds {
  /** So many bytes in one direction are more than a handshake and its end. */
  readonly bytes: number;
  /** So many packets in one direction are. */
  readonly packets: number;
  /** A peer whose handshakes are answered in so many hours of a day is no scanner, though it sends nothing. */
  readonly repeatHours: number;
}

/** How evidence is collected. Durations in milliseconds. */
export interface CollectPolicy {
  readonly everyMs: number;
  /** Length of the part of a log that one query reads. */
  readonly sliceMs: number;
  /** How long after its end a part is read for the first time. */
  readonly settleMs: number;
  /** How long after its end it is read once more, for what came late. */
  readonly rereadAfterMs: number;
  /** Queries of the log service a day and region, repeats included. */
  readonly queriesPerDay: number;
  /** Calls of CloudMonitor a day and region, reading and writing. */
  readonly metricCallsPerDay: number;
}

/** When a rule counts as unused. */
export interface EvidencePolicy {
  readonly windowDays: number;
  /** Least part of the window that has to be known of every host, in percent. */
  readonly coverageMin: number;
  /** Windows of ten minutes with lost records that are put up with. */
  readonly skippedMax: number;
  readonly session: SessionThresholds;
  readonly sources: readonly TrafficSourceKind[];
  readonly collect: CollectPolicy;
  /** Who connects only to see whether something answers: monitors, vulnerability scanners. */
  readonly probes: readonly Cidr[];
  /** Where load balancers connect from; rules do not stop them. */
  readonly balancerSources: readonly Cidr[];
  readonly balancers: readonly BalancedListener[];
  readonly neverClose: readonly NeverClose[];
  readonly exempt: readonly Exemption[];
  readonly seasonal: readonly Season[];
}

/** `ask`: a person says so each time; `auto`: the program goes on by itself. */
export type StepMode = "ask" | "auto";

/** How unused rules leave. Durations in milliseconds. */
export interface QueuePolicy {
  /** Groups, by id or name, in which rules are quarantined and deleted; in all others they are reported only. */
  readonly groups: readonly string[];
  readonly noticeMs: number;
  readonly quarantineMs: number;
  readonly steps: { readonly quarantine: StepMode; readonly delete: StepMode };
  /** How long a rule that was restored is left alone before it may be queued anew. */
  readonly requeueAfterMs: number;
  /** Longest exemption a person may give by a call. */
  readonly exemptMaxMs: number;
  /** How often the logs of quarantined hosts are read for who is refused. */
  readonly watchEveryMs: number;
  /** Who has no owner in the ledger is told of as this one's; empty: whoever is told of the group. */
  readonly ownerOtherwise: string;
}

/** Everything about recycling. */
export interface RecyclingPolicy extends EvidencePolicy, QueuePolicy {}

/** True in a group in which rules may be quarantined and deleted. */
export const isRecycled = (
  { groups }: QueuePolicy,
  group: { readonly groupId: string; readonly name: string },
): boolean => groups.includes(group.groupId) || groups.includes(group.name);

/** True when the match speaks of this rule of this group. */
export function isMeant(
  match: RuleMatch,
  rule: RuleSpec | Rule,
  group: { readonly groupId: string; readonly name: string },
): boolean {
  const { groups, protocol, ports, sources, peers } = match;
  if (groups.length > 0 && !groups.includes(group.groupId) && !groups.includes(group.name)) return false;
  const { kind, ports: covered } = trafficAtMost(rule);
  if (protocol !== null && protocol !== "all" && kind !== protocol && kind !== "all" && kind !== "unknown")
    return false;
  if (ports !== null && !(covered.first <= ports.to && ports.from <= covered.last)) return false;
  const { peer } = rule;
  if (sources.length > 0 && !(peer.kind === "cidr" && sources.some((block) => containsCidr(block, peer.cidr))))
    return false;
  if (peers.length === 0) return true;
  if (peer.kind === "group") return peers.includes(peer.groupId);
  return peer.kind === "prefixList" && peers.includes(peer.prefixListId);
}

const DAY_MS = 86_400_000;

/** The occurrences of the window that touch the years around `now`, oldest first, as [from, until). UTC. */
export function occurrencesOf({ from, to }: SeasonWindow, now: number): { from: number; until: number }[] {
  const year = new Date(now).getUTCFullYear();
  const at = (of: number, monthDay: string): number => Date.parse(`${of}-${monthDay}T00:00:00Z`);
  return [year - 2, year - 1, year, year + 1].map((first) => ({
    from: at(first, from),
    until: at(to < from ? first + 1 : first, to) + DAY_MS,
  }));
}
