// DescribePortRangeLists, by SDK and by bytes.
import * as sdk from "@alicloud/ecs20140526";
import { describe, expect, it } from "vitest";
import { by, create } from "./port-range-list-calls.ts";
import { aTarget, nobody } from "./target.ts";
import { authorize, regionId } from "./world.ts";

describe("DescribePortRangeLists", () => {
  it("finds a list by its id, with how many groups name it", async () => {
    const { client, group } = await aTarget();
    const id = await create(client);
    await authorize(client, [by(id)], { securityGroupId: await group() });
    const request = new sdk.DescribePortRangeListsRequest({ regionId, portRangeListId: [id] });
    const { body } = await client.describePortRangeLists(request);
    expect(body?.portRangeLists).toMatchObject([{ portRangeListId: id, associationCount: 1, maxEntries: 3 }]);
  });
});

const aList = async () => {
  const target = await aTarget();
  const made = { PortRangeListName: "conformance", MaxEntries: "3", "Entry.1.PortRange": "80/80" };
  const { body } = await target.call("CreatePortRangeList", made);
  return { ...target, id: { PortRangeListId: String(body["PortRangeListId"]) } };
};

describe("DescribePortRangeLists by bytes", () => {
  it("answers a plain array, and nothing for an id that nobody has", async () => {
    const { call, id } = await aList();
    const ask = async (one: string) =>
      (await call("DescribePortRangeLists", { "PortRangeListId.1": one })).body["PortRangeLists"];
    expect(await ask(id.PortRangeListId)).toMatchObject([{ ...id, PortRangeListName: "conformance", MaxEntries: 3 }]);
    expect(await ask(nobody.portList)).toEqual([]);
  });
});
