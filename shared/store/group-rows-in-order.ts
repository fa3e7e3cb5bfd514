// The rows of a region's groups, read a range at a time beside a walk over the groups in the order of their ids.
import type { GroupRow } from "../domain/guard.ts";
import type { GroupId } from "../domain/ids.ts";
import { StoreFailure, type Tables } from "../ports/tables.ts";
import { listGroupRows } from "./group-rows.ts";

const ROWS = 500;

/** Reads as far as it is asked, and keeps no more than one page. */
export class GroupRowsInOrder {
  readonly #tables: Tables;
  readonly #region: string;
  readonly #unreadable: (error: unknown) => void;
  #page: readonly GroupRow[] = [];
  #at = 0;
  #more = true;

  /** `unreadable` hears of rows that are there and make no sense; from that page on no group has one. */
  constructor(tables: Tables, region: string, unreadable: (error: unknown) => void) {
    this.#tables = tables;
    this.#region = region;
    this.#unreadable = unreadable;
  }

  /** The rows of these groups, in rising order and behind those asked for before; null for a group without one. */
  async next(ids: readonly GroupId[]): Promise<readonly (GroupRow | null)[]> {
    const found: (GroupRow | null)[] = [];
    for (const id of ids) found.push(await this.#row(id));
    return found;
  }

  async #row(id: GroupId): Promise<GroupRow | null> {
    for (;;) {
      for (; this.#at < this.#page.length; this.#at++) {
        const row = this.#page[this.#at];
        if (row && row.group.groupId >= id) return row.group.groupId === id ? row : null;
      }
      if (!this.#more) return null;
      await this.#readOn(id);
    }
  }

  /** Rows before the one that is asked for are skipped without being read. */
  async #readOn(id: GroupId): Promise<void> {
    const query = { region: this.#region, after: justBefore(id), limit: ROWS };
    this.#at = 0;
    try {
      const page = await listGroupRows(this.#tables, query);
      this.#page = page.rows;
      this.#more = page.more;
    } catch (error) {
      if (error instanceof StoreFailure) throw error;
      this.#unreadable(error);
      this.#page = [];
      this.#more = false;
    }
  }
}

/** The highest text below the id, as far as group ids go. */
function justBefore(id: GroupId): GroupId {
  const last = id.charCodeAt(id.length - 1);
  return `${id.slice(0, -1)}${String.fromCharCode(last - 1)}\u{ffff}` as GroupId;
}
