// DescribePortRangeListEntries, by SDK and by bytes.
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { entriesOf } from "./port-range-list-calls.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld, refusalOf } from "./world.ts";

describe("DescribePortRangeListEntries", () => {
  itEmbedded("refuses a list that is not there", async () => {
    const { client } = await aWorld();
    expect(await refusalOf(entriesOf(client, "prl-no"))).toEqual({
      statusCode: 400,
      code: "InvalidPortRangeListId.NotFound",
    });
  });
});

const aList = async () => {
  const target = await aTarget();
  const made = { PortRangeListName: "conformance", MaxEntries: "3", "Entry.1.PortRange": "80/80" };
  const { body } = await target.call("CreatePortRangeList", made);
  return { ...target, id: { PortRangeListId: String(body["PortRangeListId"]) } };
};

describe("DescribePortRangeListEntries by bytes", () => {
  it("answers a plain array, and refuses a list that is not there", async () => {
    const { call, id } = await aList();
    const { body } = await call("DescribePortRangeListEntries", id);
    expect(body["Entries"]).toEqual([{ PortRange: "80/80", Description: "" }]);
    const missing = await call("DescribePortRangeListEntries", { PortRangeListId: nobody.portList });
    expect(outcomeOf(missing)).toBe("400 InvalidPortRangeListId.NotFound");
  });
});
