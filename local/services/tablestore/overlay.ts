// Changes that are not in the store yet: what a local transaction or an atomic batch reads and writes.

import type { KeyRange, RowAccess, Scanned, StoredEntry } from "./store.ts";
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

  scan(table: Table, range: KeyRange, count: number): Scanned {
    const changed = [...this.#changes.values()].filter((change) => change.table.id === table.id);
    const hidden = new Set(changed.map((change) => change.key.toString("latin1")));
    const order = (left: Buffer, right: Buffer): number => (range.backward ? -1 : 1) * Buffer.compare(left, right);
    const merged: StoredEntry[] = [];
    let part = range;
    for (;;) {
      const { entries, isEnd } = this.#under.scan(table, part, count);
      // What was changed behind the last row that was read has to wait for the next part.
      const last = isEnd ? undefined : entries.at(-1)?.[0];
      const added = changed.flatMap(({ key, value }): StoredEntry[] =>
        value !== undefined && isInside(key, part) && (last === undefined || order(key, last) <= 0)
          ? [[key, value]]
          : [],
      );
      const stored = entries.filter(([key]) => !hidden.has(key.toString("latin1")));
      merged.push(...[...stored, ...added].sort((left, right) => order(left[0], right[0])));
      if (isEnd || last === undefined) return { entries: merged.slice(0, count), isEnd: merged.length <= count };
      if (merged.length > 0) return { entries: merged.slice(0, count), isEnd: false };
      part = { ...range, from: last, after: true };
    }
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
