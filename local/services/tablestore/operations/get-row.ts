// GetRow.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { encodeKey, readKey } from "../keys.ts";
import { findTable, operation, readCost, refuseTransaction } from "../operation.ts";
import { readSelection, selectRow } from "../reading.ts";
import { readRowBytes } from "../row-bytes.ts";
import { withHeader } from "../rows.ts";

/** One row, or no bytes when there is none. */
export const getRow = operation(
  "GetRowRequest",
  (request) => request.table_name,
  (call, request) => {
    const table = findTable(call, request.table_name);
    refuseTransaction(request.transaction_id);
    const selection = readSelection(table, request);
    const key = encodeKey(readKey(table.definition.key, readRowBytes(request.primary_key).primaryKey, "read"));
    const stored = call.store.get(table, key);
    if (stored === undefined) return encodeMessage("GetRowResponse", { consumed: readCost(0), row: Buffer.alloc(0) });
    const { wire, size } = selectRow(table, stored, selection, call.now());
    return encodeMessage("GetRowResponse", {
      consumed: readCost(size),
      row: wire.length === 0 ? wire : withHeader(wire),
    });
  },
);
