// Rows whose time is over leave the disk, and no others.
import TableStore from "tablestore";
import { expect, it, onTestFinished } from "vitest";
import { CloudClock } from "../../../../local/clock.ts";
import { seededRandom } from "../../../../local/random.ts";
import { startTablestore } from "../../../../local/services/tablestore/server.ts";

const DAY_MS = 86_400_000;

it("removes what has expired once, and leaves what is read", async () => {
  const clock = new CloudClock({ startMs: Date.UTC(2026, 10, 1) });
  const random = seededRandom("purge");
  const service = await startTablestore({ clock, random, instances: ["i"], credentials: () => ({ secret: "sk" }) });
  onTestFinished(async () => {
    await service.stop();
    clock.close();
  });
  const client = new TableStore.Client({
    ...{ accessKeyId: "ak", accessKeySecret: "sk", secretAccessKey: "sk", endpoint: service.url, instancename: "i" },
  });
  for (const [tableName, timeToLive] of [
    ["short", 86_400],
    ["kept", -1],
  ] as const)
    await client.createTable({
      tableMeta: { tableName, primaryKey: [{ name: "k", type: "STRING" }] },
      reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
      tableOptions: { timeToLive, maxVersions: 1 },
    });
  const put = (tableName: string, k: string) =>
    client.putRow({
      ...{ tableName, primaryKey: [{ k }], attributeColumns: [{ text: "x" }] },
      condition: new TableStore.Condition(TableStore.RowExistenceExpectation.IGNORE, null),
    });
  const isRead = async (tableName: string, k: string): Promise<boolean> => {
    const { row } = await client.getRow({ tableName, primaryKey: [{ k }], maxVersions: 1 });
    return Object.keys(row ?? {}).length > 0;
  };
  await Promise.all(Array.from({ length: 450 }, (_, index) => put("short", `old-${index}`)));
  await put("kept", "old");
  await clock.advance(2 * DAY_MS, async () => undefined);
  await put("short", "new");
  await put("short", "old-7");
  expect(await isRead("short", "old-1")).toBe(false);
  expect(await service.purge()).toBe(449);
  expect(await service.purge()).toBe(0);
  expect([await isRead("short", "new"), await isRead("short", "old-7"), await isRead("kept", "old")]).toEqual([
    true,
    true,
    true,
  ]);
});
