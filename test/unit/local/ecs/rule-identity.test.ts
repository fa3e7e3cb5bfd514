// Which rules are one rule, and what kind of object a rule has.
import { describe, expect, it } from "vitest";
import { entityTypeOf, isSameRule, peerOf, type RuleFields } from "../../../../local/services/ecs/rule-identity.ts";
import { defaultSwitches, type EcsSwitches } from "../../../../local/services/ecs/switches.ts";

const blank = {
  sourcePortRange: "",
  sourceCidrIp: "",
  ipv6SourceCidrIp: "",
  sourceGroupId: "",
  sourceGroupOwnerAccount: "",
  sourcePrefixListId: "",
  destCidrIp: "",
  ipv6DestCidrIp: "",
  destGroupId: "",
  destGroupOwnerAccount: "",
  destPrefixListId: "",
  portRangeListId: "",
} as const;

const rule = (changes: Partial<RuleFields> = {}): RuleFields => ({
  ...blank,
  direction: "ingress",
  policy: "Accept",
  priority: 1,
  ipProtocol: "TCP",
  portRange: "22/22",
  nicType: "intranet",
  description: "",
  sourceCidrIp: "203.0.113.7",
  ...changes,
});

const isSame = (changes: Partial<RuleFields>, switches: Partial<EcsSwitches> = {}): boolean =>
  isSameRule(rule(changes), rule(), { ...defaultSwitches, ...switches });

describe("the identity of a rule", () => {
  it.each<Partial<RuleFields>>([
    { direction: "egress" },
    { policy: "Drop" },
    { priority: 2 },
    { ipProtocol: "UDP" },
    { portRange: "23/23" },
    { portRangeListId: "prl-1" },
    { sourcePortRange: "1/2" },
    { sourceCidrIp: "203.0.113.7/32" },
    { ipv6SourceCidrIp: "::1" },
    { sourceGroupId: "sg-1" },
    { sourcePrefixListId: "pl-1" },
    { destCidrIp: "10.0.0.1" },
    { ipv6DestCidrIp: "::1" },
    { destGroupId: "sg-1" },
    { destPrefixListId: "pl-1" },
  ])("is another with %o", (changes) => {
    expect(isSame(changes)).toBe(false);
  });

  it.each<Partial<RuleFields>>([
    { description: "other words" },
    { sourcePortRange: "-1/-1" },
    { sourceGroupOwnerAccount: "somebody" },
  ])("is the same with %o", (changes) => {
    expect(isSame(changes)).toBe(true);
  });

  it("takes an address for its /32, and looks away from the priority, when switched so", () => {
    expect(isSame({ sourceCidrIp: "203.0.113.7/32" }, { bareVersusSlash32: "same" })).toBe(true);
    expect(isSame({ sourceCidrIp: "203.0.113.7/31" }, { bareVersusSlash32: "same" })).toBe(false);
    expect(isSame({ priority: 9 }, { authorizePriorityDiffers: "no-op" })).toBe(true);
    expect(isSameRule(rule({ priority: 9 }), rule(), defaultSwitches, () => false)).toBe(true);
  });
});

describe("the object of a rule", () => {
  it("is on the far side: the source of what comes in, the destination of what goes out", () => {
    const both = { sourceCidrIp: "10.0.0.1", destCidrIp: "10.0.0.2" };
    expect(peerOf(rule(both)).cidrIp).toBe("10.0.0.1");
    expect(peerOf(rule({ ...both, direction: "egress" })).cidrIp).toBe("10.0.0.2");
  });

  it.each([
    [{ cidrIp: "10.0.0.1" }, "ipv4"],
    [{ ipv6CidrIp: "::1" }, "ipv6"],
    [{ groupId: "sg-1" }, "group"],
    [{ prefixListId: "pl-1" }, "prefix-list"],
    [{}, "none"],
  ])("%o is of the kind %s", (part, kind) => {
    expect(entityTypeOf({ cidrIp: "", ipv6CidrIp: "", groupId: "", prefixListId: "", ...part })).toBe(kind);
  });
});
