// DeletePrefixList, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { create, remove } from "./prefix-list-calls.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { aDirectory, authorize, aWorld, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const none = undefined as never;

describe("DeletePrefixList", () => {
  itEmbedded("deletes a list that no rule names, once", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    await authorize(client, [ssh({ sourceCidrIp: none, sourcePrefixListId: id })]);
    expect((await refusalOf(remove(client, id))).code).toBe("InvalidPrefixListId.AssociationExist");
    const permissions = [ssh({ sourceCidrIp: none, sourcePrefixListId: id })];
    await client.revokeSecurityGroup(
      new sdk.RevokeSecurityGroupRequest({ regionId, securityGroupId: "sg-web", permissions: permissions as never }),
    );
    await remove(client, id);
    expect((await refusalOf(remove(client, id))).code).toBe("InvalidPrefixListId.NotFound");
  });

  itEmbedded("leaves lists on disk until then", async () => {
    const directory = await aDirectory();
    const first = await aWorld({ directory });
    const id = await create(first.client);
    const gone = await create(first.client);
    await remove(first.client, gone);
    const second = await aWorld({ directory });
    expect(second.ecs.lists()).toEqual(first.ecs.lists());
    expect(second.ecs.lists().map((each) => each.listId)).toEqual([id]);
  });
});

const aList = async () => {
  const target = await aTarget();
  const made = {
    PrefixListName: "conformance",
    AddressFamily: "IPv4",
    MaxEntries: "3",
    "Entry.1.Cidr": "203.0.113.0/28",
  };
  const { body } = await target.call("CreatePrefixList", made);
  return { ...target, id: { PrefixListId: String(body["PrefixListId"]) } };
};

describe("DeletePrefixList by bytes", () => {
  it("deletes a list once, and not while a rule names it", async () => {
    const { call, client, group, id } = await aList();
    const SecurityGroupId = await group();
    const rule = { SecurityGroupId, IpProtocol: "tcp", PortRange: "22/22", SourcePrefixListId: id.PrefixListId };
    await call("AuthorizeSecurityGroup", rule);
    expect(await rulesOf(client, SecurityGroupId)).toHaveLength(1);
    expect(outcomeOf(await call("DeletePrefixList", id))).toMatch(/^40\d /);
    await call("RevokeSecurityGroup", rule);
    const answer = await call("DeletePrefixList", id);
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect(outcomeOf(await call("DeletePrefixList", id))).toBe("404 InvalidPrefixListId.NotFound");
  });
});
