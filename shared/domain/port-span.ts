// Ports of which every refused attempt is kept: those of rules in quarantine. Of all others a scan would leave more than anybody can use.
import type { PortUse } from "./evidence.ts";
import type { RuleSpec } from "./rule.ts";
import { trafficAtMost } from "./traffic.ts";

/** Ports of one protocol by the name that evidence has for it; both inclusive, 0 where it has none. */
export interface PortSpan {
  readonly protocol: string;
  readonly from: number;
  readonly to: number;
}

/** Rules for more ports than that are wide: what is refused at them is kept in part, and counted. */
const WIDE_PORTS = 1024;
/** Spans of one question to a log. */
const SPANS_MAX = 100;
/** How far spans may lie apart to be joined: neighbours at first, and all of a protocol in the end. */
const GAPS = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536];

/** The ports of a rule; none of one that is wide. */
function spansOf(rule: RuleSpec): readonly PortSpan[] {
  const { kind, ports } = trafficAtMost(rule);
  if (kind === "all" || kind === "unknown") return [];
  if (kind === "tcp" || kind === "udp")
    return ports.last - ports.first < WIDE_PORTS ? [{ protocol: kind, from: ports.first, to: ports.last }] : [];
  const names = kind === "icmp" || kind === "icmpv6" ? ["icmp", "icmpv6"] : [kind.replace("ip-", "")];
  return names.map((protocol) => ({ protocol, from: 0, to: 0 }));
}

/** True for a rule whose refused attempts are kept in part. */
export const isWide = (rule: RuleSpec): boolean => spansOf(rule).length === 0;

/** Spans of all rules, joined where they meet; where there are very many, with what lies between some of them. */
export function joinSpans(rules: readonly RuleSpec[]): readonly PortSpan[] {
  const sorted = rules
    .flatMap(spansOf)
    .sort((a, b) => (a.protocol < b.protocol ? -1 : a.protocol > b.protocol ? 1 : a.from - b.from));
  let joined: readonly PortSpan[] = sorted;
  for (const gap of GAPS) {
    joined = joinNear(joined, gap);
    if (joined.length <= SPANS_MAX) break;
  }
  return joined;
}

function joinNear(sorted: readonly PortSpan[], gap: number): PortSpan[] {
  const joined: PortSpan[] = [];
  for (const span of sorted) {
    const last = joined.at(-1);
    if (last?.protocol === span.protocol && span.from <= last.to + gap)
      joined[joined.length - 1] = { ...last, to: Math.max(last.to, span.to) };
    else joined.push(span);
  }
  return joined;
}

/** True for a port in one of the spans. */
export const isInSpans = (
  spans: readonly PortSpan[],
  { protocol, port }: Pick<PortUse, "protocol" | "port">,
): boolean => spans.some((span) => span.protocol === protocol && span.from <= port && port <= span.to);
