// Refusals whose words, and once whose status, differ from operation to operation.
import { RpcError } from "../../protocol/rpc/rpc-error.ts";
import type { EcsErrorCode } from "./errors.ts";
import type { Operation } from "./operation.ts";

type Words = Readonly<Partial<Record<EcsErrorCode, string>>>;

const ofRevoke: Words = {
  "InvalidIpProtocol.ValueNotSupported":
    "The parameter IpProtocol must be specified with case insensitive TCP, UDP, ICMP, GRE or All.",
  "InvalidNicType.ValueNotSupported": "The specified parameter NicType is not valid.",
  "InvalidSecurityGroupDiscription.Malformed": "The specified security group rule description is not valid.",
};
const ofModify: Words = {
  "InvalidParam.PrefixListAddressFamilyMismatch": "The address family of the prefix list does not match the rule.",
  "InvalidParam.SourceCidrIp": "The specified param SourceCidrIp is not valid.",
  "InvalidSecurityGroupDiscription.Malformed": "The specified security group rule description is not valid.",
};

/** What each operation says otherwise than the catalogue of all refusals. */
const wordings = {
  AuthorizeSecurityGroupEgress: { "InvalidParam.SourceCidrIp": "The specified param SourceCidrIp is not valid." },
  RevokeSecurityGroup: ofRevoke,
  RevokeSecurityGroupEgress: ofRevoke,
  ModifySecurityGroupRule: { ...ofModify, "InvalidPriority.ValueNotSupported": "The parameter Priority is invalid." },
  ModifySecurityGroupEgressRule: {
    ...ofModify,
    "InvalidIpProtocol.ValueNotSupported":
      "The specified parameter IpProtocol should not be null and only tcp, udp, icmp, gre or all is supported. Ignore case.",
    "InvalidParam.DestCidrIp": "The specified param DestCidrIp is not valid.",
    "InvalidPriority.Malformed": "The specified parameter Priority is not valid.",
    "InvalidPriority.ValueNotSupported": "The specified Priority is invalid.",
    "SecurityGroupRule.NotFound": "The target security group rule do not exist.",
  },
} as const satisfies Record<string, Words>;

type Worded = keyof typeof wordings;

const reworded = (name: Worded, error: RpcError): RpcError => {
  const words: Words = wordings[name];
  const { code, keepsEffect } = error;
  const status = name === "RevokeSecurityGroup" && code === "InvalidParamter.Conflict" ? 400 : error.status;
  return new RpcError({ status, code, message: words[code as EcsErrorCode] ?? error.message, keepsEffect });
};

/** The operation of that name, whose refusals say what its own page says. */
export const inItsWords = (name: Worded, operation: Operation): Operation => ({
  ...operation,
  run: (context) => {
    try {
      return operation.run(context);
    } catch (error) {
      throw error instanceof RpcError ? reworded(name, error) : error;
    }
  },
});
