// The ledger: which rules should stand in a group, for whom and until when. One row per rule, changed only by compare-and-set.
import type { EntryId, GroupRef, LeaseId } from "../domain/ids.ts";
import type { Entry, Holder } from "../domain/ledger-entry.ts";
import { isZone } from "../domain/open-hours.ts";
import { AppError, fail } from "../errors/app-error.ts";
import type { Put, Row, Tables } from "../ports/tables.ts";
import { readable, revOf, type Shape, shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

const keyOf = (entry: Pick<Entry, "group" | "entryId">): string[] => [entry.group.groupId, entry.entryId];

const SHAPE: Shape<Omit<Entry, "spec" | "rev"> & { spec: unknown }> = {
  ...{ entryId: "text", group: "object", key: "text", holders: "objects" },
  ...{ allocation: "object?", suspension: "object?", undoneAt: "list?" },
};

const entryOf = withKey((row: Row): Entry => {
  const body = shapedColumn(row.columns["body"], "ledger", SHAPE);
  const rev = revOf(row.columns, "ledger");
  if (!hasReadableHours(body)) throw fail("STATE_UNREADABLE", { table: "ledger" });
  const { allocation = null, createdAt = null, suspension = null, undoneAt = [] } = body as Partial<Entry>;
  const holders = body.holders.map(holderOf);
  return {
    ...body,
    allocation,
    createdAt,
    suspension,
    undoneAt,
    holders,
    spec: specFromJson(body.spec, "ledger"),
    rev,
  };
});

/** Another machine may have known more time zones: what nobody can work out here must keep nothing else of the group from its end. */
function hasReadableHours({ allocation }: Partial<Pick<Entry, "allocation">>): boolean {
  const hours = allocation?.openHours ?? null;
  return hours === null || (isZone(hours.zone) && Array.isArray(hours.windows));
}

/** Rows of before there were other holds name a lease alone. */
function holderOf(stored: Holder & { readonly leaseId?: LeaseId }): Holder {
  const { leaseId, ...holder } = stored;
  return leaseId === undefined ? holder : { ...holder, kind: "lease", holderId: leaseId };
}

/** An event may name another region than its group's: what is read there says nothing about the entries of this id. */
const isOf = ({ region }: GroupRef, entry: Entry): boolean => entry.group.region === region;

/**
 * Every entry of a group, to the last page, and the ids of rows that cannot be read. Such a row keeps no other entry from its end, and
 * its own rule ends by its mark.
 */
export async function listEntries(
  tables: Tables,
  group: GroupRef,
): Promise<{ readonly entries: readonly Entry[]; readonly unreadable: readonly string[] }> {
  const entries: Entry[] = [];
  const unreadable: string[] = [];
  let from = "";
  for (;;) {
    const page = await tables.range({
      table: "ledger",
      from: [group.groupId, from],
      to: [`${group.groupId}\u0001`],
      limit: 1000,
    });
    for (const row of page.rows) {
      try {
        const entry = entryOf(row);
        if (isOf(group, entry)) entries.push(entry);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        unreadable.push(String(row.key[1]));
      }
    }
    const last = page.rows.at(-1);
    if (!page.more || !last) return { entries, unreadable };
    from = `${String(last.key[1])}\u0001`;
  }
}

/**
 * Entries of a group, or of all groups, in the order of group and id, at most `limit`; `after` continues a page. Rows that cannot be
 * read are named in `unreadable`.
 */
export async function pageEntries(
  tables: Tables,
  query: {
    readonly groupId?: string;
    readonly after: readonly [string, string] | null;
    readonly limit: number;
  },
): Promise<{
  readonly entries: readonly Entry[];
  readonly unreadable: readonly string[];
  readonly next: readonly [string, string] | null;
}> {
  const { groupId, after, limit } = query;
  const page = await tables.range({
    table: "ledger",
    from: after ? [after[0], `${after[1]}\u0001`] : [groupId ?? "", ""],
    to: groupId === undefined ? null : [`${groupId}\u0001`],
    limit,
  });
  const entries: Entry[] = [];
  const unreadable: string[] = [];
  for (const row of page.rows) {
    try {
      entries.push(entryOf(row));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      unreadable.push(row.key.join(" "));
    }
  }
  const last = page.rows.at(-1);
  return { entries, unreadable, next: page.more && last ? [String(last.key[0]), String(last.key[1])] : null };
}

/** One entry, or null. */
export async function getEntry(tables: Tables, group: GroupRef, entryId: EntryId): Promise<Entry | null> {
  const row = await tables.get("ledger", [group.groupId, entryId]);
  const entry = row && entryOf(row);
  return entry && isOf(group, entry) ? entry : null;
}

/** As `getEntry`; null where it cannot be read. */
export async function readableEntry(tables: Tables, group: GroupRef, entryId: EntryId): Promise<Entry | null> {
  const row = await tables.get("ledger", [group.groupId, entryId]);
  const entry = row && readable([row], entryOf).items[0];
  return entry && isOf(group, entry) ? entry : null;
}

/** Stores an entry if its row is still at `entry.rev`; answers the stored entry, or null when somebody else was faster. */
export async function saveEntry(tables: Tables, entry: Entry): Promise<Entry | null> {
  const { table, key, columns, condition } = putOf(entry);
  const outcome = await tables.put(table, key, columns, condition);
  return outcome === "written" ? { ...entry, rev: entry.rev + 1 } : null;
}

/** As `saveEntry`, for several entries; answers which were stored, in their order. */
export async function saveEntries(tables: Tables, entries: readonly Entry[]): Promise<readonly boolean[]> {
  if (tables.putEach === undefined || entries.length < 2)
    return Promise.all(entries.map(async (entry) => (await saveEntry(tables, entry)) !== null));
  const outcomes = await tables.putEach(entries.map(putOf));
  return outcomes.map((outcome) => outcome === "written");
}

function putOf(entry: Entry): Put {
  const { rev, spec, ...rest } = entry;
  return {
    table: "ledger",
    key: keyOf(entry),
    columns: { body: JSON.stringify({ ...rest, spec: specToJson(spec) }), rev: rev + 1 },
    condition: rev === 0 ? { kind: "absent" } : { kind: "equals", column: "rev", value: rev },
  };
}

/** Deletes an entry if its row is still at `entry.rev`. */
export async function deleteEntry(tables: Tables, entry: Entry): Promise<boolean> {
  if (entry.rev === 0) return true;
  return (
    (await tables.delete("ledger", keyOf(entry), { kind: "equals", column: "rev", value: entry.rev })) === "written"
  );
}
