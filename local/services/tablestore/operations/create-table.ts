// CreateTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { OtsError, tableExists } from "../errors.ts";
import { limits } from "../limits.ts";
import { operation } from "../operation.ts";
import { defineTable } from "../tables.ts";

/** Creates a table; it is ready at once. */
export const createTable = operation(
  "CreateTableRequest",
  (request) => request.table_meta.table_name,
  (call, request) =>
    call.store.write(() => {
      const definition = defineTable(request, call.now());
      if (call.store.table(call.instance, definition.name)) throw tableExists();
      if (call.store.tableNames(call.instance).length >= limits.tablesMax) {
        throw new OtsError(403, "OTSQuotaExhausted", "Number of tables exceeded the quota.");
      }
      call.store.addTable(call.instance, definition);
      return encodeMessage("CreateTableResponse", {});
    }),
);
