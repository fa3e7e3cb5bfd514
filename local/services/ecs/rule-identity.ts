// Which rules the service takes for the same rule.
import type { EcsRule } from "./model.ts";
import type { Peer } from "./permission-peer.ts";
import type { EcsSwitches } from "./switches.ts";

/** A rule before it has an id. */
export type RuleFields = Omit<EcsRule, "ruleId" | "createTime">;

type IdentitySwitches = Pick<EcsSwitches, "bareVersusSlash32" | "authorizePriorityDiffers">;

/** Everything that tells two rules apart, as text. The description does not; the priority by switch. */
export const identityOf = (rule: RuleFields, switches: IdentitySwitches): string => {
  const ipv4 = (text: string): string =>
    switches.bareVersusSlash32 === "same" && text !== "" && !text.includes("/") ? `${text}/32` : text;
  const ports = (text: string): string => (text === "-1/-1" ? "" : text);
  return JSON.stringify([
    rule.direction,
    rule.policy,
    switches.authorizePriorityDiffers === "second-rule" ? rule.priority : 0,
    rule.ipProtocol,
    rule.portRange,
    rule.portRangeListId,
    ports(rule.sourcePortRange),
    ipv4(rule.sourceCidrIp),
    rule.ipv6SourceCidrIp,
    rule.sourceGroupId,
    rule.sourcePrefixListId,
    ipv4(rule.destCidrIp),
    rule.ipv6DestCidrIp,
    rule.destGroupId,
    rule.destPrefixListId,
    rule.nicType,
  ]);
};

/** The authorization object of a rule: its source when it lets in, its destination when it lets out. */
export const peerOf = (rule: RuleFields): Omit<Peer, "groupOwnerAccount"> =>
  rule.direction === "ingress"
    ? {
        cidrIp: rule.sourceCidrIp,
        ipv6CidrIp: rule.ipv6SourceCidrIp,
        groupId: rule.sourceGroupId,
        prefixListId: rule.sourcePrefixListId,
      }
    : {
        cidrIp: rule.destCidrIp,
        ipv6CidrIp: rule.ipv6DestCidrIp,
        groupId: rule.destGroupId,
        prefixListId: rule.destPrefixListId,
      };

/** The kind of an authorization object. It never changes in the life of a rule. */
export const entityTypeOf = (
  peer: Omit<Peer, "groupOwnerAccount">,
): "ipv4" | "ipv6" | "group" | "prefix-list" | "none" => {
  if (peer.cidrIp !== "") return "ipv4";
  if (peer.ipv6CidrIp !== "") return "ipv6";
  if (peer.groupId !== "") return "group";
  return peer.prefixListId === "" ? "none" : "prefix-list";
};
