// DescribePortRangeListAssociations, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { by, create } from "./port-range-list-calls.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, regionId } from "./world.ts";

describe("DescribePortRangeListAssociations", () => {
  it("names nobody before a rule names the list, and the group after", async () => {
    const { client, group } = await aTarget();
    const [id, securityGroupId] = [await create(client), await group()];
    const request = new sdk.DescribePortRangeListAssociationsRequest({ regionId, portRangeListId: id });
    const found = async () =>
      (await client.describePortRangeListAssociations(request)).body?.portRangeListAssociations ?? [];
    expect(await found()).toEqual([]);
    await authorize(client, [by(id)], { securityGroupId });
    expect(await found()).toMatchObject([{ resourceId: securityGroupId, resourceType: "SecurityGroup" }]);
  });
});

const aList = async () => {
  const target = await aTarget();
  const made = { PortRangeListName: "conformance", MaxEntries: "3", "Entry.1.PortRange": "80/80" };
  const { body } = await target.call("CreatePortRangeList", made);
  return { ...target, id: { PortRangeListId: String(body["PortRangeListId"]) } };
};

describe("DescribePortRangeListAssociations by bytes", () => {
  it("answers a plain array, and refuses a list that is not there", async () => {
    const { call, group, id } = await aList();
    const SecurityGroupId = await group();
    await call("AuthorizeSecurityGroup", { SecurityGroupId, IpProtocol: "tcp", SourceCidrIp: "10.0.0.0/8", ...id });
    const { body } = await call("DescribePortRangeListAssociations", id);
    expect(body["PortRangeListAssociations"]).toMatchObject([{ ResourceId: SecurityGroupId }]);
    const missing = await call("DescribePortRangeListAssociations", { PortRangeListId: nobody.portList });
    expect(outcomeOf(missing)).toBe("400 InvalidPortRangeListId.NotFound");
  });
});
