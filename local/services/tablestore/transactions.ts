// Local transactions: one partition key each, held by its id until commit, abort or sixty seconds.

import { OtsError, parameterInvalid } from "./errors.ts";
import { indexEntry, replaceRow } from "./indexing.ts";
import { limits } from "./limits.ts";
import { Overlay } from "./overlay.ts";
import { decodeStored } from "./rows.ts";
import type { RowAccess, Store } from "./store.ts";
import type { Table } from "./tables.ts";

/** An open transaction. */
export interface Transaction {
  readonly id: string;
  readonly table: Table;
  /** The encoded partition key. */
  readonly partition: Buffer;
  readonly startedMs: number;
  readonly rows: Overlay;
  usedMs: number;
  bytes: number;
  /** True from the commit's start to its end. */
  busy: boolean;
}

/** The open transactions of one service; they live in memory, so a stop aborts them. */
export class Transactions {
  readonly #byId = new Map<string, Transaction>();
  readonly #byPartition = new Map<string, Transaction>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** Opens one. Throws OtsError when the partition key is held. */
  start(store: Store, table: Table, partition: Buffer, nowMs: number): Transaction {
    if (!table.definition.localTransactions) throw disabled();
    this.checkFree(table, partition, nowMs);
    const transaction: Transaction = {
      id: this.#newId(),
      table,
      partition,
      startedMs: nowMs,
      rows: new Overlay(store),
      usedMs: nowMs,
      bytes: 0,
      busy: false,
    };
    this.#byId.set(transaction.id, transaction);
    this.#byPartition.set(holdOf(table, partition), transaction);
    return transaction;
  }

  /** The open transaction of that id, for one more request. Throws OtsError. */
  use(id: string, nowMs: number): Transaction {
    const transaction = this.#byId.get(id);
    if (transaction === undefined || this.#dropWhenOver(transaction, nowMs)) {
      throw new OtsError(404, "OTSSessionNotExist", "The transaction does not exist.");
    }
    if (transaction.busy) throw new OtsError(409, "OTSSessionBusy", "The transaction is busy with another request.");
    transaction.usedMs = nowMs;
    return transaction;
  }

  /** The transaction of a request on a table, or undefined when the request is in none. Throws OtsError. */
  of(table: Table, id: string | undefined, nowMs: number): Transaction | undefined {
    if (id === undefined || id === "") return undefined;
    if (!table.definition.localTransactions) throw disabled();
    const transaction = this.use(id, nowMs);
    if (transaction.table.id !== table.id) throw outOfRange();
    return transaction;
  }

  /** Throws OtsError when a transaction holds the partition key. */
  checkFree(table: Table, partition: Buffer, nowMs: number): void {
    if (this.#byPartition.size === 0) return;
    const holder = this.#byPartition.get(holdOf(table, partition));
    if (holder === undefined || this.#dropWhenOver(holder, nowMs)) return;
    throw new OtsError(409, "OTSRowOperationConflict", "Data is being modified by the other request.");
  }

  /** Writes what the transaction changed and ends it, once that is durable. */
  async commit(store: Store, transaction: Transaction): Promise<void> {
    transaction.busy = true;
    try {
      await store.write(() => {
        // The table may have other indexes by now.
        const { instance, definition } = transaction.table;
        applyOverlay(store, store.table(instance, definition.name) ?? transaction.table, transaction.rows);
      });
    } finally {
      this.end(transaction);
    }
  }

  /** Ends the transaction; what it changed is gone unless it was committed. */
  end(transaction: Transaction): void {
    this.#byId.delete(transaction.id);
    const hold = holdOf(transaction.table, transaction.partition);
    if (this.#byPartition.get(hold) === transaction) this.#byPartition.delete(hold);
  }

  /** Aborts all of them, or those of one table. */
  endAll(table?: Table): void {
    for (const transaction of this.#byId.values()) {
      if (table === undefined || transaction.table.id === table.id) this.end(transaction);
    }
  }

  #dropWhenOver(transaction: Transaction, nowMs: number): boolean {
    const { startedMs, usedMs, busy } = transaction;
    if (busy || Math.max(nowMs - startedMs, nowMs - usedMs) <= limits.transactionMsMax) return false;
    this.end(transaction);
    return true;
  }
}

/** Checks that a change of a row belongs to the transaction, and counts its bytes. Throws OtsError. */
export function checkInside(transaction: Transaction, partition: Buffer, bytes: number): void {
  if (!transaction.partition.equals(partition)) throw outOfRange();
  if (transaction.bytes + bytes > limits.transactionBytesMax) {
    throw new OtsError(
      400,
      "OTSOutOfTransactionDataSizeLimit",
      `The data size of the transaction exceeds the limit: ${limits.transactionBytesMax}.`,
    );
  }
  transaction.bytes += bytes;
}

/** Inside a write: makes the changes of an overlay of one table the store's. Throws OtsError before anything is written. */
export function applyOverlay(store: RowAccess, table: Table, overlay: Overlay): void {
  const changes = [...overlay.changes()].map(({ key, value }) => ({
    key,
    before: store.get(table, key),
    after: value === undefined ? undefined : decodeStored(value),
  }));
  const indexes = store.indexesOf(table);
  for (const { after } of changes) {
    if (after !== undefined) for (const index of indexes) indexEntry(index, after);
  }
  for (const { key, before, after } of changes) replaceRow(store, table, key, { before, after });
}

/** The error of a request whose rows are not all in the transaction's partition. */
function outOfRange(): OtsError {
  return new OtsError(400, "OTSDataOutOfRange", "The data is out of the range of the transaction.");
}

function disabled(): OtsError {
  return parameterInvalid("Try to call method using explicit transaction on explicit-transaction-disabled table");
}

function holdOf(table: Table, partition: Buffer): string {
  return `${table.id}/${partition.toString("latin1")}`;
}
