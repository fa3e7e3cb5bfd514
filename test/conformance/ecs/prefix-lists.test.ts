// Prefix lists through the official SDK: made, read, changed, named by rules, resolved by the data plane, deleted.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect } from "vitest";
import { verdict } from "../../../local/dataplane/verdict.ts";
import { topologyOf } from "../../../local/services/ecs/topology-of.ts";
import { itEmbedded } from "./it-embedded.ts";
import { aDirectory, authorize, aWorld, type Client, refusalOf, regionId, rulesOf, ssh } from "./world.ts";

const entry = (cidr: string, description = "") =>
  new sdk.CreatePrefixListRequestEntry({ cidr, ...(description === "" ? {} : { description }) });

const create = async (client: Client, more: Partial<sdk.CreatePrefixListRequest> = {}) => {
  const request = new sdk.CreatePrefixListRequest({
    regionId,
    prefixListName: "office",
    addressFamily: "IPv4",
    maxEntries: 3,
    entry: [entry("203.0.113.0/28", "the office"), entry("198.51.100.7")],
    ...more,
  });
  return (await client.createPrefixList(request)).body?.prefixListId ?? "";
};
const modify = (client: Client, prefixListId: string, more: Partial<sdk.ModifyPrefixListRequest>) =>
  client.modifyPrefixList(new sdk.ModifyPrefixListRequest({ regionId, prefixListId, ...more }));
const remove = (client: Client, prefixListId: string) =>
  client.deletePrefixList(new sdk.DeletePrefixListRequest({ regionId, prefixListId }));
const read = async (client: Client, prefixListId: string) =>
  (await client.describePrefixListAttributes(new sdk.DescribePrefixListAttributesRequest({ regionId, prefixListId })))
    .body;
const list = async (client: Client, more: Partial<sdk.DescribePrefixListsRequest> = {}) =>
  (await client.describePrefixLists(new sdk.DescribePrefixListsRequest({ regionId, ...more }))).body;
const associations = async (client: Client, prefixListId: string) =>
  (
    await client.describePrefixListAssociations(
      new sdk.DescribePrefixListAssociationsRequest({ regionId, prefixListId }),
    )
  ).body?.prefixListAssociations?.prefixListAssociation ?? [];

const none = undefined as never;
const add = (cidr: string, description = "") =>
  new sdk.ModifyPrefixListRequestAddEntry({ cidr, ...(description === "" ? {} : { description }) });
const drop = (cidr: string) => new sdk.ModifyPrefixListRequestRemoveEntry({ cidr });

describe("CreatePrefixList", () => {
  itEmbedded("makes a list that reads back whole", async () => {
    const { client } = await aWorld();
    const id = await create(client, { description: "where we sit" });
    expect(id).toMatch(/^pl-/);
    expect(await read(client, id)).toMatchObject({
      prefixListId: id,
      prefixListName: "office",
      addressFamily: "IPv4",
      maxEntries: 3,
      description: "where we sit",
      entries: {
        entry: [
          { cidr: "203.0.113.0/28", description: "the office" },
          { cidr: "198.51.100.7", description: "" },
        ],
      },
    });
  });

  itEmbedded("makes one list for one ClientToken", async () => {
    const { client } = await aWorld();
    expect(await create(client, { clientToken: "t" })).toBe(await create(client, { clientToken: "t" }));
  });

  itEmbedded.each([
    [{ addressFamily: "IPv5" }, 400, "InvalidParameter.AddressFamily"],
    [{ maxEntries: 0 }, 400, "InvalidParameter"],
    [{ maxEntries: 201 }, 400, "InvalidParameter"],
    [{ maxEntries: 1 }, 400, "LimitExceed.MaxEntries"],
    [{ prefixListName: "x" }, 400, "InvalidParameter.PrefixListName"],
    [{ prefixListName: "http://office" }, 400, "InvalidParameter.PrefixListName"],
    [{ description: "http://x" }, 400, "InvalidDescription.Malformed"],
    [{ entry: [entry("10.0.0.1/8")] }, 400, "InvalidParameter.CidrMalformed"],
    [{ entry: [entry("2001:db8::/32")] }, 400, "InvalidParameter.CidrMalformed"],
    [{ entry: [entry("10.0.0.1"), entry("10.0.0.1/32")] }, 400, "InvalidParameter.CidrDuplicated"],
    [
      { addressFamily: "IPv6", entry: [entry("2001:fd01:0::/32"), entry("2001:fd01::/32")] },
      400,
      "InvalidParameter.CidrDuplicated",
    ],
    [{ prefixListName: none }, 400, "MissingParameter"],
  ])("refuses %o", async (more: Partial<sdk.CreatePrefixListRequest>, statusCode, code) => {
    const { client, ecs } = await aWorld();
    expect(await refusalOf(create(client, more))).toEqual({ statusCode, code });
    expect(ecs.lists()).toEqual([]);
  });

  itEmbedded("stops at the quota of the region", async () => {
    const { client } = await aWorld({ limits: { prefixLists: 1 } });
    await create(client);
    expect(await refusalOf(create(client))).toEqual({ statusCode: 404, code: "LimitExceed.PrefixListPerRegion" });
  });
});

describe("ModifyPrefixList", () => {
  itEmbedded("adds, removes and renames, and gives an entry that is there a new description", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    await modify(client, id, {
      prefixListName: "home",
      addEntry: [add("198.51.100.7/32", "one"), add("192.0.2.0/24", "two")],
      removeEntry: [drop("203.0.113.0/28")],
    });
    expect(await read(client, id)).toMatchObject({
      prefixListName: "home",
      entries: {
        entry: [
          { cidr: "198.51.100.7", description: "one" },
          { cidr: "192.0.2.0/24", description: "two" },
        ],
      },
    });
  });

  itEmbedded.each([
    [{ addEntry: [add("10.0.0.0/8")], removeEntry: [drop("10.0.0.0/8")] }, 400, "InvalidParameter.CidrDuplicated"],
    [{ addEntry: [add("10.0.0.0/8"), add("11.0.0.0/8")] }, 400, "LimitExceed.MaxEntries"],
    [{ prefixListId: "pl-nobody" }, 404, "InvalidPrefixListId.NotFound"],
  ])("refuses %o", async (more, statusCode, code) => {
    const { client } = await aWorld();
    const id = await create(client);
    expect(await refusalOf(modify(client, id, more))).toEqual({ statusCode, code });
  });
});

describe("DescribePrefixLists and DescribePrefixListAssociations", () => {
  itEmbedded("filter by id, name, family and tag, and page", async () => {
    const { client } = await aWorld();
    const tag = [new sdk.CreatePrefixListRequestTag({ key: "k", value: "v" })];
    const a = await create(client, { tag });
    const b = await create(client, { prefixListName: "six", addressFamily: "IPv6", entry: [] });
    const idsOf = async (more: Partial<sdk.DescribePrefixListsRequest>) =>
      (await list(client, more))?.prefixLists?.prefixList?.map((each) => each.prefixListId);
    expect(await idsOf({ prefixListId: [b] })).toEqual([b]);
    expect(await idsOf({ prefixListName: "office" })).toEqual([a]);
    expect(await idsOf({ addressFamily: "IPv6" })).toEqual([b]);
    expect(await idsOf({ tag: [new sdk.DescribePrefixListsRequestTag({ key: "k" })] })).toEqual([a]);
    expect(await idsOf({ regionId: "cn-shanghai" })).toEqual([]);
    const first = await list(client, { maxResults: 1 });
    expect(await idsOf({ maxResults: 1, nextToken: first?.nextToken ?? "" })).toEqual([b]);
  });

  itEmbedded("count and name the groups whose rules name the list", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    await authorize(client, [ssh({ sourceCidrIp: none, sourcePrefixListId: id })]);
    expect((await list(client))?.prefixLists?.prefixList?.[0]?.associationCount).toBe(1);
    expect(await associations(client, id)).toMatchObject([{ resourceId: "sg-web", resourceType: "securitygroup" }]);
  });
});

describe("rules that name a prefix list", () => {
  const from = (sourcePrefixListId: string) => ssh({ sourceCidrIp: none, sourcePrefixListId });

  itEmbedded("read back with the id and the name of the list", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    await authorize(client, [from(id)]);
    expect((await rulesOf(client))[2]).toMatchObject({
      sourcePrefixListId: id,
      sourcePrefixListName: "office",
      sourceCidrIp: "",
    });
  });

  itEmbedded("let in what the list holds at the time, and the data plane hears of every change", async () => {
    const { client, ecs } = await aWorld();
    const id = await create(client);
    await authorize(client, [from(id)]);
    const isIn = (sourceAddress: string): boolean =>
      verdict(
        topologyOf(ecs),
        { sourceAddress, destAddress: "127.10.0.11", protocol: "TCP", destPort: 22 },
        { destCidrIp: "honoured" },
      ).accept;
    const told: string[] = [];
    ecs.onRulesChanged((groupIds) => void told.push(...groupIds));
    expect([isIn("203.0.113.9"), isIn("192.0.2.1")]).toEqual([true, false]);
    await modify(client, id, { addEntry: [add("192.0.2.0/24")], removeEntry: [drop("203.0.113.0/28")] });
    expect([isIn("203.0.113.9"), isIn("192.0.2.1")]).toEqual([false, true]);
    expect(told).toEqual(["sg-web"]);
  });

  itEmbedded("count for as many rules as the list may hold", async () => {
    const { client } = await aWorld({ limits: { rulesPerGroup: 6 } });
    const id = await create(client);
    await authorize(client, [from(id)]);
    expect(await refusalOf(authorize(client, [ssh()]))).toEqual({ statusCode: 403, code: "AuthorizationLimitExceed" });
  });

  itEmbedded("are refused for a list that is not there, of the other family, or with too many groups", async () => {
    const { client } = await aWorld({ limits: { listAssociations: 1 } });
    expect(await refusalOf(authorize(client, [from("pl-nobody")]))).toEqual({
      statusCode: 404,
      code: "InvalidPrefixListId.NotFound",
    });
    const six = await create(client, { addressFamily: "IPv6", entry: [] });
    const mixed = ssh({ sourceCidrIp: none, sourcePrefixListId: six, destCidrIp: "127.10.0.11" });
    expect((await refusalOf(authorize(client, [mixed]))).code).toBe("InvalidParam.PrefixListAddressFamilyMismatch");
    await authorize(client, [from(six)]);
    expect(await refusalOf(authorize(client, [from(six)], { securityGroupId: "sg-empty" }))).toEqual({
      statusCode: 403,
      code: "LimitExceed.PrefixListAssociationResource",
    });
  });
});

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
