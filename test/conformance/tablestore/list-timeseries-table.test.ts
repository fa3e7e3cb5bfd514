// ListTimeseriesTable, by bytes: the Node SDK cannot call it. There are none, ever.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, startAccount } from "./account.ts";
import { send } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

it("answers an empty list, whatever tables there are", async () => {
  await createPairs(account.client, "no_series");
  const { status, body } = await send(account.server.url, { path: "/ListTimeseriesTable" });
  expect([status, body.length]).toEqual([200, 0]);
});
