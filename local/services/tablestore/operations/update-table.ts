// UpdateTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { parameterInvalid } from "../errors.ts";
import { findTable, operation } from "../operation.ts";
import { readThroughput, withOptions } from "../tables.ts";
import { optionsOf, throughputOf } from "./describe-table.ts";

/** Changes options and reserved throughput. */
export const updateTable = operation(
  "UpdateTableRequest",
  (request) => request.table_name,
  (call, request) =>
    call.store.write(() => {
      const table = findTable(call, request.table_name);
      if (request.stream_spec?.enable_stream)
        throw parameterInvalid("Unsupported operation: UpdateTable with a stream.");
      let definition = withOptions(table.definition, request.table_options ?? {});
      if (request.reserved_throughput) {
        const before = { read: definition.reservedRead, write: definition.reservedWrite };
        const { read, write } = readThroughput(request.reserved_throughput.capacity_unit, before);
        const throughputChangedS = Math.floor(call.now() / 1000);
        definition = { ...definition, reservedRead: read, reservedWrite: write, throughputChangedS };
      }
      call.store.changeTable(table, definition);
      return encodeMessage("UpdateTableResponse", {
        reserved_throughput_details: throughputOf(definition),
        table_options: optionsOf(definition),
      });
    }),
);
