// Every table to a file and back. Both may be cut anywhere and run again: they go on where a checksum says that all is well.
import { createHmac } from "node:crypto";
import { chmodSync, closeSync, existsSync, fsyncSync, openSync, renameSync, truncateSync, writeSync } from "node:fs";
import { KEPT_TABLES, type KeyPart, type Row, type TableName, type Tables } from "../../shared/ports/tables.ts";
// biome-ignore-start lint/style/noRestrictedImports: what is moved are the tables themselves.
import { lapseLocks } from "../../shared/store/lock.ts";
import { schemas } from "../../shared/store/tables.ts";
// biome-ignore-end lint/style/noRestrictedImports: see above
import { EXPORTED, readStateFile, type StateHeader, StateLines } from "./state-file.ts";

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
/** The row that an import which has begun leaves, until it has ended. */
const MARKER = ["import"] as const;

const signedBy = ({ markSecret }: Owner): string =>
  createHmac("sha256", markSecret).update("safeport state").digest("hex").slice(0, 16);

/** Writes the file, for its owner alone; what an export that was cut has written is gone on with. */
export async function exportState(
  tables: Tables,
  { file, owner, now, progress }: { file: string; owner: Owner; now: number; progress: (line: string) => void },
): Promise<MoveReport> {
  if (existsSync(file)) throw new Error(`${file} is there already. Name another file, or remove it.`);
  const draft = `${file}.part`;
  const begun = existsSync(draft) ? await readStateFile(draft).catch(() => null) : null;
  const goesOn = begun !== null && begun.header.signedBy === signedBy(owner);
  const lines = goesOn ? begun.lines : new StateLines();
  if (goesOn) truncateSync(draft, begun.bytes);
  const out = openSync(draft, goesOn ? "a" : "w", 0o600);
  chmodSync(draft, 0o600);
  try {
    if (!goesOn) {
      const header: StateHeader = {
        installation: owner.installation,
        signedBy: signedBy(owner),
        at: new Date(now).toISOString(),
      };
      writeSync(out, lines.header(header) + lines.sum(false));
    }
    let rows = goesOn ? begun.rows : 0;
    const last = goesOn ? begun.last : null;
    const left = last === null ? EXPORTED : EXPORTED.slice(EXPORTED.indexOf(last.table));
    for (const table of left) {
      const after = last?.table === table ? last.key : null;
      for await (const page of pagesOf(tables, table, after)) {
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
 * a file that is not whole or of another installation, an audit trail that is there, and, unless forced, any other row of a state.
 */
export async function importState(
  tables: Tables,
  { file, owner, force, progress }: { file: string; owner: Owner; force: boolean; progress: (line: string) => void },
): Promise<MoveReport> {
  const { sha256, rows } = await readStateOf(owner, file);
  await tables.createTables(schemas);
  const marker = await tables.get("schedule", MARKER);
  const isSame = marker?.columns["sha256"] === sha256;
  if (!isSame) {
    const kept = await firstWithRows(tables, KEPT_TABLES);
    if (kept !== null)
      throw new Error(
        `There is an audit trail already (the table ${kept} has rows), and none is removed or mixed with another. Use another Tablestore instance or folder.`,
      );
    const found = await firstWithRows(tables, EXPORTED);
    if (found !== null && !force)
      throw new Error(
        `There is a state already: the table ${found} has rows. Use an empty one, or say --force to have all of its rows removed first.`,
      );
    await tables.put("schedule", MARKER, { sha256, done: -1 }, { kind: "none" });
  }
  let done = isSame ? Number(marker?.columns["done"]) : -1;
  if (done < 0) {
    await clear(tables, progress);
    done = 0;
    await tables.put("schedule", MARKER, { sha256, done }, { kind: "none" });
  }
  let seen = 0;
  await readStateFile(file, async (batch) => {
    const fresh = batch.slice(Math.max(0, done - seen));
    seen += batch.length;
    if (fresh.length === 0) return;
    // The marker of the state that was exported is none of this import's.
    const mine = fresh.filter(({ table, key }) => table !== "schedule" || key[0] !== MARKER[0]);
    await tables.writeAll(mine.map((row) => ({ kind: "put", ...row })));
    await tables.put("schedule", MARKER, { sha256, done: seen }, { kind: "none" });
    progress(`${seen} of ${rows} rows`);
  });
  // Somebody may have held one while this one's rows were of a half state.
  await lapseLocks(tables);
  await tables.delete("schedule", MARKER, { kind: "none" });
  return { rows, sha256 };
}

async function clear(tables: Tables, progress: (line: string) => void): Promise<void> {
  for (const { name } of schemas) {
    if (name === "lock" || name === "record" || name === "seal") continue;
    let removed = 0;
    for await (const page of pagesOf(tables, name, null)) {
      const gone = page.filter(({ key }) => name !== "schedule" || key[0] !== MARKER[0]);
      await tables.writeAll(gone.map(({ key }) => ({ kind: "delete", table: name, key })));
      removed += gone.length;
    }
    if (removed > 0) progress(`${name}: ${removed} rows removed`);
  }
}

async function firstWithRows(tables: Tables, names: readonly TableName[]): Promise<TableName | null> {
  for (const name of names) {
    const { rows } = await tables.range({ table: name, from: [], to: null, limit: 2 });
    if (rows.some(({ key }) => name !== "schedule" || key[0] !== MARKER[0])) return name;
  }
  return null;
}

/** Pages of a table from behind a key on; none is empty. */
async function* pagesOf(
  tables: Tables,
  table: TableName,
  after: readonly KeyPart[] | null,
): AsyncGenerator<readonly Row[]> {
  let from: readonly KeyPart[] = after === null ? [] : behind(after);
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
