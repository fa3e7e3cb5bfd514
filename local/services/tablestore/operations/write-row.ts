// PutRow, UpdateRow and DeleteRow: one shape, three kinds of change.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { findTable, type Operation, operation, refuseTransaction } from "../operation.ts";
import { applyChange, type ChangeKind, readChange } from "../writing.ts";

function writeRow(message: "PutRowRequest" | "UpdateRowRequest" | "DeleteRowRequest", kind: ChangeKind): Operation {
  return operation(
    message,
    (request) => request.table_name,
    (call, request) =>
      call.store.write(() => {
        const table = findTable(call, request.table_name);
        refuseTransaction(request.transaction_id);
        const now = call.now();
        const part = { bytes: request.row, condition: request.condition, returnContent: request.return_content };
        const answer = applyChange(call.store, table, readChange(table, kind, part, now), now);
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
