// Tables with secondary indexes, and what their tests read of them.
import TableStore from "tablestore";
import { columns, ignore, keyOf, pair } from "./account.ts";

/** An index as it is asked for. */
export interface Wanted {
  readonly name: string;
  readonly primaryKey: string[];
  readonly definedColumn?: string[];
  readonly isLocal?: boolean;
}
const meta = ({ name, primaryKey, definedColumn = [], isLocal = false }: Wanted) =>
  ({
    name,
    primaryKey,
    definedColumn,
    includeBaseData: false,
    ...(isLocal
      ? {
          indexType: TableStore.IndexType.IT_LOCAL_INDEX,
          indexUpdateMode: TableStore.IndexUpdateMode.IUM_SYNC_INDEX,
        }
      : {}),
  }) satisfies TableStore.CreateIndexParams["indexMeta"];

/** A table with the key (a STRING, b INTEGER), the defined columns c STRING, n INTEGER, d DOUBLE, and those indexes. */
export const createIndexed = (
  client: TableStore.Client,
  tableName: string,
  indexes: readonly Wanted[],
  tableOptions: Partial<TableStore.TableOptions> = {},
): Promise<unknown> =>
  client.createTable({
    tableMeta: {
      tableName,
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "b", type: "INTEGER" },
      ],
      definedColumn: [
        { name: "c", type: TableStore.DefinedColumnType.DCT_STRING },
        { name: "n", type: TableStore.DefinedColumnType.DCT_INTEGER },
        { name: "d", type: TableStore.DefinedColumnType.DCT_DOUBLE },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1, ...tableOptions },
    indexMetas: indexes.map(meta),
  } as unknown as TableStore.CreateTableParams);
/** Adds an index to a table. */
export const addIndex = (
  client: TableStore.Client,
  mainTableName: string,
  wanted: Wanted,
  includeBaseData = false,
): Promise<unknown> =>
  client.createIndex({
    mainTableName,
    indexMeta: meta(wanted),
    includeBaseData,
  } as TableStore.CreateIndexParams);
/** Puts a row. */
export const put = (
  client: TableStore.Client,
  tableName: string,
  a: string,
  b: number,
  attributeColumns: TableStore.AttributesInput,
): Promise<unknown> => client.putRow({ tableName, condition: ignore, primaryKey: pair(a, b), attributeColumns });
/** All rows of a table or index whose key has those columns: key, and columns as JSON. */
export const all = async (client: TableStore.Client, tableName: string, ...names: string[]): Promise<string[]> => {
  const bound = (value: TableStore.VirtualData): TableStore.PrimaryKeyInput => names.map((name) => ({ [name]: value }));
  const { rows } = await client.getRange({
    tableName,
    direction: TableStore.Direction.FORWARD,
    inclusiveStartPrimaryKey: bound(TableStore.INF_MIN),
    exclusiveEndPrimaryKey: bound(TableStore.INF_MAX),
  });
  return rows.map((row) => `${keyOf(row).join("/")} ${JSON.stringify(columns(row))}`);
};
