// ModifyPrefixList, by SDK and by bytes.
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { add, create, drop, modify, read } from "./prefix-list-calls.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, refusalOf } from "./world.ts";

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

describe("ModifyPrefixList by bytes", () => {
  it("adds and removes entries and answers a request id alone", async () => {
    const { call, id } = await aList();
    const change = { "AddEntry.1.Cidr": "198.51.100.0/24", "RemoveEntry.1.Cidr": "203.0.113.0/28" };
    const answer = await call("ModifyPrefixList", { ...id, ...change });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    const { body } = await call("DescribePrefixListAttributes", id);
    expect(body).toMatchObject({ Entries: { Entry: [{ Cidr: "198.51.100.0/24" }] } });
  });

  it("refuses an entry added and removed at once, and a list that is not there", async () => {
    const { call, id } = await aList();
    const both = { "AddEntry.1.Cidr": "10.0.0.0/8", "RemoveEntry.1.Cidr": "10.0.0.0/8" };
    expect(outcomeOf(await call("ModifyPrefixList", { ...id, ...both }))).toBe("400 InvalidParameter.CidrDuplicated");
    const missing = await call("ModifyPrefixList", { PrefixListId: nobody.prefixList });
    expect(outcomeOf(missing)).toBe("404 InvalidPrefixListId.NotFound");
  });
});
