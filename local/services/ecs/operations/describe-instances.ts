// DescribeInstances: the instances of a region, filtered, in pages.
import { refusal } from "../errors.ts";
import type { EcsEni, EcsInstance } from "../model.ts";
import { jsonListOf, type Operation, requireRegion } from "../operation.ts";
import { pageByEither } from "../paging.ts";
import { hasTags } from "../tags.ts";

const bounds = { min: 1, max: 100, fallback: 10, floor: 10, outOfBounds: "InvalidParameter", sizeMax: 100 } as const;

const eniItem = (eni: EcsEni): Record<string, unknown> => ({
  NetworkInterfaceId: eni.eniId,
  Type: eni.type,
  PrimaryIpAddress: eni.privateIp,
  PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: eni.privateIp, Primary: true }] },
  Ipv6Sets: { Ipv6Set: eni.ipv6.map((Ipv6Address) => ({ Ipv6Address })) },
});

const itemOf = (instance: EcsInstance, enis: readonly EcsEni[]): Record<string, unknown> => {
  const own = instance.eniIds.flatMap((id) => enis.filter((eni) => eni.eniId === id));
  const primary = own.find((eni) => eni.primary);
  return {
    InstanceId: instance.instanceId,
    InstanceName: instance.name,
    HostName: instance.name,
    RegionId: instance.regionId,
    ZoneId: `${instance.regionId}-b`,
    Status: instance.status,
    OSType: "linux",
    InstanceNetworkType: "vpc",
    SecurityGroupIds: { SecurityGroupId: primary?.groupIds ?? [] },
    VpcAttributes: {
      VpcId: primary?.vpcId ?? "",
      VSwitchId: "",
      PrivateIpAddress: { IpAddress: primary === undefined ? [] : [primary.privateIp] },
      NatIpAddress: "",
    },
    PublicIpAddress: { IpAddress: [] },
    InnerIpAddress: { IpAddress: [] },
    EipAddress: { IpAddress: "", AllocationId: "", InternetChargeType: "" },
    NetworkInterfaces: { NetworkInterface: own.map(eniItem) },
    Tags: { Tag: [] },
  };
};

/** The operation `DescribeInstances`. */
export const describeInstances: Operation = {
  run: (context) => {
    const { params, view } = context;
    const regionId = requireRegion(context);
    const ids = jsonListOf(params, "InstanceIds", 100);
    const enis = view.enis();
    const primaryOf = (instance: EcsInstance): EcsEni | undefined =>
      enis.find((eni) => eni.primary && eni.instanceId === instance.instanceId);
    const found = view
      .instances()
      .filter((instance) => instance.regionId === regionId)
      .filter((instance) => ids === undefined || ids.includes(instance.instanceId))
      .filter((instance) => params.Status === undefined || instance.status === params.Status)
      .filter((instance) => params.InstanceName === undefined || instance.name === params.InstanceName)
      .filter(() => hasTags({}, params))
      .filter((each) => params.VpcId === undefined || primaryOf(each)?.vpcId === params.VpcId)
      .filter((instance) => {
        const groupId = params.SecurityGroupId;
        return groupId === undefined || (primaryOf(instance)?.groupIds.includes(groupId) ?? false);
      });
    const { items, paging } = pageByEither(found, params, `instances ${regionId}`, bounds);
    if (params.DryRun === "true") throw refusal("DryRunOperation");
    return { ...paging, Instances: { Instance: items.map((instance) => itemOf(instance, enis)) } };
  },
};
