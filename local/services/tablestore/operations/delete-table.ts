// DeleteTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { findTable, operation } from "../operation.ts";

/** Removes a table with all its rows. */
export const deleteTable = operation(
  "DeleteTableRequest",
  (request) => request.table_name,
  (call, request) =>
    call.store.write(() => {
      call.store.dropTable(findTable(call, request.table_name));
      return encodeMessage("DeleteTableResponse", {});
    }),
);
