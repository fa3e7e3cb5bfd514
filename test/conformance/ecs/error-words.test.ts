// Refusals whose words differ from API to API, by bytes: each as its own page has it.
import { describe, expect, it } from "vitest";
import { aTarget } from "./target.ts";
import { rulesOf } from "./world.ts";

const protocols = "must be specified with case insensitive TCP, UDP, ICMP, GRE or All.";
const rule = { IpProtocol: "tcp", PortRange: "22/22", Policy: "accept", Priority: "1" };

/** A group with one rule of each direction, and a call about the one or the other. */
const aGroup = async (direction: "ingress" | "egress") => {
  const { call, client, group } = await aTarget();
  const SecurityGroupId = await group();
  const [action, peer] =
    direction === "ingress"
      ? (["AuthorizeSecurityGroup", { SourceCidrIp: "203.0.113.7/32" }] as const)
      : (["AuthorizeSecurityGroupEgress", { DestCidrIp: "203.0.113.7/32" }] as const);
  await call(action, { SecurityGroupId, ...rule, ...peer });
  const id = (await rulesOf(client, SecurityGroupId, direction))[0]?.securityGroupRuleId ?? "";
  const about = { SecurityGroupId, ...rule, ...peer };
  return async (api: string, query: Record<string, string>): Promise<string> => {
    const ofRule: Record<string, string> = api.startsWith("Modify") ? { SecurityGroupRuleId: id } : {};
    const { status, body } = await call(api, { ...about, ...ofRule, ...query });
    return `${status} ${String(body["Code"])}: ${String(body["Message"])}`;
  };
};

type Row = readonly [api: string, outcome: string, query: Record<string, string>];
const ingress: Row[] = [
  [
    "AuthorizeSecurityGroup",
    `400 InvalidIpProtocol.ValueNotSupported: The parameter IpProtocol ${protocols}`,
    { IpProtocol: "x" },
  ],
  [
    "AuthorizeSecurityGroup",
    "400 InvalidPolicy.Malformed: The specified parameter Policy is not valid.",
    { Policy: "x" },
  ],
  [
    "AuthorizeSecurityGroup",
    "400 InvalidParam.SourceCidrIp: The specified parameter SourceCidrIp is not valid.",
    { SourceCidrIp: "x" },
  ],
  [
    "AuthorizeSecurityGroup",
    "400 InvalidSecurityGroupDiscription.Malformed: The specified security group rule description parameter Description is not valid.",
    { Description: "x".repeat(513) },
  ],
  [
    "RevokeSecurityGroup",
    `400 InvalidIpProtocol.ValueNotSupported: The parameter IpProtocol ${protocols}`,
    { IpProtocol: "x" },
  ],
  [
    "RevokeSecurityGroup",
    "400 InvalidNicType.ValueNotSupported: The specified parameter NicType is not valid.",
    { NicType: "x" },
  ],
  [
    "RevokeSecurityGroup",
    "400 InvalidSecurityGroupDiscription.Malformed: The specified security group rule description is not valid.",
    { Description: "x".repeat(513) },
  ],
  [
    "RevokeSecurityGroup",
    "400 InvalidPriority.ValueNotSupported: The specified parameter Priority is invalid.",
    { Priority: "101" },
  ],
  [
    "ModifySecurityGroupRule",
    "400 InvalidPriority.ValueNotSupported: The parameter Priority is invalid.",
    { Priority: "101" },
  ],
  [
    "ModifySecurityGroupRule",
    "400 InvalidParam.SourceCidrIp: The specified param SourceCidrIp is not valid.",
    { SourceCidrIp: "x" },
  ],
  [
    "ModifySecurityGroupRule",
    "400 InvalidSecurityGroupDiscription.Malformed: The specified security group rule description is not valid.",
    { Description: "x".repeat(513) },
  ],
];
const egress: Row[] = [
  [
    "AuthorizeSecurityGroupEgress",
    "400 InvalidParam.SourceCidrIp: The specified param SourceCidrIp is not valid.",
    { SourceCidrIp: "x" },
  ],
  [
    "AuthorizeSecurityGroupEgress",
    "400 InvalidParam.DestCidrIp: The specified parameter DestCidrIp is not valid.",
    { DestCidrIp: "x" },
  ],
  [
    "RevokeSecurityGroupEgress",
    "400 InvalidParam.SourceCidrIp: The specified parameter SourceCidrIp is not valid.",
    { SourceCidrIp: "x" },
  ],
  [
    "RevokeSecurityGroupEgress",
    "400 InvalidPolicy.Malformed: The specified parameter Policy is not valid.",
    { Policy: "x" },
  ],
  [
    "ModifySecurityGroupEgressRule",
    "400 InvalidParam.DestCidrIp: The specified param DestCidrIp is not valid.",
    { DestCidrIp: "x" },
  ],
  [
    "ModifySecurityGroupEgressRule",
    "400 InvalidPriority.Malformed: The specified parameter Priority is not valid.",
    { Priority: "x" },
  ],
  [
    "ModifySecurityGroupEgressRule",
    "400 InvalidPriority.ValueNotSupported: The specified Priority is invalid.",
    { Priority: "101" },
  ],
  [
    "ModifySecurityGroupEgressRule",
    "400 InvalidIpProtocol.ValueNotSupported: The specified parameter IpProtocol should not be null and only tcp, udp, icmp, gre or all is supported. Ignore case.",
    { IpProtocol: "x" },
  ],
];

describe("the words of a refusal", () => {
  it.each(ingress)("of %s: %s", async (api, outcome, query) => {
    expect(await (await aGroup("ingress"))(api, query)).toBe(outcome);
  });

  it.each(egress)("of %s: %s", async (api, outcome, query) => {
    expect(await (await aGroup("egress"))(api, query)).toBe(outcome);
  });

  it("of a group that names itself: another status where it is revoked", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group();
    const itself = { SecurityGroupId, IpProtocol: "tcp", PortRange: "22/22", SourceGroupId: SecurityGroupId };
    const [authorized, revoked] = [
      await call("AuthorizeSecurityGroup", itself),
      await call("RevokeSecurityGroup", itself),
    ];
    expect([authorized.status, revoked.status]).toEqual([403, 400]);
    for (const { body } of [authorized, revoked]) {
      expect(body).toMatchObject({
        Code: "InvalidParamter.Conflict",
        Message: "The specified SecurityGroupId should be different from the SourceGroupId.",
      });
    }
  });
});
