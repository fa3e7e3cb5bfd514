// The state on disk: one SQLite file, every commit synced before the caller hears of it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import type { EcsEni, EcsGroup, EcsInstance, EcsList, EcsRule } from "./model.ts";

/** The remembered outcome of a call with a ClientToken. */
export interface EcsToken {
  /** Operation and token. */
  readonly key: string;
  /** Hash of the parameters it came with. */
  readonly digest: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly refusal?: { readonly status: number; readonly code: string; readonly message: string };
}

/** The whole state, fit for JSON. */
export interface EcsSnapshot {
  readonly groups: readonly EcsGroup[];
  readonly enis: readonly EcsEni[];
  readonly instances: readonly EcsInstance[];
  readonly lists: readonly EcsList[];
  readonly tokens: readonly EcsToken[];
}

/** What one commit changes; `undefined` deletes. */
export interface EcsChange {
  readonly groups: ReadonlyMap<string, { readonly before: EcsGroup | undefined; readonly after: EcsGroup | undefined }>;
  readonly enis: ReadonlyMap<string, EcsEni | undefined>;
  readonly instances: ReadonlyMap<string, EcsInstance | undefined>;
  readonly lists: ReadonlyMap<string, EcsList | undefined>;
  readonly tokens: ReadonlyMap<string, EcsToken | undefined>;
}

/** Where commits go. */
export interface EcsStore {
  /** The state as last committed, or undefined when nothing was ever stored. */
  load(): EcsSnapshot | undefined;
  commit(change: EcsChange): void;
  replace(snapshot: EcsSnapshot): void;
  close(): void;
}

const tables = ["groups", "rules", "enis", "instances", "lists", "tokens"] as const;
type Table = (typeof tables)[number];

/** Opens or creates `ecs.sqlite` in the directory. WAL with full sync: an answered write survives `kill -9`. */
export const openStore = (directory: string): EcsStore => {
  mkdirSync(directory, { recursive: true });
  const db = new Database(join(directory, "ecs.sqlite"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.pragma("busy_timeout = 5000");
  for (const table of tables) {
    db.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT, json TEXT NOT NULL)`,
    );
  }
  db.exec("CREATE INDEX IF NOT EXISTS rules_by_group ON rules (owner)");
  db.exec("CREATE TABLE IF NOT EXISTS seeded (id INTEGER PRIMARY KEY)");

  const puts = new Map(
    tables.map((table) => [
      table,
      db.prepare(
        `INSERT INTO ${table} (id, owner, json) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, json = excluded.json`,
      ),
    ]),
  );
  const deletes = new Map(tables.map((table) => [table, db.prepare(`DELETE FROM ${table} WHERE id = ?`)]));

  const put = (table: Table, id: string, owner: string, value: unknown): void => {
    puts.get(table)?.run(id, owner, JSON.stringify(value));
  };
  const drop = (table: Table, id: string): void => {
    deletes.get(table)?.run(id);
  };
  const read = <T>(table: Table): { owner: string; value: T }[] =>
    (db.prepare(`SELECT owner, json FROM ${table} ORDER BY position`).all() as { owner: string; json: string }[]).map(
      (row) => ({ owner: row.owner, value: JSON.parse(row.json) as T }),
    );

  const writeGroup = (id: string, before: EcsGroup | undefined, after: EcsGroup | undefined): void => {
    const kept = new Set(after?.rules);
    const known = new Set(before?.rules);
    const keptIds = new Set(after?.rules.map((rule) => rule.ruleId));
    for (const rule of known) if (!kept.has(rule) && !keptIds.has(rule.ruleId)) drop("rules", rule.ruleId);
    for (const rule of kept) if (!known.has(rule)) put("rules", rule.ruleId, id, rule);
    if (after === undefined) drop("groups", id);
    else put("groups", id, "", { ...after, rules: [] });
  };
  const writeEach = <T>(table: Table, changes: ReadonlyMap<string, T | undefined>): void => {
    for (const [id, value] of changes) {
      if (value === undefined) drop(table, id);
      else put(table, id, "", value);
    }
  };
  const inTransaction = (work: () => void): void => {
    db.exec("BEGIN IMMEDIATE");
    try {
      work();
      db.exec("COMMIT");
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  };

  return {
    load: () => {
      if (db.prepare("SELECT id FROM seeded").get() === undefined) return undefined;
      const rules = new Map<string, EcsRule[]>();
      for (const { owner, value } of read<EcsRule>("rules")) rules.set(owner, [...(rules.get(owner) ?? []), value]);
      return {
        groups: read<EcsGroup>("groups").map(({ value }) => ({ ...value, rules: rules.get(value.groupId) ?? [] })),
        enis: read<EcsEni>("enis").map(({ value }) => value),
        instances: read<EcsInstance>("instances").map(({ value }) => value),
        lists: read<EcsList>("lists").map(({ value }) => value),
        tokens: read<EcsToken>("tokens").map(({ value }) => value),
      };
    },
    commit: (change) =>
      inTransaction(() => {
        for (const [id, { before, after }] of change.groups) writeGroup(id, before, after);
        writeEach("enis", change.enis);
        writeEach("instances", change.instances);
        writeEach("lists", change.lists);
        writeEach("tokens", change.tokens);
      }),
    replace: (snapshot) =>
      inTransaction(() => {
        for (const table of tables) db.exec(`DELETE FROM ${table}`);
        for (const group of snapshot.groups) writeGroup(group.groupId, undefined, group);
        for (const eni of snapshot.enis) put("enis", eni.eniId, "", eni);
        for (const instance of snapshot.instances) put("instances", instance.instanceId, "", instance);
        for (const list of snapshot.lists) put("lists", list.listId, "", list);
        for (const token of snapshot.tokens) put("tokens", token.key, "", token);
        db.exec("INSERT OR IGNORE INTO seeded (id) VALUES (1)");
      }),
    close: () => {
      db.close();
    },
  };
};
