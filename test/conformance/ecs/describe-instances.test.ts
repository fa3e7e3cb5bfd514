// DescribeInstances, by SDK and by bytes.
import { DescribeInstancesRequest, DescribeInstancesRequestTag } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { aWorld, type Client, refusalOf, regionId, seed } from "./world.ts";

const instances = async (client: Client, more: Partial<DescribeInstancesRequest> = {}) =>
  (await client.describeInstances(new DescribeInstancesRequest({ regionId, ...more }))).body;

const instanceIds = async (client: Client, more: Partial<DescribeInstancesRequest>) =>
  (await instances(client, more))?.instances?.instance?.map((each) => each.instanceId);

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

  itEmbedded("answers a dry run by its own code, once nothing else is wrong", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(instances(client, { dryRun: true }))).toEqual({ statusCode: 400, code: "DryRunOperation" });
    expect(await refusalOf(instances(client, { dryRun: true, instanceIds: "x" }))).toMatchObject({
      code: "InvalidParameter",
    });
  });

  itEmbedded("refuses ids that are no JSON list", async () => {
    const { client } = await aWorld();
    expect((await refusalOf(instances(client, { instanceIds: "i-web-1" }))).code).toBe("InvalidParameter");
  });
});

describe("DescribeInstances by bytes", () => {
  itEmbedded("answers the documented shape: groups and addresses in lists of one name", async () => {
    const { call } = await aWorld();
    const { status, body } = await call("DescribeInstances", { InstanceIds: '["i-web-2"]' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      NextToken: "",
      Instances: {
        Instance: [
          {
            InstanceId: "i-web-2",
            OSType: "linux",
            SecurityGroupIds: { SecurityGroupId: ["sg-web", "sg-empty"] },
            VpcAttributes: { VpcId: "vpc-1", PrivateIpAddress: { IpAddress: ["127.10.0.12"] } },
            PublicIpAddress: { IpAddress: [] },
            NetworkInterfaces: {
              NetworkInterface: [
                {
                  Type: "Primary",
                  PrimaryIpAddress: "127.10.0.12",
                  PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: "127.10.0.12", Primary: true }] },
                  Ipv6Sets: { Ipv6Set: [{ Ipv6Address: "2001:db8::12" }] },
                },
              ],
            },
            Tags: { Tag: [] },
          },
        ],
      },
    });
  });

  it("finds nobody in a group without members, and refuses more than 100 ids", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group();
    const { body } = await call("DescribeInstances", { SecurityGroupId });
    expect((body["Instances"] as { Instance: unknown[] }).Instance).toEqual([]);
    const InstanceIds = JSON.stringify(Array(101).fill("i-nobody"));
    expect(outcomeOf(await call("DescribeInstances", { InstanceIds }))).toMatch(/^400 Invalid/);
    expect(outcomeOf(await call("DescribeInstances", { RegionId: "mars-1" }))).toBe("404 InvalidRegionId.NotFound");
  });
});
