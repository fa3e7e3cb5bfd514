// The state of an installation as a file: a line for each row, with checksums by which a part of it is known to be whole.
import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import * as z from "zod";
import type { Columns, KeyPart, TableName } from "../../shared/ports/tables.ts";
// biome-ignore lint/style/noRestrictedImports: the file holds the tables themselves.
import { schemas } from "../../shared/store/tables.ts";
import { jsonOf } from "../json-text.ts";

const FORMAT = "safeport-state/1";

/** What the file says of itself in its first line. */
export interface StateHeader {
  readonly installation: string;
  /** Tells whether two installations sign with the same secret, and nothing else of it. */
  readonly signedBy: string;
  readonly at: string;
}

export interface StateRow {
  readonly table: TableName;
  readonly key: readonly KeyPart[];
  readonly columns: Columns;
}

/** How far a file is whole: as a rule that is its end. */
interface Whole {
  readonly header: StateHeader;
  readonly rows: number;
  /** True where the last line says that nothing is missing. */
  readonly isComplete: boolean;
  /** Of everything before the line that says so. */
  readonly sha256: string;
}

/** Locks are nobody's once nothing runs, and the budget of calls is of a minute: neither goes along. */
export const EXPORTED: readonly TableName[] = schemas
  .map(({ name }) => name)
  .filter((name) => name !== "lock" && name !== "budget");

const rowSchema = z.strictObject({
  table: z.enum(EXPORTED as [TableName, ...TableName[]]),
  key: z.array(z.union([z.string(), z.int()])).min(1),
  columns: z.record(z.string(), z.union([z.string(), z.int(), z.boolean()])),
});

const lineSchema = z.union([
  z.strictObject({ format: z.literal(FORMAT), installation: z.string(), signedBy: z.string(), at: z.string() }),
  rowSchema,
  z.strictObject({ sum: z.string(), rows: z.int(), isEnd: z.boolean() }),
]);

/** Makes the lines of a file, with their sums. */
export class StateLines {
  readonly #hash: Hash = createHash("sha256");
  #rows = 0;

  header(header: StateHeader): string {
    return this.#added({ format: FORMAT, ...header });
  }

  /** Throws with words on one that no import would take: behind it nothing of the file would be read. */
  row({ table, key, columns }: StateRow): string {
    const row = { table, key, columns };
    const [wrong] = rowSchema.safeParse(row).error?.issues ?? [];
    if (wrong !== undefined)
      throw new Error(
        `The row ${key.join(" ")} of the table ${table} holds what safeport never writes (${wrong.path.join(".")}). Correct it in Tablestore's console, or delete it there.`,
      );
    this.#rows += 1;
    return this.#added(row);
  }

  sum(isEnd: boolean): string {
    return this.#added({ sum: this.#sum(), rows: this.#rows, isEnd });
  }

  /** Takes a line that was read into account. */
  take(line: string, isRow: boolean): void {
    if (isRow) this.#rows += 1;
    this.#hash.update(`${line}\n`);
  }

  /** Whether a sum is that of the lines before it. */
  meets(sum: string, rows: number): boolean {
    return sum === this.#sum() && rows === this.#rows;
  }

  #sum(): string {
    return this.#hash.copy().digest("hex");
  }

  #added(line: object): string {
    const text = JSON.stringify(line);
    this.#hash.update(`${text}\n`);
    return `${text}\n`;
  }
}

/**
 * Reads a file up to where it is whole, and hands its rows on once a sum has confirmed them. Throws with words on a file that is not
 * one of ours, or was changed.
 */
export async function readStateFile(
  file: string,
  onRows: (rows: readonly StateRow[]) => Promise<void> | void = () => undefined,
): Promise<Whole> {
  const lines = new StateLines();
  let header = null as StateHeader | null;
  let whole = null as Omit<Whole, "header"> | null;
  let rows = 0;
  let isCut = false;
  let pending: StateRow[] = [];
  let kept: [line: string, isRow: boolean][] = [];
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    if (whole?.isComplete) throw new Error(`${file} goes on after its end. Export it again.`);
    const parsed = lineSchema.safeParse(jsonOf(line));
    if (isCut)
      throw new Error(`${file} is of another version of safeport. Import it with the one that has exported it.`);
    // Of a file that is cut half a line may be the last.
    isCut = !parsed.success;
    if (!parsed.success) continue;
    const it = parsed.data;
    if ("sum" in it) {
      for (const [text, isRow] of kept) lines.take(text, isRow);
      if (!lines.meets(it.sum, it.rows))
        throw new Error(`${file} was changed before its row ${rows + 1}: its checksum is another. Export it again.`);
      await onRows(pending);
      whole = { rows, isComplete: it.isEnd, sha256: it.sum };
      lines.take(line, false);
      [kept, pending] = [[], []];
      continue;
    }
    if ("format" in it) header = { installation: it.installation, signedBy: it.signedBy, at: it.at };
    else {
      pending.push(it);
      rows += 1;
    }
    kept.push([line, "table" in it]);
  }
  if (header === null || whole === null)
    throw new Error(`${file} is no state of safeport. Name a file that safeport state export has written.`);
  return { ...whole, header };
}
