// Compiles address policies into the text of one nftables table.

import { type Cidr, contains, printIpv4 } from "./cidr.ts";
import type { AddressPolicy, ResolvedRule } from "./policy.ts";
import { EVERY_PORT, type PortRange, translateRange } from "./port-range.ts";

/** What the compiled table depends on besides the policies. */
export interface TableOptions {
  readonly tableName: string;
  /** The address block the table may touch. Addresses outside it are left out. */
  readonly range: Cidr;
  /** `keep` lets sessions that were once accepted live on; `cut` judges each of their packets by the present rules. */
  readonly establishedAfterDeny: "keep" | "cut";
  /** Per address: ports served elsewhere, from the account's port to the real one. */
  readonly mapped: ReadonlyMap<string, ReadonlyMap<number, number>>;
}

function addressSet(cidrs: readonly Cidr[]): string {
  // Blocks that lie inside another one, and all but one of equal blocks, would be conflicting set elements.
  const widest = cidrs.filter(
    (cidr, index) =>
      !cidrs.some((other, at) => at !== index && contains(other, cidr) && (at < index || !contains(cidr, other))),
  );
  return `{ ${widest.map(printIpv4).join(", ")} }`;
}

function portSet(ranges: readonly PortRange[]): string {
  return `{ ${ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(", ")} }`;
}

function coversEveryPort(range: PortRange): boolean {
  return range.first <= EVERY_PORT.first && range.last >= EVERY_PORT.last;
}

function ruleLine(rule: ResolvedRule, mapped: ReadonlyMap<number, number>): readonly string[] {
  const parts: string[] = [];
  if (!rule.sources.some((source) => source.prefix === 0)) parts.push(`ip saddr ${addressSet(rule.sources)}`);
  if (rule.protocol === "TCP" || rule.protocol === "UDP") {
    const name = rule.protocol.toLowerCase();
    const destPorts = rule.protocol === "TCP" ? translateRange(rule.destPorts, mapped) : [rule.destPorts];
    if (destPorts.length === 0) return [];
    parts.push(`meta l4proto ${name}`);
    if (!coversEveryPort(rule.destPorts)) parts.push(`${name} dport ${portSet(destPorts)}`);
    if (!coversEveryPort(rule.sourcePorts)) parts.push(`${name} sport ${portSet([rule.sourcePorts])}`);
  } else if (rule.protocol === "ICMPv6") {
    parts.push("meta l4proto ipv6-icmp");
  } else if (rule.protocol !== "ALL") {
    parts.push(`meta l4proto ${rule.protocol.toLowerCase()}`);
  }
  return [[...parts, rule.accept ? "accept" : "drop"].join(" ")];
}

function chainName(address: string): string {
  return `to_${address.replaceAll(".", "_")}`;
}

function block(head: string, lines: readonly string[]): readonly string[] {
  return [`  ${head} {`, ...lines.map((line) => `    ${line}`), "  }"];
}

/** A script for `nft -f` that replaces the whole table in one transaction. */
export function nftScript(policies: readonly AddressPolicy[], options: TableOptions): string {
  const { tableName, range } = options;
  const chains = new Map<string, readonly string[]>();
  const redirects: string[] = [];
  for (const policy of policies) {
    if (!contains(range, policy.address)) continue;
    const address = printIpv4(policy.address);
    if (chains.has(address)) continue;
    const mapped = options.mapped.get(address) ?? new Map<number, number>();
    const peers = policy.peers.length === 0 ? [] : [`ip saddr ${addressSet(policy.peers)} accept`];
    chains.set(address, [...peers, ...policy.rules.flatMap((rule) => ruleLine(rule, mapped)), "drop"]);
    for (const [port, real] of mapped)
      redirects.push(`ip daddr ${address} tcp dport ${port} dnat ip to ${address}:${real}`);
  }
  const targets = [...chains.keys()].map((address) => `${address} : goto ${chainName(address)}`);
  // Replies to sessions that an instance opened itself always pass: groups are stateful.
  const established =
    options.establishedAfterDeny === "keep"
      ? "ct state established,related accept"
      : "ct state established,related ct direction reply accept";
  return [
    `add table inet ${tableName}`,
    `delete table inet ${tableName}`,
    `table inet ${tableName} {`,
    ...[...chains].flatMap(([address, lines]) => block(`chain ${chainName(address)}`, lines)),
    ...(redirects.length === 0
      ? []
      : block("chain redirect_out", ["type nat hook output priority -100; policy accept;", ...redirects])),
    ...block("chain input", [
      "type filter hook input priority 0; policy accept;",
      `ip daddr != ${printIpv4(range)} accept`,
      "meta protocol != ip accept",
      established,
      ...(targets.length === 0 ? [] : [`ip daddr vmap { ${targets.join(", ")} }`]),
    ]),
    "}",
    "",
  ].join("\n");
}
