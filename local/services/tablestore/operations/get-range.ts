// GetRange.

import { encodeMessage, type Messages } from "../../../protocol/tablestore/messages.ts";
import { encodeRows, plainBufferHeader } from "../../../protocol/tablestore/plain-buffer.ts";
import { parameterInvalid } from "../errors.ts";
import { encodeKey } from "../keys.ts";
import { limits } from "../limits.ts";
import { findReadyTable, operation, readCost } from "../operation.ts";
import { readSelection, type Selection, selectRow } from "../reading.ts";
import { readKeyBytes } from "../row-bytes.ts";
import { decodeStored, storedSize } from "../rows.ts";
import type { RowAccess, StoredEntry } from "../store.ts";
import type { Table } from "../tables.ts";
import { checkInside, type Transaction } from "../transactions.ts";

const forward = 0;
const backward = 1;
// Rows fetched at a time while a filter drops some.
const rowsAtOnce = 500;

interface Range {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly backward: boolean;
  readonly limit: number;
}

/** Rows between two keys, in key order or against it, until limit, 5000 rows or 4 MB scanned. */
export const getRange = operation(
  "GetRangeRequest",
  (request) => request.table_name,
  (call, request) => {
    const table = findReadyTable(call, request.table_name);
    const nowMs = call.now();
    const transaction = call.transactions.of(table, request.transaction_id, nowMs);
    const selection = readSelection(table, request);
    const range = readRange(table, request, transaction);
    const found = scan(transaction?.rows ?? call.store, table, { selection, range, nowMs });
    return encodeMessage("GetRangeResponse", {
      consumed: readCost(found.bytes),
      rows: found.rows.length === 0 ? Buffer.alloc(0) : Buffer.concat([plainBufferHeader, ...found.rows]),
      ...(found.next === undefined ? {} : { next_start_primary_key: keyOf(found.next) }),
    });
  },
);

function readRange(table: Table, request: Messages["GetRangeRequest"], transaction: Transaction | undefined): Range {
  if (request.limit !== undefined && request.limit <= 0) throw parameterInvalid("The limit must be greater than 0.");
  if (request.direction !== forward && request.direction !== backward) throw parameterInvalid("Invalid direction.");
  const schema = table.definition.key;
  const bound = (bytes: Buffer): Buffer => {
    const values = readKeyBytes(schema, bytes, "bound");
    if (transaction !== undefined) checkInside(transaction, encodeKey(values.slice(0, 1)), 0);
    return encodeKey(values);
  };
  const from = bound(request.inclusive_start_primary_key);
  const to = bound(request.exclusive_end_primary_key);
  const order = Buffer.compare(from, to);
  if (request.direction === forward && order >= 0) {
    throw parameterInvalid("Begin key must less than end key in FORWARD.");
  }
  if (request.direction === backward && order <= 0) {
    throw parameterInvalid("Begin key must more than end key in BACKWARD.");
  }
  return { from, to, backward: request.direction === backward, limit: request.limit ?? Number.POSITIVE_INFINITY };
}

interface Found {
  readonly rows: readonly Buffer[];
  readonly bytes: number;
  /** The first row not scanned, when there is one. */
  readonly next: StoredEntry | undefined;
}

function scan(
  access: RowAccess,
  table: Table,
  read: { readonly selection: Selection; readonly range: Range; readonly nowMs: number },
): Found {
  const { selection, range, nowMs } = read;
  const rows: Buffer[] = [];
  let scanned = 0;
  let bytes = 0;
  let from = range.from;
  for (;;) {
    // One more than can be used, so that the next key is known. A filter makes it unknown how many that are.
    const useful = selection.filter === undefined ? range.limit - rows.length : rowsAtOnce;
    const wanted = Math.min(useful, limits.rangeRowsMax - scanned) + 1;
    const { entries, isEnd } = access.scan(table, { ...range, from, after: scanned > 0 }, wanted);
    for (const entry of entries) {
      if (rows.length >= range.limit || scanned >= limits.rangeRowsMax || bytes >= limits.rangeBytesMax) {
        return { rows, bytes, next: entry };
      }
      scanned += 1;
      bytes += storedSize(entry[1]);
      const { wire } = selectRow(table, entry[1], selection, nowMs);
      if (wire.length > 0) rows.push(wire);
      from = entry[0];
    }
    if (isEnd) return { rows, bytes, next: undefined };
  }
}

function keyOf(entry: StoredEntry): Buffer {
  return encodeRows([{ primaryKey: decodeStored(entry[1]).primaryKey, attributes: [], deleteMarker: false }]);
}
