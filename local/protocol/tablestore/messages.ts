// Typed access to the protobuf messages: what each one holds once decoded, and the two directions.

import protobuf from "protobufjs";
import { tablestoreProto } from "./messages-proto.ts";

export interface CapacityUnit {
  readonly read?: number;
  readonly write?: number;
}
export interface Consumed {
  readonly capacity_unit: CapacityUnit;
}
export interface PrimaryKeySchema {
  readonly name: string;
  readonly type: number;
  readonly option?: number;
}
export interface DefinedColumnSchema {
  readonly name: string;
  readonly type: number;
}
export interface TableMeta {
  readonly table_name: string;
  readonly primary_key: readonly PrimaryKeySchema[];
  readonly defined_column: readonly DefinedColumnSchema[];
  readonly index_meta: readonly IndexMeta[];
}
export interface IndexMeta {
  readonly name: string;
  readonly primary_key: readonly string[];
  readonly defined_column: readonly string[];
  readonly index_update_mode: number;
  readonly index_type: number;
  readonly index_sync_phase?: number;
}
export interface TableOptions {
  readonly time_to_live?: number;
  readonly max_versions?: number;
  readonly deviation_cell_version_in_sec?: number;
  readonly allow_update?: boolean;
  readonly update_full_row?: boolean;
}
export interface ThroughputDetails {
  readonly capacity_unit: CapacityUnit;
  readonly last_increase_time: number;
  readonly last_decrease_time?: number;
}
export interface Condition {
  readonly row_existence: number;
  readonly column_condition?: Buffer;
}
export interface ReturnContent {
  readonly return_type?: number;
  readonly return_column_names: readonly string[];
}
export interface TimeRange {
  readonly start_time?: number;
  readonly end_time?: number;
  readonly specific_time?: number;
}
/** The part that every read of rows shares. */
export interface ReadFields {
  readonly columns_to_get: readonly string[];
  readonly time_range?: TimeRange;
  readonly max_versions?: number;
  readonly filter?: Buffer;
  readonly start_column?: string;
  readonly end_column?: string;
}
/** PutRow, UpdateRow and DeleteRow have one shape. */
export interface WriteRowRequest {
  readonly table_name: string;
  readonly row: Buffer;
  readonly condition: Condition;
  readonly return_content?: ReturnContent;
  readonly transaction_id?: string;
}
export interface BatchRowAnswer {
  readonly is_ok: boolean;
  readonly error?: { readonly code: string; readonly message: string };
  readonly consumed?: Consumed;
  readonly row?: Buffer;
}
export interface StreamSpec {
  readonly enable_stream: boolean;
  readonly expiration_time?: number;
}
export interface StreamDetails extends StreamSpec {
  readonly stream_id?: string;
  readonly last_enable_time?: number;
}

/** Decoded messages by name. int64 fields are numbers (exact below 2^53), bytes are buffers, repeated fields always arrays. */
export interface Messages {
  Error: { readonly code: string; readonly message?: string };
  CreateTableRequest: {
    readonly table_meta: TableMeta;
    readonly reserved_throughput: Consumed;
    readonly table_options?: TableOptions;
    readonly stream_spec?: StreamSpec;
    readonly sse_spec?: { readonly enable?: boolean };
    readonly index_metas: readonly IndexMeta[];
    readonly enable_local_txn?: boolean;
  };
  CreateTableResponse: Record<string, never>;
  UpdateTableRequest: {
    readonly table_name: string;
    readonly reserved_throughput?: Consumed;
    readonly table_options?: TableOptions;
    readonly stream_spec?: StreamSpec;
  };
  UpdateTableResponse: {
    readonly reserved_throughput_details: ThroughputDetails;
    readonly table_options: TableOptions;
    readonly stream_details?: StreamDetails;
  };
  DescribeTableRequest: { readonly table_name: string };
  DescribeTableResponse: {
    readonly table_meta: TableMeta;
    readonly reserved_throughput_details: ThroughputDetails;
    readonly table_options: TableOptions;
    readonly table_status: number;
    readonly stream_details?: StreamDetails;
    readonly index_metas: readonly IndexMeta[];
    readonly creation_time?: number;
  };
  ListTableRequest: Record<string, never>;
  ListTableResponse: { readonly table_names: readonly string[] };
  DeleteTableRequest: { readonly table_name: string };
  DeleteTableResponse: Record<string, never>;
  CreateIndexRequest: {
    readonly main_table_name: string;
    readonly index_meta: IndexMeta;
    readonly include_base_data?: boolean;
  };
  DropIndexRequest: { readonly main_table_name: string; readonly index_name: string };
  AddDefinedColumnRequest: { readonly table_name: string; readonly columns: readonly DefinedColumnSchema[] };
  DeleteDefinedColumnRequest: { readonly table_name: string; readonly columns: readonly string[] };
  EmptyResponse: Record<string, never>;
  StartLocalTransactionRequest: { readonly table_name: string; readonly key: Buffer };
  StartLocalTransactionResponse: { readonly transaction_id: string };
  TransactionRequest: { readonly transaction_id: string };
  ComputeSplitPointsBySizeRequest: {
    readonly table_name: string;
    readonly split_size: number;
    readonly split_size_unit_in_byte?: number;
  };
  ComputeSplitPointsBySizeResponse: {
    readonly consumed: Consumed;
    readonly schema: readonly PrimaryKeySchema[];
    readonly split_points: readonly Buffer[];
    readonly locations: readonly { readonly location: string; readonly repeat: number }[];
  };
  GetRowRequest: ReadFields & {
    readonly table_name: string;
    readonly primary_key: Buffer;
    readonly token?: Buffer;
    readonly transaction_id?: string;
  };
  GetRowResponse: { readonly consumed: Consumed; readonly row: Buffer };
  PutRowRequest: WriteRowRequest;
  UpdateRowRequest: WriteRowRequest;
  DeleteRowRequest: WriteRowRequest;
  WriteRowResponse: { readonly consumed: Consumed; readonly row?: Buffer };
  BatchGetRowRequest: {
    readonly tables: readonly (ReadFields & {
      readonly table_name: string;
      readonly primary_key: readonly Buffer[];
    })[];
  };
  BatchWriteRowRequest: {
    readonly tables: readonly {
      readonly table_name: string;
      readonly rows: readonly {
        readonly type: number;
        readonly row_change: Buffer;
        readonly condition: Condition;
        readonly return_content?: ReturnContent;
      }[];
    }[];
    readonly transaction_id?: string;
    readonly is_atomic?: boolean;
  };
  BatchResponse: {
    readonly tables: readonly { readonly table_name: string; readonly rows: readonly BatchRowAnswer[] }[];
  };
  GetRangeRequest: ReadFields & {
    readonly table_name: string;
    readonly direction: number;
    readonly limit?: number;
    readonly inclusive_start_primary_key: Buffer;
    readonly exclusive_end_primary_key: Buffer;
    readonly token?: Buffer;
    readonly transaction_id?: string;
  };
  GetRangeResponse: { readonly consumed: Consumed; readonly rows: Buffer; readonly next_start_primary_key?: Buffer };
  Filter: { readonly type: number; readonly filter: Buffer };
  SingleColumnValueFilter: {
    readonly comparator: number;
    readonly column_name: string;
    readonly column_value: Buffer;
    readonly filter_if_missing: boolean;
    readonly latest_version_only: boolean;
    readonly value_transfer_rule?: { readonly regex: string; readonly cast_type?: number };
  };
  CompositeColumnValueFilter: { readonly combinator: number; readonly sub_filters: readonly Messages["Filter"][] };
  ColumnPaginationFilter: { readonly offset: number; readonly limit: number };
}

// Before all is resolved, no field counts as required.
const root = protobuf.parse(tablestoreProto, { keepCase: true }).root.resolveAll();
const types = new Map<keyof Messages, protobuf.Type>();

function typeOf(name: keyof Messages): protobuf.Type {
  let type = types.get(name);
  if (type === undefined) {
    type = root.lookupType(name);
    types.set(name, type);
  }
  return type;
}

/** Decodes a message. Throws an Error when the bytes are not one or a required field is missing. */
export function decodeMessage<Name extends keyof Messages>(name: Name, bytes: Uint8Array): Messages[Name] {
  const type = typeOf(name);
  const plain: unknown = type.toObject(type.decode(bytes), { longs: Number, arrays: true });
  return plain as Messages[Name];
}

/** Encodes a message. */
export function encodeMessage<Name extends keyof Messages>(name: Name, message: Messages[Name]): Buffer {
  const bytes = typeOf(name).encode(message).finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
