// UpdateTable and the stream's description, through the official SDK and by bytes.
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Account, createPairs, failureOf, ignore, long, pair, startAccount } from "./account.ts";
import type { Fields } from "./bytes.ts";
import { itEmbedded } from "./it-embedded.ts";
import { callBytes, rawFailureOf } from "./raw.ts";

let account: Account;
beforeAll(async () => {
  account = await startAccount();
});
afterAll(() => account.server.stop());

const described = async (tableName: string): Promise<Record<string, unknown>> =>
  JSON.parse(JSON.stringify(await account.client.describeTable({ tableName })));

it("changes what is given and leaves the rest", async () => {
  const { client } = account;
  await createPairs(client, "options", { timeToLive: 172_800, maxVersions: 3 });
  await client.updateTable({
    tableName: "options",
    tableOptions: { maxVersions: 2 },
    reservedThroughput: { capacityUnit: { read: 5, write: 0 } },
  });
  expect(await described("options")).toMatchObject({
    tableOptions: { timeToLive: 172_800, maxVersions: 2, deviationCellVersionInSec: "86400", allowUpdate: true },
    reservedThroughputDetails: { capacityUnit: { read: 5, write: 0 } },
  });
});

it("refuses UpdateRow once updates are not allowed", async () => {
  const { client } = account;
  await createPairs(client, "fixed");
  await client.updateTable({ tableName: "fixed", tableOptions: { allowUpdate: false } as never });
  const update = client.updateRow({
    tableName: "fixed",
    condition: ignore,
    primaryKey: pair("x", 1),
    updateOfAttributeColumns: [{ PUT: [{ v: long(1) }] }],
  });
  expect(await failureOf(update)).toContain("400 OTSParameterInvalid");
});

it("brings back versions that a smaller maximum hid, as long as nothing rewrote the row", async () => {
  const { client } = account;
  await createPairs(client, "versions", { maxVersions: 3 });
  const primaryKey = pair("x", 1);
  for (const age of [3, 2, 1]) {
    await client.updateRow({
      tableName: "versions",
      condition: ignore,
      primaryKey,
      updateOfAttributeColumns: [{ PUT: [{ v: String(age), timestamp: account.clock.nowMs - age }] }],
    });
  }
  const versions = async (): Promise<unknown[]> => {
    const { row } = await client.getRow({ tableName: "versions", primaryKey, maxVersions: 9 });
    return (row?.attributes ?? []).map((cell) => cell.columnValue);
  };
  await client.updateTable({ tableName: "versions", tableOptions: { maxVersions: 1 } });
  expect(await versions()).toEqual(["1"]);
  await client.updateTable({ tableName: "versions", tableOptions: { maxVersions: 3 } });
  expect(await versions()).toEqual(["1", "2", "3"]);
});

it("refuses options out of range, and tables that are not there", async () => {
  const { client } = account;
  await createPairs(client, "strict");
  const change = (tableOptions: object): Promise<string> =>
    failureOf(client.updateTable({ tableName: "strict", tableOptions }));
  expect(await change({ timeToLive: 3_600 })).toContain("400 OTSParameterInvalid");
  expect(await change({ timeToLive: -2 })).toContain("TimeToLive cannot be 0 or less than -1.");
  expect(await change({ maxVersions: -1 })).toContain("The maximum versions cannot be less than or equal to 0");
  expect(await change({ maxTimeDeviation: -5 })).toContain("400 OTSParameterInvalid");
  expect(await failureOf(client.updateTable({ tableName: "absent", tableOptions: { maxVersions: 1 } }))).toContain(
    "404 OTSObjectNotExist",
  );
  const throughput = client.updateTable({
    tableName: "strict",
    tableOptions: {},
    reservedThroughput: { capacityUnit: { read: 100_001, write: 0 } },
  });
  expect(await failureOf(throughput)).toContain("400 OTSParameterInvalid");
});

it("switches the stream and describes it", async () => {
  const { client } = account;
  await createPairs(client, "streamed");
  await client.updateTable({
    tableName: "streamed",
    tableOptions: {},
    streamSpecification: { enableStream: true, expirationTime: 24 },
  });
  expect((await described("streamed")).streamDetails).toMatchObject({ enableStream: true, expirationTime: 24 });
  const wrong = client.updateTable({
    tableName: "streamed",
    tableOptions: {},
    streamSpecification: { enableStream: true, expirationTime: 169 },
  });
  expect(await failureOf(wrong)).toContain("400 OTSParameterInvalid");
});

it("answers by bytes what holds from then on, and wants something to change", async () => {
  const { client, server } = account;
  await createPairs(client, "bytes", { maxVersions: 4 });
  const update = (fields: Fields = {}) => callBytes(server.url, "UpdateTable", { 1: "bytes", ...fields });
  const answer = await update({ 3: { 5: 60 }, 2: { 1: { 1: 7 } } });
  const [throughput, options] = [answer.message(1), answer.message(2)];
  expect([throughput.message(1).int(1), throughput.message(1).int(2)]).toEqual([7, 0]);
  expect([1, 2, 5].map((field) => options.int(field))).toEqual([-1, 4, 60]);
  expect(answer.has(3)).toBe(false);
  expect(await rawFailureOf(update())).toContain("400 OTSParameterInvalid");
  expect(await rawFailureOf(update({ 4: { 1: true } }))).toContain("400 OTSParameterInvalid");
  expect(await rawFailureOf(update({ 4: { 1: false, 2: 24 } }))).toContain("400 OTSParameterInvalid");
});

itEmbedded("tells when throughput was raised and when it was lowered", async () => {
  const { client, server, clock } = account;
  await createPairs(client, "paced");
  const change = async (read: number, write: number): Promise<unknown[]> => {
    clock.nowMs += 60_000;
    const answer = await callBytes(server.url, "UpdateTable", { 1: "paced", 2: { 1: { 1: read, 2: write } } });
    return [answer.message(1).int(2), answer.message(1).int(3)];
  };
  const startS = clock.nowMs / 1_000;
  expect(await change(5, 5)).toEqual([startS + 60, undefined]);
  expect(await change(5, 2)).toEqual([startS + 60, startS + 120]);
  expect(await change(6, 1)).toEqual([startS + 180, startS + 180]);
});
