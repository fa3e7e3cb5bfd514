// CreatePrefixList, by SDK and by bytes.
import type * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { create, entry, read } from "./prefix-list-calls.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { aWorld, refusalOf } from "./world.ts";

const none = undefined as never;

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

describe("CreatePrefixList by bytes", () => {
  const whole = {
    PrefixListName: "conformance",
    AddressFamily: "IPv6",
    MaxEntries: "2",
    "Entry.1.Cidr": "2001:db8::/32",
  };

  it("makes a list and answers its id", async () => {
    const { call } = await aTarget();
    const { status, body } = await call("CreatePrefixList", { ...whole, "Entry.1.Description": "the lab" });
    expect([status, Object.keys(body).sort()]).toEqual([200, ["PrefixListId", "RequestId"]]);
    const read = await call("DescribePrefixListAttributes", { PrefixListId: String(body["PrefixListId"]) });
    expect(read.body).toMatchObject({
      AddressFamily: "IPv6",
      MaxEntries: 2,
      Entries: { Entry: [{ Cidr: "2001:db8::/32", Description: "the lab" }] },
    });
  });

  it.each([
    ["a family that is none", { AddressFamily: "IPv5" }, "400 InvalidParameter.AddressFamily"],
    ["more entries than it may hold", { MaxEntries: "1", "Entry.2.Cidr": "::/0" }, "400 LimitExceed.MaxEntries"],
    ["201 entries at most", { MaxEntries: "201" }, /^400 Invalid/],
    ["an address of the other family", { "Entry.1.Cidr": "10.0.0.0/8" }, "400 InvalidParameter.CidrMalformed"],
    ["host bits", { "Entry.1.Cidr": "2001:db8::1/32" }, "400 InvalidParameter.CidrMalformed"],
    ["an entry twice", { "Entry.2.Cidr": "2001:db8:0::/32" }, "400 InvalidParameter.CidrDuplicated"],
    ["no name", { PrefixListName: "" }, /^400 (MissingParameter|InvalidParameter)/],
  ] as [string, Record<string, string>, string | RegExp][])("refuses %s", async (_what, query, outcome) => {
    const { call } = await aTarget();
    expect(outcomeOf(await call("CreatePrefixList", { ...whole, ...query }))).toMatch(outcome);
  });
});
