// BatchGetRow.

import { type BatchRowAnswer, encodeMessage, type Messages } from "../../../protocol/tablestore/messages.ts";
import { parameterInvalid } from "../errors.ts";
import { encodeKey } from "../keys.ts";
import { limits } from "../limits.ts";
import { type Call, findReadyTable, operation, readCost } from "../operation.ts";
import { readSelection, selectRow } from "../reading.ts";
import { readKeyBytes } from "../row-bytes.ts";
import { withHeader } from "../rows.ts";

/** Rows of several tables, in the order asked for; a missing row has an entry without bytes. */
export const batchGetRow = operation(
  "BatchGetRowRequest",
  (request) => request.tables.map(({ table_name }) => table_name),
  (call, request) => {
    checkShape(request);
    const now = call.now();
    const tables = request.tables.map((part) => ({ table_name: part.table_name, rows: readRows(call, part, now) }));
    return encodeMessage("BatchResponse", { tables });
  },
);

function checkShape(request: Messages["BatchGetRowRequest"]): void {
  const names = new Set<string>();
  let rows = 0;
  for (const part of request.tables) {
    if (names.has(part.table_name)) throw parameterInvalid(`Duplicated table name: ${part.table_name}.`);
    names.add(part.table_name);
    if (part.primary_key.length === 0) {
      throw parameterInvalid(`No row specified in table: '${part.table_name}' of BatchGetRow.`);
    }
    rows += part.primary_key.length;
  }
  if (rows === 0) throw parameterInvalid("No row specified in the request of BatchGetRow.");
  if (rows > limits.batchGetRowsMax) {
    throw parameterInvalid(`Rows count exceeds the upper limit:${limits.batchGetRowsMax}.`);
  }
}

function readRows(call: Call, part: Messages["BatchGetRowRequest"]["tables"][number], now: number): BatchRowAnswer[] {
  const table = findReadyTable(call, part.table_name);
  const selection = readSelection(table, part);
  const seen = new Set<string>();
  return part.primary_key.map((bytes) => {
    const key = encodeKey(readKeyBytes(table.definition.key, bytes, "read"));
    const text = key.toString("latin1");
    if (seen.has(text)) throw parameterInvalid("Duplicate rows detected in MultiGet.");
    seen.add(text);
    const stored = call.store.get(table, key);
    if (stored === undefined) return { is_ok: true, consumed: readCost(0) };
    const { wire, size } = selectRow(table, stored, selection, now);
    return { is_ok: true, consumed: readCost(size), ...(wire.length === 0 ? {} : { row: withHeader(wire) }) };
  });
}
