// Tables whose every write of a row is shown to somebody, with the row before and after it.
import type { KeyPart, Row, TableName, Tables } from "../../shared/ports/tables.ts";

/** A write that has taken place. */
export interface RowWrite {
  readonly table: TableName;
  readonly key: readonly KeyPart[];
  readonly before: Row | null;
  readonly after: Row;
}

/** The tables; writes to those named are shown. */
export function watchedTables(tables: Tables, names: ReadonlySet<TableName>, show: (write: RowWrite) => void): Tables {
  const watched =
    (write: Tables["put"]): Tables["put"] =>
    async (table, key, columns, condition) => {
      if (!names.has(table)) return write(table, key, columns, condition);
      const before = await tables.get(table, key);
      const outcome = await write(table, key, columns, condition);
      const after = await tables.get(table, key);
      if (outcome === "written" && after !== null) show({ table, key, before, after });
      return outcome;
    };
  return { ...tables, put: watched(tables.put), update: watched(tables.update) };
}
