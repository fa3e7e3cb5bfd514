// DeletePortRangeList, and what is told of a list until then, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { by, create } from "./port-range-list-calls.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { authorize, aWorld, refusalOf, regionId, rulesOf } from "./world.ts";

describe("DeletePortRangeList", () => {
  itEmbedded("deletes only what nobody names", async () => {
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

const aList = async () => {
  const target = await aTarget();
  const made = { PortRangeListName: "conformance", MaxEntries: "3", "Entry.1.PortRange": "80/80" };
  const { body } = await target.call("CreatePortRangeList", made);
  return { ...target, id: { PortRangeListId: String(body["PortRangeListId"]) } };
};

describe("DeletePortRangeList by bytes", () => {
  it("deletes a list once, and not while a rule names it", async () => {
    const { call, group, id } = await aList();
    const rule = { SecurityGroupId: await group(), IpProtocol: "tcp", SourceCidrIp: "10.0.0.0/8", ...id };
    await call("AuthorizeSecurityGroup", rule);
    expect(outcomeOf(await call("DeletePortRangeList", id))).toMatch(/^40\d /);
    await call("RevokeSecurityGroup", rule);
    const answer = await call("DeletePortRangeList", id);
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(outcomeOf(await call("DeletePortRangeList", id))).toBe("400 InvalidPortRangeListId.NotFound");
  });
});
