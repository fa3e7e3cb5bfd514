// UpdateTable.

import { encodeMessage } from "../../../protocol/tablestore/messages.ts";
import { parameterInvalid } from "../errors.ts";
import { checkIndexable } from "../indexing.ts";
import { findTable, tableOperation } from "../operation.ts";
import { readThroughput, withOptions, withStream } from "../tables.ts";
import { optionsOf, throughputOf } from "./describe-table.ts";

/** Changes options and reserved throughput. */
export const updateTable = tableOperation(
  "UpdateTableRequest",
  (request) => request.table_name,
  (call, request) =>
    call.store.write(() => {
      const table = findTable(call, request.table_name);
      if (table.definition.mainTable !== undefined) throw parameterInvalid("Can't update index table directly");
      const { reserved_throughput, table_options, stream_spec } = request;
      if (reserved_throughput === undefined && table_options === undefined && stream_spec === undefined) {
        throw parameterInvalid("No parameter is specified in table options.");
      }
      let definition = withStream(withOptions(table.definition, table_options ?? {}), stream_spec, call.now());
      if (definition.indexes !== undefined) checkIndexable(definition);
      if (reserved_throughput) {
        call.pace.checkThroughputChange(table, call.now());
        const before = { read: definition.reservedRead, write: definition.reservedWrite };
        const { read, write } = readThroughput(reserved_throughput.capacity_unit, before);
        const throughputChangedS = Math.floor(call.now() / 1000);
        definition = {
          ...definition,
          reservedRead: read,
          reservedWrite: write,
          throughputChangedS,
          throughputRaisedS: definition.throughputRaisedS ?? definition.throughputChangedS,
          ...(read > before.read || write > before.write ? { throughputRaisedS: throughputChangedS } : {}),
          ...(read < before.read || write < before.write ? { throughputLoweredS: throughputChangedS } : {}),
        };
      }
      call.store.changeTable(table, definition);
      const { timeToLiveS, allowUpdate } = definition;
      for (const index of call.store.indexesOf(table)) {
        call.store.changeTable(index, { ...index.definition, timeToLiveS, allowUpdate });
      }
      return encodeMessage("UpdateTableResponse", {
        reserved_throughput_details: throughputOf(definition),
        table_options: optionsOf(definition),
        ...(definition.stream === undefined ? {} : { stream_details: definition.stream }),
      });
    }),
);
