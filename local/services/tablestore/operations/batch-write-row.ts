// BatchWriteRow.

import { type BatchRowAnswer, encodeMessage, type Messages } from "../../../protocol/tablestore/messages.ts";
import { OtsError, parameterInvalid } from "../errors.ts";
import { encodeKey } from "../keys.ts";
import { limits } from "../limits.ts";
import { type Call, findTable, operation, refuseTransaction } from "../operation.ts";
import type { Table } from "../tables.ts";
import { applyChange, type ChangeKind, type RowChange, readChange } from "../writing.ts";

const kinds: Readonly<Record<number, ChangeKind>> = { 1: "put", 2: "update", 3: "delete" };

/**
 * Changes of several rows, each on its own: a failed condition fails that row alone. A request that is wrong in
 * itself fails whole, and nothing of it is done.
 */
export const batchWriteRow = operation(
  "BatchWriteRowRequest",
  (request) => request.tables[0]?.table_name,
  (call, request) =>
    call.store.write(() => {
      refuseTransaction(request.transaction_id);
      if (request.is_atomic) throw parameterInvalid("Unsupported operation: BatchWriteRow with is_atomic.");
      checkShape(request);
      const now = call.now();
      const parts = request.tables.map((part) => {
        const table = findTable(call, part.table_name);
        return { table, changes: readChanges(table, part, now) };
      });
      const tables = parts.map(({ table, changes }) => ({
        table_name: table.definition.name,
        rows: changes.map((change) => applyOne(call, table, change, now)),
      }));
      return encodeMessage("BatchResponse", { tables });
    }),
);

function checkShape(request: Messages["BatchWriteRowRequest"]): void {
  const names = new Set<string>();
  let rows = 0;
  let bytes = 0;
  for (const part of request.tables) {
    if (names.has(part.table_name)) throw parameterInvalid(`Duplicated table name: ${part.table_name}.`);
    names.add(part.table_name);
    if (part.rows.length === 0) throw parameterInvalid(`No operation is specified for table:${part.table_name}.`);
    rows += part.rows.length;
    for (const row of part.rows) bytes += row.row_change.length;
  }
  if (rows === 0) throw parameterInvalid("No row is specified in BatchWriteRow.");
  if (rows > limits.batchWriteRowsMax) {
    throw parameterInvalid(`Rows count exceeds the upper limit:${limits.batchWriteRowsMax}.`);
  }
  if (bytes > limits.rowWriteBytesMax) {
    throw new OtsError(400, "OTSParameterInvalid", "The total data size of BatchWriteRow request exceeds the limit.");
  }
}

function readChanges(table: Table, part: Messages["BatchWriteRowRequest"]["tables"][number], now: number): RowChange[] {
  const seen = new Set<string>();
  return part.rows.map((row) => {
    const kind = kinds[row.type];
    if (kind === undefined) throw parameterInvalid("Invalid operation type in BatchWriteRow.");
    const request = { bytes: row.row_change, condition: row.condition, returnContent: row.return_content };
    const change = readChange(table, kind, request, now);
    const key = encodeKey(change.values).toString("latin1");
    if (seen.has(key)) throw parameterInvalid(`Duplicated primary key in table: ${part.table_name}.`);
    seen.add(key);
    return change;
  });
}

function applyOne(call: Call, table: Table, change: RowChange, now: number): BatchRowAnswer {
  try {
    const answer = applyChange(call.store, table, change, now);
    return {
      is_ok: true,
      consumed: { capacity_unit: answer.consumed },
      ...(answer.row === undefined ? {} : { row: answer.row }),
    };
  } catch (error) {
    if (!(error instanceof OtsError)) throw error;
    return { is_ok: false, error: { code: error.code, message: error.message } };
  }
}
