// What the wide-column model does not have: refused by name, through the official SDK and by bytes.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, startAccount } from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";
import { errorOf, send } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

itEmbedded("refuses the SDK's search and SQL", async () => {
  const { client } = account;
  await createPairs(client, "searched");
  const unsupported = (name: string) => `400 OTSParameterInvalid Unsupported operation: ${name}.`;
  expect(await failureOf(client.describeSearchIndex({ tableName: "searched", indexName: "i" }))).toBe(
    unsupported("DescribeSearchIndex"),
  );
  expect(await failureOf(client.deleteSearchIndex({ tableName: "searched", indexName: "i" }))).toBe(
    unsupported("DeleteSearchIndex"),
  );
  expect(
    await failureOf((client as unknown as { sqlQuery(of: object): Promise<unknown> }).sqlQuery({ query: "select 1" })),
  ).toBe(unsupported("SQLQuery"));
});

itEmbedded.each([
  "CreateSearchIndex",
  "UpdateSearchIndex",
  "Search",
  "ComputeSplits",
  "ParallelScan",
  "ListStream",
  "DescribeStream",
  "GetShardIterator",
  "GetStreamRecord",
  "CreateTunnel",
  "ListTunnel",
  "CreateTimeseriesTable",
  "PutTimeseriesData",
  "BulkImport",
  "BulkExport",
])("refuses %s by bytes, whatever is sent", async (name) => {
  const answer = await send(account.server.url, { path: `/${name}`, body: Buffer.from([0x0a, 1, 0x74]) });
  expect(errorOf(answer)).toBe(`400 OTSParameterInvalid Unsupported operation: ${name}.`);
});

it("refuses names that no operation has, and tells one by its case", async () => {
  for (const path of ["/Nothing", "/listtable", "/"]) {
    expect(errorOf(await send(account.server.url, { path }))).toContain("400 OTSParameterInvalid");
  }
});
