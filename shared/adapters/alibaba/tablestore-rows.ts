// Keys, columns and conditions between our words and the SDK's.
import type * as sdkTypes from "tablestore";
import type { Column, Columns, Condition, KeyPart, Row, TableName, TableSchema } from "../../ports/tables.ts";
import { StoreFailure } from "../../ports/tables.ts";
import type { TablestoreSdk } from "./tablestore-call.ts";

/** Column that every put and update writes: a random id by which a write recognises itself after a lost reply. */
const WRITE_ID_COLUMN = "op";

/** A condition of the port, or that the row is there with nothing in it. */
export type RowCondition = Condition | { readonly kind: "expired" };

type WireKey = sdkTypes.PrimaryKeyInput;
type WireColumns = sdkTypes.AttributesInput;

/** Turns rows into wire forms; knows the names and types of the key columns. */
export class RowCodec {
  readonly #sdk: TablestoreSdk;
  readonly #schemas: ReadonlyMap<TableName, TableSchema>;

  constructor(sdk: TablestoreSdk, schemas: readonly TableSchema[]) {
    this.#sdk = sdk;
    this.#schemas = new Map(schemas.map((schema) => [schema.name, schema]));
  }

  /** A whole key. */
  key(table: TableName, parts: readonly KeyPart[]): WireKey {
    const columns = this.#schema(table).key;
    if (parts.length !== columns.length)
      throw wrong(`${table} has ${columns.length} key columns, given ${parts.length}`);
    return this.bound(table, parts, "lowest");
  }

  /** A bound of a range: parts that are not given are the lowest, or highest, of all values. */
  bound(table: TableName, parts: readonly KeyPart[], rest: "lowest" | "highest"): WireKey {
    const fill = rest === "lowest" ? this.#sdk.INF_MIN : this.#sdk.INF_MAX;
    return this.#schema(table).key.map(({ name, type }, index) => {
      const part = parts[index];
      if (part === undefined) return { [name]: fill };
      if ((type === "integer") !== (typeof part === "number")) throw wrong(`${table}.${name} is of type ${type}`);
      return { [name]: typeof part === "number" ? this.#long(part) : part };
    });
  }

  /** True for a table whose rows go by their age. */
  forgets(table: TableName): boolean {
    return this.#schema(table).timeToLiveS !== -1;
  }

  keyWidth(table: TableName): number {
    return this.#schema(table).key.length;
  }

  /** Columns to write, the write id among them. */
  columns(columns: Columns, writeId: string): WireColumns {
    if (WRITE_ID_COLUMN in columns) throw wrong(`the column name ${WRITE_ID_COLUMN} is taken`);
    const named = Object.entries({ ...columns, [WRITE_ID_COLUMN]: writeId });
    return named.map(([name, value]) => ({ [name]: this.#column(value) }));
  }

  condition(condition: RowCondition): sdkTypes.Condition {
    const { Condition: WireCondition, RowExistenceExpectation, SingleColumnCondition, ComparatorType } = this.#sdk;
    switch (condition.kind) {
      case "none":
        return new WireCondition(RowExistenceExpectation.IGNORE, null);
      case "absent":
        return new WireCondition(RowExistenceExpectation.EXPECT_NOT_EXIST, null);
      case "present":
        return new WireCondition(RowExistenceExpectation.EXPECT_EXIST, null);
      case "expired": {
        // Every write leaves its id, which is the last to expire.
        const isEmpty = new SingleColumnCondition(WRITE_ID_COLUMN, "", ComparatorType.EQUAL, true, true);
        return new WireCondition(RowExistenceExpectation.EXPECT_EXIST, isEmpty);
      }
      case "equals":
      case "atMost": {
        const comparator = condition.kind === "equals" ? ComparatorType.EQUAL : ComparatorType.LESS_EQUAL;
        const value = this.#column(condition.value);
        const onColumn = new SingleColumnCondition(condition.column, value, comparator, false, true);
        return new WireCondition(RowExistenceExpectation.EXPECT_EXIST, onColumn);
      }
    }
  }

  /**
   * A row as the SDK returns it, with the write id apart; null for the SDK's way of saying "no such row", and for a row of which
   * everything has expired.
   */
  row(row: unknown): (Row & { readonly writeId: string | null }) | null {
    const { primaryKey, attributes } = (row ?? {}) as Partial<sdkTypes.Row>;
    if (!Array.isArray(primaryKey) || primaryKey.length === 0 || !attributes?.length) return null;
    const columns: Record<string, Column> = {};
    let writeId: string | null = null;
    for (const { columnName, columnValue } of attributes) {
      if (columnName === WRITE_ID_COLUMN) writeId = String(columnValue);
      else columns[columnName] = plain(columnName, columnValue);
    }
    return { key: keyParts(primaryKey), columns, writeId };
  }

  /** Where the next page starts: the SDK returns that key in another form than it takes. Null at the end. */
  nextKey(key: sdkTypes.PrimaryKeyOutput | null | undefined): WireKey | null {
    return key ? key.map(({ name, value }) => ({ [name]: value })) : null;
  }

  /** The plain parts of a key as the SDK returns it. */
  keyParts(key: sdkTypes.PrimaryKeyOutput | null | undefined): KeyPart[] {
    return key ? keyParts(key) : [];
  }

  #schema(table: TableName): TableSchema {
    const schema = this.#schemas.get(table);
    if (schema === undefined) throw wrong(`no table ${table} is declared`);
    return schema;
  }

  #column(value: Column): sdkTypes.CellValue {
    return typeof value === "number" ? this.#long(value) : value;
  }

  #long(value: number): sdkTypes.int64 {
    if (!Number.isSafeInteger(value)) throw wrong(`${value} is no exact integer`);
    return this.#sdk.Long.fromString(`${value}`);
  }
}

function keyParts(key: sdkTypes.PrimaryKeyOutput): KeyPart[] {
  return key.map(({ name, value }) => {
    const part = plain(name, value);
    return typeof part === "boolean" ? `${part}` : part;
  });
}

/** Integers come as 64-bit objects, exact through their text only. */
function plain(name: string, value: unknown): Column {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
  const number = Number(String(value));
  if (!Number.isSafeInteger(number)) throw wrong(`the value of ${name} is no integer that we can hold`);
  return number;
}

function wrong(message: string): StoreFailure {
  return new StoreFailure("unavailable", `Tablestore: ${message}`);
}
