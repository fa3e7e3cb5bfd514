// Which groups are left out as fallen back: only where a change of the ledger was announced over another one, and no baseline knows the ledger.
import { expect, test } from "vitest";
import { freshGroupRow, type GroupRow } from "../../shared/domain/guard.ts";
import { type AllocationsDigest, allocationsDigest } from "../../shared/plan/effective-guard.ts";
import { saveGroupRow } from "../../shared/store/group-rows.ts";
import { saveEntry } from "../../shared/store/ledger.ts";
import { schemas } from "../../shared/store/tables.ts";
import { anAllocated } from "../kit/drift-pictures.ts";
import { memoryTables } from "../kit/memory-tables.ts";
import { isFallenBack, overtakes } from "./fallen-back.ts";
import { watchedTables } from "./watched-tables.ts";

const entry = { ...anAllocated(), rev: 0 };
const { group } = entry;
const confirmed = allocationsDigest([entry]);
const digest = (name: string) => ({ count: 1, digest: name });

const rowOf = (next: AllocationsDigest | null): GroupRow => ({
  ...freshGroupRow(group),
  baseline: { confirmedBy: "root", confirmedAt: 0, ...confirmed, next },
});

test.each([
  ["a first announcement", null, digest("a"), false],
  ["the end of a change", digest("a"), null, false],
  ["the same change once more", digest("a"), digest("a"), false],
  ["a change over another", digest("a"), digest("b"), true],
] as const)("%s", async (_, was, is, isSeen) => {
  let seen = false;
  const tables = watchedTables(memoryTables(schemas), new Set(["group"]), (write) => {
    seen ||= overtakes(write);
  });
  const row = await saveGroupRow(tables, rowOf(was));
  if (row !== null) await saveGroupRow(tables, { ...row, ...rowOf(is), rev: row.rev });
  expect(seen).toBe(isSeen);
});

test("a row that nobody can read for a time", async () => {
  const [broken, whole] = ["{", JSON.stringify(rowOf(digest("a")))].map((body) => ({ key: [], columns: { body } }));
  for (const [before, after] of [
    [broken, whole],
    [whole, broken],
  ] as const)
    if (before && after) expect(overtakes({ table: "group", key: [], before, after })).toBe(false);
});

test.each([
  ["a ledger that no baseline knows, with a change over another", true, false, true],
  ["a ledger that no baseline knows, for another reason", false, false, false],
  ["a change over another, with the ledger that was confirmed", true, true, false],
])("%s", async (_, isOvertaken, isKnown, isLeftOut) => {
  const tables = memoryTables(schemas);
  await saveGroupRow(tables, rowOf(null));
  if (isKnown) await saveEntry(tables, entry);
  const overtaken = new Set(isOvertaken ? [group.groupId] : []);
  expect(await isFallenBack({ tables, overtaken }, group)).toBe(isLeftOut);
});
