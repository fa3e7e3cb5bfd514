// DescribeNetworkInterfaces, by SDK and by bytes.
import { DescribeNetworkInterfacesRequest } from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { aWorld, type Client, regionId } from "./world.ts";

const enis = async (client: Client, more: Partial<DescribeNetworkInterfacesRequest> = {}) => {
  const request = new DescribeNetworkInterfacesRequest({ regionId, maxResults: 100, ...more });
  return (await client.describeNetworkInterfaces(request)).body?.networkInterfaceSets?.networkInterfaceSet ?? [];
};

const eniIds = async (client: Client, more: Partial<DescribeNetworkInterfacesRequest>) =>
  (await enis(client, more)).map((each) => each.networkInterfaceId);

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

  itEmbedded("pages by number for older clients", async () => {
    const { client } = await aWorld();
    const request = new DescribeNetworkInterfacesRequest({ regionId, pageNumber: 2, pageSize: 1 });
    const { body } = await client.describeNetworkInterfaces(request);
    const all = await eniIds(client, {});
    expect(body).toMatchObject({ totalCount: all.length, pageNumber: 2, pageSize: 1, nextToken: "" });
    expect(body?.networkInterfaceSets?.networkInterfaceSet?.map((each) => each.networkInterfaceId)).toEqual([all[1]]);
  });

  itEmbedded("finds primary interfaces by group too when switched so", async () => {
    const { client } = await aWorld({ switches: { eniBySecurityGroup: "all" } });
    expect(await eniIds(client, { securityGroupId: "sg-empty" })).toEqual(["eni-web-2", "eni-second"]);
  });
});

describe("DescribeNetworkInterfaces by bytes", () => {
  itEmbedded("answers the documented shape", async () => {
    const { call } = await aWorld();
    const { body } = await call("DescribeNetworkInterfaces", { "NetworkInterfaceId.1": "eni-second" });
    expect(body).toMatchObject({
      NextToken: "",
      NetworkInterfaceSets: {
        NetworkInterfaceSet: [
          {
            NetworkInterfaceId: "eni-second",
            Type: "Secondary",
            Status: "InUse",
            InstanceId: "i-web-1",
            PrivateIpAddress: "127.10.0.21",
            PrivateIpSets: { PrivateIpSet: [{ PrivateIpAddress: "127.10.0.21", Primary: true }] },
            SecurityGroupIds: { SecurityGroupId: ["sg-empty"] },
            ServiceManaged: false,
            VpcId: "vpc-1",
            Attachment: { InstanceId: "i-web-1" },
          },
        ],
      },
    });
  });

  it("finds none in a group without members, and refuses page sizes out of bounds", async () => {
    const { call, group } = await aTarget();
    const SecurityGroupId = await group();
    const { body } = await call("DescribeNetworkInterfaces", { SecurityGroupId, MaxResults: "10" });
    expect((body["NetworkInterfaceSets"] as { NetworkInterfaceSet: unknown[] }).NetworkInterfaceSet).toEqual([]);
    for (const MaxResults of ["9", "501"]) {
      expect(outcomeOf(await call("DescribeNetworkInterfaces", { MaxResults }))).toMatch(/^400 Invalid/);
    }
  });
});
