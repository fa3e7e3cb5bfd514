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

/** Tables in memory, empty; with schemas those tables exist from the start. */
export function memoryTables(schemas: readonly TableSchema[] = []): Tables {
  const tables = new Map<TableName, Map<string, Kept>>(schemas.map((schema) => [schema.name, new Map()]));

  function rowsOf(table: TableName): Map<string, Kept> {
    const rows = tables.get(table);
    if (rows === undefined) throw new StoreFailure("tableMissing", `no table ${table}`);
    return rows;
  }

  function write(
    table: TableName,
    key: readonly KeyPart[],
    condition: Condition,
    change: (rows: Map<string, Kept>, id: string, old: Kept | undefined) => void,
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
      const inside = [...rowsOf(table).values()]
        .filter(({ key }) => compare(from, key) <= 0 && (to === null || compare(key, to) < 0))
        .sort((a, b) => (reverse === true ? compare(b.key, a.key) : compare(a.key, b.key)));
      return { rows: inside.slice(0, limit).map(copy), more: inside.length > limit };
    },
    async createTables(wanted) {
      for (const { name } of wanted) if (!tables.has(name)) tables.set(name, new Map());
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

/** Key order: part by part, numbers by value, texts by their UTF-8 bytes; a prefix sorts first. */
function compare(a: readonly KeyPart[], b: readonly KeyPart[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const order =
      typeof left === "number" && typeof right === "number"
        ? left - right
        : Buffer.compare(Buffer.from(`${left}`), Buffer.from(`${right}`));
    if (order !== 0) return order;
  }
  return 0;
}
