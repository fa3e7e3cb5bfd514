// AddDefinedColumn and DeleteDefinedColumn.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { parameterInvalid } from "../errors.ts";
import { findTable, tableOperation } from "../operation.ts";
import { defineColumns } from "../tables.ts";

/** Adds defined columns to a table. */
export const addDefinedColumn = tableOperation(
  "AddDefinedColumnRequest",
  (request) => request.table_name,
  (call, request) =>
    call.store.write(() => {
      const table = findTable(call, request.table_name);
      const { definedColumns, key } = table.definition;
      if (request.columns.length === 0) throw parameterInvalid("No defined column is given.");
      const columns = defineColumns([...definedColumns, ...request.columns], key);
      call.store.changeTable(table, { ...table.definition, definedColumns: columns });
      return encodeMessage("EmptyResponse", {});
    }),
);

/** Takes defined columns from a table; those that an index uses stay. */
export const deleteDefinedColumn = tableOperation(
  "DeleteDefinedColumnRequest",
  (request) => request.table_name,
  (call, request) =>
    call.store.write(() => {
      const table = findTable(call, request.table_name);
      const { definedColumns, indexes } = table.definition;
      if (request.columns.length === 0) throw parameterInvalid("No defined column is given.");
      for (const name of request.columns) {
        if (!definedColumns.some((column) => column.name === name)) {
          throw parameterInvalid(`The defined column '${name}' does not exist.`);
        }
        if (indexes?.some((index) => index.key.includes(name) || index.columns.includes(name))) {
          throw parameterInvalid(`The defined column '${name}' is used by an index.`);
        }
      }
      const left = definedColumns.filter((column) => !request.columns.includes(column.name));
      call.store.changeTable(table, { ...table.definition, definedColumns: left });
      return encodeMessage("EmptyResponse", {});
    }),
);
