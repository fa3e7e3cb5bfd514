// A port that a lockdown leaves open, as people write it.
import { type PortRange, parsePortRange } from "./port-range.ts";

/** Ports of one protocol. */
export interface CorePort {
  readonly protocol: "tcp" | "udp";
  readonly range: PortRange;
}

/** Reads `80`, `8000-8010` (tcp), `tcp/80` or `udp/443`; null when it is none of them. */
export function parseCorePort(text: string): CorePort | null {
  const [, protocol, ports = ""] = /^(?:(tcp|udp)\/)?([\d-]+)$/.exec(text) ?? [];
  const range = parsePortRange(ports);
  return range && { protocol: protocol === "udp" ? "udp" : "tcp", range };
}
