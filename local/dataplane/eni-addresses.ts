// The addresses of a network interface.

import { type Cidr, parseAddress } from "./cidr.ts";
import type { Eni } from "./topology.ts";

/** Its private address and its IPv6 addresses; texts that are no address are left out. */
export function addressesOf(eni: Eni): readonly Cidr[] {
  return [eni.privateIp, ...(eni.ipv6 ?? [])].map(parseAddress).filter((address) => address !== undefined);
}
