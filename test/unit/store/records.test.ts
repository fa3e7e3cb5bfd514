// Pages of the audit trail for one group of many.
import { expect, test } from "vitest";
import { listRecords } from "../../../shared/store/records.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

test("a group's page is looked for in a bounded part, and the pages together miss none", async () => {
  const tables = memoryTables(schemas);
  const body = (cause: string) => JSON.stringify({ at: 1, group: null, cause, actor: "safeport", lines: [] });
  const rowAt = (n: number, group: string, cause: string) => ({
    ...({ kind: "put", table: "record", key: ["main", `${String(n).padStart(15, "0")}-0000000000`] } as const),
    columns: { group, body: body(cause) },
  });
  await tables.writeAll([
    ...Array.from({ length: 5500 }, (_, n) => rowAt(n + 1, "sg-web", "sweep")),
    rowAt(0, "sg-db", "the oldest"),
    rowAt(5501, "sg-db", "the newest"),
  ]);
  const first = await listRecords(tables, { limit: 10, before: null, group: "sg-db" });
  expect([first.records.map(({ cause }) => cause), first.next]).toEqual([["the newest"], expect.any(String)]);
  const second = await listRecords(tables, { limit: 10, before: first.next, group: "sg-db" });
  expect([second.records.map(({ cause }) => cause), second.next]).toEqual([["the oldest"], null]);
});
