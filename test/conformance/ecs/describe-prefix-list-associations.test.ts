// DescribePrefixListAssociations, by SDK and by bytes.
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { associations, create, list } from "./prefix-list-calls.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { authorize, aWorld, ssh } from "./world.ts";

const none = undefined as never;

describe("DescribePrefixListAssociations", () => {
  itEmbedded("counts and names the groups whose rules name the list", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    await authorize(client, [ssh({ sourceCidrIp: none, sourcePrefixListId: id })]);
    expect((await list(client))?.prefixLists?.prefixList?.[0]?.associationCount).toBe(1);
    expect(await associations(client, id)).toMatchObject([{ resourceId: "sg-web", resourceType: "securitygroup" }]);
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

describe("DescribePrefixListAssociations by bytes", () => {
  it("names a group once, however many of its rules name the list", async () => {
    const { call, group, id } = await aList();
    const SecurityGroupId = await group();
    for (const PortRange of ["22/22", "23/23"]) {
      const rule = { IpProtocol: "tcp", PortRange, SourcePrefixListId: id.PrefixListId };
      await call("AuthorizeSecurityGroup", { SecurityGroupId, ...rule });
    }
    const { body } = await call("DescribePrefixListAssociations", id);
    const found = body["PrefixListAssociations"] as { PrefixListAssociation: Record<string, string>[] };
    expect(found.PrefixListAssociation).toMatchObject([{ ResourceId: SecurityGroupId, ResourceType: "securitygroup" }]);
    const missing = await call("DescribePrefixListAssociations", { PrefixListId: nobody.prefixList });
    expect(outcomeOf(missing)).toBe("404 InvalidPrefixListId.NotFound");
  });
});
