// A Tablestore for one test file, the official SDK pointed at it, and the words the tests speak in.
import TableStore from "tablestore";
import { startTablestore, type Tablestore, type TablestoreOptions } from "../../../local/services/tablestore/server.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../../shared/adapters/system/random.ts";
import type { Clock } from "../../../shared/ports/clock.ts";
import { deleteTablesSince, keys, realEndpoint, waitForTables } from "./real-account.ts";

export { keys };

/** A clock that stands still until a test moves it. */
export interface SetClock extends Clock {
  nowMs: number;
}

export function setClock(nowMs = 1_780_000_000_000): SetClock {
  return {
    nowMs,
    now() {
      return this.nowMs;
    },
    monotonicMs() {
      return this.nowMs;
    },
    sleep: () => Promise.reject(new Error("nothing here sleeps")),
  };
}

export interface Account {
  readonly server: Omit<Tablestore, "purge">;
  readonly clock: SetClock;
  readonly client: TableStore.Client;
}

/** Starts a Tablestore with the key and instance of `keys`, or reaches the real one. */
export async function startAccount(options: Partial<TablestoreOptions> = {}): Promise<Account> {
  if (realEndpoint !== undefined && Object.keys(options).length === 0) return reachAccount(realEndpoint);
  const clock = setClock();
  const server = await startTablestore({
    clock,
    random: systemRandom,
    instances: [keys.instance],
    credentials: (id) => (id === keys.accessKeyId ? { secret: keys.secret } : undefined),
    ...options,
  });
  return { server, clock, client: connect(server.url) };
}

async function reachAccount(url: string): Promise<Account> {
  const client = connect(url);
  waitForTables(client);
  const before = (await client.listTable({})).tableNames ?? [];
  const clean = (): Promise<void> => deleteTablesSince(client, before);
  return { server: { url, port: 0, reset: clean, stop: clean }, clock: setClock(systemClock.now()), client };
}

/** The official client. */
export function connect(
  url: string,
  secret: string = keys.secret,
  instance: string = keys.instance,
): TableStore.Client {
  return new TableStore.Client({
    accessKeyId: keys.accessKeyId,
    accessKeySecret: secret,
    endpoint: url,
    instancename: instance,
    maxRetries: 0,
  });
}

export const long = (value: number | string): TableStore.int64 => TableStore.Long.fromString(String(value));

/** A key of the table that `createPairs` makes. */
export const pair = (a: string, b: number): TableStore.PrimaryKeyInput => [{ a }, { b: long(b) }];

/** A table with key (a STRING, b INTEGER). */
export async function createPairs(
  client: TableStore.Client,
  tableName: string,
  tableOptions: Partial<TableStore.TableOptions> = {},
): Promise<void> {
  await client.createTable({
    tableMeta: {
      tableName,
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "b", type: "INTEGER" },
      ],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1, ...tableOptions },
  });
}

const { IGNORE, EXPECT_EXIST, EXPECT_NOT_EXIST } = TableStore.RowExistenceExpectation;
export const ignore = new TableStore.Condition(IGNORE, null);
export const expectExist = new TableStore.Condition(EXPECT_EXIST, null);
export const expectNotExist = new TableStore.Condition(EXPECT_NOT_EXIST, null);

/** A condition on columns alone. */
export const where = (column: TableStore.ColumnCondition): TableStore.Condition =>
  new TableStore.Condition(IGNORE, column);

/** Status and code of the error a call fails with, and the text it carries; "no error" when it does not fail. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "no error";
  } catch (error) {
    const { code, message } = error as { code: unknown; message: string };
    const name = /OTS[A-Za-z]+/.exec(message);
    if (name === null) return `${String(code)} ${message}`;
    const text = message.slice(name.index + name[0].length).replace(/ requestId:.*$/, "");
    // The SDK leaves the field's tag and length in the text.
    return `${String(code)} ${name[0]} ${text.slice(text.charCodeAt(1) < 0x80 ? 2 : 3)}`;
  }
}

/** Columns of a row as an object; integers become text. */
export function columns(row: Partial<TableStore.Row> | undefined): Record<string, unknown> {
  return Object.fromEntries((row?.attributes ?? []).map((cell) => [cell.columnName, plain(cell.columnValue)]));
}

/** A key as an array of plain values; integers become text. */
export function keyOf(row: Partial<TableStore.Row> | undefined): unknown[] {
  return (row?.primaryKey ?? []).map((cell) => plain(cell.value));
}

function plain(value: unknown): unknown {
  return typeof value === "object" && value !== null && !Buffer.isBuffer(value) ? String(value) : value;
}
