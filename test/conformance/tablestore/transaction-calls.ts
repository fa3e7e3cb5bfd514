// Calls in and beside local transactions on the table `t`, and that table: the SDK cannot enable them, so it is made by bytes.
import TableStore from "tablestore";
import { type Account, columns, failureOf, ignore, keyOf, pair, startAccount } from "./account.ts";
import { callBytes } from "./raw.ts";

/** What others are told while a transaction holds their partition key. */
export const conflict = "409 OTSRowOperationConflict Data is being modified by the other request.";
/** What a transaction that is over is answered. */
export const gone = "404 OTSSessionNotExist";

/** An account with the table, and the calls. Values are texts in the column v. */
export interface TransactionWorld {
  readonly account: Account;
  start(a: string): Promise<string>;
  put(a: string, b: number, v: string, transactionId?: string): Promise<string>;
  read(a: string, b: number, transactionId?: string): Promise<unknown>;
  /** The second key columns of the partition x. */
  readRange(direction: "FORWARD" | "BACKWARD", transactionId?: string): Promise<unknown[]>;
}

/** Starts the account and makes the table. */
export async function startTransactionWorld(): Promise<TransactionWorld> {
  const account = await startAccount();
  const { client } = account;
  await callBytes(account.server.url, "CreateTable", {
    1: {
      1: "t",
      2: [
        { 1: "a", 2: 2 },
        { 1: "b", 2: 1 },
      ],
    },
    2: { 1: { 1: 0, 2: 0 } },
    3: { 1: -1, 2: 1 },
    8: true,
  });
  const within = (transactionId: string | undefined) => (transactionId === undefined ? {} : { transactionId });
  return {
    account,
    start: async (a) => (await client.startLocalTransaction({ tableName: "t", primaryKey: [{ a }] })).transactionId,
    put: (a, b, v, id) =>
      failureOf(
        client.putRow({
          tableName: "t",
          condition: ignore,
          primaryKey: pair(a, b),
          attributeColumns: [{ v }],
          ...within(id),
        }),
      ),
    read: async (a, b, id) =>
      columns((await client.getRow({ tableName: "t", primaryKey: pair(a, b), ...within(id) })).row).v,
    readRange: async (direction, id) => {
      const low: TableStore.PrimaryKeyInput = [{ a: "x" }, { b: TableStore.INF_MIN }];
      const high: TableStore.PrimaryKeyInput = [{ a: "x" }, { b: TableStore.INF_MAX }];
      const { rows } = await client.getRange({
        tableName: "t",
        direction,
        inclusiveStartPrimaryKey: direction === "FORWARD" ? low : high,
        exclusiveEndPrimaryKey: direction === "FORWARD" ? high : low,
        ...within(id),
      });
      return rows.map((row) => keyOf(row)[1]);
    },
  };
}
