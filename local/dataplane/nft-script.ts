// The text of the data plane's nftables table, whole or as the difference to what stands.

import { type Cidr, contains, printCidr } from "./cidr.ts";
import { egressLines, ingressLines, type PortMap, UNMAPPED } from "./nft-rules.ts";
import type { MergedRules, Policies } from "./policy.ts";

/** What the compiled table depends on besides the policies. */
export interface TableOptions {
  readonly tableName: string;
  /** The address blocks the table may touch. Addresses outside them are left out. */
  readonly range: Cidr;
  readonly range6: Cidr;
  /** `keep` lets sessions that were once accepted live on; `cut` judges each of their packets by the present rules. */
  readonly establishedAfterDeny: "keep" | "cut";
  /** Per address: ports served elsewhere, from the account's port to the real one. */
  readonly mapped: ReadonlyMap<string, PortMap>;
  /** The NFLOG group that every packet of the range is told to; absent: none is. */
  readonly logGroup?: number | undefined;
}

/** The maps of each family. */
const MAPS = { 4: { to: "to", from: "from" }, 6: { to: "to6", from: "from6" } } as const;

/** A table as data, so that two can be compared. */
export interface TableText {
  /** The chains that are the same for every topology. */
  readonly frame: string;
  /** Lines of the chains of rules, by name. */
  readonly chains: ReadonlyMap<string, readonly string[]>;
  /** Elements of the maps from addresses to chains: name of the map, address, verdict. */
  readonly elements: ReadonlyMap<string, string>;
}

const names = new WeakMap<MergedRules, number>();
let lastName = 0;

/** A number for merged rules: the same for the same object, so equal numbers mean equal chains. */
function numberOf(merged: MergedRules): number {
  const known = names.get(merged);
  if (known !== undefined) return known;
  lastName += 1;
  names.set(merged, lastName);
  return lastName;
}

function block(head: string, lines: readonly string[]): readonly string[] {
  return [`  ${head} {`, ...lines.map((line) => `    ${line}`), "  }"];
}

function frameOf(options: TableOptions): string {
  const { range, range6, logGroup, mapped } = options;
  const block4 = printCidr(range);
  const block6 = printCidr(range6);
  const log = (prefix: string): readonly string[] =>
    logGroup === undefined ? [] : [`log prefix "${prefix}" group ${logGroup} snaplen 128 queue-threshold 1`];
  const redirects = [...mapped].flatMap(([address, ports]) =>
    (["TCP", "UDP"] as const).flatMap((protocol) =>
      [...ports[protocol]].map(([port, real]) =>
        address.includes(":")
          ? `ip6 daddr ${address} ${protocol.toLowerCase()} dport ${port} dnat ip6 to [${address}]:${real}`
          : `ip daddr ${address} ${protocol.toLowerCase()} dport ${port} dnat ip to ${address}:${real}`,
      ),
    ),
  );
  // Replies to sessions that were let in or out always pass: groups are stateful.
  const established =
    options.establishedAfterDeny === "keep"
      ? "ct state established,related accept"
      : "ct state established,related ct direction reply accept";
  return [
    ...block("chain dropped_in", [...log("i"), "drop"]),
    ...block("chain dropped_out", [...log("o"), "drop"]),
    ...block("map to", ["type ipv4_addr : verdict"]),
    ...block("map from", ["type ipv4_addr : verdict"]),
    ...block("map to6", ["type ipv6_addr : verdict"]),
    ...block("map from6", ["type ipv6_addr : verdict"]),
    ...(redirects.length === 0
      ? []
      : block("chain redirect_out", ["type nat hook output priority -100; policy accept;", ...redirects])),
    ...block("chain input", [
      "type filter hook input priority 0; policy accept;",
      "meta protocol != { ip, ip6 } accept",
      `ip saddr != ${block4} ip daddr != ${block4} accept`,
      `ip6 saddr != ${block6} ip6 daddr != ${block6} accept`,
      established,
      "ip saddr vmap @from",
      "ip daddr vmap @to",
      "ip6 saddr vmap @from6",
      "ip6 daddr vmap @to6",
    ]),
    // Behind the decision: what passes here was let through.
    ...(logGroup === undefined
      ? []
      : block("chain passed", [
          "type filter hook input priority 10; policy accept;",
          `ip daddr ${block4} ${log("A").join("")} accept`,
          `ip saddr ${block4} ${log("A").join("")} accept`,
        ])),
  ].join("\n");
}

/** The table for these policies. Interfaces of the same groups share their chains. */
export function tableOf(policies: Policies, options: TableOptions): TableText {
  const chains = new Map<string, readonly string[]>();
  const elements = new Map<string, string>();
  for (const { address, merged } of policies.all) {
    if (!contains(address.family === 4 ? options.range : options.range6, address)) continue;
    const { to, from } = MAPS[address.family];
    const text = printCidr(address);
    if (elements.has(`${to} ${text}`)) continue;
    const mapped = options.mapped.get(text);
    const number = numberOf(merged);
    const shared = address.family === 4 ? `in_${number}` : `in6_${number}`;
    const into = mapped === undefined ? shared : `${shared}_${text.replaceAll(/[.:]/g, "_")}`;
    if (mapped !== undefined || !chains.has(into)) chains.set(into, linesIn(merged, mapped, address.family));
    elements.set(`${to} ${text}`, `goto ${into}`);
    const outLines = linesOut(merged, address.family);
    if (outLines.length === 0) continue;
    const out = address.family === 4 ? `out_${number}` : `out6_${number}`;
    chains.set(out, outLines);
    elements.set(`${from} ${text}`, `jump ${out}`);
  }
  return { frame: frameOf(options), chains, elements };
}

type KeptLines = Readonly<Record<Cidr["family"], WeakMap<MergedRules, readonly string[]>>>;
const unmappedLines: KeptLines = { 4: new WeakMap(), 6: new WeakMap() };
const leavingLines: KeptLines = { 4: new WeakMap(), 6: new WeakMap() };

function linesIn(merged: MergedRules, mapped: PortMap | undefined, family: Cidr["family"]): readonly string[] {
  if (mapped !== undefined) return ingressLines(merged, mapped, family);
  const lines = unmappedLines[family].get(merged) ?? ingressLines(merged, UNMAPPED, family);
  unmappedLines[family].set(merged, lines);
  return lines;
}

function linesOut(merged: MergedRules, family: Cidr["family"]): readonly string[] {
  const lines = leavingLines[family].get(merged) ?? egressLines(merged, family);
  leavingLines[family].set(merged, lines);
  return lines;
}

function elementCommands(verb: "add" | "delete", tableName: string, elements: readonly [string, string][]): string[] {
  return ["to", "from", "to6", "from6"].flatMap((map) => {
    const own = elements.filter(([key]) => key.startsWith(`${map} `));
    if (own.length === 0) return [];
    const texts = own.map(([key, verdict]) => {
      const address = key.slice(map.length + 1);
      return verb === "add" ? `${address} : ${verdict}` : `${address}`;
    });
    return [`${verb} element inet ${tableName} ${map} { ${texts.join(", ")} }`];
  });
}

/** A script for `nft -f` that replaces the whole table in one transaction. */
export function wholeScript(table: TableText, tableName: string): string {
  return [
    `add table inet ${tableName}`,
    `delete table inet ${tableName}`,
    `table inet ${tableName} {`,
    table.frame,
    ...[...table.chains].flatMap(([name, lines]) => block(`chain ${name}`, lines)),
    "}",
    ...elementCommands("add", tableName, [...table.elements]),
    "",
  ].join("\n");
}

/** A script that turns the table `from` into `to` in one transaction: empty when they are equal, undefined when only the whole will do. */
export function changeScript(from: TableText, to: TableText, tableName: string): string | undefined {
  if (from.frame !== to.frame) return undefined;
  const inTable = (verb: string, rest: string): string => `${verb} inet ${tableName} ${rest}`;
  const fresh = [...to.chains].filter(([name]) => !from.chains.has(name));
  const gone = [...from.chains.keys()].filter((name) => !to.chains.has(name));
  const isNew = ([key, verdict]: [string, string]): boolean => from.elements.get(key) !== verdict;
  const isOld = ([key, verdict]: [string, string]): boolean => to.elements.get(key) !== verdict;
  return [
    ...fresh.flatMap(([name, lines]) => [
      inTable("add chain", name),
      ...lines.map((line) => inTable("add rule", `${name} ${line}`)),
    ]),
    ...elementCommands("delete", tableName, [...from.elements].filter(isOld)),
    ...elementCommands("add", tableName, [...to.elements].filter(isNew)),
    ...gone.flatMap((name) => [inTable("flush chain", name), inTable("delete chain", name)]),
  ]
    .map((line) => `${line}\n`)
    .join("");
}
