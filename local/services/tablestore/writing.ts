// Row changes: checking one as it arrives, and applying it to the row inside a transaction.

import { decodeFilter, type FilterTree } from "../../protocol/tablestore/filter.ts";
import type { Condition, ReturnContent } from "../../protocol/tablestore/messages.ts";
import { type Cell, CellOp, encodeRows } from "../../protocol/tablestore/plain-buffer.ts";
import { integerVariant, Kind, type Variant } from "../../protocol/tablestore/variant.ts";
import { checkCells } from "./cell-checks.ts";
import { asParameterError, conditionCheckFail, parameterInvalid } from "./errors.ts";
import { hasPage, matches } from "./filters.ts";
import { replaceRow } from "./indexing.ts";
import { encodeKey, readKey } from "./keys.ts";
import { capacityUnits } from "./limits.ts";
import { readRowBytes } from "./row-bytes.ts";
import { compareCells, liveRow, newestVersions, type Row, rowSize, type StoredCell } from "./rows.ts";
import type { RowAccess } from "./store.ts";
import type { Table } from "./tables.ts";

/** What a row change does, by its number in BatchWriteRow. */
export type ChangeKind = "put" | "update" | "delete";

/** A row change that passed every check that needs no stored data. */
export interface RowChange {
  readonly kind: ChangeKind;
  readonly key: readonly Cell[];
  readonly values: readonly Variant[];
  readonly cells: readonly Cell[];
  readonly existence: number;
  readonly columnCondition: FilterTree | undefined;
  readonly returnType: number;
  readonly returnColumns: readonly string[];
  /** Length of the change on the wire. */
  readonly size: number;
}

/** What a written row answers. */
export interface WriteAnswer {
  readonly consumed: { readonly read: number; readonly write: number };
  readonly row?: Buffer;
}

const expectExist = 1;
const expectNotExist = 2;
const returnKey = 1;
const returnAfterModify = 2;

/** Reads and checks a row change. Throws OtsError. */
export function readChange(
  table: Table,
  kind: ChangeKind,
  request: {
    readonly bytes: Buffer;
    readonly condition: Condition;
    readonly returnContent?: ReturnContent | undefined;
  },
  nowMs: number,
): RowChange {
  if (table.definition.mainTable !== undefined) throw parameterInvalid("Can't write index table directly");
  const row = readRowBytes(request.bytes);
  const values = readKey(table.definition.key, row.primaryKey, kind === "delete" ? "delete" : "write");
  if (kind === "delete" && !row.deleteMarker) {
    throw parameterInvalid("Invalid request of delete row: missing RowDeleteMarker in request");
  }
  if (kind !== "delete" && row.deleteMarker) {
    throw parameterInvalid("Invalid request of put/update row: unexpected RowDeleteMarker in request.");
  }
  checkCells(table, { kind, cells: row.attributes, keyBytes: rowSize(row.primaryKey, []) }, nowMs);
  const existence = request.condition.row_existence;
  if (existence < 0 || existence > expectNotExist)
    throw parameterInvalid(`Invalid row-existence expectation: ${existence}.`);
  const columnCondition = readCondition(request.condition.column_condition);
  if (values.some((value) => value.kind === Kind.autoIncrement)) {
    if (columnCondition !== undefined) {
      throw parameterInvalid("Can't set condition when modify row with pk auto increment");
    }
    if (existence === expectExist) {
      throw parameterInvalid("Invalid expect:EXPECT_EXIST when modify row with pk auto increment");
    }
  }
  const returnType = request.returnContent?.return_type ?? 0;
  if (returnType < 0 || returnType > returnAfterModify) throw parameterInvalid(`Invalid return type: ${returnType}.`);
  return {
    kind,
    key: row.primaryKey,
    values,
    cells: row.attributes,
    existence,
    columnCondition,
    returnType,
    returnColumns: request.returnContent?.return_column_names ?? [],
    size: request.bytes.length,
  };
}

function readCondition(bytes: Buffer | undefined): FilterTree | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  let filter: FilterTree;
  try {
    filter = decodeFilter(bytes);
  } catch (error) {
    throw asParameterError(error);
  }
  if (hasPage(filter)) throw parameterInvalid("Column pagination filter is not supported as a condition.");
  return filter;
}

/** The encoded partition key of a change. */
export function partitionOf(change: RowChange): Buffer {
  return encodeKey(change.values.slice(0, 1));
}

/** Inside a write: checks the condition against the row and changes it. Throws OtsError before anything is written. */
export function applyChange(
  rows: RowAccess,
  table: Table,
  change: RowChange,
  { nowMs, keepsExpired }: { readonly nowMs: number; readonly keepsExpired: boolean },
): WriteAnswer {
  const primaryKey = assignKey(rows, table, change, nowMs);
  const key = encodeKey(primaryKey.map((cell) => cell.value as Variant));
  const conditional = change.existence !== 0 || change.columnCondition !== undefined;
  const needsRow = conditional || change.kind === "update" || table.definition.indexes !== undefined;
  const stored = needsRow ? rows.get(table, key) : undefined;
  const empty = keepsExpired ? { primaryKey, cells: [] } : undefined;
  const current = stored === undefined ? undefined : (liveRow(table, stored, nowMs) ?? empty);
  checkCondition(change, current);
  const next = nextRow(table, change, primaryKey, current, nowMs);
  // An update that only deletes does not create the row it does not find.
  if (next !== "keep") replaceRow(rows, table, key, { before: stored, after: next === "remove" ? undefined : next });
  const row = answerRow(change, primaryKey, next);
  return {
    consumed: {
      read: conditional ? capacityUnits(rowSize(primaryKey, [])) : 0,
      write: capacityUnits(rowSize(primaryKey, change.cells)),
    },
    ...(row === undefined ? {} : { row }),
  };
}

function assignKey(rows: RowAccess, table: Table, change: RowChange, nowMs: number): readonly Cell[] {
  if (!change.values.some((value) => value.kind === Kind.autoIncrement)) return change.key;
  const assigned = integerVariant(BigInt(rows.nextCounter(table, nowMs * 1000)));
  return change.key.map((cell) =>
    cell.value?.kind === Kind.autoIncrement ? { name: cell.name, value: assigned } : cell,
  );
}

function checkCondition(change: RowChange, current: Row | undefined): void {
  if (change.existence === expectExist && current === undefined) throw conditionCheckFail();
  if (change.existence === expectNotExist && current !== undefined) throw conditionCheckFail();
  if (change.columnCondition && !matches(change.columnCondition, current?.cells ?? [])) throw conditionCheckFail();
}

function nextRow(
  table: Table,
  change: RowChange,
  primaryKey: readonly Cell[],
  current: Row | undefined,
  nowMs: number,
): Row | "keep" | "remove" {
  if (change.kind === "delete") return "remove";
  const old = change.kind === "put" ? [] : (current?.cells ?? []);
  const onlyDeletes =
    change.kind === "update" &&
    change.cells.every((cell) => cell.op === CellOp.deleteAllVersions || cell.op === CellOp.deleteOneVersion);
  if (onlyDeletes && current === undefined) return "keep";
  let cells: StoredCell[] = [...old];
  for (const cell of change.cells) cells = applyCell(cells, cell, nowMs);
  return { primaryKey, cells: newestVersions(cells.sort(compareCells), table.definition.maxVersions) };
}

function applyCell(cells: StoredCell[], cell: Cell, nowMs: number): StoredCell[] {
  switch (cell.op) {
    case CellOp.deleteAllVersions:
      return cells.filter((old) => old.name !== cell.name);
    case CellOp.deleteOneVersion:
      return cells.filter((old) => old.name !== cell.name || old.timestamp !== cell.timestamp);
    default: {
      const timestamp = cell.timestamp ?? nowMs;
      const value = cell.op === CellOp.increment ? increment(cells, cell) : (cell.value as Variant);
      const rest = cells.filter((old) => old.name !== cell.name || old.timestamp !== timestamp);
      rest.push({ name: cell.name, value, timestamp });
      return rest;
    }
  }
}

function increment(cells: readonly StoredCell[], cell: Cell): Variant {
  const latest = cells.find((old) => old.name === cell.name)?.value;
  if (latest !== undefined && latest.kind !== Kind.integer) {
    throw parameterInvalid(`The column '${cell.name}' is not an integer and can't be incremented.`);
  }
  const sum = (latest?.bytes.readBigInt64LE(0) ?? 0n) + (cell.value as Variant).bytes.readBigInt64LE(0);
  if (BigInt.asIntN(64, sum) !== sum) throw parameterInvalid(`The increment of column '${cell.name}' overflows.`);
  return integerVariant(sum);
}

function answerRow(change: RowChange, primaryKey: readonly Cell[], next: Row | "keep" | "remove"): Buffer | undefined {
  if (change.returnType === returnKey) return encodeRows([{ primaryKey, attributes: [], deleteMarker: false }]);
  if (change.returnType !== returnAfterModify || typeof next === "string") return undefined;
  const wanted = new Set(change.returnColumns);
  const attributes = newestVersions(
    next.cells.filter((cell) => wanted.has(cell.name)),
    1,
  );
  return encodeRows([{ primaryKey, attributes, deleteMarker: false }]);
}
