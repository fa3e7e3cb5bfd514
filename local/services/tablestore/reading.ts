// What a read request selects from a row: columns, versions, time range, filter.

import { decodeFilter, type FilterTree } from "../../protocol/tablestore/filter.ts";
import type { ReadFields, TimeRange } from "../../protocol/tablestore/messages.ts";
import { encodeBareRow } from "../../protocol/tablestore/plain-buffer.ts";
import { asParameterError, parameterInvalid, timestampOutOfRange } from "./errors.ts";
import { matches, pageColumns } from "./filters.ts";
import { isName, limits } from "./limits.ts";
import {
  isPlainTable,
  liveRow,
  newestVersions,
  type Row,
  rowSize,
  type StoredCell,
  storedSize,
  storedWire,
} from "./rows.ts";
import type { Table } from "./tables.ts";

/** A read request, checked. `everything` means that a stored row can be answered as it is. */
export interface Selection {
  readonly everything: boolean;
  readonly columns: ReadonlySet<string> | undefined;
  readonly wantsKey: boolean;
  readonly startColumn: string | undefined;
  readonly endColumn: string | undefined;
  readonly range: TimeRange | undefined;
  readonly maxVersions: number;
  readonly filter: FilterTree | undefined;
}

/** Checks the shared fields of a read. Throws OtsError. */
export function readSelection(table: Table, fields: ReadFields): Selection {
  if (fields.max_versions === undefined && fields.time_range === undefined) {
    throw parameterInvalid("No version condition is specified while querying row.");
  }
  if (fields.max_versions !== undefined && fields.max_versions <= 0) {
    throw parameterInvalid(`Invalid max versions: ${fields.max_versions}. Reason: Max versions must be positive.`);
  }
  if (fields.columns_to_get.length > limits.columnsToGetMax) {
    throw parameterInvalid(
      `The number of columns from the request exceeds the limit, limit count: ${limits.columnsToGetMax}, column count: ${fields.columns_to_get.length}.`,
    );
  }
  for (const name of fields.columns_to_get) {
    if (!isName(name)) throw parameterInvalid(`Invalid column name: '${name}'.`);
  }
  checkTimeRange(fields.time_range);
  const columns = fields.columns_to_get.length > 0 ? new Set(fields.columns_to_get) : undefined;
  const selection = {
    columns,
    wantsKey: table.definition.key.some((column) => columns?.has(column.name)),
    startColumn: fields.start_column,
    endColumn: fields.end_column,
    range: fields.time_range,
    maxVersions: fields.max_versions ?? Number.POSITIVE_INFINITY,
    filter: readFilter(fields.filter),
  };
  const everything =
    isPlainTable(table) &&
    columns === undefined &&
    selection.startColumn === undefined &&
    selection.endColumn === undefined &&
    selection.range === undefined &&
    selection.filter === undefined;
  return { ...selection, everything };
}

function readFilter(bytes: Buffer | undefined): FilterTree | undefined {
  if (bytes === undefined || bytes.length === 0) return undefined;
  try {
    return decodeFilter(bytes);
  } catch (error) {
    throw asParameterError(error);
  }
}

function checkTimeRange(range: TimeRange | undefined): void {
  if (range === undefined) return;
  const { start_time: start, end_time: end, specific_time: specific } = range;
  if (specific !== undefined) {
    if (start !== undefined || end !== undefined) {
      // The service's own spelling.
      throw parameterInvalid("Specific tiemstamp and time range cannot be given at the same time.");
    }
    if (specific < 0) throw parameterInvalid("Specific timestamp cannot be less than 0.");
    return;
  }
  if (start === undefined || end === undefined) {
    throw parameterInvalid("Start and end time must be given at the same time.");
  }
  if (start < 0) throw timestampOutOfRange();
  if (start >= end) throw parameterInvalid("Invalid time range.");
}

/** What one stored row gives to a read: its bytes on the wire (empty when it gives no row) and the bytes it cost. */
export interface Selected {
  readonly wire: Buffer;
  readonly size: number;
}

const nothing = Buffer.alloc(0);

/** Applies a selection to a stored row. */
export function selectRow(table: Table, stored: Buffer, selection: Selection, nowMs: number): Selected {
  if (selection.everything) return { wire: storedWire(stored), size: storedSize(stored) };
  const row = liveRow(table, stored, nowMs);
  if (row === undefined) return { wire: nothing, size: 0 };
  const cells = selectCells(row, selection);
  const size = rowSize(row.primaryKey, cells);
  const narrowed =
    selection.columns !== undefined || selection.startColumn !== undefined || selection.endColumn !== undefined;
  const absent =
    cells.length === 0 && !selection.wantsKey && (narrowed || (selection.range !== undefined && row.cells.length > 0));
  if (absent) return { wire: nothing, size };
  if (selection.filter !== undefined && !matches(selection.filter, cells)) return { wire: nothing, size };
  const kept = selection.filter === undefined ? cells : pageColumns(selection.filter, cells);
  return { wire: encodeBareRow({ primaryKey: row.primaryKey, attributes: kept, deleteMarker: false }), size };
}

function selectCells(row: Row, selection: Selection): StoredCell[] {
  const { columns, startColumn, endColumn, range } = selection;
  const chosen = row.cells.filter(
    (cell) =>
      (columns === undefined || columns.has(cell.name)) &&
      (startColumn === undefined || cell.name >= startColumn) &&
      (endColumn === undefined || cell.name < endColumn) &&
      isInRange(cell.timestamp, range),
  );
  return newestVersions(chosen, selection.maxVersions);
}

function isInRange(timestamp: number, range: TimeRange | undefined): boolean {
  if (range === undefined) return true;
  if (range.specific_time !== undefined) return timestamp === range.specific_time;
  return timestamp >= (range.start_time as number) && timestamp < (range.end_time as number);
}
