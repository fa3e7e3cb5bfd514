// What a call of Tablestore has cost is in the list of calls as its answer told it.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cloud, startCloud } from "../../../local/cloud.ts";
import { seedUser } from "../../../local/seed.ts";
import { tablestoreTables } from "../../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../../shared/adapters/system/random.ts";
import type { Tables } from "../../../shared/ports/tables.ts";
import { schemas } from "../../../shared/store/tables.ts";

let cloud: Cloud;
let tables: Tables;
beforeAll(async () => {
  cloud = await startCloud({ engine: "userspace", range: "127.139.0.0/16" });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, "admin");
  tables = tablestoreTables({
    ...{ clock: systemClock, random: systemRandom, schemas },
    credentials: () => ({ accessKeyId, accessKeySecret }),
    endpoint: cloud.endpoints.tablestore,
    instance: "safeport",
  });
  await tables.createTables(schemas);
});
afterAll(() => cloud?.stop());

async function costOf(work: () => Promise<unknown>): Promise<readonly unknown[]> {
  const { next } = cloud.calls.since(Number.MAX_SAFE_INTEGER);
  await work();
  return cloud.calls.since(next).calls.map(({ operation, units }) => [operation, units?.reads, units?.writes]);
}

test("a row of a few bytes is a unit, one of nine thousand is three, and a condition is read for", async () => {
  const text = "x".repeat(9000);
  expect(await costOf(() => tables.put("lease", ["a"], { text: "x" }, { kind: "none" }))).toEqual([["PutRow", 0, 1]]);
  expect(await costOf(() => tables.put("lease", ["b"], { text }, { kind: "absent" }))).toEqual([["PutRow", 1, 3]]);
  expect(await costOf(() => tables.get("lease", ["b"]))).toEqual([["GetRow", 3, 0]]);
  const key = (id: string) => ({ kind: "put", table: "lease", key: [id], columns: { text } }) as const;
  expect(await costOf(() => tables.writeAll([key("c"), key("d")]))).toEqual([["BatchWriteRow", 0, 6]]);
});

test("a call that is refused, and one about tables, has cost nothing that its answer tells", async () => {
  expect(await costOf(() => tables.put("lease", ["a"], {}, { kind: "absent" }).catch(() => null))).toEqual([
    ["PutRow", undefined, undefined],
  ]);
  expect(await costOf(() => tables.createTables([]))).toEqual([["ListTable", undefined, undefined]]);
});
