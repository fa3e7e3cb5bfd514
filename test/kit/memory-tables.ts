// The tables port in memory: what use case tests keep their state in.
import {
  type Columns,
  type Condition,
  type KeyPart,
  type Row,
  StoreFailure,
  type TableName,
  type TableSchema,
  type Tables,
  type WriteOutcome,
} from "../../shared/ports/tables.ts";

interface Kept {
  readonly key: readonly KeyPart[];
  columns: Columns;
}

/** The rows of a table, always in the order of their keys: a range finds its beginning, and no run sorts a table. */
class KeptRows {
  readonly #byId = new Map<string, Kept>();
  readonly #inOrder: Kept[] = [];

  get(id: string): Kept | undefined {
    return this.#byId.get(id);
  }

  set(id: string, kept: Kept): void {
    const old = this.#byId.get(id);
    this.#byId.set(id, kept);
    this.#inOrder.splice(this.firstFrom(kept.key), old === undefined ? 0 : 1, kept);
  }

  delete(id: string): void {
    const old = this.#byId.get(id);
    if (old === undefined) return;
    this.#byId.delete(id);
    this.#inOrder.splice(this.firstFrom(old.key), 1);
  }

  /** Place of the first row whose key is not before `key`. */
  firstFrom(key: readonly KeyPart[]): number {
    let [low, high] = [0, this.#inOrder.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare((this.#inOrder[middle] as Kept).key, key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** At most `limit` rows from `from` to before `to`, and whether there are more. */
  range(
    from: readonly KeyPart[],
    to: readonly KeyPart[] | null,
    options: { readonly isReverse: boolean; readonly limit: number },
  ): { readonly rows: readonly Kept[]; readonly more: boolean } {
    const first = this.firstFrom(from);
    const end = Math.max(first, to === null ? this.#inOrder.length : this.firstFrom(to));
    const { isReverse, limit } = options;
    const rows = isReverse
      ? this.#inOrder.slice(Math.max(first, end - limit), end).reverse()
      : this.#inOrder.slice(first, Math.min(end, first + limit));
    return { rows, more: end - first > limit };
  }
}

/** Tables in memory, empty; with schemas those tables exist from the start. */
export function memoryTables(schemas: readonly TableSchema[] = []): Tables {
  const tables = new Map<TableName, KeptRows>(schemas.map((schema) => [schema.name, new KeptRows()]));

  function rowsOf(table: TableName): KeptRows {
    const rows = tables.get(table);
    if (rows === undefined) throw new StoreFailure("tableMissing", `no table ${table}`);
    return rows;
  }

  function write(
    table: TableName,
    key: readonly KeyPart[],
    condition: Condition,
    change: (rows: KeptRows, id: string, old: Kept | undefined) => void,
  ): WriteOutcome {
    const rows = rowsOf(table);
    const id = JSON.stringify(key);
    const old = rows.get(id);
    if (!holds(condition, old)) return "conflict";
    change(rows, id, old);
    return "written";
  }

  return {
    async get(table, key) {
      const kept = rowsOf(table).get(JSON.stringify(key));
      return kept === undefined ? null : copy(kept);
    },
    put: async (table, key, columns, condition) =>
      write(table, key, condition, (rows, id) => rows.set(id, { key: [...key], columns: { ...columns } })),
    putEach: async (puts) =>
      puts.map(({ table, key, columns, condition }) =>
        write(table, key, condition, (rows, id) => rows.set(id, { key: [...key], columns: { ...columns } })),
      ),
    update: async (table, key, columns, condition) =>
      write(table, key, condition, (rows, id, old) =>
        rows.set(id, { key: [...key], columns: { ...old?.columns, ...columns } }),
      ),
    delete: async (table, key, condition) => write(table, key, condition, (rows, id) => rows.delete(id)),
    async writeAll(writes) {
      for (const one of writes) {
        write(one.table, one.key, { kind: "none" }, (rows, id) => {
          if (one.kind === "delete") rows.delete(id);
          else rows.set(id, { key: [...one.key], columns: { ...one.columns } });
        });
      }
    },
    async range({ table, from, to, reverse, limit }) {
      const found = rowsOf(table).range(from, to, { isReverse: reverse === true, limit });
      return { rows: found.rows.map(copy), more: found.more };
    },
    async createTables(wanted) {
      for (const { name } of wanted) if (!tables.has(name)) tables.set(name, new KeptRows());
    },
  };
}

function copy({ key, columns }: Kept): Row {
  return { key: [...key], columns: { ...columns } };
}

function holds(condition: Condition, row: Kept | undefined): boolean {
  switch (condition.kind) {
    case "none":
      return true;
    case "absent":
      return row === undefined;
    case "present":
      return row !== undefined;
    case "equals":
      return row?.columns[condition.column] === condition.value;
    case "atMost": {
      const value = row?.columns[condition.column];
      return typeof value === "number" && value <= condition.value;
    }
  }
}

const OUTSIDE_OF_ONE_UNIT = /[\ud800-\uffff]/;

/** By UTF-8 bytes, which is the order of UTF-16 units but where one of them may be half a character. */
function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  if (OUTSIDE_OF_ONE_UNIT.test(left) || OUTSIDE_OF_ONE_UNIT.test(right))
    return Buffer.compare(Buffer.from(left), Buffer.from(right));
  return left < right ? -1 : 1;
}

/** Key order: part by part, numbers by value, texts by their UTF-8 bytes; a prefix sorts first. */
function compare(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const order =
      typeof left === "number" && typeof right === "number" ? left - right : compareTexts(`${left}`, `${right}`);
    if (order !== 0) return order;
  }
  return 0;
}
