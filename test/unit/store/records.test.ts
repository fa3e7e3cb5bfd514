// Pages of the audit trail: for one group of many, and with rows that somebody has put there.
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

test("a record at no instant that there is is shown as one that cannot be read", async () => {
  const tables = memoryTables(schemas);
  const body = (at: number) => JSON.stringify({ at, group: null, cause: "sweep", actor: "safeport", lines: [] });
  const put = (sequence: string, at: number) =>
    tables.put("record", ["main", sequence], { group: "", body: body(at) }, { kind: "none" });
  await put("000000000000001-0000000000", 1);
  await put("000000000000002-0000000000", 1e300);
  await put("999999999999999-0000000000", -1);
  const { records } = await listRecords(tables, { limit: 10, before: null });
  expect(records.map(({ at, cause }) => [at, cause])).toEqual([
    [0, "unreadable"],
    [2, "unreadable"],
    [1, "sweep"],
  ]);
});
