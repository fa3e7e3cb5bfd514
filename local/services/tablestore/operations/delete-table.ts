// DeleteTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { parameterInvalid } from "../errors.ts";
import { findTable, tableOperation } from "../operation.ts";

/** Removes a table with all its rows and indexes. */
export const deleteTable = tableOperation(
  "DeleteTableRequest",
  (request) => request.table_name,
  (call, request) =>
    call.store.write(() => {
      const table = findTable(call, request.table_name);
      if (table.definition.mainTable !== undefined) throw parameterInvalid("Can't delete index table directly");
      call.transactions.endAll(table);
      for (const index of call.store.indexesOf(table)) call.store.dropTable(index);
      call.store.dropTable(table);
      return encodeMessage("DeleteTableResponse", {});
    }),
);
