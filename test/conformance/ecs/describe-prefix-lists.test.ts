// DescribePrefixLists, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { create, list } from "./prefix-list-calls.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { aWorld } from "./world.ts";

describe("DescribePrefixLists", () => {
  itEmbedded("filters by id, name, family and tag, and pages", async () => {
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

describe("DescribePrefixLists by bytes", () => {
  it("finds a list by its id, in an envelope of documented names", async () => {
    const { call, id } = await aList();
    const { body } = await call("DescribePrefixLists", { "PrefixListId.1": id.PrefixListId });
    expect(body).toMatchObject({
      PrefixLists: {
        PrefixList: [
          { ...id, PrefixListName: "conformance", AddressFamily: "IPv4", MaxEntries: 3, AssociationCount: 0 },
        ],
      },
    });
    const none = await call("DescribePrefixLists", { "PrefixListId.1": id.PrefixListId, AddressFamily: "IPv6" });
    expect((none.body["PrefixLists"] as { PrefixList: unknown[] }).PrefixList).toEqual([]);
    expect(outcomeOf(await call("DescribePrefixLists", { MaxResults: "101" }))).toMatch(/^400/);
  });
});
