// Single values of a permission: from the text of one parameter to what is stored, or to a refusal.
import { compressIpv6, parseIpv4, storedIpv4 } from "./addresses.ts";
import { refusal } from "./errors.ts";
import type { EcsPolicy } from "./model.ts";
import type { EcsSwitches } from "./switches.ts";

const protocols: Readonly<Record<string, string>> = {
  TCP: "TCP",
  UDP: "UDP",
  ICMP: "ICMP",
  ICMPV6: "ICMPv6",
  GRE: "GRE",
  ALL: "ALL",
};

/** The policy; accept when omitted. */
export const readPolicy = (text: string | undefined): EcsPolicy => {
  const policy = (text ?? "accept").toLowerCase();
  if (policy !== "accept" && policy !== "drop") throw refusal("InvalidPolicy.Malformed");
  return policy === "accept" ? "Accept" : "Drop";
};

/** The priority; 1, the strongest, when omitted. */
export const readPriority = (text: string | undefined, path: string): number => {
  if (text === undefined) return 1;
  if (!/^\d{1,9}$/.test(text)) throw refusal("InvalidPriority.Malformed");
  const priority = Number(text);
  if (priority < 1 || priority > 100) throw refusal("InvalidPriority.ValueNotSupported", path);
  return priority;
};

/** The protocol in the spelling of answers. */
export const readProtocol = (text: string, path: string): string => {
  const protocol = protocols[text.toUpperCase()];
  if (protocol === undefined) throw refusal("InvalidIpProtocol.ValueNotSupported", path);
  return protocol;
};

/** Whether the text is a range of ports: `start/end`, 1 to 65535, not backwards. */
export const isPortRange = (text: string): boolean => {
  const found = /^(\d{1,5})\/(\d{1,5})$/.exec(text);
  const [start, end] = [Number(found?.[1]), Number(found?.[2])];
  return start >= 1 && start <= end && end <= 65_535;
};

/** A source port range, which may be empty. */
export const readSourcePortRange = (text: string): string => {
  if (text !== "" && text !== "-1/-1" && !isPortRange(text)) throw refusal("InvalidSourcePortRange.Malformed");
  return text;
};

/** An IPv6 address or block, compressed; may be empty. */
export const readIpv6 = (text: string, name: "Ipv6SourceCidrIp" | "Ipv6DestCidrIp", path: string): string => {
  const compressed = text === "" ? "" : compressIpv6(text);
  if (compressed === undefined) throw refusal(`InvalidParam.${name}`, path + name);
  return compressed;
};

/** An IPv4 address or block in the form it is stored in; may be empty. */
export const readIpv4 = (
  text: string,
  name: "SourceCidrIp" | "DestCidrIp",
  path: string,
  switches: EcsSwitches,
): string => {
  if (text !== "" && parseIpv4(text) === undefined) throw refusal(`InvalidParam.${name}`, path + name);
  return storedIpv4(text, switches);
};

/** The description of a rule: absent, or 1 to 512 characters. */
export const readDescription = (text: string | undefined, path: string): string => {
  if (text !== undefined && (text.length < 1 || text.length > 512)) {
    throw refusal("InvalidSecurityGroupDiscription.Malformed", path);
  }
  return text ?? "";
};
