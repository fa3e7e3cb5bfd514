// Stored rows: reading them into cells, which cells are alive, and what a read selects from them.

import { type Cell, decodeBareRow, encodeBareRow, plainBufferHeader } from "../../protocol/tablestore/plain-buffer.ts";
import { variantSize } from "../../protocol/tablestore/variant.ts";
import type { Table } from "./tables.ts";

/** An attribute cell that is stored: value and timestamp are always there. */
export type StoredCell = Required<Pick<Cell, "name" | "value" | "timestamp">>;

/** A row as the store holds it. Cells are ordered by name, then newest first. */
export interface Row {
  readonly primaryKey: readonly Cell[];
  readonly cells: readonly StoredCell[];
}

// A stored value is four bytes of counted size (names and values) and the row as the wire carries it, so that a read
// that wants all of it copies bytes.
const prefixBytes = 4;

/** The value to store for a row. */
export function encodeStored(row: Row): Buffer {
  const body = encodeBareRow({ primaryKey: row.primaryKey, attributes: row.cells, deleteMarker: false });
  const prefix = Buffer.allocUnsafe(prefixBytes);
  prefix.writeUInt32LE(Math.min(rowSize(row.primaryKey, row.cells), 0xffff_ffff));
  return Buffer.concat([prefix, body]);
}

/** Counted size of a stored row, without reading it. */
export function storedSize(value: Buffer): number {
  return value.readUInt32LE(0);
}

/** The row as the wire carries it, without a header. */
export function storedWire(value: Buffer): Buffer {
  return value.subarray(prefixBytes);
}

/** Reads a stored row. */
export function decodeStored(value: Buffer): Row {
  const row = decodeBareRow(storedWire(value));
  return { primaryKey: row.primaryKey, cells: row.attributes as readonly StoredCell[] };
}

/** One row with the header in front. */
export function withHeader(wire: Buffer): Buffer {
  return Buffer.concat([plainBufferHeader, wire]);
}

/** Names and values in bytes, as capacity units count them. */
export function rowSize(primaryKey: readonly Cell[], cells: readonly Cell[]): number {
  let size = 0;
  for (const cell of primaryKey) size += cell.name.length + (cell.value ? variantSize(cell.value) : 0);
  for (const cell of cells) size += cell.name.length + (cell.value ? variantSize(cell.value) : 0);
  return size;
}

/** True when every stored cell of the table is readable: no time to live, and never more than one version. */
export function isPlainTable(table: Table): boolean {
  return table.definition.timeToLiveS === -1 && !table.definition.manyVersions;
}

/**
 * The row with expired cells and surplus versions left out. Undefined when it had cells and all have expired:
 * such a row no longer exists, for reads and for conditions alike.
 */
export function liveRow(table: Table, value: Buffer, nowMs: number): Row | undefined {
  const row = decodeStored(value);
  if (isPlainTable(table) || row.cells.length === 0) return row;
  const { timeToLiveS, maxVersions } = table.definition;
  const aliveAfter = timeToLiveS === -1 ? Number.NEGATIVE_INFINITY : nowMs - timeToLiveS * 1000;
  const cells = newestVersions(
    row.cells.filter((cell) => cell.timestamp > aliveAfter),
    maxVersions,
  );
  return cells.length === 0 ? undefined : { primaryKey: row.primaryKey, cells };
}

/** The newest `count` versions of every column; `cells` are ordered by name, then newest first. */
export function newestVersions(cells: readonly StoredCell[], count: number): StoredCell[] {
  let name: string | undefined;
  let seen = 0;
  return cells.filter((cell) => {
    seen = cell.name === name ? seen + 1 : 1;
    name = cell.name;
    return seen <= count;
  });
}

/** Order of cells in a row: by name, then newest first. */
export function compareCells(left: StoredCell, right: StoredCell): number {
  if (left.name !== right.name) return left.name < right.name ? -1 : 1;
  return right.timestamp - left.timestamp;
}
