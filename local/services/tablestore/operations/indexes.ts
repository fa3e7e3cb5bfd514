// CreateIndex and DropIndex.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { OtsError, tableExists } from "../errors.ts";
import { defineIndex, indexEntry } from "../indexing.ts";
import { findTable, tableOperation } from "../operation.ts";
import { decodeStored, encodeStored, type Row } from "../rows.ts";
import type { Store } from "../store.ts";
import type { Table } from "../tables.ts";
import { checkQuota } from "./create-table.ts";

const rowsAtOnce = 200;
const lowest = Buffer.alloc(0);
const highest = Buffer.from([0xff, 0xff]);

/** Adds an index to a table; rows that are there already join it when the request says so. Index rows follow at once. */
export const createIndex = tableOperation(
  "CreateIndexRequest",
  (request) => request.main_table_name,
  (call, request) =>
    call.store.write(() => {
      const main = findTable(call, request.main_table_name);
      const { index, table } = defineIndex(main.definition, request.index_meta, call.now());
      if (call.store.table(call.instance, table.name)) throw tableExists();
      checkQuota(call, 1);
      // A row that does not fit is found before anything is written.
      const draft = { id: 0, instance: call.instance, definition: table };
      if (request.include_base_data) eachRow(call.store, main, (row) => indexEntry(draft, row));
      const added = call.store.addTable(call.instance, table);
      call.store.changeTable(main, { ...main.definition, indexes: [...(main.definition.indexes ?? []), index] });
      if (request.include_base_data) eachRow(call.store, main, (row) => addEntry(call.store, added, row));
      return encodeMessage("EmptyResponse", {});
    }),
);

function addEntry(store: Store, index: Table, row: Row): void {
  const entry = indexEntry(index, row);
  if (entry !== undefined) store.put(index, entry.key, encodeStored(entry.row));
}

function eachRow(store: Store, table: Table, visit: (row: Row) => unknown): void {
  let from: Buffer = lowest;
  for (;;) {
    const range = { from, after: from !== lowest, to: highest, backward: false };
    const { entries, isEnd } = store.scan(table, range, rowsAtOnce);
    for (const [key, value] of entries) {
      from = key;
      visit(decodeStored(value));
    }
    if (isEnd) return;
  }
}

/** Removes an index and its rows. */
export const dropIndex = tableOperation(
  "DropIndexRequest",
  (request) => request.main_table_name,
  (call, request) =>
    call.store.write(() => {
      const main = findTable(call, request.main_table_name);
      const index = call.store.table(call.instance, request.index_name);
      if (index === undefined || index.definition.mainTable !== main.definition.name) {
        throw new OtsError(404, "OTSObjectNotExist", "Requested index does not exist.");
      }
      call.store.dropTable(index);
      const left = (main.definition.indexes ?? []).filter(({ name }) => name !== request.index_name);
      const { indexes: _, ...rest } = main.definition;
      call.store.changeTable(main, left.length === 0 ? rest : { ...rest, indexes: left });
      return encodeMessage("EmptyResponse", {});
    }),
);
