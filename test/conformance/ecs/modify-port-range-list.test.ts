// ModifyPortRangeList, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { create, entriesOf, modify } from "./port-range-list-calls.ts";
import { aTarget, nobody, outcomeOf } from "./target.ts";
import { aWorld } from "./world.ts";

describe("ModifyPortRangeList", () => {
  itEmbedded("adds and removes entries, once for one ClientToken", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    const more = {
      clientToken: "t",
      addEntry: [new sdk.ModifyPortRangeListRequestAddEntry({ portRange: "443/443" })],
      removeEntry: [new sdk.ModifyPortRangeListRequestRemoveEntry({ portRange: "80/80" })],
    };
    await modify(client, id, more);
    await modify(client, id, {
      removeEntry: [new sdk.ModifyPortRangeListRequestRemoveEntry({ portRange: "443/443" })],
    });
    await modify(client, id, more);
    expect((await entriesOf(client, id))?.map((each) => each.portRange)).toEqual(["8000/8100"]);
  });
});

const aList = async () => {
  const target = await aTarget();
  const made = { PortRangeListName: "conformance", MaxEntries: "3", "Entry.1.PortRange": "80/80" };
  const { body } = await target.call("CreatePortRangeList", made);
  return { ...target, id: { PortRangeListId: String(body["PortRangeListId"]) } };
};

describe("ModifyPortRangeList by bytes", () => {
  it("adds, removes and renames, and answers a request id alone", async () => {
    const { call, id } = await aList();
    const change = {
      "AddEntry.1.PortRange": "443/443",
      "RemoveEntry.1.PortRange": "80/80",
      PortRangeListName: "renamed",
    };
    const answer = await call("ModifyPortRangeList", { ...id, ...change });
    expect([answer.status, Object.keys(answer.body)]).toEqual([200, ["RequestId"]]);
    expect((await call("DescribePortRangeListEntries", id)).body["Entries"]).toMatchObject([{ PortRange: "443/443" }]);
    const missing = await call("ModifyPortRangeList", { PortRangeListId: nobody.portList });
    expect(outcomeOf(missing)).toBe("400 InvalidPortRangeListId.NotFound");
  });
});
