// DescribeTable, and the parts of its answer that UpdateTable shares.

import { encodeMessage, type TableOptions, type ThroughputDetails } from "../../../protocol/tablestore/messages.ts";
import { findTable, operation } from "../operation.ts";
import type { TableDefinition } from "../tables.ts";

const statusActive = 1;

/** The options of a table as the wire carries them. */
export function optionsOf(definition: TableDefinition): TableOptions {
  return {
    time_to_live: definition.timeToLiveS,
    max_versions: definition.maxVersions,
    deviation_cell_version_in_sec: definition.timeDeviationS,
    allow_update: definition.allowUpdate,
  };
}

/** The throughput of a table as the wire carries it. */
export function throughputOf(definition: TableDefinition): ThroughputDetails {
  return {
    capacity_unit: { read: definition.reservedRead, write: definition.reservedWrite },
    last_increase_time: definition.throughputChangedS,
  };
}

/** Schema, options and state of a table. */
export const describeTable = operation(
  "DescribeTableRequest",
  (request) => request.table_name,
  (call, request) => {
    const { definition } = findTable(call, request.table_name);
    return encodeMessage("DescribeTableResponse", {
      table_meta: {
        table_name: definition.name,
        primary_key: definition.key.map(({ name, type, autoIncrement }) => ({
          name,
          type,
          ...(autoIncrement ? { option: 1 } : {}),
        })),
        defined_column: definition.definedColumns,
        index_meta: [],
      },
      reserved_throughput_details: throughputOf(definition),
      table_options: optionsOf(definition),
      table_status: statusActive,
    });
  },
);
