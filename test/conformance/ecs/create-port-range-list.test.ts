// CreatePortRangeList, by SDK and by bytes.
import { describe, expect, it } from "vitest";
import { itEmbedded } from "./it-embedded.ts";
import { create, entriesOf, entry } from "./port-range-list-calls.ts";
import { aTarget, outcomeOf } from "./target.ts";
import { aWorld, refusalOf } from "./world.ts";

describe("CreatePortRangeList", () => {
  itEmbedded("makes a list whose entries read back as a plain array", async () => {
    const { client } = await aWorld();
    const id = await create(client);
    expect(id).toMatch(/^prl-/);
    expect(await entriesOf(client, id)).toMatchObject([
      { portRange: "80/80", description: "why" },
      { portRange: "8000/8100", description: "why" },
    ]);
  });

  itEmbedded.each([
    [{ entry: [entry("81/80")] }, "InvalidParameter.PortRange"],
    [{ entry: [entry("-1/-1")] }, "InvalidParameter.PortRange"],
    [{ entry: [entry("80/80"), entry("80/80")] }, "InvalidParameter.PortRangeDuplicated"],
    [{ maxEntries: 1 }, "LimitExceed.MaxEntries"],
    [{ maxEntries: 2_001 }, "InvalidParameter"],
    [{ portRangeListName: "8" }, "InvalidParameter.PortRangeListName"],
  ])("refuses %o", async (more, code) => {
    const { client } = await aWorld();
    expect(await refusalOf(create(client, more))).toEqual({ statusCode: 400, code });
  });
});

describe("CreatePortRangeList by bytes", () => {
  const whole = { PortRangeListName: "conformance", MaxEntries: "2", "Entry.1.PortRange": "80/80" };

  it("makes a list and answers its id", async () => {
    const { call } = await aTarget();
    const { status, body } = await call("CreatePortRangeList", whole);
    expect([status, Object.keys(body).sort()]).toEqual([200, ["PortRangeListId", "RequestId"]]);
    const read = await call("DescribePortRangeListEntries", { PortRangeListId: String(body["PortRangeListId"]) });
    expect(read.body["Entries"]).toMatchObject([{ PortRange: "80/80" }]);
  });

  it.each([
    ["a range backwards", { "Entry.1.PortRange": "9/8" }, "400 InvalidParameter.PortRange"],
    ["every port", { "Entry.1.PortRange": "-1/-1" }, "400 InvalidParameter.PortRange"],
    ["a range twice", { "Entry.2.PortRange": "80/80" }, "400 InvalidParameter.PortRangeDuplicated"],
    [
      "more entries than it may hold",
      { "Entry.2.PortRange": "81/81", "Entry.3.PortRange": "82/82" },
      "400 LimitExceed.MaxEntries",
    ],
    ["2,001 entries at most", { MaxEntries: "2001" }, /^400 Invalid/],
  ] as [string, Record<string, string>, string | RegExp][])("refuses %s", async (_what, query, outcome) => {
    const { call } = await aTarget();
    expect(outcomeOf(await call("CreatePortRangeList", { ...whole, ...query }))).toMatch(outcome);
  });
});
