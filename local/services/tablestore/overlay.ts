// Changes that are not in the store yet: what a local transaction or an atomic batch reads and writes.

import type { KeyRange, RowAccess, StoredEntry } from "./store.ts";
import type { Table } from "./tables.ts";

interface Change {
  readonly table: Table;
  readonly key: Buffer;
  /** Undefined: the row was removed. */
  readonly value: Buffer | undefined;
}

/** Rows as they will be once these changes are applied. The rows underneath are never written. */
export class Overlay implements RowAccess {
  readonly #under: RowAccess;
  readonly #changes = new Map<string, Change>();

  constructor(under: RowAccess) {
    this.#under = under;
  }

  /** What was changed. */
  changes(): Iterable<Change> {
    return this.#changes.values();
  }

  get(table: Table, key: Buffer): Buffer | undefined {
    const change = this.#changes.get(nameOf(table, key));
    return change === undefined ? this.#under.get(table, key) : change.value;
  }

  put(table: Table, key: Buffer, value: Buffer): void {
    this.#changes.set(nameOf(table, key), { table, key, value });
  }

  delete(table: Table, key: Buffer): void {
    this.#changes.set(nameOf(table, key), { table, key, value: undefined });
  }

  nextCounter(table: Table, floor: number): number {
    return this.#under.nextCounter(table, floor);
  }

  /** None: indexes change when the changes are applied. */
  indexesOf(): readonly Table[] {
    return [];
  }

  scan(table: Table, range: KeyRange, count: number): StoredEntry[] {
    const changed = [...this.#changes.values()].filter((change) => change.table.id === table.id);
    const hidden = new Set(changed.map((change) => change.key.toString("latin1")));
    const stored = this.#under
      .scan(table, range, count + changed.length)
      .filter(([key]) => !hidden.has(key.toString("latin1")));
    const added = changed.flatMap(({ key, value }): StoredEntry[] =>
      value !== undefined && isInside(key, range) ? [[key, value]] : [],
    );
    const sign = range.backward ? -1 : 1;
    return [...stored, ...added].sort((left, right) => sign * Buffer.compare(left[0], right[0])).slice(0, count);
  }
}

function nameOf(table: Table, key: Buffer): string {
  return `${table.id}/${key.toString("latin1")}`;
}

function isInside(key: Buffer, range: KeyRange): boolean {
  const sign = range.backward ? -1 : 1;
  const fromStart = sign * Buffer.compare(key, range.from);
  return (range.after ? fromStart > 0 : fromStart >= 0) && sign * Buffer.compare(key, range.to) < 0;
}
