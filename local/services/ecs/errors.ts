// Every refusal of the embedded ECS, with the service's own spelling. `%s` is the path of the parameter.
import { RpcError } from "../../protocol/rpc/rpc-error.ts";

const sourceNeeded =
  "One of the parameters SourceCidrIp, Ipv6SourceCidrIp, SourceGroupId or SourcePrefixListId in %s must be specified.";
const destNeeded =
  "One of the parameters DestCidrIp, Ipv6DestCidrIp, DestGroupId or DestPrefixListId in %s must be specified.";
const notValid = "The specified parameter %s is not valid.";
const noGroup = "The specified SecurityGroupId does not exist.";
const managed = "The operation is not permitted: the security group %s is managed by a cloud product.";

const catalogue = {
  AclLimitExceed: [403, "The limit of rules over all security groups of the network interface reaches."],
  AuthorizationLimitExceed: [403, "The limit of authorization records in the security group reaches."],
  "AuthorizedGroupRule.LimitExceed": [
    400,
    "You have reached the limit on the number of group authorization rules that you can add to a security group.When authorization object of rule is security group, the limit is 20.",
  ],
  DependencyViolation: [403, "There is still instance(s) in the specified security group."],
  "Duplicate.TagKey": [400, "The Tag.N.Key contain duplicate key."],
  IdempotentProcessing: [403, "The previous idempotent request(s) is still processing."],
  DryRunOperation: [400, "Request validation has been passed with DryRun flag set."],
  "Forbidden.RAM": [403, "User not authorized to operate on the specified resource, or this API doesn't support RAM."],
  IdempotentParameterMismatch: [400, "The specified parameter has changed while using an already used clientToken."],
  InstanceLastSecurityGroup: [403, "The instance must be in at least one security group."],
  InstanceNotInSecurityGroup: [403, "The specified instance is not in the specified security group."],
  InstanceSecurityGroupLimitExceeded: [400, "The instance is in the maximum number of security groups."],
  "InvalidAction.NotFound": [404, "Specified api is not found, please check your url and method."],
  IncorrectInstanceStatus: [403, "The current status of the resource does not support this operation."],
  "InvalidClientToken.Malformed": [400, "The specified parameter ClientToken is not valid."],
  "InvalidDestGroupId.Mismatch": [400, "Specified security group and destination group are not in the same VPC."],
  "InvalidDestGroupId.NotFound": [404, "The DestGroupId provided does not exist in our records."],
  "InvalidDescription.Malformed": [400, "The specified parameter Description is not valid."],
  "InvalidGroupAuthParameter.OperationDenied": [
    400,
    "The security group can not authorize to enterprise level security group.",
  ],
  "InvalidGroupParameter.OperationDenied": [
    400,
    "The attributes Policy, SourceGroupId, DestGroupId of enterprise level security groups are not allowed to be set or modified.",
  ],
  "InvalidInstanceId.AlreadyExists": [403, "The specified instance is already in the specified security group."],
  "InvalidInstanceId.NotFound": [404, "The specified InstanceId does not exist."],
  "InvalidIpProtocol.ValueNotSupported": [
    400,
    "The parameter %s must be specified with case insensitive TCP, UDP, ICMP, GRE or All.",
  ],
  "InvalidNetworkInterfaceId.NotFound": [404, "The specified NetworkInterfaceId does not exist."],
  "InvalidNicType.ValueNotSupported": [400, "The specified NicType does not exist."],
  "InvalidOperation.AtLeastInOneGroup": [403, "The network interface must be in at least one security group."],
  "InvalidOperation.EniServiceManaged": [403, "The specified network interface is managed by a cloud product."],
  "InvalidOperation.ModifyNicType": [400, "NicType is not allowed to modify."],
  "InvalidOperation.ModifyPortRangeType": [
    400,
    "The PortRange type is not allowed to be modified. You cannot modify a rule from using the port list to not using it, and vice versa.",
  ],
  "InvalidOperation.ModifySgRuleEntityType": [400, "The source or destination type of the rules cannot be modified."],
  "InvalidOperation.MultiGroupType": [400, "The specified instance can not join different types of security groups."],
  "InvalidOperation.ResourceManagedByCloudProduct": [403, managed],
  "InvalidOperation.RuleDuplicate": [400, "The rule %s duplicates an existing rule."],
  "InvalidParam.DestCidrIp": [400, notValid],
  "InvalidParam.DestIp": [400, "The Parameters DestCidrIp and Ipv6DestCidrIp in %s cannot be set at the same time."],
  "InvalidParam.DuplicatePermissions": [400, "There are duplicate permissions in the specified parameter Permissions."],
  "InvalidParam.InvalidModifyRuleRequest": [400, "The request parameters are illegal."],
  "InvalidParam.Ipv4ProtocolConflictWithIpv6Address": [
    400,
    "IPv6 address cannot be specified for IPv4-specific protocol.",
  ],
  "InvalidParam.Ipv6DestCidrIp": [400, notValid],
  "InvalidParam.Ipv6ProtocolConflictWithIpv4Address": [
    400,
    "IPv4 address cannot be specified for IPv6-specific protocol.",
  ],
  "InvalidParam.Ipv6SourceCidrIp": [400, notValid],
  "InvalidParam.Permissions": [400, "The specified parameter Permissions cannot coexist with other parameters."],
  "InvalidParam.PortRange": [
    400,
    "The specified parameter %s is not valid. It should be two integers less than 65535 in ?/? format.",
  ],
  "InvalidParam.PrefixListAddressFamilyMismatch": [
    400,
    "The address family of the specified prefix list does not match the specified CidrIp.",
  ],
  "InvalidParam.ProtocolAndPortRangeMismatch": [400, "The specified Protocol and PortRange do not match."],
  "InvalidParam.ProtocolNotSupportPortRangeList": [400, "The specified protocol does not support the port range list."],
  "InvalidParam.SecurityGroupRuleId": [400, "The specified parameter SecurityGroupRuleId is not valid."],
  "InvalidParam.SecurityGroupRuleIdRepeated": [400, "The specified parameter SecurityGroupRuleId is repeated."],
  "InvalidParam.SourceCidrIp": [400, notValid],
  "InvalidParam.SourceIp": [
    400,
    "The Parameters SourceCidrIp and Ipv6SourceCidrIp in %s cannot be set at the same time.",
  ],
  InvalidParameter: [400, notValid],
  "InvalidParameter.Conflict": [400, "IPv6 and IPv4 addresses cannot exist at the same time."],
  "InvalidParameter.InnerAccessPolicy": [404, "The specified InnerAccessPolicy is not valid."],
  "InvalidParameter.SecurityGroupType": [400, "The specified SecurityGroupType is not valid."],
  "InValidParameter.NextToken": [400, "The specified parameter NextToken is not valid."],
  "InvalidParams.GroupType": [400, "The specified SecurityGroupType is not valid."],
  "InvalidParams.VpcIdGroupType": [400, "Enterprise level security groups must be created in a VPC."],
  "InvalidParameter.AddressFamily": [400, "The parameter AddressFamily should be IPv4 or IPv6."],
  "InvalidParameter.AttributeNotSupported": [400, "The specified Attribute is not supported."],
  "InvalidParameter.CidrDuplicated": [400, "The CIDR block %s is duplicated."],
  "InvalidParameter.CidrMalformed": [400, "The CIDR block %s is not valid."],
  "InvalidParameter.PortRange": [
    400,
    "The specified parameter PortRange is not valid. It should be two integers less than 65535 in specified format.",
  ],
  "InvalidParameter.PortRangeDuplicated": [400, "The specified PortRange is duplicated."],
  "InvalidParameter.PortRangeListName": [400, "The specified parameter PortRangeListName is not valid."],
  "InvalidParameter.PrefixListName": [400, "The parameter PrefixListName is not valid."],
  InvalidParamter: [400, notValid],
  "InvalidParamter.Conflict": [403, "The specified SecurityGroupId should be different from the SourceGroupId."],
  "InvalidPolicy.Malformed": [400, "The specified parameter Policy is not valid."],
  "InvalidPortRange.Malformed": [400, "The specified parameter PortRange must set."],
  "InvalidPortRangeListId.AssociationExist": [400, "The specified port range list has association resources."],
  "InvalidPortRangeListId.NotFound": [400, "The specified port range list was not found."],
  "InvalidPrefixListId.AssociationExist": [400, "The specified prefix list has association resources."],
  "InvalidPrefixListId.NotFound": [404, "The specified prefix list was not found."],
  "InvalidPriority.Malformed": [400, "The parameter Priority is invalid."],
  "InvalidPriority.ValueNotSupported": [400, "The specified parameter %s is invalid."],
  "InvalidRegionId.NotFound": [404, "The specified RegionId does not exist."],
  "InvalidResourceGroup.NotFound": [404, "The ResourceGroup provided does not exist in our records."],
  "InvalidResourceId.NotFound": [404, "The specified ResourceId %s is not found."],
  "InvalidResourceType.NotFound": [404, "The specified ResourceType is not supported."],
  "InvalidSecurityGroup.IsSame": [403, "The authorized SecurityGroupId should be different from the DestGroupId."],
  "InvalidSecurityGroup.NotFound": [404, noGroup],
  "InvalidSecurityGroupDiscription.Malformed": [
    400,
    "The specified security group rule description parameter %s is not valid.",
  ],
  "InvalidSecurityGroupId.Malformed": [400, "The specified parameter SecurityGroupId is not valid."],
  "InvalidSecurityGroupId.NotFound": [404, noGroup],
  "InvalidSecurityGroupName.Malformed": [400, "The specified parameter SecurityGroupName is not valid."],
  "InvalidSecurityGroupRule.RuleNotExist": [400, "The specified rule does not exist."],
  "InvalidSecurityGroupRuleId.NotFound": [404, "The specified SecurityGroupRuleId is not exists."],
  "InvalidSourceGroupId.Mismatch": [400, "Specified security group and source group are not in the same VPC."],
  "InvalidSourceGroupId.NotFound": [404, "The SourceGroupId provided does not exist in our records."],
  "InvalidSourceOrDestGroupId.DirectionMissmatch": [
    400,
    "The specified SourceGroupId or DestGroupId does not match the direction of the rule.",
  ],
  "InvalidSourcePortRange.Malformed": [400, "The specified parameter SourcePortRange is not valid."],
  "InvalidTagKey.Malformed": [400, "The specified Tag.n.Key is not valid."],
  "InvalidTagValue.Malformed": [400, "The specified Tag.n.Value is not valid."],
  "InvalidVpcId.NotFound": [404, "The specified VpcId does not exist."],
  "LimitExceed.Entry": [400, "The number of entries added or removed exceeds the limit."],
  "LimitExceed.MaxEntries": [400, "The number of entries exceeds the MaxEntries of the specified list."],
  "LimitExceed.PortRangeListId": [400, "The specified number of PortRangeListId exceeds the limit."],
  "LimitExceed.PortRangeListPerRegion": [404, "The number of port range lists in the region exceeds the limit."],
  "LimitExceed.PrefixListAssociationResource": [
    403,
    "The number of resources associated with the prefix list exceeds the limit.",
  ],
  "LimitExceed.PrefixListId": [400, "The specified number of PrefixListId exceeds the limit."],
  "LimitExceed.PrefixListPerRegion": [404, "The number of prefix lists in the region exceeds the limit."],
  MissingParameter: [400, "The input parameter %s that is mandatory for processing this request is not supplied."],
  "MissingParameter.Dest": [400, destNeeded],
  "MissingParameter.RegionId": [400, "The specified RegionId should not be null."],
  "MissingParameter.ResourceIds": [404, "The specified ResourceIds should not be null."],
  "MissingParameter.ResourceType": [404, "The specified ResourceType should not be null."],
  "MissingParameter.Source": [400, sourceNeeded],
  "MissingParameter.Tags": [404, "The specified Tags should not be null."],
  "NotSupported.PageNumberAndPageSize": [
    400,
    "The parameters PageNumber and PageSize are currently not supported, please use NextToken and MaxResults instead.",
  ],
  "NumberExceed.ResourceIds": [400, "The ResourceIds parameter's number is exceed."],
  "NumberExceed.Tags": [400, "The Tags parameter's number is exceed."],
  OperationDenied: [400, "The specified IpProtocol does not exist or IpProtocol and PortRange do not match."],
  "QuotaExceed.SecurityGroup": [403, "The maximum number of security groups is reached."],
  "QuotaExceed.Tags": [403, "The quota of tags on a resource is beyond permission."],
  SecurityGroupInstanceLimitExceeded: [403, "The maximum number of members of the security group is reached."],
  "SecurityGroupRule.NotFound": [404, "The target security group rule not exist."],
  UnsupportedHTTPMethod: [403, "This http method is not supported."],
} as const satisfies Record<string, readonly [number, string]>;

/** A code the embedded ECS may answer. */
export type EcsErrorCode = keyof typeof catalogue;

/** The refusal of that code; `path` fills the `%s` of its message. */
export const refusal = (code: EcsErrorCode, path = ""): RpcError => {
  const [status, message] = catalogue[code];
  return new RpcError({ status, code, message: message.replace("%s", path) });
};
