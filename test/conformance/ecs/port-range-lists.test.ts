// Port lists through the official SDK: made, read, changed, named by rules, resolved by the data plane, deleted.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { verdict } from "../../../local/dataplane/verdict.ts";
import { topologyOf } from "../../../local/services/ecs/topology-of.ts";
import { itEmbedded } from "./it-embedded.ts";
import { authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const entry = (portRange: string) => new sdk.CreatePortRangeListRequestEntry({ portRange, description: "why" });
const create = async (client: Client, more: Partial<sdk.CreatePortRangeListRequest> = {}) => {
  const request = new sdk.CreatePortRangeListRequest({
    regionId,
    portRangeListName: "web-ports",
    maxEntries: 3,
    entry: [entry("80/80"), entry("8000/8100")],
    ...more,
  });
  return (await client.createPortRangeList(request)).body?.portRangeListId ?? "";
};
const modify = (client: Client, portRangeListId: string, more: Partial<sdk.ModifyPortRangeListRequest>) =>
  client.modifyPortRangeList(new sdk.ModifyPortRangeListRequest({ regionId, portRangeListId, ...more }));
const entriesOf = async (client: Client, portRangeListId: string) =>
  (
    await client.describePortRangeListEntries(
      new sdk.DescribePortRangeListEntriesRequest({ regionId, portRangeListId }),
    )
  ).body?.entries;

const none = undefined as never;
const by = (portRangeListId: string, changes = {}) => ssh({ portRange: none, portRangeListId, ...changes });

describe("CreatePortRangeList and DescribePortRangeListEntries", () => {
  itEmbedded("make a list whose entries read back as a plain array", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    expect(id).toMatch(/^prl-/);
    expect(await entriesOf(client, id)).toMatchObject([
      { portRange: "80/80", description: "why" },
      { portRange: "8000/8100", description: "why" },
    ]);
  });

  itEmbedded.each([
    [{ entry: [entry("81/80")] }, "InvalidParameter.PortRange"],
    [{ entry: [entry("-1/-1")] }, "InvalidParameter.PortRange"],
    [{ entry: [entry("80/80"), entry("80/80")] }, "InvalidParameter.PortRangeDuplicated"],
    [{ maxEntries: 1 }, "LimitExceed.MaxEntries"],
    [{ maxEntries: 2_001 }, "InvalidParameter"],
    [{ portRangeListName: "8" }, "InvalidParameter.PortRangeListName"],
  ])("refuse %o", async (more, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(create(client, more))).toEqual({ statusCode: 400, code });
  });

  itEmbedded("refuse a list that is not there", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(entriesOf(client, "prl-no"))).toEqual({
      statusCode: 400,
      code: "InvalidPortRangeListId.NotFound",
    });
  });
});

describe("ModifyPortRangeList", () => {
  itEmbedded("adds and removes entries, once for one ClientToken", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    const more = {
      clientToken: "t",
      addEntry: [new sdk.ModifyPortRangeListRequestAddEntry({ portRange: "443/443" })],
      removeEntry: [new sdk.ModifyPortRangeListRequestRemoveEntry({ portRange: "80/80" })],
    };
    await modify(client, id, more);
    await modify(client, id, {
      removeEntry: [new sdk.ModifyPortRangeListRequestRemoveEntry({ portRange: "443/443" })],
    });
    await modify(client, id, more);
    expect((await entriesOf(client, id))?.map((each) => each.portRange)).toEqual(["8000/8100"]);
  });
});

describe("rules that name a port list", () => {
  itEmbedded("read back with its id and name, and open what it holds at the time", async () => {
    const { client, ecs } = await aWorld();
    const id = await create(client);
    await authorize(client, [by(id)]);
    expect((await rulesOf(client))[2]).toMatchObject({
      portRangeListId: id,
      portRangeListName: "web-ports",
      portRange: "",
    });
    const isIn = (destPort: number): boolean =>
      verdict(
        topologyOf(ecs),
        { sourceAddress: "203.0.113.7", destAddress: "127.10.0.11", protocol: "TCP", destPort },
        { destCidrIp: "honoured" },
      ).accept;
    expect([isIn(8000), isIn(8100), isIn(8101)]).toEqual([true, true, false]);
    await modify(client, id, { addEntry: [new sdk.ModifyPortRangeListRequestAddEntry({ portRange: "8101/8101" })] });
    expect(isIn(8101)).toBe(true);
  });

  itEmbedded("have the range of their own win over the list", async () => {
    const { client } = await aWorld();
    await authorize(client, [ssh({ portRangeListId: "prl-nobody" })]);
    expect((await rulesOf(client))[2]).toMatchObject({ portRange: "22/22", portRangeListId: "" });
  });

  itEmbedded("are of TCP or UDP, and stay with their list", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    expect((await refusalOf(authorize(client, [by(id, { ipProtocol: "icmp" })]))).code).toBe(
      "InvalidParam.ProtocolNotSupportPortRangeList",
    );
    await authorize(client, [by(id)]);
    const securityGroupRuleId = (await rulesOf(client))[2]?.securityGroupRuleId ?? "";
    const change = (more: Partial<sdk.ModifySecurityGroupRuleRequest>) =>
      client.modifySecurityGroupRule(
        new sdk.ModifySecurityGroupRuleRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId, ...more }),
      );
    expect((await refusalOf(change({ portRange: "1/1" }))).code).toBe("InvalidOperation.ModifyPortRangeType");
    await change({ description: "new words" });
    expect((await rulesOf(client))[2]).toMatchObject({ portRangeListId: id, description: "new words" });
  });
});

describe("DescribePortRangeLists, DescribePortRangeListAssociations and DeletePortRangeList", () => {
  itEmbedded("tell who names a list, and delete only what nobody names", async () => {
    const { client } = await aWorld();
    const id = await create(client, { tag: [new sdk.CreatePortRangeListRequestTag({ key: "k", value: "v" })] });
    await authorize(client, [by(id)]);
    const lists = await client.describePortRangeLists(new sdk.DescribePortRangeListsRequest({ regionId }));
    expect(lists.body?.portRangeLists).toMatchObject([
      { portRangeListId: id, associationCount: 1, maxEntries: 3, tags: [{ tagKey: "k", tagValue: "v" }] },
    ]);
    const request = new sdk.DescribePortRangeListAssociationsRequest({ regionId, portRangeListId: id });
    const found = await client.describePortRangeListAssociations(request);
    expect(found.body?.portRangeListAssociations).toMatchObject([
      { resourceId: "sg-web", resourceType: "SecurityGroup" },
    ]);
    const remove = () =>
      client.deletePortRangeList(new sdk.DeletePortRangeListRequest({ regionId, portRangeListId: id }));
    expect(await refusalOf(remove())).toEqual({ statusCode: 400, code: "InvalidPortRangeListId.AssociationExist" });
    const securityGroupRuleId = [(await rulesOf(client))[2]?.securityGroupRuleId ?? ""];
    await client.revokeSecurityGroup(
      new sdk.RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", securityGroupRuleId }),
    );
    await remove();
    expect((await refusalOf(remove())).code).toBe("InvalidPortRangeListId.NotFound");
  });
});
