// PutRow, UpdateRow and DeleteRow: one shape, three kinds of change.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { type Call, findReadyTable, type Operation, operation } from "../operation.ts";
import type { Table } from "../tables.ts";
import { checkInside, type Transaction } from "../transactions.ts";
import { applyChange, type ChangeKind, partitionOf, type RowChange, readChange, type WriteAnswer } from "../writing.ts";

/** Inside a write: makes one change, in the transaction when there is one. Throws OtsError. */
export function changeRow(
  call: Call,
  table: Table,
  change: RowChange,
  context: { readonly transaction: Transaction | undefined; readonly nowMs: number },
): WriteAnswer {
  const { transaction, nowMs } = context;
  const { keepsExpired } = call;
  if (transaction === undefined) {
    if (table.definition.localTransactions) call.transactions.checkFree(table, partitionOf(change), nowMs);
    return applyChange(call.store, table, change, { nowMs, keepsExpired });
  }
  checkInside(transaction, partitionOf(change), change.size);
  return applyChange(transaction.rows, table, change, { nowMs, keepsExpired });
}

function writeRow(message: "PutRowRequest" | "UpdateRowRequest" | "DeleteRowRequest", kind: ChangeKind): Operation {
  return operation(
    message,
    (request) => request.table_name,
    (call, request) =>
      call.store.write(() => {
        const table = findReadyTable(call, request.table_name);
        const nowMs = call.now();
        const transaction = call.transactions.of(table, request.transaction_id, nowMs);
        const part = { bytes: request.row, condition: request.condition, returnContent: request.return_content };
        const answer = changeRow(call, table, readChange(table, kind, part, nowMs), { transaction, nowMs });
        return encodeMessage("WriteRowResponse", {
          consumed: { capacity_unit: answer.consumed },
          ...(answer.row === undefined ? {} : { row: answer.row }),
        });
      }),
  );
}

/** Replaces a whole row. */
export const putRow: Operation = writeRow("PutRowRequest", "put");

/** Changes columns of a row. */
export const updateRow: Operation = writeRow("UpdateRowRequest", "update");

/** Removes a row. */
export const deleteRow: Operation = writeRow("DeleteRowRequest", "delete");
