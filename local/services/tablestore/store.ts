// The ordered, durable store under the tables: SQLite, one row table, writes committed in groups.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { serverUnavailable } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Table, TableDefinition } from "./tables.ts";

/** A stored row: its order-preserving key, and the value as `rows.ts` writes it. */
export type StoredEntry = readonly [key: Buffer, value: Buffer];

/** The rows between two keys, in one direction; `from` itself is left out when `after`, `to` always is. */
export interface KeyRange {
  readonly from: Buffer;
  readonly after: boolean;
  readonly to: Buffer;
  readonly backward: boolean;
}

/** Some of the rows of a range, from its start on. `isEnd` when there are none behind them. */
export interface Scanned {
  readonly entries: readonly StoredEntry[];
  readonly isEnd: boolean;
}

/** Rows to read and to change: the store itself inside a write, or a transaction's view of it. */
export interface RowAccess {
  get(table: Table, key: Buffer): Buffer | undefined;
  /** The first rows of a range: at most `count`, and few enough to weigh little; at least one when there is one. */
  scan(table: Table, range: KeyRange, count: number): Scanned;
  put(table: Table, key: Buffer, value: Buffer): void;
  delete(table: Table, key: Buffer): void;
  nextCounter(table: Table, floor: number): number;
  /** The index tables that a change of a row has to change too. */
  indexesOf(table: Table): readonly Table[];
}

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown };

const schema = `
CREATE TABLE IF NOT EXISTS tables(id INTEGER PRIMARY KEY, instance TEXT NOT NULL, name TEXT NOT NULL,
  definition TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0, UNIQUE(instance, name));
CREATE TABLE IF NOT EXISTS rows(tab INTEGER NOT NULL, k BLOB NOT NULL, v BLOB NOT NULL, PRIMARY KEY(tab, k)) WITHOUT ROWID;
`;

/** Told why a transaction could not be made durable, a full disk above all. */
export type OnUnwritable = (error: unknown) => void;

/** Opens the store in `directory` (created when absent), or in memory when there is none. */
export function openStore(directory: string | undefined, onUnwritable: OnUnwritable): Store {
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const db = new Database(directory === undefined ? ":memory:" : join(directory, "tablestore.db"));
  return new Store(db, onUnwritable);
}

/**
 * Tables and rows. Reads see what is committed. `write` is the only way to change anything: what is asked for in one
 * turn of the event loop is committed by one transaction, and every promise settles after that commit. Where it cannot be
 * committed, each of them rejects with OTSServerUnavailable, and the next transaction is tried anew.
 */
export class Store implements RowAccess {
  readonly #db: Database.Database;
  readonly #onUnwritable: OnUnwritable;
  #tables = new Map<string, Table>();
  readonly #jobs: Job[] = [];
  #scheduled = false;
  readonly #sql;
  readonly #scans;

  constructor(db: Database.Database, onUnwritable: OnUnwritable) {
    this.#db = db;
    this.#onUnwritable = onUnwritable;
    db.exec("PRAGMA journal_mode=WAL");
    db.exec("PRAGMA synchronous=FULL");
    db.exec(schema);
    const scan = (order: string, from: string, to: string) => {
      const range = `FROM rows WHERE tab = ? AND k ${from} ? AND k ${to} ? ORDER BY k ${order} LIMIT ?`;
      // Raw because only then does the driver give Buffers for several rows.
      return {
        lengths: db.prepare(`SELECT length(v) ${range}`).raw(),
        rows: db.prepare(`SELECT k, v ${range}`).raw(),
      };
    };
    this.#scans = {
      forwardFrom: scan("ASC", ">=", "<"),
      forwardAfter: scan("ASC", ">", "<"),
      backwardFrom: scan("DESC", "<=", ">"),
      backwardAfter: scan("DESC", "<", ">"),
    };
    this.#sql = {
      get: db.prepare("SELECT v FROM rows WHERE tab = ? AND k = ?"),
      put: db.prepare("INSERT OR REPLACE INTO rows(tab, k, v) VALUES(?, ?, ?)"),
      delete: db.prepare("DELETE FROM rows WHERE tab = ? AND k = ?"),
      sizes: db.prepare("SELECT k, length(v) FROM rows WHERE tab = ? AND k > ? ORDER BY k LIMIT ?").raw(),
      counter: db.prepare("SELECT counter FROM tables WHERE id = ?"),
      setCounter: db.prepare("UPDATE tables SET counter = ? WHERE id = ?"),
      addTable: db.prepare("INSERT INTO tables(instance, name, definition) VALUES(?, ?, ?)"),
      setDefinition: db.prepare("UPDATE tables SET definition = ? WHERE id = ?"),
      dropTable: db.prepare("DELETE FROM tables WHERE id = ?"),
      dropRows: db.prepare("DELETE FROM rows WHERE tab = ?"),
      allTables: db.prepare("SELECT id, instance, definition FROM tables"),
    };
    this.#loadTables();
  }

  /** Runs `job` inside the next transaction and resolves with its value once that is durable. A job that throws must not have written. */
  write<T>(job: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ run: job, resolve: (value) => resolve(value as T), reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  #flush(): void {
    this.#scheduled = false;
    const jobs = this.#jobs.splice(0);
    if (jobs.length === 0) return;
    const tables = new Map(this.#tables);
    const outcomes: Outcome[] = [];
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      for (const job of jobs) {
        try {
          outcomes.push({ ok: true, value: job.run() });
        } catch (error) {
          if (isDatabaseError(error)) throw error;
          outcomes.push({ ok: false, error });
        }
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      // Nothing is read here, which may fail as well.
      this.#tables = tables;
      this.#rollBack();
      this.#onUnwritable(error);
      for (const job of jobs) job.reject(serverUnavailable());
      return;
    }
    jobs.forEach((job, index) => {
      const outcome = outcomes[index] as Outcome;
      if (outcome.ok) job.resolve(outcome.value);
      else job.reject(outcome.error);
    });
  }

  #rollBack(): void {
    try {
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
    } catch {
      // SQLite has done it by itself, or the next transaction fails and it is tried again.
    }
  }

  /** The row's value, or undefined. */
  get(table: Table, key: Buffer): Buffer | undefined {
    return (this.#sql.get.get(table.id, key) as { v: Buffer } | undefined)?.v;
  }

  scan(table: Table, range: KeyRange, count: number): Scanned {
    const direction = range.backward
      ? range.after
        ? "backwardAfter"
        : "backwardFrom"
      : range.after
        ? "forwardAfter"
        : "forwardFrom";
    // Rows may be of any size: how many of them are read at once is decided by their lengths, which cost little.
    const { lengths, rows } = this.#scans[direction];
    const found = lengths.all(table.id, range.from, range.to, count) as (readonly [bytes: number])[];
    let taken = 0;
    for (let bytes = 0; taken < found.length && bytes < limits.rangeBytesMax; taken++) bytes += found[taken]?.[0] ?? 0;
    const entries = taken === 0 ? [] : (rows.all(table.id, range.from, range.to, taken) as StoredEntry[]);
    return { entries, isEnd: taken === found.length && found.length < count };
  }

  /** Keys behind `after` with the bytes their rows take, in key order, without reading the rows. */
  sizes(table: Table, after: Buffer, count: number): (readonly [key: Buffer, bytes: number])[] {
    return this.#sql.sizes.all(table.id, after, count) as (readonly [key: Buffer, bytes: number])[];
  }

  /** Inside a write: stores the row. */
  put(table: Table, key: Buffer, value: Buffer): void {
    this.#sql.put.run(table.id, key, value);
  }

  /** Inside a write: removes the row. */
  delete(table: Table, key: Buffer): void {
    this.#sql.delete.run(table.id, key);
  }

  /** Inside a write: the next auto-increment value of the table, at least `floor`. */
  nextCounter(table: Table, floor: number): number {
    const { counter } = this.#sql.counter.get(table.id) as { counter: number };
    const next = Math.max(counter + 1, floor);
    this.#sql.setCounter.run(next, table.id);
    return next;
  }

  /** The table of that name, or undefined. */
  table(instance: string, name: string): Table | undefined {
    return this.#tables.get(`${instance}/${name}`);
  }

  /** The instance's tables, index tables included. */
  tablesOf(instance: string): Table[] {
    return [...this.#tables.values()].filter((table) => table.instance === instance);
  }

  /** Those of every instance. */
  allTables(): Table[] {
    return [...this.#tables.values()];
  }

  indexesOf(table: Table): readonly Table[] {
    return (table.definition.indexes ?? []).map((index) => this.table(table.instance, index.name) as Table);
  }

  /** Inside a write: adds a table whose name is free. */
  addTable(instance: string, definition: TableDefinition): Table {
    const { lastInsertRowid } = this.#sql.addTable.run(instance, definition.name, JSON.stringify(definition));
    const table = { id: Number(lastInsertRowid), instance, definition };
    this.#tables.set(`${instance}/${definition.name}`, table);
    return table;
  }

  /** Inside a write: replaces the table's definition. */
  changeTable(table: Table, definition: TableDefinition): void {
    this.#sql.setDefinition.run(JSON.stringify(definition), table.id);
    this.#tables.set(`${table.instance}/${definition.name}`, { ...table, definition });
  }

  /** Inside a write: removes the table and its rows. */
  dropTable(table: Table): void {
    this.#sql.dropRows.run(table.id);
    this.#sql.dropTable.run(table.id);
    this.#tables.delete(`${table.instance}/${table.definition.name}`);
  }

  /** Forgets everything. */
  reset(): Promise<void> {
    return this.write(() => {
      this.#db.exec("DELETE FROM rows");
      this.#db.exec("DELETE FROM tables");
      this.#tables.clear();
    });
  }

  /** Commits what is queued and closes the file. */
  close(): void {
    this.#flush();
    this.#db.close();
  }

  #loadTables(): void {
    const found = this.#sql.allTables.all() as { id: number; instance: string; definition: string }[];
    for (const { id, instance, definition } of found) {
      const parsed = JSON.parse(definition) as TableDefinition;
      this.#tables.set(`${instance}/${parsed.name}`, { id, instance, definition: parsed });
    }
  }
}

function isDatabaseError(error: unknown): boolean {
  return error instanceof Database.SqliteError;
}
