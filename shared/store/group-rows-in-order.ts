// The rows of a region's groups, read a range at a time beside a walk over the groups in the order of their ids.
import type { GroupId } from "../domain/ids.ts";
import type { Tables } from "../ports/tables.ts";
import { type KeptRow, listGroupRows } from "./group-rows.ts";

const ROWS = 500;

/** Reads as far as it is asked, and keeps no more than one page. */
export class GroupRowsInOrder {
  readonly #tables: Tables;
  readonly #region: string;
  #page: ReadonlyMap<GroupId, KeptRow> = new Map();
  /** The last id of what has been read; null when nothing is behind it. */
  #upTo: string | null = "";

  constructor(tables: Tables, region: string) {
    this.#tables = tables;
    this.#region = region;
  }

  /** The rows of these groups, in rising order and behind those asked for before; null for a group without one. */
  async next(ids: readonly GroupId[]): Promise<readonly (KeptRow | null)[]> {
    const found: (KeptRow | null)[] = [];
    for (const id of ids) {
      if (this.#upTo !== null && id > this.#upTo) await this.#readOn(id);
      found.push(this.#page.get(id) ?? null);
    }
    return found;
  }

  /** Rows before the one that is asked for are skipped without being read. */
  async #readOn(id: GroupId): Promise<void> {
    const query = { region: this.#region, after: justBefore(id), limit: ROWS };
    const { rows, unreadable, next } = await listGroupRows(this.#tables, query);
    this.#page = new Map<GroupId, KeptRow>([
      ...rows.map((row) => [row.group.groupId, row] as const),
      ...unreadable.map((groupId) => [groupId, "unreadable"] as const),
    ]);
    this.#upTo = next;
  }
}

/** The highest text below the id, as far as group ids go. */
function justBefore(id: GroupId): GroupId {
  const last = id.charCodeAt(id.length - 1);
  return `${id.slice(0, -1)}${String.fromCharCode(last - 1)}\u{ffff}` as GroupId;
}
