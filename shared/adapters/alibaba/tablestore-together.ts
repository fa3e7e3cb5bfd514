// Rows that are read and written at once by many, in as few calls as can be: each row keeps its own condition and outcome.
import type { Client } from "tablestore";
import type { KeyPart, Row, TableName } from "../../ports/tables.ts";
import { gathered } from "./gather.ts";
import { CallFailure, kindOfCode, type TablestoreCaller } from "./tablestore-call.ts";
import type { RowCodec } from "./tablestore-rows.ts";

/** A row on the wire, as a batch takes it. */
export type WireChange = Parameters<Client["batchWriteRow"]>[0]["tables"][number]["rows"][number];

/** One row to write. */
export interface RowChange {
  readonly table: TableName;
  readonly key: readonly KeyPart[];
  readonly wire: WireChange;
  /** On the wire, from above. */
  readonly bytes: number;
}

/** What somebody writes in one step. */
export interface WriteAsk {
  readonly rows: readonly RowChange[];
  /** The call of its own of a single row; null for what is a batch by itself. */
  readonly single: (() => Promise<unknown>) | null;
}

/** What came of each row: null where it was written. */
export type WriteAnswer = readonly (CallFailure | null)[];

/** A row as it was read, with the id of its last write. */
export type FoundRow = (Row & { readonly writeId: string | null }) | null;

export interface RowCalls {
  /** Rejects with nothing but `CallFailure`. */
  readonly get: (ask: { readonly table: TableName; readonly key: readonly KeyPart[] }) => Promise<FoundRow>;
  /** Never rejects: what the call as a whole was told is told of each row. */
  readonly write: (ask: WriteAsk) => Promise<WriteAnswer>;
}

/** Two writes side by side share a call: the budgets of an opening are taken so. Each row learns its own outcome. */
const WRITES_FROM = 2;
/** Of one call, by the service's limits. */
export const WRITTEN_ROWS_MAX = 200;
const READ_ROWS_MAX = 100;
/** Under the 4 MB of a request, with room for names and framing. */
export const WRITTEN_BYTES_MAX = 3_000_000;

/** Calls for rows through `caller`. */
export function rowCalls(caller: TablestoreCaller, codec: RowCodec): RowCalls {
  const getAlone = async ({ table, key }: Asked): Promise<FoundRow | CallFailure> => {
    const primaryKey = codec.key(table, key);
    try {
      const answer = await caller.call("getRow", { tableName: table, primaryKey, maxVersions: 1 });
      return codec.row(answer.row);
    } catch (error) {
      return callFailureOf(error);
    }
  };
  const get = gathered<Asked, FoundRow | CallFailure>({
    alone: getAlone,
    together: async (asks) => {
      try {
        const found = await getTogether(caller, codec, asks);
        return asks.map((ask) => found.get(nameOf(ask)) ?? null);
      } catch (error) {
        const failure = callFailureOf(error);
        // One ask may have spoiled the others': each learns its own.
        return failure.kind === "final" ? Promise.all(asks.map(getAlone)) : asks.map(() => failure);
      }
    },
    room: () => {
      const names = new Set<string>();
      return (ask) => names.has(nameOf(ask)) || (names.size < READ_ROWS_MAX && names.add(nameOf(ask)) !== null);
    },
  });
  return {
    get: async (ask) => {
      const found = await get(ask);
      if (found instanceof CallFailure) throw found;
      return found;
    },
    write: gathered<WriteAsk, WriteAnswer>({
      fromCount: WRITES_FROM,
      alone: (ask) => writeAlone(caller, ask),
      together: async (asks) => {
        try {
          const answers = [
            ...(await writeTogether(
              caller,
              asks.flatMap(({ rows }) => rows),
            )),
          ];
          return asks.map(({ rows }) => answers.splice(0, rows.length));
        } catch (error) {
          const failure = callFailureOf(error);
          // Of a request that is wrong nothing is executed.
          if (failure.kind === "final") return Promise.all(asks.map((ask) => writeAlone(caller, ask)));
          return asks.map(({ rows }) => rows.map(() => failure));
        }
      },
      room: () => {
        const names = new Set<string>();
        let bytes = 0;
        // A row twice in one call is refused by the service.
        return ({ rows }) => {
          const size = rows.reduce((sum, row) => sum + row.bytes, 0);
          const isFull = names.size + rows.length > WRITTEN_ROWS_MAX || bytes + size > WRITTEN_BYTES_MAX;
          if (names.size > 0 && (isFull || rows.some((row) => names.has(nameOf(row))))) return false;
          for (const row of rows) names.add(nameOf(row));
          bytes += size;
          return true;
        };
      },
    }),
  };
}

interface Asked {
  readonly table: TableName;
  readonly key: readonly KeyPart[];
}

const nameOf = ({ table, key }: Asked): string => JSON.stringify([table, key]);

async function getTogether(
  caller: TablestoreCaller,
  codec: RowCodec,
  asks: readonly Asked[],
): Promise<ReadonlyMap<string, FoundRow | CallFailure>> {
  const tables = byTable([...new Map(asks.map((ask) => [nameOf(ask), ask])).values()]);
  const answer = await caller.call("batchGetRow", {
    tables: tables.map(([tableName, rows]) => ({
      tableName,
      primaryKey: rows.map(({ key }) => codec.key(tableName, key)),
      maxVersions: 1,
    })),
  });
  const found = new Map<string, FoundRow | CallFailure>();
  for (const [index, [table, rows]] of tables.entries())
    for (const [place, ask] of rows.entries()) {
      const row = answer.tables[index]?.[place];
      const failure = failureOf(row, table);
      // The SDK spells an absent row in another way here.
      found.set(nameOf(ask), failure ?? (row?.primaryKey ? codec.row(row) : null));
    }
  return found;
}

async function writeAlone(caller: TablestoreCaller, { rows, single }: WriteAsk): Promise<WriteAnswer> {
  try {
    if (single === null) return await writeTogether(caller, rows);
    await single();
    return [null];
  } catch (error) {
    const failure = callFailureOf(error);
    return rows.map(() => failure);
  }
}

/** What came of each row, in the order of the rows. Throws CallFailure for the call as a whole. */
async function writeTogether(caller: TablestoreCaller, rows: readonly RowChange[]): Promise<WriteAnswer> {
  const tables = byTable(rows);
  const { tables: results } = await caller.call("batchWriteRow", {
    tables: tables.map(([tableName, its]) => ({ tableName, rows: its.map(({ wire }) => wire) })),
  });
  // The SDK flattens the answer's tables into one list, in the order sent.
  const inOrder = tables.flatMap(([, its]) => its);
  const failures = new Map(inOrder.map((row, index) => [row, failureOf(results[index], row.table)]));
  return rows.map((row) => failures.get(row) ?? null);
}

function byTable<Item extends { readonly table: TableName }>(items: readonly Item[]): [TableName, Item[]][] {
  const tables = new Map<TableName, Item[]>();
  for (const item of items) {
    const known = tables.get(item.table);
    if (known) known.push(item);
    else tables.set(item.table, [item]);
  }
  return [...tables];
}

/** Rows that fail come in a successful answer, each with its own code. */
function failureOf(
  result:
    | { readonly isOk: boolean; readonly errorCode: string | null; readonly errorMessage: string | null }
    | undefined,
  table: TableName,
): CallFailure | null {
  if (result?.isOk === true) return null;
  const code = result?.errorCode ?? "Unreadable";
  const kind = result === undefined ? "unknown" : kindOfCode(code, result.errorMessage ?? "", null);
  return new CallFailure(kind, code, table);
}

function callFailureOf(error: unknown): CallFailure {
  if (error instanceof CallFailure) return error;
  throw error;
}
