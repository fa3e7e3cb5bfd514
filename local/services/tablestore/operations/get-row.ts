// GetRow.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { encodeKey } from "../keys.ts";
import { findReadyTable, operation, readCost } from "../operation.ts";
import { readSelection, selectRow } from "../reading.ts";
import { readKeyBytes } from "../row-bytes.ts";
import { withHeader } from "../rows.ts";
import { checkInside } from "../transactions.ts";

/** One row, or no bytes when there is none. */
export const getRow = operation(
  "GetRowRequest",
  (request) => request.table_name,
  (call, request) => {
    const table = findReadyTable(call, request.table_name);
    const nowMs = call.now();
    const transaction = call.transactions.of(table, request.transaction_id, nowMs);
    const rows = transaction?.rows ?? call.store;
    const selection = readSelection(table, request);
    const values = readKeyBytes(table.definition.key, request.primary_key, "read");
    if (transaction !== undefined) checkInside(transaction, encodeKey(values.slice(0, 1)), 0);
    const key = encodeKey(values);
    const stored = rows.get(table, key);
    if (stored === undefined) return encodeMessage("GetRowResponse", { consumed: readCost(0), row: Buffer.alloc(0) });
    const { wire, size } = selectRow(table, stored, selection, nowMs);
    return encodeMessage("GetRowResponse", {
      consumed: readCost(size),
      row: wire.length === 0 ? wire : withHeader(wire),
    });
  },
);
