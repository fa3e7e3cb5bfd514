// The waits and rates of table operations that the service has, when they are switched on.
import { afterEach, beforeEach, expect } from "vitest";
import { type Account, createPairs, failureOf, ignore, pair, startAccount } from "./account.ts";
import { itEmbedded } from "./it-embedded.ts";

let account: Account;
beforeEach(async () => {
  account = await startAccount({
    pace: { tableReadyAfterMs: 5_000, tableOperationsPerS: 10, throughputChangeEveryMs: 120_000 },
  });
});
afterEach(() => account.server.stop());

itEmbedded("lists a new table at once, and lets it be read and written when it is ready", async () => {
  const { client, clock } = account;
  await createPairs(client, "t");
  expect((await client.listTable({})).tableNames).toEqual(["t"]);
  const read = (): Promise<string> => failureOf(client.getRow({ tableName: "t", primaryKey: pair("x", 1) }));
  const write = (): Promise<string> =>
    failureOf(
      client.putRow({ tableName: "t", condition: ignore, primaryKey: pair("x", 1), attributeColumns: [{ v: "1" }] }),
    );
  const notReady = "404 OTSTableNotReady The table is not ready.";
  expect([await read(), await write()]).toEqual([notReady, notReady]);
  clock.nowMs += 5_000;
  expect([await write(), await read()]).toEqual(["no error", "no error"]);
});

itEmbedded("refuses the eleventh table operation within a second", async () => {
  const { client, clock } = account;
  for (let count = 0; count < 10; count++) await client.listTable({});
  expect(await failureOf(client.listTable({}))).toBe("403 OTSQuotaExhausted Too frequent table operations.");
  clock.nowMs += 1_000;
  expect(await failureOf(client.listTable({}))).toBe("no error");
});

itEmbedded("refuses to change reserved throughput twice in two minutes", async () => {
  const { client, clock } = account;
  await createPairs(client, "t");
  const change = (read: number): Promise<string> =>
    failureOf(
      client.updateTable({
        tableName: "t",
        tableOptions: {},
        reservedThroughput: { capacityUnit: { read, write: 0 } },
      }),
    );
  expect(await change(1)).toContain("403 OTSTooFrequentReservedThroughputAdjustment");
  clock.nowMs += 120_000;
  expect(await change(1)).toBe("no error");
});
