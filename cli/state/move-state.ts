// Every table to a file and back. Both may be cut anywhere and run again: an export begins anew, as whatever it has read may be another by
// then, and an import goes on where a checksum says that all is well.
import { createHmac } from "node:crypto";
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { KEPT_TABLES, type KeyPart, type Row, type TableName, type Tables } from "../../shared/ports/tables.ts";
// biome-ignore-start lint/style/noRestrictedImports: what is moved are the tables themselves.
import { isClaim, noteImport, readOwnership, requireWhole } from "../../shared/store/due.ts";
import { lapseLocks } from "../../shared/store/lock.ts";
import { schemas } from "../../shared/store/tables.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { EXPORTED, readStateFile, type StateHeader, StateLines, type StateRow } from "./state-file.ts";

/** Whose state it is. */
export interface Owner {
  readonly installation: string;
  readonly markSecret: string;
}

export interface MoveReport {
  readonly rows: number;
  readonly sha256: string;
}

const PAGE = 500;

const signedBy = ({ markSecret }: Owner): string =>
  createHmac("sha256", markSecret).update("safeport state").digest("hex").slice(0, 16);

/** Writes the file, for its owner alone. Throws STATE_HALF_IMPORTED where an import was cut. */
export async function exportState(
  tables: Tables,
  { file, owner, now, progress }: { file: string; owner: Owner; now: number; progress: (line: string) => void },
): Promise<MoveReport> {
  if (existsSync(file)) throw new Error(`${file} is there already. Name another file, or remove it.`);
  requireWhole(await readOwnership(tables));
  const draft = `${file}.part`;
  const out = openSync(draft, "w", 0o600);
  try {
    chmodSync(draft, 0o600);
    const lines = new StateLines();
    const header: StateHeader = {
      installation: owner.installation,
      signedBy: signedBy(owner),
      at: new Date(now).toISOString(),
    };
    writeSync(out, lines.header(header) + lines.sum(false));
    let rows = 0;
    for (const table of EXPORTED) {
      for await (const page of pagesOf(tables, table)) {
        const text = page.map(({ key, columns }) => lines.row({ table, key, columns })).join("");
        writeSync(out, text + lines.sum(false));
        rows += page.length;
      }
      progress(`${table}: ${rows} rows so far`);
    }
    writeSync(out, lines.sum(true));
    fsyncSync(out);
  } finally {
    closeSync(out);
  }
  const { rows, sha256 } = await readStateFile(draft);
  renameSync(draft, file);
  return { rows, sha256 };
}

/**
 * Reads the file to its end. Throws with words on one that is not whole, that was changed, and that is of another installation or signed
 * with another secret than the owner's.
 */
export async function readStateOf(owner: Owner, file: string): Promise<MoveReport> {
  const { header, isComplete, sha256, rows } = await readStateFile(file);
  if (!isComplete) throw new Error(`${file} is not whole: the export was cut. Run safeport state export again.`);
  if (header.installation !== owner.installation || header.signedBy !== signedBy(owner))
    throw new Error(
      `${file} is of the installation ${header.installation}, or its marks are signed with another secret. Set SAFEPORT_INSTALLATION and SAFEPORT_MARK_SECRET to what they were there.`,
    );
  return { rows, sha256 };
}

/**
 * Makes the tables where they are not there, and every row of the file. The file is read to its end before anything is written. Refuses
 * a file that is not whole or of another installation, an audit trail that is there, and, unless forced, any other row of a state. From its
 * beginning to its end the tables say that an import is on: nobody else takes them for a whole state. One that was cut goes on, unless
 * somebody has written there meanwhile.
 */
export async function importState(
  tables: Tables,
  { file, owner, force, progress }: { file: string; owner: Owner; force: boolean; progress: (line: string) => void },
): Promise<MoveReport> {
  const { sha256, rows } = await readStateOf(owner, file);
  await tables.createTables(schemas);
  const note = (state: { readonly sha256: string; readonly done: number } | null) =>
    noteImport(tables, owner.installation, state);
  const { importing } = await readOwnership(tables);
  const from = importing?.sha256 === sha256 ? importing.done : -1;
  const goesOn = from >= 0 && (await isAsImported(tables, file, { names: EXPORTED, done: from }));
  if (!goesOn) {
    // What an import has written of this same trail is no other's.
    const isOwnTrail = importing !== null && (await isAsImported(tables, file, { names: KEPT_TABLES, done: from }));
    const kept = isOwnTrail ? null : await firstWithRows(tables, KEPT_TABLES);
    if (kept !== null)
      throw new Error(
        `There is an audit trail already (the table ${kept} has rows), and none is removed or mixed with another. Use another Tablestore instance or folder.`,
      );
    const found = await firstWithRows(tables, EXPORTED);
    if (found !== null && !force)
      throw new Error(
        from >= 0
          ? "Somebody else has written there since the import was cut. Use an empty instance or folder, or say --force to have all of its rows removed first."
          : `There is a state already: the table ${found} has rows. Use an empty one, or say --force to have all of its rows removed first.`,
      );
    await note({ sha256, done: -1 });
    await clear(tables, progress);
    await note({ sha256, done: 0 });
  }
  const done = goesOn ? from : 0;
  let seen = 0;
  await readStateFile(file, async (batch) => {
    const fresh = batch.slice(Math.max(0, done - seen));
    seen += batch.length;
    if (fresh.length === 0) return;
    // Whose the tables are is said already, with how far this has come.
    const mine = fresh.filter((row) => !isClaim(row));
    await tables.writeAll(mine.map((row) => ({ kind: "put", ...row })));
    await note({ sha256, done: seen });
    progress(`${seen} of ${rows} rows`);
  });
  // Somebody may have held one while this one's rows were of a half state.
  await lapseLocks(tables);
  await note(null);
  return { rows, sha256 };
}

/**
 * Whether the tables of these names hold nothing but rows of the file, each as it is there, and of the first `done` all but those that may
 * have expired.
 */
async function isAsImported(
  tables: Tables,
  file: string,
  { names, done }: { readonly names: readonly TableName[]; readonly done: number },
): Promise<boolean> {
  // Both are in the order of tables and keys.
  const there = rowsOf(tables, names);
  const lasting = new Set(schemas.flatMap(({ name, timeToLiveS }) => (timeToLiveS === -1 ? [name] : [])));
  let next = await there.next();
  let isSame = true;
  let seen = 0;
  await readStateFile(file, async (batch) => {
    for (const row of batch) {
      seen += 1;
      if (!isSame || !names.includes(row.table) || isClaim(row)) continue;
      if (next.done || next.value.table !== row.table || !isDeepStrictEqual(next.value.key, row.key))
        isSame = seen > done || !lasting.has(row.table);
      else {
        isSame = isDeepStrictEqual(next.value.columns, row.columns);
        next = await there.next();
      }
    }
  });
  return isSame && next.done === true;
}

/** Every row but the claim. */
async function* rowsOf(tables: Tables, names: readonly TableName[]): AsyncGenerator<StateRow> {
  for (const table of EXPORTED.filter((name) => names.includes(name)))
    for await (const page of pagesOf(tables, table))
      for (const { key, columns } of page) if (!isClaim({ table, key })) yield { table, key, columns };
}

async function clear(tables: Tables, progress: (line: string) => void): Promise<void> {
  for (const { name } of schemas) {
    if (name === "lock" || name === "record" || name === "seal") continue;
    let removed = 0;
    for await (const page of pagesOf(tables, name)) {
      const gone = page.filter(({ key }) => !isClaim({ table: name, key }));
      await tables.writeAll(gone.map(({ key }) => ({ kind: "delete", table: name, key })));
      removed += gone.length;
    }
    if (removed > 0) progress(`${name}: ${removed} rows removed`);
  }
}

async function firstWithRows(tables: Tables, names: readonly TableName[]): Promise<TableName | null> {
  for (const name of names) {
    const { rows } = await tables.range({ table: name, from: [], to: null, limit: 2 });
    if (rows.some(({ key }) => !isClaim({ table: name, key }))) return name;
  }
  return null;
}

/** Pages of a table; none is empty. */
async function* pagesOf(tables: Tables, table: TableName): AsyncGenerator<readonly Row[]> {
  let from: readonly KeyPart[] = [];
  for (;;) {
    const { rows, more } = await tables.range({ table, from, to: null, limit: PAGE });
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (!more || last === undefined) return;
    from = behind(last.key);
  }
}

/** The least key that is greater. */
function behind(key: readonly KeyPart[]): readonly KeyPart[] {
  const last = key.at(-1);
  return [...key.slice(0, -1), typeof last === "number" ? last + 1 : `${last}\0`];
}
