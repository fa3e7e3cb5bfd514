// From logged packets to what flow logs count: whose interface, which direction, the account's own ports.

import type { SeenPackets } from "./flow-log.ts";
import type { LoggedPacket } from "./nflog.ts";
import type { PortMap } from "./nft-rules.ts";

/** What is known of addresses. */
export interface PacketPlaces {
  readonly eniOf: (address: string) => string | undefined;
  readonly mapped: () => ReadonlyMap<string, PortMap>;
}

const PROTOCOL_NAMES: ReadonlyMap<number, "TCP" | "UDP"> = new Map([
  [6, "TCP"],
  [17, "UDP"],
]);

function knownPort(mapped: ReadonlyMap<string, PortMap>, protocol: number, address: string, port: number): number {
  const name = PROTOCOL_NAMES.get(protocol);
  const ports = name === undefined ? undefined : mapped.get(address)?.[name];
  for (const [known, real] of ports ?? []) if (real === port) return known;
  return port;
}

/** What one logged packet is to the interfaces at its ends. Its prefix says what the table did: `i` and `o` dropped it at the receiver's and the sender's interface. */
export function recordsOf(packet: LoggedPacket, places: PacketPlaces): readonly SeenPackets[] {
  const { protocol, sourceAddress, destAddress, bytes, tcpFlags, prefix } = packet;
  const mapped = places.mapped();
  const common = {
    origin: "packets",
    protocol,
    sourceAddress,
    sourcePort: knownPort(mapped, protocol, sourceAddress, packet.sourcePort),
    destAddress,
    destPort: knownPort(mapped, protocol, destAddress, packet.destPort),
    packets: 1,
    bytes,
    tcpFlags,
  } as const;
  const sender = places.eniOf(sourceAddress);
  const receiver = places.eniOf(destAddress);
  const records: SeenPackets[] = [];
  if (sender !== undefined)
    records.push({ ...common, eniId: sender, direction: "out", action: prefix === "o" ? "REJECT" : "ACCEPT" });
  if (receiver !== undefined && prefix !== "o")
    records.push({ ...common, eniId: receiver, direction: "in", action: prefix === "i" ? "REJECT" : "ACCEPT" });
  return records;
}
