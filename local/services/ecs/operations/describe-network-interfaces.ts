// DescribeNetworkInterfaces: the interfaces of a region, filtered, in pages.
import { listOf, type RpcParameters } from "../../../protocol/rpc/parameters.ts";
import type { EcsEni } from "../model.ts";
import { type Operation, requireRegion } from "../operation.ts";
import { pageByEither } from "../paging.ts";
import type { EcsSwitches } from "../switches.ts";

const bounds = { min: 10, max: 500, fallback: 10, outOfBounds: "InvalidParameter", sizeMax: 100 } as const;

const itemOf = (eni: EcsEni): Record<string, unknown> => ({
  NetworkInterfaceId: eni.eniId,
  Type: eni.type,
  Status: "InUse",
  InstanceId: eni.instanceId,
  PrivateIpAddress: eni.privateIp,
  PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: eni.privateIp, Primary: true }] },
  Ipv6Sets: { Ipv6Set: eni.ipv6.map((Ipv6Address) => ({ Ipv6Address })) },
  SecurityGroupIds: { SecurityGroupId: eni.groupIds },
  ServiceManaged: eni.serviceManaged,
  ServiceID: 0,
  VpcId: eni.vpcId,
  VSwitchId: "",
  ZoneId: `${eni.regionId}-b`,
  Attachment: { InstanceId: eni.instanceId },
});

const filterOf = (params: RpcParameters, switches: EcsSwitches) => {
  const ids = listOf(params, "NetworkInterfaceId");
  const { SecurityGroupId, InstanceId, Type, ServiceManaged, VpcId, PrimaryIpAddress } = params;
  return (eni: EcsEni): boolean =>
    (ids.length === 0 || ids.includes(eni.eniId)) &&
    (SecurityGroupId === undefined ||
      (eni.groupIds.includes(SecurityGroupId) && (!eni.primary || switches.eniBySecurityGroup === "all"))) &&
    (InstanceId === undefined || eni.instanceId === InstanceId) &&
    (Type === undefined || eni.type === Type) &&
    (VpcId === undefined || eni.vpcId === VpcId) &&
    (PrimaryIpAddress === undefined || eni.privateIp === PrimaryIpAddress) &&
    (params.Status === undefined || params.Status === "InUse") &&
    (ServiceManaged === undefined || String(eni.serviceManaged) === ServiceManaged);
};

/** The operation `DescribeNetworkInterfaces`. */
export const describeNetworkInterfaces: Operation = {
  run: (context) => {
    const { params, view, switches } = context;
    const regionId = requireRegion(context);
    const found = view
      .enis()
      .filter((eni) => eni.regionId === regionId)
      .filter(filterOf(params, switches));
    const { items, paging } = pageByEither(found, params, `enis ${regionId}`, bounds);
    return { ...paging, NetworkInterfaceSets: { NetworkInterfaceSet: items.map(itemOf) } };
  },
};
