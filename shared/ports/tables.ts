// The tables port: rows with conditional writes, as much of Tablestore as the program relies on.

/** A primary key value; integers are exact up to 2^53. */
export type KeyPart = string | number;
/** A column value; integers only. */
export type Column = string | number | boolean;
export type Columns = Readonly<Record<string, Column>>;

export interface Row {
  readonly key: readonly KeyPart[];
  readonly columns: Columns;
}

/** The names of the program's tables; their key columns are in `shared/store/tables.ts`. */
export type TableName =
  | "group"
  | "ledger"
  | "history"
  | "drift"
  | "evidence"
  | "recycling"
  | "sighting"
  | "due"
  | "lease"
  | "idempotency"
  | "intent"
  | "lock"
  | "record"
  | "seal"
  | "token"
  | "policy"
  | "budget"
  | "schedule"
  | "attention"
  | "place"
  | "alarm"
  | "lockdown"
  | "preparation"
  | "outbox"
  | "delivery"
  | "audit";

/** Tables to which rows are only added: they go when the table's time to live is over, and in no other way. */
export const KEPT_TABLES = ["record", "seal"] as const satisfies readonly TableName[];
export type KeptTable = (typeof KEPT_TABLES)[number];

export interface TableSchema {
  readonly name: TableName;
  readonly key: readonly { readonly name: string; readonly type: "string" | "integer" }[];
  /** Seconds; -1 keeps rows for ever. Of a table to which rows are only added it is the least: who sets more is right. */
  readonly timeToLiveS: number;
}

/** When a write may happen. `equals` and `atMost` fail on a missing row or column. */
export type Condition =
  | { readonly kind: "none" }
  | { readonly kind: "absent" }
  | { readonly kind: "present" }
  | { readonly kind: "equals"; readonly column: string; readonly value: Column }
  | { readonly kind: "atMost"; readonly column: string; readonly value: number };

export type WriteOutcome = "written" | "conflict";

/** A conditional write of a whole row. */
export interface Put {
  readonly table: TableName;
  readonly key: readonly KeyPart[];
  readonly columns: Columns;
  readonly condition: Condition;
}

export type Write =
  | { readonly kind: "put"; readonly table: TableName; readonly key: readonly KeyPart[]; readonly columns: Columns }
  | { readonly kind: "delete"; readonly table: Exclude<TableName, KeptTable>; readonly key: readonly KeyPart[] };

export interface RangeQuery {
  readonly table: TableName;
  /** Inclusive start and exclusive end. A shorter array bounds a key prefix: missing parts are the lowest values in both. */
  readonly from: readonly KeyPart[];
  readonly to: readonly KeyPart[] | null;
  /** Newest (highest key) first when true; `from` is then still the lower bound, inclusive, and `to` the upper, exclusive. */
  readonly reverse?: boolean;
  /** Rows at most; the answer's `more` says whether there are further ones. */
  readonly limit: number;
}

export interface RangeAnswer {
  readonly rows: readonly Row[];
  /** True when the limit ended the answer before the range did. */
  readonly more: boolean;
}

/** Thrown by every method when the store cannot be reached or answers an error that is not an outcome. */
export class StoreFailure extends Error {
  override readonly name = "StoreFailure";
  /** `tableMissing` when the table does not exist, `otherKey` when it is another one, `refused` on missing rights, else `unavailable`. */
  readonly kind: "tableMissing" | "otherKey" | "refused" | "unavailable";
  constructor(kind: StoreFailure["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/**
 * Strong consistency per row and conditional writes. Each call ends within the adapter's deadline. Writes are retried by the
 * adapter only where that cannot lie: after an unknown outcome it reads the row back and compares a unique write id.
 */
export interface Tables {
  get(table: TableName, key: readonly KeyPart[]): Promise<Row | null>;
  /** Replaces the whole row. */
  put(table: TableName, key: readonly KeyPart[], columns: Columns, condition: Condition): Promise<WriteOutcome>;
  /**
   * As `put`, for several rows in as few calls as can be; outcomes in the order of the rows, each of its own. Whoever sees a conflict
   * reads the row: it may be this very write that was seen twice. Absent where the store cannot.
   */
  putEach?(puts: readonly Put[]): Promise<readonly WriteOutcome[]>;
  /** Changes the named columns and keeps the others. */
  update(
    table: Exclude<TableName, KeptTable>,
    key: readonly KeyPart[],
    columns: Columns,
    condition: Condition,
  ): Promise<WriteOutcome>;
  delete(table: Exclude<TableName, KeptTable>, key: readonly KeyPart[], condition: Condition): Promise<WriteOutcome>;
  /** Unconditional writes of different rows, in any order, not atomic; all are done when it resolves. Any number. */
  writeAll(writes: readonly Write[]): Promise<void>;
  range(query: RangeQuery): Promise<RangeAnswer>;
  /** Creates the tables that do not exist and waits until they answer. */
  createTables(schemas: readonly TableSchema[]): Promise<void>;
}
