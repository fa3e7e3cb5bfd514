// From the seed of an account to the first state.
import type { Random } from "../../../shared/ports/random.ts";
import type { EcsEni, EcsGroup, EcsInstance, EcsRule } from "./model.ts";
import { newId, timestamp } from "./operation.ts";
import type { EcsSnapshot } from "./persistence.ts";
import type { AccountSeed, SeedEni, SeedGroup, SeedInstance } from "./seed.ts";

const emptyRule: Omit<EcsRule, "ruleId" | "createTime"> = {
  direction: "ingress",
  policy: "Accept",
  priority: 1,
  ipProtocol: "TCP",
  portRange: "",
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
  nicType: "intranet",
  description: "",
};

/** The state an account starts from. Creation times are `now`. */
export const snapshotOf = (seed: AccountSeed, random: Random, now: number): EcsSnapshot => {
  const at = timestamp(now);
  const groupOf = (group: SeedGroup): EcsGroup => ({
    regionId: group.regionId ?? seed.regionId,
    groupId: group.groupId,
    name: group.name,
    description: "",
    type: group.type ?? "normal",
    innerAccessPolicy: group.innerAccessPolicy ?? (group.type === "enterprise" ? "Drop" : "Accept"),
    vpcId: seed.vpcId,
    serviceManaged: group.serviceManaged ?? false,
    tags: group.tags ?? {},
    creationTime: at,
    rules: group.rules.map((rule) => ({ ...emptyRule, ruleId: newId(random, "sgr"), createTime: at, ...rule })),
  });
  const primaryOf = (instance: SeedInstance): EcsEni => ({
    regionId: instance.regionId ?? seed.regionId,
    eniId: `eni-${instance.instanceId.replace(/^i-/, "")}`,
    instanceId: instance.instanceId,
    type: "Primary",
    primary: true,
    privateIp: instance.address,
    ipv6: instance.ipv6 ?? [],
    groupIds: instance.groupIds,
    serviceManaged: false,
    vpcId: seed.vpcId,
  });
  const furtherOf = (eni: SeedEni): EcsEni => ({
    regionId: eni.regionId ?? seed.regionId,
    eniId: eni.eniId,
    instanceId: eni.instanceId ?? "",
    type: eni.type ?? "Secondary",
    primary: false,
    privateIp: eni.address,
    ipv6: eni.ipv6 ?? [],
    groupIds: eni.groupIds,
    serviceManaged: eni.serviceManaged ?? false,
    vpcId: seed.vpcId,
  });
  const enis = [...seed.instances.map(primaryOf), ...(seed.enis ?? []).map(furtherOf)];
  const instances = seed.instances.map(
    (instance): EcsInstance => ({
      instanceId: instance.instanceId,
      name: instance.name,
      regionId: instance.regionId ?? seed.regionId,
      status: "Running",
      eniIds: enis.filter((eni) => eni.instanceId === instance.instanceId).map((eni) => eni.eniId),
      listening: instance.listening,
      ...(instance.listeningUdp === undefined ? {} : { listeningUdp: instance.listeningUdp }),
    }),
  );
  return { groups: seed.groups.map(groupOf), enis, instances, lists: [], tokens: [] };
};
