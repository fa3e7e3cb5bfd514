// The inventory port on ECS: which groups there are, and which network interfaces are in them.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { type CallPriority, CloudFailure, type GroupFacts, type Inventory, type Member } from "../../ports/firewall.ts";
import { allPages, type Fields, fields, incomplete, list, text, textOrNull } from "./ecs-answers.ts";
import { ecsLists } from "./ecs-lists.ts";
import type { RpcCall, RpcClient } from "./rpc-client.ts";

const CACHE_MS = 10 * 60_000;
const CACHE_ENTRIES_MAX = 20_000;
const GROUPS_PER_PAGE = 100;
const INSTANCES_PER_PAGE = 100;
const INTERFACES_PER_PAGE = 500;
const INTERFACES_PER_FILTER = 100;
const LIST = "DescribeSecurityGroups";
const GROUPS = ["SecurityGroups", "SecurityGroup"] as const;
const KNOWN_INTERFACE_TYPES = ["primary", "secondary"];

/**
 * Group facts and members are kept for 10 minutes by `clock`; `listGroups` refreshes the facts of what it lists. An absent
 * group is not remembered, and `instance` always asks.
 */
export function ecsInventory(rpc: RpcClient, clock: Clock): Inventory {
  const facts = new ShortMemory<GroupFacts>(clock);
  const members = new ShortMemory<readonly Member[]>(clock);
  const services = new ShortMemory<readonly Member[]>(clock);

  function readAll(
    action: string,
    envelope: readonly [string, string],
    region: string,
    priority: CallPriority,
    request: (nextToken: string | undefined) => RpcCall["request"],
  ): Promise<readonly unknown[]> {
    const page = (nextToken: string | undefined) =>
      rpc.call({ action, region, priority, reading: true, request: request(nextToken) });
    return allPages(action, envelope, page).then(({ items }) => items);
  }

  const readInstances = (
    region: string,
    priority: CallPriority,
    filter: { instanceIds: string } | { securityGroupId: string },
  ) =>
    readAll(
      "DescribeInstances",
      ["Instances", "Instance"],
      region,
      priority,
      (nextToken) => (models) =>
        new models.DescribeInstancesRequest({ regionId: region, ...filter, maxResults: INSTANCES_PER_PAGE, nextToken }),
    );

  const groupsRequest =
    (region: string, filter: { securityGroupId?: string }) =>
    (nextToken: string | undefined): RpcCall["request"] =>
    (models) =>
      new models.DescribeSecurityGroupsRequest({ regionId: region, ...filter, maxResults: GROUPS_PER_PAGE, nextToken });

  const readGroups = (region: string, priority: CallPriority, filter: { securityGroupId?: string }) =>
    readAll(LIST, GROUPS, region, priority, groupsRequest(region, filter));

  const readInterfaces = (
    region: string,
    priority: CallPriority,
    filter: { securityGroupId: string } | { networkInterfaceId: string[] },
  ) =>
    readAll(
      "DescribeNetworkInterfaces",
      ["NetworkInterfaceSets", "NetworkInterfaceSet"],
      region,
      priority,
      (nextToken) => (models) =>
        new models.DescribeNetworkInterfacesRequest({
          regionId: region,
          ...filter,
          maxResults: INTERFACES_PER_PAGE,
          nextToken,
        }),
    );

  return {
    ...ecsLists(rpc),

    async listGroups(region, priority) {
      const groups = (await readGroups(region, priority, {})).map((item) => groupFacts(region, fields(item)));
      for (const group of groups) facts.keep(keyOf(group.ref), group);
      return groups;
    },

    async groupPage(region, cursor, priority) {
      const request = groupsRequest(region, {})(cursor ?? undefined);
      const page = await rpc.call({ action: LIST, region, priority, reading: true, request });
      const found = fields(page[GROUPS[0]])[GROUPS[1]];
      if (!Array.isArray(found)) throw incomplete(LIST, `a page has no ${GROUPS.join(".")}`);
      const next = textOrNull(page["NextToken"]);
      if (next !== null && next === cursor) throw incomplete(LIST, "a page token repeats");
      return { groups: found.map((item) => groupFacts(region, fields(item))), next };
    },

    group(ref, priority, isFresh = false) {
      if (isFresh) facts.forget(keyOf(ref));
      return facts.get(keyOf(ref), async () => {
        const asked = readGroups(ref.region, priority, { securityGroupId: ref.groupId });
        const found = await absentAsNull(["groupGone"], asked);
        const all = found?.map((item) => groupFacts(ref.region, fields(item)));
        return all?.find((it) => it.ref.groupId === ref.groupId) ?? null;
      });
    },

    async members(ref, priority) {
      const found = await members.get(keyOf(ref), async () => {
        // Neither list alone is documented to hold all: primary interfaces come with their instances.
        const [interfaces, instances] = await Promise.all([
          readInterfaces(ref.region, priority, { securityGroupId: ref.groupId }),
          readInstances(ref.region, priority, { securityGroupId: ref.groupId }),
        ]);
        return mergeMembers(interfaces.map(fields), instances.map(fields));
      });
      return found ?? [];
    },

    async serviceMembers(ref, priority) {
      const read = async () =>
        mergeMembers((await readInterfaces(ref.region, priority, { securityGroupId: ref.groupId })).map(fields), []);
      const known = members.known(keyOf(ref))?.catch((error: unknown) => {
        if (!isThrottled(error)) throw error;
        return null;
      });
      const found = (await known) ?? (await services.get(keyOf(ref), read)) ?? [];
      return found.filter((member) => member.serviceManaged);
    },

    async interfaces(region, eniIds, priority) {
      const found = await readInterfaces(region, priority, { networkInterfaceId: [...eniIds] });
      return mergeMembers(found.map(fields), []);
    },

    async interfacesOf(region, instanceIds, priority) {
      // Instances list their interfaces, and of secondary ones not the groups.
      const filter = { instanceIds: JSON.stringify(instanceIds) };
      const found = await absentAsNull(["InvalidInstanceId.NotFound"], readInstances(region, priority, filter));
      const instances = (found ?? []).map(fields);
      const eniIds = instances.flatMap((it) => membersOfInstance(it).flatMap(({ eniId }) => eniId || []));
      const interfaces: unknown[] = [];
      for (let at = 0; at < eniIds.length; at += INTERFACES_PER_FILTER) {
        const networkInterfaceId = eniIds.slice(at, at + INTERFACES_PER_FILTER);
        interfaces.push(...(await readInterfaces(region, priority, { networkInterfaceId })));
      }
      return mergeMembers(interfaces.map(fields), instances);
    },

    async instance(region, instanceId, priority) {
      const filter = { instanceIds: JSON.stringify([instanceId]) };
      const found = await absentAsNull(["InvalidInstanceId.NotFound"], readInstances(region, priority, filter));
      const instance = found?.map(fields).find((item) => text(item["InstanceId"]) === instanceId);
      return instance === undefined ? null : membersOfInstance(instance);
    },
  };
}

function keyOf(ref: GroupRef): string {
  return `${ref.region}/${ref.groupId}`;
}

const isThrottled = (error: unknown): boolean => error instanceof CloudFailure && error.kind === "throttled";

async function absentAsNull<Value>(absent: readonly string[], asked: Promise<Value>): Promise<Value | null> {
  try {
    return await asked;
  } catch (error) {
    const says =
      error instanceof CloudFailure && [error.kind, error.cloudCode].some((it) => it !== null && absent.includes(it));
    if (says) return null;
    throw error;
  }
}

function groupFacts(region: string, group: Fields): GroupFacts {
  return {
    ref: { region, groupId: text(group["SecurityGroupId"]) as GroupId },
    name: text(group["SecurityGroupName"]),
    vpcId: text(group["VpcId"]),
    type: text(group["SecurityGroupType"]).toLowerCase() === "enterprise" ? "enterprise" : "normal",
    serviceManaged: isTrue(group["ServiceManaged"]),
    tags: Object.fromEntries(
      list(group["Tags"], "Tag")
        .map(fields)
        .map((tag) => [text(tag["TagKey"] ?? tag["Key"]), text(tag["TagValue"] ?? tag["Value"])]),
    ),
  };
}

/** Interfaces as listed, then the primary interfaces of instances that the list does not hold. */
function mergeMembers(interfaces: readonly Fields[], instances: readonly Fields[]): Member[] {
  const names = new Map(
    instances.map((instance) => [text(instance["InstanceId"]), textOrNull(instance["InstanceName"])]),
  );
  const found = new Map<string, Member>();
  for (const item of interfaces) {
    const instanceId = textOrNull(item["InstanceId"]) ?? textOrNull(fields(item["Attachment"])["InstanceId"]);
    const member: Member = {
      eniId: text(item["NetworkInterfaceId"]),
      instanceId,
      instanceName: instanceId === null ? null : (names.get(instanceId) ?? null),
      address: addressOf(item),
      ipv6: ipv6Of(item),
      groupIds: groupIdsOf(item),
      serviceManaged: isTrue(item["ServiceManaged"]) || !isKnownType(item["Type"]),
    };
    found.set(member.eniId, member);
  }
  for (const instance of instances) {
    const primary = membersOfInstance(instance)[0];
    if (primary !== undefined && !found.has(primary.eniId)) found.set(primary.eniId, primary);
  }
  return [...found.values()];
}

/** Primary first. ECS lists the groups of the primary interface only: those of secondary ones are unknown, hence empty. */
function membersOfInstance(instance: Fields): Member[] {
  const own = { instanceId: text(instance["InstanceId"]), instanceName: textOrNull(instance["InstanceName"]) };
  const interfaces = list(instance["NetworkInterfaces"], "NetworkInterface").map(fields);
  const isPrimary = (item: Fields) => text(item["Type"]).toLowerCase() === "primary";
  const ordered = [...interfaces.filter(isPrimary), ...interfaces.filter((item) => !isPrimary(item))];
  if (ordered.length === 0) {
    const address = text(list(fields(instance["VpcAttributes"])["PrivateIpAddress"], "IpAddress")[0]);
    return [{ ...own, eniId: "", address, ipv6: [], groupIds: groupIdsOf(instance), serviceManaged: false }];
  }
  return ordered.map((item, index) => ({
    ...own,
    eniId: text(item["NetworkInterfaceId"]),
    address: addressOf(item),
    ipv6: ipv6Of(item),
    groupIds: index === 0 ? groupIdsOf(instance) : [],
    serviceManaged: index > 0 && !isKnownType(item["Type"]),
  }));
}

function addressOf(item: Fields): string {
  const addresses = list(item["PrivateIpSets"], "PrivateIpSet").map(fields);
  const primary = addresses.find((it) => isTrue(it["Primary"])) ?? addresses[0];
  return (
    textOrNull(item["PrivateIpAddress"]) ?? textOrNull(item["PrimaryIpAddress"]) ?? text(primary?.["PrivateIpAddress"])
  );
}

function ipv6Of(item: Fields): string[] {
  return list(item["Ipv6Sets"], "Ipv6Set").flatMap((it) => textOrNull(fields(it)["Ipv6Address"]) ?? []);
}

function groupIdsOf(item: Fields): GroupId[] {
  return list(item["SecurityGroupIds"], "SecurityGroupId").map((id) => text(id) as GroupId);
}

function isKnownType(type: unknown): boolean {
  return KNOWN_INTERFACE_TYPES.includes(text(type).toLowerCase());
}

function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

/**
 * Answers that are forgotten after a while, and the oldest first when there are too many. Those who ask while an answer is on its
 * way share it, but not that whoever asked for it had no call left; a failure and an absence are not kept.
 */
class ShortMemory<Value> {
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly value: Promise<Value | null>; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  known(key: string): Promise<Value | null> | undefined {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if (this.#clock.monotonicMs() - kept.atMs < CACHE_MS) return kept.value;
    this.#kept.delete(key);
    return undefined;
  }

  get(key: string, read: () => Promise<Value | null>): Promise<Value | null> {
    const known = this.known(key);
    if (known !== undefined)
      return known.catch((error: unknown) => {
        if (!isThrottled(error)) throw error;
        return this.get(key, read);
      });
    const value = read();
    this.#keep(key, value);
    const forget = () => {
      if (this.#kept.get(key)?.value === value) this.#kept.delete(key);
    };
    value.then((found) => {
      if (found === null) forget();
    }, forget);
    return value;
  }

  forget(key: string): void {
    this.#kept.delete(key);
  }

  keep(key: string, value: Value): void {
    this.#keep(key, Promise.resolve(value));
  }

  #keep(key: string, value: Promise<Value | null>): void {
    this.#kept.delete(key);
    this.#kept.set(key, { value, atMs: this.#clock.monotonicMs() });
    const oldest = this.#kept.keys().next();
    if (this.#kept.size > CACHE_ENTRIES_MAX && !oldest.done) this.#kept.delete(oldest.value);
  }
}
