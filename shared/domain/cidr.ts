// Address blocks: strict parsing of what people write, tolerant parsing of what the cloud shows, and set arithmetic.

export type Family = 4 | 6;

/** A block of addresses with no host bits set. Compare blocks by `formatCidr`, never by the text they came from. */
export interface Cidr {
  readonly family: Family;
  /** Lowest address, as a number of 32 or 128 bits. */
  readonly first: bigint;
  /** Highest address, inclusive. */
  readonly last: bigint;
  readonly prefix: number;
}

/** Something counted apart for IPv4 and IPv6. */
export interface PerFamily<Value> {
  readonly v4: Value;
  readonly v6: Value;
}

const MAPPED_FIRST = 0xffff_0000_0000n;
const MAPPED_LAST = 0xffff_ffff_ffffn;

/** Bits of an address of the family. */
export function addressBits(family: Family): number {
  return family === 4 ? 32 : 128;
}

/** The block of `family` with this prefix length that contains `address`; host bits are cleared. */
export function cidrOf(family: Family, address: bigint, prefix: number): Cidr {
  const hostMask = (1n << BigInt(addressBits(family) - prefix)) - 1n;
  const first = address & ~hostMask;
  return { family, first, last: first | hostMask, prefix };
}

/**
 * Parses what a person writes: `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/56`; a bare address is a block of one.
 * Null on everything a cloud might read differently: leading zeros, set host bits, IPv4 inside IPv6, zone ids, blanks.
 */
export function parseCidr(text: string): Cidr | null {
  const parts = parseBlock(text, false);
  if (parts === null) return null;
  const cidr = cidrOf(parts.family, parts.address, parts.prefix);
  if (cidr.first !== parts.address) return null;
  // No IPv4 address is as large.
  if (cidr.first >= MAPPED_FIRST && cidr.last <= MAPPED_LAST) return null;
  return cidr;
}

/** Parses what the cloud shows: as `parseCidr`, but host bits are cleared and IPv4 inside IPv6 is read as the IPv6 address it is. */
export function parseObservedCidr(text: string): Cidr | null {
  const parts = parseBlock(text.trim(), true);
  return parts === null ? null : cidrOf(parts.family, parts.address, parts.prefix);
}

/** The canonical text, always with its prefix length; IPv6 compressed as RFC 5952 says. */
export function formatCidr(cidr: Cidr): string {
  return `${formatAddress(cidr.family, cidr.first)}/${cidr.prefix}`;
}

/** As `formatCidr`, but a block of one address is written without `/32` or `/128`. */
export function formatBare(cidr: Cidr): string {
  return cidr.prefix === addressBits(cidr.family) ? formatAddress(cidr.family, cidr.first) : formatCidr(cidr);
}

/** True when every address of `inner` is in `outer`. */
export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;
}

/** True when the two blocks share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.first <= b.last && b.first <= a.last;
}

/** How many distinct addresses the blocks hold together. */
export function coverage(cidrs: readonly Cidr[]): PerFamily<bigint> {
  return { v4: spanTotal(unionSpans(cidrs, 4)), v6: spanTotal(unionSpans(cidrs, 6)) };
}

/**
 * Prefix length of the smallest single block with at least as many addresses as the blocks hold together, so that a
 * source split into pieces is judged by its sum: two `/25` count as a `/24`. Null for a family without blocks.
 */
export function widestPrefix(cidrs: readonly Cidr[]): PerFamily<number | null> {
  const total = coverage(cidrs);
  return { v4: prefixForCount(4, total.v4), v6: prefixForCount(6, total.v6) };
}

/** The fewest blocks that hold the same addresses, IPv4 first, ascending. */
export function mergeCidrs(cidrs: readonly Cidr[]): Cidr[] {
  return ([4, 6] as const).flatMap((family) =>
    unionSpans(cidrs, family).flatMap((span) => spanToCidrs(family, span.first, span.last)),
  );
}

/** The fewest blocks that hold every address of the family that none of these holds, ascending. */
export function complementOf(cidrs: readonly Cidr[], family: Family): Cidr[] {
  const last = (1n << BigInt(addressBits(family))) - 1n;
  const gaps: Cidr[] = [];
  let at = 0n;
  for (const span of unionSpans(cidrs, family)) {
    gaps.push(...spanToCidrs(family, at, span.first - 1n));
    at = span.last + 1n;
  }
  return [...gaps, ...spanToCidrs(family, at, last)];
}

interface Span {
  readonly first: bigint;
  last: bigint;
}

function unionSpans(cidrs: readonly Cidr[], family: Family): Span[] {
  const sorted = cidrs.filter((cidr) => cidr.family === family);
  sorted.sort((a, b) => Number(a.first - b.first));
  const spans: Span[] = [];
  for (const { first, last } of sorted) {
    const open = spans.at(-1);
    if (open === undefined || first > open.last + 1n) spans.push({ first, last });
    else if (last > open.last) open.last = last;
  }
  return spans;
}

function spanTotal(spans: readonly Span[]): bigint {
  return spans.reduce((total, { first, last }) => total + last - first + 1n, 0n);
}

function prefixForCount(family: Family, count: bigint): number | null {
  if (count === 0n) return null;
  return addressBits(family) - bitLength(count - 1n);
}

function spanToCidrs(family: Family, first: bigint, last: bigint): Cidr[] {
  const cidrs: Cidr[] = [];
  let at = first;
  while (at <= last) {
    // The block may be no larger than its alignment allows and than what is left.
    const left = bitLength(last - at + 1n) - 1;
    const aligned = at === 0n ? addressBits(family) : bitLength(at & -at) - 1;
    const cidr = cidrOf(family, at, addressBits(family) - Math.min(left, aligned));
    cidrs.push(cidr);
    at = cidr.last + 1n;
  }
  return cidrs;
}

/** Bits needed to write `value`; 0 for 0. */
function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

interface Block {
  readonly family: Family;
  readonly address: bigint;
  readonly prefix: number;
}

function parseBlock(text: string, mappedAllowed: boolean): Block | null {
  const slash = text.indexOf("/");
  const addressText = slash < 0 ? text : text.slice(0, slash);
  const family: Family = addressText.includes(":") ? 6 : 4;
  const address = family === 4 ? parseIpv4(addressText) : parseIpv6(addressText, mappedAllowed);
  const prefix = slash < 0 ? addressBits(family) : parsePrefix(text.slice(slash + 1), addressBits(family));
  return address === null || prefix === null ? null : { family, address, prefix };
}

function parsePrefix(text: string, bits: number): number | null {
  if (!/^(?:0|[1-9]\d{0,2})$/.test(text)) return null;
  const prefix = Number(text);
  return prefix <= bits ? prefix : null;
}

function parseIpv4(text: string): bigint | null {
  const octets = text.split(".");
  if (octets.length !== 4) return null;
  let address = 0;
  for (const octet of octets) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(octet) || Number(octet) > 255) return null;
    address = address * 256 + Number(octet);
  }
  return BigInt(address);
}

function parseIpv6(text: string, mappedAllowed: boolean): bigint | null {
  const halves = text
    .split("::")
    .map((half, index, all) => parseHextets(half, mappedAllowed && index === all.length - 1));
  const [head = null, tail = [], ...more] = halves;
  if (head === null || tail === null || more.length > 0) return null;
  const missing = 8 - head.length - tail.length;
  // `::` stands for at least one group; without it all eight must be there.
  if (halves.length === 2 ? missing < 1 : missing !== 0) return null;
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce(
    (address, group) => (address << 16n) | group,
    0n,
  );
}

function parseHextets(text: string, dottedEndAllowed: boolean): bigint[] | null {
  if (text === "") return [];
  const groups: bigint[] = [];
  const texts = text.split(":");
  for (const [index, group] of texts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(group)) {
      groups.push(BigInt(`0x${group}`));
      continue;
    }
    const ipv4 = dottedEndAllowed && index === texts.length - 1 ? parseIpv4(group) : null;
    if (ipv4 === null) return null;
    groups.push(ipv4 >> 16n, ipv4 & 0xffffn);
  }
  return groups;
}

const formatIpv4 = (address: number): string =>
  `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;

function formatAddress(family: Family, address: bigint): string {
  if (family === 4) return formatIpv4(Number(address));
  const groups = Array.from({ length: 8 }, (_, index) => Number((address >> BigInt(112 - 16 * index)) & 0xffffn));
  const zeros = longestZeroRun(groups);
  const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (zeros.length < 2) return hex(groups);
  return `${hex(groups.slice(0, zeros.start))}::${hex(groups.slice(zeros.start + zeros.length))}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}
