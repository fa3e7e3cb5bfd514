// Reads and writes of single rows of one table that `createPairs` made, as the tests of rows speak of them.
import type TableStore from "tablestore";
import { ignore, pair } from "./account.ts";

/** Operations of updateRow. */
export type Updates = TableStore.UpdateRowParams["updateOfAttributeColumns"];

/** The calls; the row is named by the first column of its key, the second one is 1. */
export interface RowCalls {
  put(a: string, columns: TableStore.AttributesInput, condition?: TableStore.Condition): Promise<unknown>;
  update(a: string, updates: Updates, condition?: TableStore.Condition): Promise<TableStore.SingleRowResult>;
  remove(a: string, condition?: TableStore.Condition): Promise<unknown>;
  get(a: string, more?: TableStore.FilterParams): Promise<Partial<TableStore.Row>>;
}

/** The calls for a table of the client's. */
export function rowCalls(client: () => TableStore.Client, tableName: string): RowCalls {
  return {
    put: (a, attributeColumns, condition = ignore) =>
      client().putRow({ tableName, condition, primaryKey: pair(a, 1), attributeColumns }),
    update: (a, updateOfAttributeColumns, condition = ignore) =>
      client().updateRow({ tableName, condition, primaryKey: pair(a, 1), updateOfAttributeColumns }),
    remove: (a, condition = ignore) => client().deleteRow({ tableName, condition, primaryKey: pair(a, 1) }),
    get: async (a, more = {}) => (await client().getRow({ tableName, primaryKey: pair(a, 1), ...more })).row ?? {},
  };
}
