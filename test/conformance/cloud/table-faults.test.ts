// Calls of Tablestore that go wrong, as the official SDK meets them on a whole cloud.

import TableStore from "tablestore";
import { expect, it, onTestFinished } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import type { FaultRule } from "../../../local/faults.ts";
import { seedTablestoreInstance, seedUser, seedUserNames } from "../../../local/seed.ts";
import type { TablestoreFault } from "../../../local/services/tablestore/server.ts";
import { startAccount } from "../tablestore/account.ts";
import { send } from "../tablestore/raw.ts";

const START_MS = Date.UTC(2026, 10, 1, 8, 0, 0);
const key: TableStore.PrimaryKeyInput = [{ id: "row" }];
const onUpdate = { service: "ots", operation: "UpdateRow" } as const;

async function aTable(): Promise<{
  cloud: Cloud;
  client: TableStore.Client;
  add: () => Promise<string>;
  count: () => Promise<number>;
}> {
  const cloud = await startCloud({ range: "127.121.0.0/16", engine: "userspace", startMs: START_MS });
  onTestFinished(() => cloud.stop());
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const client = new TableStore.Client({
    accessKeyId,
    accessKeySecret,
    endpoint: cloud.endpoints.tablestore,
    instancename: seedTablestoreInstance,
    maxRetries: 0,
  });
  await client.createTable({
    tableMeta: { tableName: "t", primaryKey: [{ name: "id", type: TableStore.PrimaryKeyType.STRING }] },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
  });
  const condition = new TableStore.Condition(TableStore.RowExistenceExpectation.IGNORE, null);
  const one = TableStore.Long.fromNumber(1);
  const updateOfAttributeColumns = [{ INCREMENT: [{ n: one }] }];
  const row = { tableName: "t", condition, primaryKey: key, updateOfAttributeColumns };
  return {
    cloud,
    client,
    add: () =>
      client.updateRow(row as never).then(
        () => "answered",
        (error: { code?: unknown }) => String(error.code),
      ),
    count: async () => {
      const { row: found } = await client.getRow({ tableName: "t", primaryKey: key });
      return Number((found as { attributes?: { columnValue: unknown }[] }).attributes?.[0]?.columnValue ?? 0);
    },
  };
}

const statuses = (cloud: Cloud): number[] =>
  cloud.calls.since(0).calls.flatMap(({ operation, status }) => (operation === "UpdateRow" ? [status] : []));

it.each<[FaultRule["fault"], string, number, number[]]>([
  [{ kind: "reject", status: 503, code: "OTSServerBusy" }, "503", 0, [503]],
  [{ kind: "drop-before" }, "NetworkingError", 0, [0]],
  [{ kind: "drop-after" }, "NetworkingError", 1, [200]],
  [{ kind: "html-502" }, "502", 0, [502]],
  [{ kind: "duplicate" }, "answered", 2, [200, 200]],
  [{ kind: "duplicate", times: 4 }, "answered", 5, [200, 200, 200, 200, 200]],
  [{ kind: "crash", when: "before" }, "NetworkingError", 0, [0]],
  [{ kind: "crash" }, "NetworkingError", 1, [200]],
])("under %j a call ends with %s and takes effect so many times", async (fault, answer, effects, told) => {
  const { cloud, add, count } = await aTable();
  cloud.faults.set([{ ...onUpdate, match: { table: "t" }, fault }]);
  expect(await add()).toBe(answer);
  expect(await count()).toBe(effects);
  expect(statuses(cloud)).toEqual(told);
});

it("a copy that is refused does not change the answer to the first, unless the last is answered", async () => {
  const { cloud, client } = await aTable();
  const condition = new TableStore.Condition(TableStore.RowExistenceExpectation.EXPECT_NOT_EXIST, null);
  const put = (id: string): Promise<unknown> =>
    client.putRow({ tableName: "t", condition, primaryKey: [{ id }], attributeColumns: [{ a: "1" }] }).then(
      () => "answered",
      (error: { code?: unknown }) => error.code,
    );
  cloud.faults.set([{ service: "ots", operation: "PutRow", fault: { kind: "duplicate" } }]);
  expect(await put("first")).toBe("answered");
  cloud.faults.set([{ service: "ots", operation: "PutRow", fault: { kind: "duplicate", answer: "last" } }]);
  expect(await put("last")).toBe(403);
});

it.each([{ kind: "delay", ms: 5_000 } as const, { kind: "late-effect", ms: 5_000 } as const])(
  "under %j a call has its effect when its time has come",
  async (fault) => {
    const { cloud, add, count } = await aTable();
    cloud.faults.set([{ ...onUpdate, fault }]);
    const answer = add();
    await expect.poll(() => cloud.clock.sleeping).toBe(1);
    await cloud.advance(4_999);
    expect(await count()).toBe(0);
    await cloud.advance(1);
    expect(await answer).toBe(fault.kind === "delay" ? "answered" : "NetworkingError");
    await expect.poll(count).toBe(1);
  },
);

it("a call waits for another of its kind to overtake it", async () => {
  const { cloud, client } = await aTable();
  const condition = new TableStore.Condition(TableStore.RowExistenceExpectation.IGNORE, null);
  const put = (a: string): Promise<unknown> =>
    client.putRow({ tableName: "t", condition, primaryKey: key, attributeColumns: [{ a }] });
  cloud.faults.set([{ service: "ots", operation: "PutRow", times: 1, fault: { kind: "reorder" } }]);
  const early = put("early");
  await expect.poll(() => cloud.clock.sleeping).toBe(1);
  await put("late");
  await early;
  const { row } = await client.getRow({ tableName: "t", primaryKey: key });
  expect((row as { attributes: { columnValue: string }[] }).attributes[0]?.columnValue).toBe("early");
});

it("an answer is dated by a clock that is off", async () => {
  let fault: TablestoreFault | undefined;
  const { server, clock } = await startAccount({ intercept: () => fault });
  onTestFinished(() => server.stop());
  const dateOf = async (): Promise<unknown> => (await send(server.url, { path: "/ListTable" })).headers["x-ots-date"];
  expect(await dateOf()).toBe(new Date(clock.nowMs).toISOString());
  fault = { kind: "skew", ms: -6_000 };
  expect(await dateOf()).toBe(new Date(clock.nowMs - 6_000).toISOString());
});
