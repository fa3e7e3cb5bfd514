// What a table is, and the checks of its definition.

import type { Messages, StreamDetails, StreamSpec, TableOptions } from "../../protocol/tablestore/messages.ts";
import { Kind } from "../../protocol/tablestore/variant.ts";
import { parameterInvalid } from "./errors.ts";
import { isName, limits } from "./limits.ts";

/** One primary key column. `kind` is the value kind on the wire. */
export interface KeyColumn {
  readonly name: string;
  readonly type: number;
  readonly kind: number;
  readonly autoIncrement: boolean;
}

/** A secondary index of a table. `key` are the columns asked for; the table's own key follows them in the index table. */
export interface IndexDefinition {
  readonly name: string;
  readonly key: readonly string[];
  readonly columns: readonly string[];
  readonly type: number;
}

/** Everything about a table but its rows; stored as JSON. */
export interface TableDefinition {
  readonly name: string;
  readonly key: readonly KeyColumn[];
  readonly definedColumns: readonly { readonly name: string; readonly type: number }[];
  readonly timeToLiveS: number;
  readonly maxVersions: number;
  /** True once maxVersions was ever above one: rows may then hold more versions than are readable. */
  readonly manyVersions: boolean;
  readonly timeDeviationS: number;
  readonly allowUpdate: boolean;
  readonly reservedRead: number;
  readonly reservedWrite: number;
  readonly throughputChangedS: number;
  /** Absent: as it was created. */
  readonly throughputRaisedS?: number;
  /** Absent: never lowered. */
  readonly throughputLoweredS?: number;
  readonly createdMs?: number;
  readonly localTransactions?: boolean;
  readonly indexes?: readonly IndexDefinition[];
  /** Of an index table: the table it is an index of. */
  readonly mainTable?: string;
  readonly stream?: StreamDetails;
}

/** A table that exists. `id` is its number in the store. */
export interface Table {
  readonly id: number;
  readonly instance: string;
  readonly definition: TableDefinition;
}

const kindOfType: Readonly<Record<number, number>> = { 1: Kind.integer, 2: Kind.string, 3: Kind.binary };

/** Checks a CreateTable request and gives the definition. Throws OtsError. `transactional`: what a table is that does not say. */
export function defineTable(
  request: Messages["CreateTableRequest"],
  nowMs: number,
  transactional: boolean,
): TableDefinition {
  const meta = request.table_meta;
  if (!isName(meta.table_name)) throw parameterInvalid(`Invalid table name: '${meta.table_name}'.`);
  const throughput = readThroughput(request.reserved_throughput.capacity_unit, { read: 0, write: 0 });
  const options = request.table_options ?? {};
  if (options.time_to_live === undefined) throw parameterInvalid("Time-to-live is missing while creating table.");
  if (options.max_versions === undefined) throw parameterInvalid("MaxVersions is missing while creating table.");
  if (request.sse_spec?.enable) throw parameterInvalid("Server side encryption is not supported.");
  const key = defineKey(request);
  const isAssigned = key.some((column) => column.autoIncrement);
  if (request.enable_local_txn && isAssigned) {
    throw parameterInvalid("Local transactions do not support an auto increment primary key.");
  }
  const base = {
    name: meta.table_name,
    key,
    definedColumns: defineColumns(request.table_meta.defined_column, key),
    timeToLiveS: -1,
    maxVersions: 1,
    manyVersions: false,
    timeDeviationS: 86_400,
    allowUpdate: true,
    reservedRead: throughput.read,
    reservedWrite: throughput.write,
    throughputChangedS: Math.floor(nowMs / 1000),
    createdMs: nowMs,
    localTransactions: request.enable_local_txn ?? (transactional && !isAssigned),
  };
  return withStream(withOptions(base, options), request.stream_spec, nowMs);
}

/** The definition with the given options changed. Throws OtsError. */
export function withOptions(definition: TableDefinition, options: TableOptions): TableDefinition {
  const timeToLiveS = options.time_to_live ?? definition.timeToLiveS;
  if (timeToLiveS === 0 || timeToLiveS < -1) throw parameterInvalid("TimeToLive cannot be 0 or less than -1.");
  if (timeToLiveS > 0 && timeToLiveS < 86_400) throw parameterInvalid("TimeToLive cannot be less than 86400 seconds.");
  const maxVersions = options.max_versions ?? definition.maxVersions;
  if (maxVersions <= 0) throw parameterInvalid("The maximum versions cannot be less than or equal to 0");
  const timeDeviationS = options.deviation_cell_version_in_sec ?? definition.timeDeviationS;
  if (timeDeviationS < 0) throw parameterInvalid("The maximum deviation must be in range [0, INT64_MAX/1000000].");
  return {
    ...definition,
    timeToLiveS,
    maxVersions,
    manyVersions: definition.manyVersions || maxVersions > 1,
    timeDeviationS,
    allowUpdate: options.allow_update ?? definition.allowUpdate,
  };
}

/** The definition with the stream switched as the request says. Throws OtsError. */
export function withStream(
  definition: TableDefinition,
  stream: StreamSpec | undefined,
  nowMs: number,
): TableDefinition {
  if (stream === undefined) return definition;
  const hours = stream.expiration_time;
  if (!stream.enable_stream) {
    if (hours !== undefined && hours !== 0) {
      throw parameterInvalid("Expiration time cannot be given when the stream is disabled.");
    }
    return { ...definition, stream: { enable_stream: false } };
  }
  if (hours === undefined || hours <= 0 || hours > limits.streamHoursMax) {
    throw parameterInvalid(`The expiration time of the stream must be in range: [1, ${limits.streamHoursMax}].`);
  }
  const enabledUs = nowMs * 1000;
  return {
    ...definition,
    stream: {
      enable_stream: true,
      stream_id: `${definition.name}_${enabledUs}`,
      expiration_time: hours,
      last_enable_time: enabledUs,
    },
  };
}

/** Reserved throughput of a request, with what it leaves out taken from `before`. Throws OtsError. */
export function readThroughput(
  unit: { readonly read?: number; readonly write?: number },
  before: { readonly read: number; readonly write: number },
): { read: number; write: number } {
  const read = unit.read ?? before.read;
  const write = unit.write ?? before.write;
  for (const value of [read, write]) {
    if (value < 0) throw parameterInvalid(`Invalid Capacity Unit:${value}. Capacity Unit must be nonnegative.`);
    if (value > limits.capacityUnitsMax) throw parameterInvalid("Invalid reserved throughput.");
  }
  return { read, write };
}

function defineKey(request: Messages["CreateTableRequest"]): KeyColumn[] {
  const { table_name, primary_key } = request.table_meta;
  if (primary_key.length < 1 || primary_key.length > limits.primaryKeyColumnsMax) {
    throw parameterInvalid(`The number of primary key columns must be in range: [1, ${limits.primaryKeyColumnsMax}].`);
  }
  const names = new Set<string>();
  let automatic = 0;
  return primary_key.map((column, index) => {
    if (!isName(column.name)) throw parameterInvalid(`Invalid column name: '${column.name}'.`);
    if (names.has(column.name)) throw parameterInvalid(`Duplicated primary key name: '${column.name}'.`);
    names.add(column.name);
    const kind = kindOfType[column.type];
    if (kind === undefined) throw parameterInvalid("Invalid column type, only STRING,INTEGER,BINARY is allowed.");
    const autoIncrement = column.option === 1;
    if (autoIncrement) {
      automatic += 1;
      if (index === 0) throw parameterInvalid(`First primary key can't be auto increment, table: ${table_name}.`);
      if (kind !== Kind.integer) throw parameterInvalid("AUTO_INCREMENT primary key must be integer.");
      if (automatic > 1) throw parameterInvalid("AUTO_INCREMENT primary key count must <= 1.");
    }
    return { name: column.name, type: column.type, kind, autoIncrement };
  });
}

/** Checks columns that are to be defined, against the key they stand beside. Throws OtsError. */
export function defineColumns(
  columns: TableDefinition["definedColumns"],
  key: readonly KeyColumn[],
): TableDefinition["definedColumns"] {
  if (columns.length > limits.definedColumnsMax) throw parameterInvalid("Too many defined columns.");
  const names = new Set(key.map((column) => column.name));
  return columns.map(({ name, type }) => {
    if (!isName(name)) throw parameterInvalid(`Invalid column name: '${name}'.`);
    if (names.has(name)) throw parameterInvalid(`Duplicated column name: '${name}'.`);
    if (![1, 2, 3, 4, 7].includes(type)) throw parameterInvalid("Invalid defined column type.");
    names.add(name);
    return { name, type };
  });
}
