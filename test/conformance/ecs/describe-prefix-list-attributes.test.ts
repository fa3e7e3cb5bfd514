// DescribePrefixListAttributes, by SDK and by bytes.
import { describe, expect, it } from "vitest";
import { create, entry, read } from "./prefix-list-calls.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";

describe("DescribePrefixListAttributes", () => {
  it("reads a list back as it was sent, without compressing or sorting", async () => {
    const { client } = await aTarget();
    const id = await create(client, { entry: [entry("203.0.113.0/28", "last"), entry("198.51.100.7")] });
    expect((await read(client, id))?.entries?.entry).toMatchObject([
      { cidr: "203.0.113.0/28", description: "last" },
      { cidr: "198.51.100.7", description: "" },
    ]);
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

describe("DescribePrefixListAttributes by bytes", () => {
  it("answers the list with its entries, and refuses one that is not there", async () => {
    const { call, id } = await aList();
    const { status, body } = await call("DescribePrefixListAttributes", id);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...id,
      PrefixListName: "conformance",
      AddressFamily: "IPv4",
      MaxEntries: 3,
      CreationTime: expect.stringMatching(/Z$/),
      Entries: { Entry: [{ Cidr: "203.0.113.0/28", Description: "" }] },
    });
    const missing = await call("DescribePrefixListAttributes", { PrefixListId: nobody.prefixList });
    expect(outcomeOf(missing)).toBe("404 InvalidPrefixListId.NotFound");
  });
});
