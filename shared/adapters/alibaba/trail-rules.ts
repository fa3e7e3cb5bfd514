// The rules that a recorded call names, in every shape in which a record may tell them.
import type { Direction } from "../../domain/rule.ts";
import type { Sighting } from "../../domain/sighting.ts";
import { type Fields, text, textOrNull } from "./ecs-answers.ts";
import { ruleFromWire } from "./ecs-rule.ts";
import { listOf, numberedObjects } from "./trail-parameters.ts";

/** Parameters without a number that only a rule has: the old form of one permission, and that of a modify. */
const RULE_FIELDS = ["IpProtocol", "PortRange", "PortRangeListId", "Policy", "Priority", "Description"] as const;
const DESCRIPTION_LENGTH_MAX = 512;

/** The permissions of a call as they were written; null when there is a list of something else. */
export function permissionsOf(parameters: Fields): readonly Fields[] | null {
  const list = listOf(parameters["Permissions"]) ?? [];
  if (list.length > 0) return list.every(isObject) ? list : null;
  const numbered = numberedObjects(parameters, "Permissions");
  if (numbered.length > 0) return numbered;
  return RULE_FIELDS.some((name) => textOrNull(parameters[name]) !== null) ? [parameters] : [];
}

/**
 * What permissions mean when they are written; null when that of one cannot be told for certain. `whole` asks that nothing
 * is left to a default: nobody documents what a modify makes of a field that is left out.
 */
export function rulesOf(permissions: readonly Fields[], direction: Direction, whole: boolean): Sighting["rules"] {
  const rules = permissions.flatMap((permission) => {
    const rule = isCertain(permission, whole) ? writtenRule(permission, direction) : null;
    return rule === null ? [] : [rule];
  });
  return rules.length === permissions.length ? rules : null;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCertain(permission: Fields, whole: boolean): boolean {
  const given = (name: string): boolean => textOrNull(permission[name]) !== null;
  const policy = text(permission["Policy"]).toLowerCase();
  const protocol = text(permission["IpProtocol"]).toLowerCase();
  const hasPorts = given("PortRange") || given("PortRangeListId");
  return (
    protocol !== "" &&
    // Only protocols without ports may leave them out.
    (hasPorts || !(whole || protocol === "tcp" || protocol === "udp")) &&
    (whole ? ["accept", "drop"] : ["accept", "drop", ""]).includes(policy) &&
    (whole ? /^([1-9]\d?|100)$/ : /^([1-9]\d?|100)?$/).test(text(permission["Priority"])) &&
    // The cloud refuses both families at once.
    !["Source", "Dest"].some((side) => given(`${side}CidrIp`) && given(`Ipv6${side}CidrIp`))
  );
}

function writtenRule(permission: Fields, direction: Direction): NonNullable<Sighting["rules"]>[number] | null {
  // Written, a port list counts only where there is no range; read, there is never both.
  const list = textOrNull(permission["PortRange"]) === null ? permission["PortRangeListId"] : "";
  const rule = ruleFromWire({ ...permission, Direction: direction, PortRangeListId: list });
  if (rule.peer.kind === "opaque") return null;
  const { protocol, ports, peer, policy, priority, sourcePorts, dest } = rule;
  return {
    spec: { direction, protocol, ports, peer, policy, priority, sourcePorts, dest },
    description: rule.description.slice(0, DESCRIPTION_LENGTH_MAX),
  };
}
