// The rules that the cells of a row change obey, whatever is stored.

import { type Cell, CellOp } from "../../protocol/tablestore/plain-buffer.ts";
import { Kind, type Variant } from "../../protocol/tablestore/variant.ts";
import { parameterInvalid, timestampOutOfRange } from "./errors.ts";
import { checkText, kindNames } from "./keys.ts";
import { isName, limits } from "./limits.ts";
import type { Table } from "./tables.ts";

/** Checks the attribute cells of a put, update or delete of a key of so many bytes. Throws OtsError. */
export function checkCells(
  table: Table,
  change: { readonly kind: "put" | "update" | "delete"; readonly cells: readonly Cell[]; readonly keyBytes: number },
  nowMs: number,
): void {
  const { kind, cells, keyBytes } = change;
  if (kind === "delete") {
    if (cells.length > 0) throw parameterInvalid("Invalid delete row request: unexpected cells in request");
    return;
  }
  if (kind === "update" && cells.length === 0) {
    throw parameterInvalid("Invalid update row request: missing cells in request");
  }
  if (kind === "update" && !table.definition.allowUpdate) {
    throw parameterInvalid(`The table does not allow UpdateRow, table: ${table.definition.name}.`);
  }
  const keyNames = new Set(table.definition.key.map((column) => column.name));
  const uses = new Map<string, number>();
  let size = keyBytes;
  for (const cell of cells) {
    if (!isName(cell.name)) throw parameterInvalid(`Invalid column name: '${cell.name}'.`);
    if (keyNames.has(cell.name)) {
      throw parameterInvalid(`Duplicated attribute column name with primary key column: ${cell.name}.`);
    }
    uses.set(cell.name, (uses.get(cell.name) ?? 0) + 1);
    checkOp(kind, cell);
    checkTimestamp(table, cell, nowMs);
    if (cell.value) checkValue(cell.name, cell.value);
    size += cell.name.length + (cell.value?.bytes.length ?? 0);
  }
  for (const cell of cells) {
    if (cell.op === CellOp.increment && uses.get(cell.name) !== 1) {
      throw parameterInvalid(`Duplicated column name with increment: '${cell.name}'.`);
    }
  }
  if (uses.size > limits.attributeColumnsMax) {
    throw parameterInvalid(
      `The number of attribute columns exceeds the limit, limit count: ${limits.attributeColumnsMax}, column count: ${uses.size}.`,
    );
  }
  if (size > limits.rowWriteBytesMax) {
    throw parameterInvalid(
      `The total data size of ${kind === "put" ? "PutRow" : "UpdateRow"} request exceeds the limit, limit size: ${limits.rowWriteBytesMax}, data size: ${size}.`,
    );
  }
}

function checkOp(kind: "put" | "update", cell: Cell): void {
  switch (cell.op) {
    case undefined:
      if (cell.value === undefined) throw parameterInvalid(`No value is given for column name: ${cell.name}.`);
      return;
    case CellOp.increment:
      if (kind === "put") break;
      if (cell.value?.kind !== Kind.integer) throw parameterInvalid("The increment value must be an integer.");
      if (cell.timestamp !== undefined) throw parameterInvalid("Timestamp cannot be given when type is INCREMENT.");
      return;
    default:
      if (kind === "put") break;
      if (cell.value !== undefined) {
        throw parameterInvalid("Column value cannot be given when type is DELETE_ONE_VERSION,DELETE_ALL_VERSION.");
      }
      if (cell.op === CellOp.deleteOneVersion && cell.timestamp === undefined) {
        throw parameterInvalid("Timestamp must be given when type is DELETE_ONE_VERSION.");
      }
      if (cell.op === CellOp.deleteAllVersions && cell.timestamp !== undefined) {
        throw parameterInvalid("Timestamp cannot be given when type is DELETE_ALL_VERSION.");
      }
      return;
  }
  throw parameterInvalid(`OpType cannot be given for column name: ${cell.name} in PutRow.`);
}

function checkTimestamp(table: Table, cell: Cell, nowMs: number): void {
  const timestamp = cell.timestamp;
  if (timestamp === undefined) return;
  if (timestamp < 0 || timestamp > Number.MAX_SAFE_INTEGER) throw timestampOutOfRange();
  if (cell.op !== undefined) return;
  if (table.definition.indexes !== undefined) {
    throw parameterInvalid("Timestamp cannot be given when the table has indexes.");
  }
  const deviationMs = table.definition.timeDeviationS * 1000;
  if (timestamp < nowMs - deviationMs || timestamp >= nowMs + deviationMs) {
    throw parameterInvalid(`Invalid timestamp. Cell:${cell.name}.`);
  }
}

function checkValue(name: string, value: Variant): void {
  switch (value.kind) {
    case Kind.integer:
    case Kind.boolean:
      return;
    case Kind.double: {
      const number = value.bytes.readDoubleLE(0);
      if (Number.isNaN(number)) throw parameterInvalid("NaN can't be set to double value.");
      if (!Number.isFinite(number)) throw parameterInvalid("Infinity can't be set to double value.");
      return;
    }
    case Kind.string:
    case Kind.binary:
      checkText(name, value);
      if (value.bytes.length > limits.attributeValueBytesMax) {
        throw parameterInvalid(
          `The length of attribute column: '${name}' exceeds the MaxLength:${limits.attributeValueBytesMax} with CurrentLength:${value.bytes.length}.`,
        );
      }
      return;
    default:
      throw parameterInvalid(`${kindNames[value.kind]} is an invalid type for the attribute column.`);
  }
}
