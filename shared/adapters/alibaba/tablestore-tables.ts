// The tables port on Tablestore, through its official SDK.
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import { type RangeAnswer, type RangeQuery, StoreFailure, type TableSchema, type Tables } from "../../ports/tables.ts";
import { loaded } from "../system/loaded.ts";
import { CallFailure, storeFailure, type TablestoreSettings, tablestoreCaller } from "./tablestore-call.ts";
import { rangeReader } from "./tablestore-ranges.ts";
import { RowCodec } from "./tablestore-rows.ts";
import { rowCalls } from "./tablestore-together.ts";
import { putRows, retried, type WriteTools, writeRow, writeRows } from "./tablestore-writes.ts";

interface Tools extends WriteTools {
  readonly range: (query: RangeQuery) => Promise<RangeAnswer>;
}

export interface TablestoreOptions extends TablestoreSettings {
  readonly clock: Clock;
  readonly random: Random;
  /** Every table that is used, for the names and types of its key columns. */
  readonly schemas: readonly TableSchema[];
}

const TABLE_WAIT_MS = 120_000;
const TABLE_POLL_MS = 200;

/**
 * One attempt takes `timeoutMs` at most and a whole call about three times that. Waits between attempts go by the clock.
 * The SDK is loaded by the first call. What many ask for at once goes in few calls.
 */
export function tablestoreTables(options: TablestoreOptions): Tables {
  const caller = tablestoreCaller(options);
  const tools = loaded(async (): Promise<Tools> => {
    const codec = new RowCodec(await caller.sdk(), options.schemas);
    const all = { caller, codec, rows: rowCalls(caller, codec), clock: options.clock, random: options.random };
    return { ...all, range: rangeReader(all) };
  });

  const port: Tables = {
    async get(table, key) {
      try {
        const all = await tools();
        const row = await retried(all, ["notApplied", "unknown"], () => all.rows.get({ table, key }));
        return row === null ? null : { key: row.key, columns: row.columns };
      } catch (error) {
        throw storeFailure(error);
      }
    },

    put: async (table, key, columns, condition) =>
      writeRow(await tools(), { kind: "put", table, key, columns, condition }),

    async putEach(puts) {
      const outcomes = await putRows(await tools(), puts);
      return Promise.all(
        puts.map(
          ({ table, key, columns, condition }, index) => outcomes[index] ?? port.put(table, key, columns, condition),
        ),
      );
    },

    update: async (table, key, columns, condition) =>
      writeRow(await tools(), { kind: "update", table, key, columns, condition }),

    delete: async (table, key, condition) =>
      writeRow(await tools(), { kind: "delete", table, key, columns: {}, condition }),

    writeAll: async (writes) => writeRows(await tools(), writes),

    range: async (query) => (await tools()).range(query),

    async createTables(schemas) {
      const all = await tools();
      try {
        const { tableNames } = await retried(all, ["notApplied", "unknown"], () => caller.call("listTable", {}));
        for (const schema of schemas) {
          if (!tableNames.includes(schema.name))
            await retried(all, ["notApplied", "unknown"], () => createTable(schema));
        }
        for (const schema of schemas) await answers(schema);
      } catch (error) {
        throw storeFailure(error);
      }
    },
  };
  return port;

  async function createTable(schema: TableSchema): Promise<void> {
    const primaryKey = schema.key.map(({ name, type }) => ({
      name,
      type: type === "integer" ? ("INTEGER" as const) : ("STRING" as const),
    }));
    try {
      await caller.call("createTable", {
        tableMeta: { tableName: schema.name, primaryKey },
        reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
        tableOptions: { timeToLive: schema.timeToLiveS, maxVersions: 1 },
      });
    } catch (error) {
      const exists = error instanceof CallFailure && error.code === "OTSObjectAlreadyExist";
      if (!exists) throw error;
    }
  }

  /** A new table refuses reads for a while, up to a minute by older documents. */
  async function answers(schema: TableSchema): Promise<void> {
    const lowest = schema.key.map(({ type }) => (type === "integer" ? 0 : ""));
    const end = options.clock.monotonicMs() + TABLE_WAIT_MS;
    for (;;) {
      try {
        await (await tools()).rows.get({ table: schema.name, key: lowest });
        return;
      } catch (error) {
        const notYet = error instanceof CallFailure && (error.kind !== "final" || error.code === "OTSObjectNotExist");
        if (error instanceof CallFailure && error.code === "OTSInvalidPK") {
          const made = "another version of safeport made it, or it is not safeport's";
          throw new StoreFailure(
            "otherKey",
            `The table ${schema.name} has another key than is used here: ${made}.`,
            error,
          );
        }
        if (!notYet || options.clock.monotonicMs() >= end) throw error;
        await options.clock.sleep(TABLE_POLL_MS);
      }
    }
  }
}
