// Addresses as the service reads them: strict IPv4, IPv6 in any spelling, stored compressed.
import { isIPv6 } from "node:net";
import type { EcsSwitches } from "./switches.ts";

/** An IPv4 address or CIDR. `bits` is undefined when no prefix was sent. */
export interface Ipv4Text {
  readonly octets: readonly number[];
  readonly bits: number | undefined;
}

const octet = "(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
const ipv4Form = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}(?:/(3[0-2]|[12]?\\d))?$`);

/** Four decimal octets without leading zeros and an optional prefix; anything else is undefined. */
export const parseIpv4 = (text: string): Ipv4Text | undefined => {
  const found = ipv4Form.exec(text);
  if (found === null) return undefined;
  return { octets: found.slice(1, 5).map(Number), bits: found[5] === undefined ? undefined : Number(found[5]) };
};

/** The same network with its host bits zero and its prefix written out. */
const clearHostBits = (address: Ipv4Text): string => {
  const bits = address.bits ?? 32;
  const octets = address.octets.map((value, index) => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return value & (0xff << (8 - kept)) & 0xff;
  });
  return `${octets.join(".")}/${bits}`;
};

/** The form in which the service keeps an IPv4 text, by the switch `ipv4Stored`. */
export const storedIpv4 = (text: string, switches: Pick<EcsSwitches, "ipv4Stored">): string => {
  const address = parseIpv4(text);
  if (address === undefined) return text;
  if (address.bits === undefined) return switches.ipv4Stored === "slash-32-added" ? `${text}/32` : text;
  const cleared = clearHostBits(address);
  return cleared !== text && switches.ipv4Stored === "host-bits-cleared" ? cleared : text;
};

/** The compressed spelling of an IPv6 address or CIDR, or undefined. Zone ids are refused. */
export const compressIpv6 = (text: string): string | undefined => {
  const [address = "", prefix, rest] = text.split("/");
  if (rest !== undefined || address.includes("%") || !isIPv6(address)) return undefined;
  if (prefix !== undefined && !/^(12[0-8]|1[01]\d|[1-9]?\d)$/.test(prefix)) return undefined;
  const compressed = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  return prefix === undefined ? compressed : `${compressed}/${prefix}`;
};
