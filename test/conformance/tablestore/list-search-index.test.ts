// ListSearchIndex, through the official SDK and by bytes: there are none, ever, and tools ask before they delete a table.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, startAccount } from "./account.ts";
import { callBytes, send } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

it("answers an empty list", async () => {
  const { client } = account;
  await createPairs(client, "searched");
  expect(JSON.parse(JSON.stringify(await client.listSearchIndex({ tableName: "searched" }))).indices ?? []).toEqual([]);
});

it("answers no bytes at all, with a table and without", async () => {
  await createPairs(account.client, "searched_by_bytes");
  const { status, body } = await send(account.server.url, { path: "/ListSearchIndex" });
  expect([status, body.length]).toEqual([200, 0]);
  expect((await callBytes(account.server.url, "ListSearchIndex", { 1: "searched_by_bytes" })).has(1)).toBe(false);
});
