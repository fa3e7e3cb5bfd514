// DescribeInstances, DescribeNetworkInterfaces and DescribeRegions as the official SDK sees them.
import {
  DescribeInstancesRequest,
  DescribeInstancesRequestTag,
  DescribeNetworkInterfacesRequest,
  DescribeRegionsRequest,
} from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aWorld, type Client, refusalOf, regionId, seed } from "./world.ts";

const instances = async (client: Client, more: Partial<DescribeInstancesRequest> = {}) =>
  (await client.describeInstances(new DescribeInstancesRequest({ regionId, ...more }))).body;

const instanceIds = async (client: Client, more: Partial<DescribeInstancesRequest>) =>
  (await instances(client, more))?.instances?.instance?.map((each) => each.instanceId);

const enis = async (client: Client, more: Partial<DescribeNetworkInterfacesRequest> = {}) => {
  const request = new DescribeNetworkInterfacesRequest({ regionId, maxResults: 100, ...more });
  return (await client.describeNetworkInterfaces(request)).body?.networkInterfaceSets?.networkInterfaceSet ?? [];
};

const eniIds = async (client: Client, more: Partial<DescribeNetworkInterfacesRequest>) =>
  (await enis(client, more)).map((each) => each.networkInterfaceId);

describe("DescribeInstances", () => {
  itEmbedded("describes an instance with its groups and addresses", async () => {
    const { client } = await aWorld();
    const body = await instances(client, { instanceIds: '["i-web-1"]' });
    expect(body?.instances?.instance).toHaveLength(1);
    const [instance] = body?.instances?.instance ?? [];
    expect(instance).toMatchObject({ instanceId: "i-web-1", instanceName: "web-1", status: "Running", regionId });
    expect(instance?.securityGroupIds?.securityGroupId).toEqual(["sg-web"]);
    expect(instance?.vpcAttributes?.privateIpAddress?.ipAddress).toEqual(["127.10.0.11"]);
    const interfaces = instance?.networkInterfaces?.networkInterface?.map((each) => [each.type, each.primaryIpAddress]);
    expect(interfaces).toEqual([
      ["Primary", "127.10.0.11"],
      ["Secondary", "127.10.0.21"],
    ]);
  });

  itEmbedded.each([
    [{}, ["i-web-1", "i-web-2"]],
    [{ securityGroupId: "sg-empty" }, ["i-web-2"]],
    [{ securityGroupId: "sg-nobody" }, []],
    [{ instanceIds: '["i-nobody"]' }, []],
    [{ status: "Stopped" }, []],
    [{ pageNumber: 2, pageSize: 1 }, ["i-web-2"]],
    [{ regionId: "cn-shanghai" }, []],
    [{ tag: [new DescribeInstancesRequestTag({ key: "any" })] }, []],
  ])("filters by %o", async (filter, expected) => {
    const { client } = await aWorld();
    expect(await instanceIds(client, filter)).toEqual(expected);
  });

  itEmbedded("pages, ten at least", async () => {
    const many = Array.from({ length: 11 }, (_, n) => ({
      instanceId: `i-${n}`,
      name: `n${n}`,
      address: `127.10.1.${n}`,
      groupIds: ["sg-web"],
      listening: [],
    }));
    const { client } = await aWorld({ seed: { ...seed, instances: many } });
    const first = await instances(client, { maxResults: 1 });
    expect(first?.instances?.instance).toHaveLength(10);
    expect(await instanceIds(client, { maxResults: 1, nextToken: first?.nextToken ?? "" })).toEqual(["i-10"]);
  });

  itEmbedded("refuses ids that are no JSON list", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(instances(client, { instanceIds: "i-web-1" }))).code).toBe("InvalidParameter");
  });
});

describe("DescribeNetworkInterfaces", () => {
  itEmbedded("describes an interface with its owner, type and addresses", async () => {
    const { client } = await aWorld();
    const [eni] = await enis(client, { instanceId: "i-web-2" });
    expect(eni).toMatchObject({
      type: "Primary",
      instanceId: "i-web-2",
      privateIpAddress: "127.10.0.12",
      serviceManaged: false,
    });
    expect(eni?.ipv6Sets?.ipv6Set?.map((each) => each.ipv6Address)).toEqual(["2001:db8::12"]);
    expect(eni?.securityGroupIds?.securityGroupId).toEqual(["sg-web", "sg-empty"]);
  });

  itEmbedded.each([
    [{ instanceId: "i-web-1" }, ["eni-web-1", "eni-second"]],
    [{ serviceManaged: true }, ["eni-lb"]],
    [{ type: "Secondary", instanceId: "i-web-1" }, ["eni-second"]],
    [{ networkInterfaceId: ["eni-lb"] }, ["eni-lb"]],
    [{ securityGroupId: "sg-empty" }, ["eni-second"]],
  ])("filters by %o", async (filter, expected) => {
    const { client } = await aWorld();
    expect(await eniIds(client, filter)).toEqual(expected);
  });

  itEmbedded("finds primary interfaces by group too when switched so", async () => {
    const { client } = await aWorld({ switches: { eniBySecurityGroup: "all" } });
    expect(await eniIds(client, { securityGroupId: "sg-empty" })).toEqual(["eni-web-2", "eni-second"]);
  });
});

describe("DescribeRegions", () => {
  itEmbedded("lists the regions of the account", async () => {
    const { client } = await aWorld();
    const { body } = await client.describeRegions(new DescribeRegionsRequest({}));
    expect(body?.regions?.region?.map((each) => each.regionId)).toEqual(["cn-hangzhou", "cn-shanghai"]);
  });
});
