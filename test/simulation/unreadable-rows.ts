// Rows that nobody can read for a time, as whoever broke them knows them: what each is about, and until when.
import type { Row, TableName } from "../../shared/ports/tables.ts";

/** A row as it was before; `until` by the true clock. */
export interface UnreadableRow {
  readonly table: TableName;
  readonly key: string;
  /** Its key and all of its columns. */
  readonly says: string;
  /** Of the rules that it is about, where it is an entry's or a lease's. */
  readonly words: readonly string[];
  readonly until: number;
}

interface SpecJson {
  readonly direction: string;
  readonly policy: string;
  readonly protocol: unknown;
  readonly ports: { readonly range?: { readonly from: number; readonly to: number } };
  readonly peer: { readonly cidr?: string; readonly groupId?: string; readonly prefixListId?: string };
  readonly dest: string | null;
}

/** As `wordsOf` has them of a rule of the cloud. */
function wordsOfSpec({ direction, policy, protocol, ports: { range }, peer, dest }: SpecJson): string {
  const bare = (block: string): string => block.replace(/\/32$/, "");
  const ports = range === undefined ? "-1/-1" : `${range.from}/${range.to}`;
  const whose = bare(peer.cidr ?? peer.groupId ?? peer.prefixListId ?? "");
  return [direction, policy, String(protocol), ports, whose, dest === null ? "-" : bare(dest)].join(" ");
}

/** None of a lease whose request is broken already: whoever broke that knew them. */
function specsIn(table: TableName, { columns }: Row): readonly SpecJson[] {
  if (table === "ledger") return [JSON.parse(String(columns["body"])).spec];
  const request = String(columns["request"] ?? "");
  return table === "lease" && request.includes(`"specs"`) ? JSON.parse(request).specs : [];
}

export class UnreadableRows {
  readonly #all: UnreadableRow[] = [];

  note(table: TableName, row: Row, until: number): void {
    const key = [table, ...row.key].join(" ");
    const says = [key, ...Object.values(row.columns)].join(" ");
    const words = specsIn(table, row).map(wordsOfSpec);
    const known = this.#all.find((it) => it.key === key);
    this.#all.push({ table, key, says, words: words.length > 0 || !known ? words : known.words, until });
  }

  /** Until when one that `matters` could not be read; 0 for never. */
  until(matters: (row: UnreadableRow) => boolean): number {
    return Math.max(0, ...this.#all.filter(matters).map(({ until }) => until));
  }
}

/** True where the row names the group. */
export const isOf = ({ says }: UnreadableRow, groupId: string): boolean => says.includes(groupId);

/** True for a row of the ledger, or of a lease, about a rule of these words in the group. */
export const isAbout = (row: UnreadableRow, groupId: string, words: string): boolean =>
  isOf(row, groupId) && row.words.includes(words);
