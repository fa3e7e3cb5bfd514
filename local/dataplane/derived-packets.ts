// What the packets of a connection must have been, from what its listener saw. For where packets cannot be seen.

import type { Flow } from "./flow.ts";
import type { SeenPackets } from "./flow-log.ts";
import { TCP_FLAGS } from "./flow-record.ts";

const HEADER_BYTES = 40;
const SEGMENT_BYTES = 1460;

/** Packets both ways for one step of a connection. */
export function packetsOf(flow: Flow): readonly SeenPackets[] {
  const base = { eniId: flow.eniId, origin: "derived", protocol: 6, action: flow.action } as const;
  const forth = {
    ...base,
    direction: "in",
    sourceAddress: flow.sourceAddress,
    sourcePort: flow.sourcePort,
    destAddress: flow.destAddress,
    destPort: flow.destPort,
  } as const;
  const back = {
    ...base,
    direction: "out",
    sourceAddress: flow.destAddress,
    sourcePort: flow.destPort,
    destAddress: flow.sourceAddress,
    destPort: flow.sourcePort,
  } as const;
  const counted = (packets: number, payload: number, tcpFlags: number) => ({
    packets,
    bytes: packets * HEADER_BYTES + payload,
    tcpFlags,
  });
  const data = (bytes: number) =>
    counted(Math.ceil(bytes / SEGMENT_BYTES) + 1, bytes, bytes === 0 ? 1 : 1 | TCP_FLAGS.PSH);
  if (flow.phase === "refused") return [{ ...forth, ...counted(1, 0, TCP_FLAGS.SYN) }];
  if (flow.phase === "opened")
    return [
      { ...forth, ...counted(2, 0, TCP_FLAGS.SYN) },
      { ...back, ...counted(1, 0, TCP_FLAGS.SYN_ACK) },
    ];
  return [
    { ...forth, ...data(flow.bytesIn) },
    { ...back, ...data(flow.bytesOut) },
  ];
}
