// The caller's own address, as the block of one that a lease opens for by default.
import { addressBits, type Cidr, cidrOf, containsCidr, formatCidr, parseObservedCidr } from "../domain/cidr.ts";
import type { HttpRequest } from "./message.ts";

const MAPPED = { first: 0xffff_0000_0000n, last: 0xffff_ffff_ffffn };

/**
 * The caller's address with `/32` or `/128`, or null when it cannot be told. `X-Forwarded-For` counts only when the connection
 * comes from a trusted proxy; then the right-most address that is no trusted proxy is the caller, because everything left
 * of it was written by the caller.
 */
export function callerBlock(request: HttpRequest, trustedProxies: readonly string[]): string | null {
  const peer = parseAddress(request.sourceIp);
  if (peer === null) return null;
  const trusted = trustedProxies.flatMap((text) => parseObservedCidr(text) ?? []);
  const isTrusted = (address: Cidr) => trusted.some((block) => containsCidr(block, address));
  if (!isTrusted(peer)) return formatCidr(peer);
  const forwarded = request.headers["x-forwarded-for"] ?? "";
  const hops = forwarded.trim() === "" ? [] : forwarded.split(",").reverse();
  for (const hop of hops) {
    const address = parseAddress(hop.trim());
    if (address === null) return null;
    if (!isTrusted(address)) return formatCidr(address);
  }
  return formatCidr(peer);
}

/** One address; IPv4 that arrived on an IPv6 socket is IPv4. Null when the text is not one address. */
function parseAddress(text: string): Cidr | null {
  const cidr = text.includes("/") ? null : parseObservedCidr(text);
  if (cidr === null || cidr.prefix !== addressBits(cidr.family)) return null;
  const mapped = cidr.family === 6 && cidr.first >= MAPPED.first && cidr.last <= MAPPED.last;
  return mapped ? cidrOf(4, cidr.first & 0xffff_ffffn, 32) : cidr;
}
