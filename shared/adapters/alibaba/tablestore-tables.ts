// The tables port on Tablestore, through its official SDK.
import type { Clock } from "../../ports/clock.ts";
import type { Random } from "../../ports/random.ts";
import type { KeyPart, TableName, TableSchema, Tables } from "../../ports/tables.ts";
import { CallFailure, storeFailure, type TablestoreSettings, tablestoreCaller } from "./tablestore-call.ts";
import { readRange } from "./tablestore-ranges.ts";
import { RowCodec } from "./tablestore-rows.ts";
import { newWriteId, putRows, retried, type WriteTools, writeRow, writeRows } from "./tablestore-writes.ts";

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
 * The SDK is loaded by the first call.
 */
export function tablestoreTables(options: TablestoreOptions): Tables {
  const caller = tablestoreCaller(options);
  let made: Promise<WriteTools> | undefined;
  const tools = () => {
    made ??= caller.sdk().then((sdk) => ({
      caller,
      codec: new RowCodec(sdk, options.schemas),
      clock: options.clock,
      random: options.random,
    }));
    return made;
  };

  async function getRow(table: TableName, key: readonly KeyPart[]) {
    const { codec } = await tools();
    const primaryKey = codec.key(table, key);
    const answer = await caller.call("getRow", { tableName: table, primaryKey, maxVersions: 1 });
    return codec.row(answer.row);
  }

  const port: Tables = {
    async get(table, key) {
      try {
        const row = await retried(await tools(), ["notApplied", "unknown"], () => getRow(table, key));
        return row === null ? null : { key: row.key, columns: row.columns };
      } catch (error) {
        throw storeFailure(error);
      }
    },

    async put(table, key, columns, condition) {
      const all = await tools();
      const writeId = newWriteId(options.random);
      const parameters = {
        tableName: table,
        primaryKey: all.codec.key(table, key),
        condition: all.codec.condition(condition),
        attributeColumns: all.codec.columns(columns, writeId),
      };
      return writeRow(all, { table, key, condition, writeId, send: () => caller.call("putRow", parameters) });
    },

    async putEach(puts) {
      const outcomes = await putRows(await tools(), puts);
      return Promise.all(
        puts.map(
          ({ table, key, columns, condition }, index) => outcomes[index] ?? port.put(table, key, columns, condition),
        ),
      );
    },

    async update(table, key, columns, condition) {
      const all = await tools();
      const writeId = newWriteId(options.random);
      const parameters = {
        tableName: table,
        primaryKey: all.codec.key(table, key),
        condition: all.codec.condition(condition),
        updateOfAttributeColumns: [{ PUT: all.codec.columns(columns, writeId) }],
      };
      return writeRow(all, { table, key, condition, writeId, send: () => caller.call("updateRow", parameters) });
    },

    async delete(table, key, condition) {
      const all = await tools();
      const parameters = {
        tableName: table,
        primaryKey: all.codec.key(table, key),
        condition: all.codec.condition(condition),
      };
      return writeRow(all, { table, key, condition, writeId: null, send: () => caller.call("deleteRow", parameters) });
    },

    writeAll: async (writes) => writeRows(await tools(), writes),

    range: async (query) => readRange(await tools(), query),

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
        await getRow(schema.name, lowest);
        return;
      } catch (error) {
        const notYet = error instanceof CallFailure && (error.kind !== "final" || error.code === "OTSObjectNotExist");
        if (!notYet || options.clock.monotonicMs() >= end) throw error;
        await options.clock.sleep(TABLE_POLL_MS);
      }
    }
  }
}
