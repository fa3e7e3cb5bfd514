// DescribeTable, and the parts of its answer that UpdateTable shares.

import {
  encodeMessage,
  type IndexMeta,
  type TableOptions,
  type ThroughputDetails,
} from "../../../protocol/tablestore/messages.ts";
import { findTable, tableOperation } from "../operation.ts";
import type { IndexDefinition, TableDefinition } from "../tables.ts";

const statusActive = 1;
const phaseIncremental = 2;

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
    last_increase_time: definition.throughputRaisedS ?? definition.throughputChangedS,
    ...(definition.throughputLoweredS === undefined ? {} : { last_decrease_time: definition.throughputLoweredS }),
  };
}

function indexMetaOf(index: IndexDefinition): IndexMeta {
  return {
    name: index.name,
    primary_key: index.key,
    defined_column: index.columns,
    index_update_mode: index.type,
    index_type: index.type,
    index_sync_phase: phaseIncremental,
  };
}

/** Schema, options and state of a table. */
export const describeTable = tableOperation(
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
      index_metas: (definition.indexes ?? []).map(indexMetaOf),
      ...(definition.stream === undefined ? {} : { stream_details: definition.stream }),
      ...(definition.createdMs === undefined ? {} : { creation_time: definition.createdMs * 1000 }),
      reserved_throughput_details: throughputOf(definition),
      table_options: optionsOf(definition),
      table_status: statusActive,
    });
  },
);
