// The load under which the engine is killed: eight lanes of writes, each to rows of its own, and the read of everything.
import TableStore from "tablestore";
import { encodeMessage } from "../../../../local/protocol/tablestore/messages.ts";
import type { Random } from "../../../../shared/ports/random.ts";
import { columns, ignore, keyOf, long, pair } from "../account.ts";
import { cell, rowOf, send } from "../raw.ts";
import { Expectation, type Revision } from "./expectation.ts";

const lanes = 8;
const rowsOfLane = 6;
const paddingMax = 12_000;

/** Creates the table under load, with an index. */
export async function createLoaded(client: TableStore.Client): Promise<void> {
  await client.createTable({
    tableMeta: {
      tableName: "t",
      primaryKey: [
        { name: "a", type: "STRING" },
        { name: "b", type: "INTEGER" },
      ],
      definedColumn: [{ name: "first", type: TableStore.DefinedColumnType.DCT_INTEGER }],
    },
    reservedThroughput: { capacityUnit: { read: 0, write: 0 } },
    tableOptions: { timeToLive: -1, maxVersions: 1 },
    indexMetas: [{ name: "i", primaryKey: ["first"], definedColumn: [] }],
  } as unknown as TableStore.CreateTableParams);
}

/** The load on one engine after another; revisions never repeat. */
export class Load {
  readonly expectation = new Expectation();
  answered = 0;
  readonly #random: Random;
  #revision = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Writes until a write fails, as it does once the engine is dead. `onAnswer` is told of every answered write. */
  async run(client: TableStore.Client, url: string, onAnswer: () => void): Promise<void> {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => this.#lane(client, url, { lane, onAnswer })));
  }

  async #lane(
    client: TableStore.Client,
    url: string,
    { lane, onAnswer }: { readonly lane: number; readonly onAnswer: () => void },
  ): Promise<void> {
    const pick = (count: number): number => Math.floor(this.#random.fraction() * count);
    for (;;) {
      this.#revision += 1;
      const revision = this.#revision;
      const a = `lane${lane}`;
      const first = pick(rowsOfLane);
      const kind = pick(10);
      const several = Array.from({ length: 1 + pick(rowsOfLane - 1) }, (_, index) => (first + index) % rowsOfLane);
      const rows = kind < 6 ? [first] : several;
      const isDelete = kind === 0;
      const answer = this.expectation.sent(
        rows.map((b) => `${a}/${b}`),
        isDelete ? 0 : revision,
        kind >= 8,
      );
      const padding = "p".repeat(pick(paddingMax));
      const values = [{ first: long(revision) }, { padding }, { last: long(revision) }];
      try {
        if (isDelete) await client.deleteRow({ tableName: "t", condition: ignore, primaryKey: pair(a, first) });
        else if (kind < 4) {
          const row = { tableName: "t", condition: ignore, primaryKey: pair(a, first) };
          await client.putRow({ ...row, attributeColumns: values });
        } else if (kind < 6) {
          const row = { tableName: "t", condition: ignore, primaryKey: pair(a, first) };
          await client.updateRow({ ...row, updateOfAttributeColumns: [{ PUT: values }] });
        } else if (kind < 8) {
          const batch = rows.map((b) => ({
            type: "PUT" as const,
            condition: ignore,
            primaryKey: pair(a, b),
            attributeColumns: values,
          }));
          await client.batchWriteRow({ tables: [{ tableName: "t", rows: batch }] });
        } else {
          const cells = [cell("first", revision), cell("padding", padding), cell("last", revision)];
          await writeAtomically(
            url,
            rows.map((b) => rowOf(a, b, ...cells)),
          );
        }
      } catch {
        return;
      }
      answer();
      this.answered += 1;
      onAnswer();
    }
  }

  /** Reads every row and every index row; gives what is wrong with them. */
  async check(client: TableStore.Client): Promise<string[]> {
    const wrong: string[] = [];
    const stored = new Map<string, Revision>();
    const indexed: string[] = [];
    for (const row of await readAll(client, "t", ["a", "b"])) {
      const { first, last } = columns(row);
      const name = keyOf(row).join("/");
      if (first !== last) wrong.push(`${name} is torn: ${String(first)} and ${String(last)}`);
      stored.set(name, Number(first));
      indexed.push(`${String(first)}/${name}`);
    }
    const shown = (await readAll(client, "i", ["first", "a", "b"])).map((row) => keyOf(row).join("/"));
    if (shown.sort().join() !== indexed.sort().join()) wrong.push("the index is not that of the rows");
    return [...wrong, ...this.expectation.settle(stored)];
  }
}

async function writeAtomically(url: string, rows: readonly Buffer[]): Promise<void> {
  const body = encodeMessage("BatchWriteRowRequest", {
    tables: [
      {
        table_name: "t",
        rows: rows.map((row_change) => ({ type: 1, row_change, condition: { row_existence: 0 } })),
      },
    ],
    is_atomic: true,
  });
  const { status } = await send(url, { path: "/BatchWriteRow", body });
  if (status !== 200) throw new Error(`an atomic batch is answered ${status}`);
}

async function readAll(
  client: TableStore.Client,
  tableName: string,
  names: readonly string[],
): Promise<TableStore.Row[]> {
  const bound = (value: TableStore.VirtualData): TableStore.PrimaryKeyInput => names.map((name) => ({ [name]: value }));
  const { rows, nextStartPrimaryKey } = await client.getRange({
    tableName,
    direction: TableStore.Direction.FORWARD,
    inclusiveStartPrimaryKey: bound(TableStore.INF_MIN),
    exclusiveEndPrimaryKey: bound(TableStore.INF_MAX),
  });
  if (nextStartPrimaryKey) throw new Error("the rows do not fit one page");
  return rows;
}
