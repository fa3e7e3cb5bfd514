// CreateTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { OtsError, tableExists } from "../errors.ts";
import { defineIndex } from "../indexing.ts";
import { limits } from "../limits.ts";
import { type Call, tableOperation } from "../operation.ts";
import { defineTable, type TableDefinition } from "../tables.ts";

/** Throws OtsError when the instance has no room for that many tables more. */
export function checkQuota(call: Call, more: number): void {
  if (call.store.tablesOf(call.instance).length + more <= limits.tablesMax) return;
  throw new OtsError(403, "OTSQuotaExhausted", "Number of tables exceeded the quota.");
}

/** Creates a table with its indexes; it is ready at once. */
export const createTable = tableOperation(
  "CreateTableRequest",
  (request) => request.table_meta.table_name,
  (call, request) =>
    call.store.write(() => {
      const definition = defineTable(request, call.now(), call.localTransactions);
      if (call.store.table(call.instance, definition.name)) throw tableExists();
      const metas = [...request.index_metas, ...request.table_meta.index_meta];
      checkQuota(call, 1 + metas.length);
      let main = definition;
      const tables: TableDefinition[] = [];
      for (const meta of metas) {
        const { index, table } = defineIndex(main, meta, call.now());
        const isTaken = [main.name, ...tables.map((other) => other.name)].includes(table.name);
        if (isTaken || call.store.table(call.instance, table.name)) throw tableExists();
        tables.push(table);
        main = { ...main, indexes: [...(main.indexes ?? []), index] };
      }
      for (const table of [main, ...tables]) call.store.addTable(call.instance, table);
      return encodeMessage("CreateTableResponse", {});
    }),
);
