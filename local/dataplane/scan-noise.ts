// Makes up what every public address sees all day: strangers who try ports. Told to the flow log as if they had been there.

import type { Random } from "../../shared/ports/random.ts";
import { printIpv4 } from "./cidr.ts";
import type { SeenPackets } from "./flow-log.ts";
import { TCP_FLAGS } from "./flow-record.ts";
import type { Endpoint } from "./listeners.ts";
import type { AddressPolicy, Policies } from "./policy.ts";
import { decide } from "./verdict.ts";

/** How much noise there is. */
export interface ScanNoise {
  /** One probe of one interface each so many milliseconds of the clock. */
  readonly everyMs: number;
  readonly random: Random;
}

/** The ports that scanners try most. */
const TRIED_PORTS = [22, 23, 80, 443, 445, 1433, 2375, 3306, 3389, 5432, 5900, 6379, 7890, 8080, 8443, 9200, 27_017];
const SYN_BYTES = 60;
const RST_BYTES = 40;

/** The packets of one probe of a random interface, judged by the rules; none when there is no interface. */
export function probe(
  random: Random,
  policies: Policies,
  endpoints: ReadonlyMap<string, Endpoint>,
): readonly SeenPackets[] {
  const pick = <T>(list: readonly T[]): T | undefined => list[Math.floor(random.fraction() * list.length)];
  const target: AddressPolicy | undefined = pick(policies.all.filter(({ address }) => address.family === 4));
  if (target === undefined) return [];
  const destAddress = printIpv4(target.address);
  const destPort = random.fraction() < 0.7 ? (pick(TRIED_PORTS) ?? 22) : 1 + Math.floor(random.fraction() * 65_535);
  const sourceAddress = `198.51.100.${Math.floor(random.fraction() * 256)}`;
  const sourcePort = 32_768 + Math.floor(random.fraction() * 28_000);
  const { accept } = decide(policies, { protocol: "TCP", sourceAddress, sourcePort, destAddress, destPort });
  const base = { eniId: target.eniId, origin: "noise", protocol: 6 } as const;
  const forth = { ...base, direction: "in", sourceAddress, sourcePort, destAddress, destPort } as const;
  if (!accept) return [{ ...forth, action: "REJECT", packets: 1, bytes: SYN_BYTES, tcpFlags: TCP_FLAGS.SYN }];
  const back = {
    ...base,
    direction: "out",
    action: "ACCEPT",
    sourceAddress: destAddress,
    sourcePort: destPort,
    destAddress: sourceAddress,
    destPort: sourcePort,
    packets: 1,
  } as const;
  if (!endpoints.has(`${destAddress}:${destPort}`))
    return [
      { ...forth, action: "ACCEPT", packets: 1, bytes: SYN_BYTES, tcpFlags: TCP_FLAGS.SYN },
      { ...back, bytes: RST_BYTES, tcpFlags: TCP_FLAGS.RST },
    ];
  // A scanner that is answered goes away at once.
  return [
    {
      ...forth,
      action: "ACCEPT",
      packets: 2,
      bytes: SYN_BYTES + RST_BYTES,
      tcpFlags: TCP_FLAGS.SYN | TCP_FLAGS.RST,
    },
    { ...back, bytes: SYN_BYTES, tcpFlags: TCP_FLAGS.SYN_ACK },
  ];
}
