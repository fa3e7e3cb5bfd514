// ListTable, through the official SDK and by bytes.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, connect, createPairs, keys, startAccount } from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

const listed = async (): Promise<readonly string[]> => (await account.client.listTable({})).tableNames ?? [];

it("lists a table from its creation to its deletion", async () => {
  const { client } = account;
  expect(await listed()).not.toContain("listed");
  await createPairs(client, "listed");
  expect(await listed()).toContain("listed");
  await client.deleteTable({ tableName: "listed" });
  expect(await listed()).not.toContain("listed");
});

itEmbedded("lists the tables of one instance alone, by name", async () => {
  const two = await startAccount({ instances: ["inst1", "other"] });
  const other = connect(two.server.url, keys.secret, "other");
  for (const name of ["b", "a", "c"]) await createPairs(two.client, name);
  await createPairs(other, "a");
  expect((await two.client.listTable({})).tableNames).toEqual(["a", "b", "c"]);
  expect((await other.listTable({})).tableNames).toEqual(["a"]);
  await two.server.stop();
});

it("answers names by bytes, to a request without any", async () => {
  await createPairs(account.client, "named");
  expect((await callBytes(account.server.url, "ListTable", {})).texts(1)).toEqual([...(await listed())]);
});
