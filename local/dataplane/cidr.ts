// Addresses and address blocks, IPv4 and IPv6: strict parsing, containment, printing.

/** A block of addresses. `base` has its host bits cleared. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly base: bigint;
  readonly prefix: number;
}

const WIDTH = { 4: 32, 6: 128 } as const;

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

/** The 16-bit words of one side of `::`. A dotted tail is allowed only where `last` says the text ends. */
function parseWords(text: string, last: boolean): readonly bigint[] | undefined {
  if (text === "") return [];
  const words: bigint[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      words.push(BigInt(`0x${part}`));
      continue;
    }
    const dotted = last && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (dotted === undefined) return undefined;
    words.push(dotted >> 16n, dotted & 0xffffn);
  }
  return words;
}

function parseIpv6(text: string): bigint | undefined {
  const sides = text.split("::");
  if (sides.length > 2) return undefined;
  const compressed = sides.length === 2;
  const head = parseWords(sides[0] ?? "", !compressed);
  const tail = compressed ? parseWords(sides[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (compressed ? missing < 1 : missing !== 0) return undefined;
  const words = [...head, ...new Array<bigint>(missing).fill(0n), ...tail];
  return words.reduce((value, word) => (value << 16n) | word, 0n);
}

/** A bare address as a block of one, or undefined when the text is not exactly an address. */
export function parseAddress(text: string): Cidr | undefined {
  const v4 = parseIpv4(text);
  if (v4 !== undefined) return { family: 4, base: v4, prefix: 32 };
  const v6 = text.includes(":") ? parseIpv6(text) : undefined;
  return v6 === undefined ? undefined : { family: 6, base: v6, prefix: 128 };
}

/** A block or a bare address; host bits are cleared. Undefined when the text is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf("/");
  if (slash < 0) return parseAddress(text);
  const address = parseAddress(text.slice(0, slash));
  const prefixText = text.slice(slash + 1);
  if (address === undefined || !/^(0|[1-9][0-9]{0,2})$/.test(prefixText)) return undefined;
  const prefix = Number(prefixText);
  const width = WIDTH[address.family];
  if (prefix > width) return undefined;
  const hostBits = BigInt(width - prefix);
  return { family: address.family, base: (address.base >> hostBits) << hostBits, prefix };
}

/** Whether every address of `inner` lies in `outer`. Blocks of different families never do. */
export function contains(outer: Cidr, inner: Cidr): boolean {
  if (outer.family !== inner.family || outer.prefix > inner.prefix) return false;
  const hostBits = BigInt(WIDTH[outer.family] - outer.prefix);
  return outer.base >> hostBits === inner.base >> hostBits;
}

/** Compressed text of an IPv6 block, with its prefix unless it is a single address. */
function printIpv6(cidr: Cidr): string {
  const words = [7n, 6n, 5n, 4n, 3n, 2n, 1n, 0n].map((at) => ((cidr.base >> (16n * at)) & 0xffffn).toString(16));
  const text = new URL(`http://[${words.join(":")}]`).hostname.slice(1, -1);
  return cidr.prefix === 128 ? text : `${text}/${cidr.prefix}`;
}

/** Text of a block of either family, with its prefix unless it is a single address. */
export function printCidr(cidr: Cidr): string {
  return cidr.family === 4 ? printIpv4(cidr) : printIpv6(cidr);
}

/** Dotted text of an IPv4 block, with its prefix unless it is a single address. */
export function printIpv4(cidr: Cidr): string {
  const octets = [24n, 16n, 8n, 0n].map((shift) => String((cidr.base >> shift) & 0xffn));
  return cidr.prefix === 32 ? octets.join(".") : `${octets.join(".")}/${cidr.prefix}`;
}
