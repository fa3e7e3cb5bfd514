// The conformance tests against a real instance: `TABLESTORE_ENDPOINT`, `TABLESTORE_INSTANCE`, `TABLESTORE_KEY_ID` and
// `TABLESTORE_KEY_SECRET` name it, and `--no-file-parallelism` keeps test files from meeting in it. Tables that are there are left alone.
import { setTimeout as delay } from "node:timers/promises";
import TableStore from "tablestore";

const { TABLESTORE_ENDPOINT, TABLESTORE_INSTANCE, TABLESTORE_KEY_ID, TABLESTORE_KEY_SECRET } = process.env;

/** The real instance's address; undefined when the tests run against the embedded one. */
export const realEndpoint = TABLESTORE_ENDPOINT;

/** Key and instance that the tests use. */
export const keys = {
  accessKeyId: (realEndpoint && TABLESTORE_KEY_ID) || "ak",
  secret: (realEndpoint && TABLESTORE_KEY_SECRET) || "sk",
  instance: (realEndpoint && TABLESTORE_INSTANCE) || "inst1",
} as const;

const readyTries = 90;
const pollMs = 1_000;

/** Makes `createTable` wait until the table can be read, as a real one cannot at once. */
export function waitForTables(client: TableStore.Client): void {
  const create = client.createTable.bind(client);
  client.createTable = (async (params: TableStore.CreateTableParams) => {
    const result = await create(params);
    const { tableName, primaryKey } = params.tableMeta;
    const key = primaryKey.map(({ name, type }) => ({
      [name]: type === "INTEGER" ? TableStore.Long.fromNumber(0) : type === "STRING" ? "" : Buffer.alloc(0),
    }));
    for (let tries = 0; tries < readyTries; tries++) {
      const failed = await client.getRow({ tableName, primaryKey: key }).then(
        () => undefined,
        (error: Error) => error,
      );
      if (failed === undefined) return result;
      if (!/OTSTableNotReady|OTSPartitionUnavailable/.test(failed.message)) throw failed;
      await delay(pollMs);
    }
    throw new Error(`the table ${tableName} does not become ready`);
  }) as typeof client.createTable;
}

/** Deletes the tables that were made since `before` was listed. */
export async function deleteTablesSince(client: TableStore.Client, before: readonly string[]): Promise<void> {
  for (const tableName of (await client.listTable({})).tableNames ?? []) {
    if (!before.includes(tableName)) await client.deleteTable({ tableName });
  }
}
