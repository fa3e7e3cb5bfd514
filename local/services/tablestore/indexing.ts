// Secondary indexes: their definition, and the index rows that a change of a row brings with it.

import type { IndexMeta } from "../../protocol/tablestore/messages.ts";
import type { Cell } from "../../protocol/tablestore/plain-buffer.ts";
import { Kind, type Variant } from "../../protocol/tablestore/variant.ts";
import { parameterInvalid } from "./errors.ts";
import { encodeKey } from "./keys.ts";
import { isName, limits } from "./limits.ts";
import { decodeStored, encodeStored, type Row } from "./rows.ts";
import type { RowAccess } from "./store.ts";
import type { IndexDefinition, KeyColumn, Table, TableDefinition } from "./tables.ts";

const local = 1;
const syncUpdate = 1;

/** Types of defined columns that can be key columns, as key types. */
const keyTypeOf: Readonly<Record<number, { readonly type: number; readonly kind: number }>> = {
  1: { type: 1, kind: Kind.integer },
  4: { type: 2, kind: Kind.string },
  7: { type: 3, kind: Kind.binary },
};

/** What a table with indexes must keep true of itself. Throws OtsError. */
export function checkIndexable(definition: TableDefinition): void {
  if (definition.maxVersions !== 1) throw parameterInvalid("The max versions of a table with indexes must be 1.");
  if (definition.timeToLiveS !== -1 && definition.allowUpdate) {
    throw parameterInvalid("The time to live of a table with indexes must be -1 unless update is not allowed.");
  }
}

/** Checks an index of the table and gives it with its own table's definition. Throws OtsError. */
export function defineIndex(
  main: TableDefinition,
  meta: IndexMeta,
  nowMs: number,
): { readonly index: IndexDefinition; readonly table: TableDefinition } {
  if (!isName(meta.name)) throw parameterInvalid(`Invalid index name: '${meta.name}'.`);
  if (main.mainTable !== undefined) throw parameterInvalid("Can't create index on index table.");
  checkIndexable(main);
  if ((main.indexes ?? []).length >= limits.indexesMax) {
    throw parameterInvalid(`The number of indexes exceeds the limit: ${limits.indexesMax}.`);
  }
  if (meta.index_type !== 0 && meta.index_type !== local) throw parameterInvalid("Invalid index type.");
  if (meta.index_update_mode !== (meta.index_type === local ? syncUpdate : 0)) {
    throw parameterInvalid("The index update mode does not fit the index type.");
  }
  const key = defineIndexKey(main, meta);
  const columns = meta.defined_column.map((name) => {
    const found = main.definedColumns.find((column) => column.name === name);
    if (found === undefined) throw parameterInvalid(`The column '${name}' of the index is not a defined column.`);
    return found;
  });
  if (columns.length > limits.indexColumnsMax || new Set(meta.defined_column).size !== columns.length) {
    throw parameterInvalid("Invalid defined columns of the index.");
  }
  return {
    index: { name: meta.name, key: meta.primary_key, columns: meta.defined_column, type: meta.index_type },
    table: {
      name: meta.name,
      key,
      definedColumns: columns,
      timeToLiveS: main.timeToLiveS,
      maxVersions: 1,
      manyVersions: false,
      timeDeviationS: main.timeDeviationS,
      allowUpdate: main.allowUpdate,
      reservedRead: 0,
      reservedWrite: 0,
      throughputChangedS: Math.floor(nowMs / 1000),
      createdMs: nowMs,
      mainTable: main.name,
    },
  };
}

function defineIndexKey(main: TableDefinition, meta: IndexMeta): KeyColumn[] {
  const asked = meta.primary_key;
  if (asked.length < 1 || asked.length > limits.indexKeyColumnsMax || new Set(asked).size !== asked.length) {
    throw parameterInvalid("Invalid primary key columns of the index.");
  }
  const columns = asked.map((name): KeyColumn => {
    const ofKey = main.key.find((column) => column.name === name);
    if (ofKey !== undefined) return ofKey;
    const type = keyTypeOf[main.definedColumns.find((column) => column.name === name)?.type ?? 0];
    if (type === undefined) {
      throw parameterInvalid(`The column '${name}' can't be a primary key column of the index.`);
    }
    return { name, ...type, autoIncrement: false };
  });
  if (columns[0]?.autoIncrement) throw parameterInvalid("The first column of an index can't be auto increment.");
  if (meta.index_type === local && asked[0] !== main.key[0]?.name) {
    throw parameterInvalid("The first column of a local index must be the first primary key column of the table.");
  }
  const rest = main.key.filter((column) => !asked.includes(column.name));
  return [...columns, ...rest].map((column) => ({ ...column, autoIncrement: false }));
}

/** Inside a write: stores or removes a row, and its index rows with it. `before` is what the store holds. */
export function replaceRow(
  rows: RowAccess,
  table: Table,
  key: Buffer,
  change: { readonly before: Buffer | undefined; readonly after: Row | undefined },
): void {
  const indexes = rows.indexesOf(table);
  const entries = indexes.map((index) => ({
    index,
    old: change.before === undefined ? undefined : indexEntry(index, decodeStored(change.before)),
    next: change.after === undefined ? undefined : indexEntry(index, change.after),
  }));
  if (change.after === undefined) rows.delete(table, key);
  else rows.put(table, key, encodeStored(change.after));
  for (const { index, old, next } of entries) {
    if (old !== undefined && (next === undefined || !old.key.equals(next.key))) rows.delete(index, old.key);
    if (next !== undefined) rows.put(index, next.key, encodeStored(next.row));
  }
}

/** The row of the index that a row has; undefined when one of the index's key columns is not there. */
export function indexEntry(index: Table, row: Row): { readonly key: Buffer; readonly row: Row } | undefined {
  const { key: columns, definedColumns } = index.definition;
  const primaryKey: Cell[] = [];
  for (const column of columns) {
    const value = (
      row.primaryKey.find((cell) => cell.name === column.name) ?? row.cells.find((cell) => cell.name === column.name)
    )?.value;
    if (value === undefined || value.kind !== column.kind) return undefined;
    if (value.bytes.length > limits.primaryKeyValueBytesMax) {
      throw parameterInvalid(
        `The length of primary key column: '${column.name}' exceeds the MaxLength:${limits.primaryKeyValueBytesMax} with CurrentLength:${value.bytes.length}.`,
      );
    }
    primaryKey.push({ name: column.name, value });
  }
  const names = new Set(definedColumns.map((column) => column.name));
  const cells = row.cells.filter((cell) => names.has(cell.name));
  return { key: encodeKey(primaryKey.map((cell) => cell.value as Variant)), row: { primaryKey, cells } };
}
