// Which rules the service takes for the same rule.
import type { EcsRule } from "./model.ts";
import type { Peer } from "./permission-peer.ts";
import type { EcsSwitches } from "./switches.ts";

/** A rule before it has an id. */
export type RuleFields = Omit<EcsRule, "ruleId" | "createTime">;

/** The fields in which two rules that are the same agree; a switch says whether priority and spelling of an address count too. */
const tellingFields = [
  "direction",
  "policy",
  "ipProtocol",
  "portRange",
  "portRangeListId",
  "ipv6SourceCidrIp",
  "sourceGroupId",
  "sourcePrefixListId",
  "ipv6DestCidrIp",
  "destGroupId",
  "destPrefixListId",
  "nicType",
] as const satisfies readonly (keyof RuleFields)[];

const ports = (text: string): string => (text === "-1/-1" ? "" : text);
const slash32 = (text: string): string => (text === "" || text.includes("/") ? text : `${text}/32`);

/**
 * Whether the service takes two rules for one. The description does not matter. A switch is read where it decides, so that
 * what reads none goes the same way under every reading.
 */
export const isSameRule = (
  one: RuleFields,
  other: RuleFields,
  switches: EcsSwitches,
  isPriorityLooked = (): boolean => switches.authorizePriorityDiffers === "second-rule",
): boolean =>
  tellingFields.every((name) => one[name] === other[name]) &&
  ports(one.sourcePortRange) === ports(other.sourcePortRange) &&
  slash32(one.sourceCidrIp) === slash32(other.sourceCidrIp) &&
  slash32(one.destCidrIp) === slash32(other.destCidrIp) &&
  (one.priority === other.priority || !isPriorityLooked()) &&
  ((one.sourceCidrIp === other.sourceCidrIp && one.destCidrIp === other.destCidrIp) ||
    switches.bareVersusSlash32 === "same");

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
