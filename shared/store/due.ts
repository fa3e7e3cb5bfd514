// The due table: one bounded range read finds everything whose time has come. A row is written before the row it points to.
import { createHash } from "node:crypto";
import type { GroupId, GroupRef, LeaseId } from "../domain/ids.ts";
import { fail } from "../errors/app-error.ts";
import { type KeyPart, type Row, StoreFailure, type Tables, type Write } from "../ports/tables.ts";

/**
 * `lease`: look at this lease; `group`: look at this group; `drift`: look at this group and compare it with its ledger;
 * `full-pass`: look at every group; `job`: run the job that the id names.
 */
export type DueKind = "lease" | "group" | "drift" | "full-pass" | "job";

export interface Due {
  readonly shard: number;
  readonly at: number;
  readonly kind: DueKind;
  readonly id: string;
  readonly region: string;
  /** The group of a `lease` or `group` row; for `full-pass` the last group that was looked at. */
  readonly groupId: GroupId;
}

const PAGE = 5000;

/**
 * The row that says an installation's state exists, by its name, and the one that says whose these tables are, without a name. They lie
 * in the range every tick reads.
 */
const INSTALLATION = "installation";
const OWNER_KEY: readonly KeyPart[] = [0, 0, INSTALLATION, ""];

/** Whose tables these are. */
export interface StateOwnership {
  /** The installation that has claimed them; null where none has, as before there were claims. */
  readonly owner: string | null;
  /** Those whose state is there: one, unless somebody gave two of them the same before there were claims. */
  readonly installations: readonly string[];
  /** An import that has begun, and has not come to its end; null as a rule. */
  readonly importing: StateImport | null;
}

/** How far an import has come. */
export interface StateImport {
  /** Of the file. */
  readonly sha256: string;
  /** How many of its rows are written; -1 before what was there is gone. */
  readonly done: number;
}

/** All leases of a group share a shard, so that one pass ends all that are due. */
function shardOf(groupId: string, shards: number): number {
  return shards === 1 ? 0 : createHash("sha256").update(groupId).digest().readUInt32BE(0) % shards;
}

/** A row that has the sweep look at a lease at an instant. */
export const dueLease = (group: GroupRef, leaseId: LeaseId, at: number, shards: number): Due => ({
  shard: shardOf(group.groupId, shards),
  at,
  kind: "lease",
  id: leaseId,
  region: group.region,
  groupId: group.groupId,
});

/** A row that has the sweep look at a group at an instant. Its id names the region too: no row stands for another region's. */
export const dueGroup = (group: GroupRef, at: number, shards: number): Due => ({
  ...dueLease(group, "" as LeaseId, at, shards),
  kind: "group",
  id: `${group.region} ${group.groupId}`,
});

/** A row that has the sweep compare a group with its ledger at an instant. */
export const dueDrift = (group: GroupRef, at: number, shards: number): Due => ({
  ...dueGroup(group, at, shards),
  kind: "drift",
});

/**
 * A row that has the sweep run a job at an instant. `param` tells runs of one job apart, such as one for each incident; null where
 * there is but one. A second booking of the same instant is the same row.
 */
export const dueJob = (name: string, param: string | null, at: number): Due => ({
  shard: 0,
  at,
  kind: "job",
  id: param === null ? name : `${name}/${param}`,
  region: "",
  groupId: "" as GroupId,
});

const keyOf = (due: Due): (string | number)[] => [due.shard, due.at, due.kind, due.id];

export const dueWrite = (due: Due): Write => ({
  kind: "put",
  table: "due",
  key: keyOf(due),
  columns: { region: due.region, group: due.groupId },
});

/** Writes a row that nobody has written; false when it is there: somebody else acts on it, or the sweep will. */
export async function claimDue(tables: Tables, due: Due): Promise<boolean> {
  const columns = { region: due.region, group: due.groupId };
  return (await tables.put("due", keyOf(due), columns, { kind: "absent" })) === "written";
}

/** Whether the row is still there. */
export const hasDue = async (tables: Tables, due: Due): Promise<boolean> =>
  (await tables.get("due", keyOf(due))) !== null;

export const dueDelete = (due: Due): Write => ({ kind: "delete", table: "due", key: keyOf(due) });

/** Everything due in a shard up to and including `now`, oldest first, at most `limit` rows. */
export async function readDue(
  tables: Tables,
  shard: number,
  now: number,
  limit: number,
): Promise<{ due: readonly Due[]; more: boolean; ownership: StateOwnership }> {
  const due: Due[] = [];
  const about: Row[] = [];
  let from: readonly KeyPart[] = [shard];
  for (;;) {
    const page = await tables.range({
      table: "due",
      from,
      to: [shard, now + 1],
      limit: Math.min(PAGE, limit - due.length),
    });
    for (const row of page.rows) {
      const [, at, kind, id] = row.key;
      if (kind === INSTALLATION) about.push(row);
      else {
        due.push({
          shard,
          at: Number(at),
          kind: kind as DueKind,
          id: String(id),
          region: String(row.columns["region"] ?? ""),
          groupId: String(row.columns["group"] ?? "") as GroupId,
        });
      }
    }
    const last = page.rows.at(-1);
    if (!page.more || !last || due.length >= limit) return { due, more: page.more, ownership: ownershipIn(about) };
    from = [...last.key.slice(0, -1), `${String(last.key.at(-1))}\u0001`];
  }
}

function ownershipIn(rows: readonly Row[]): StateOwnership {
  const { owner, import: sha256, done } = rows.find(({ key }) => key[3] === "")?.columns ?? {};
  const installations = rows.map(({ key }) => String(key[3])).filter((name) => name !== "");
  const importing = typeof sha256 === "string" ? { sha256, done: Number(done) } : null;
  return { owner: typeof owner === "string" ? owner : null, installations, importing };
}

/** Whose these tables are, and whose state exists there. None means lost, or never set up. */
export async function readOwnership(tables: Tables): Promise<StateOwnership> {
  const range = { table: "due", from: [0, 0, INSTALLATION], to: [0, 0, `${INSTALLATION}\u0001`], limit: PAGE } as const;
  return ownershipIn((await tables.range(range)).rows);
}

/** The other installation that these tables belong to, or null where there is none. */
export function otherOwner({ owner, installations }: StateOwnership, installation: string): string | null {
  if (owner !== null) return owner === installation ? null : owner;
  return installations.includes(installation) ? null : (installations[0] ?? null);
}

/** Throws STATE_HALF_IMPORTED where there is a part of a state: whoever took it for the whole would mix another into it. */
export function requireWhole({ importing }: StateOwnership): void {
  if (importing !== null) throw fail("STATE_HALF_IMPORTED");
}

/** Whether a row is the one that says whose the tables are, and how far an import has come. */
export const isClaim = ({ table, key }: { readonly table: string; readonly key: readonly KeyPart[] }): boolean =>
  table === "due" && OWNER_KEY.every((part, index) => part === key[index]);

/** Says that the tables are this installation's, and how far an import into them has come; null where it is over. */
export async function noteImport(tables: Tables, installation: string, state: StateImport | null): Promise<void> {
  const columns = { owner: installation, ...(state && { import: state.sha256, done: state.done }) };
  await tables.put("due", OWNER_KEY, columns, { kind: "none" });
}

/** Makes tables that nobody has claimed this installation's. False where somebody else was first. */
export async function claimTables(tables: Tables, installation: string): Promise<boolean> {
  const outcome = await tables.put("due", OWNER_KEY, { owner: installation }, { kind: "absent" });
  return outcome === "written" || (await readOwnership(tables)).owner === installation;
}

/** Since when this installation's state exists, milliseconds; null when it does not, or nobody noted it. */
export async function installedSince(tables: Tables, installation: string): Promise<number | null> {
  const since = (await tables.get("due", [0, 0, INSTALLATION, installation]))?.columns["since"];
  return typeof since === "number" ? since : null;
}

export async function markInstalled(tables: Tables, installation: string, now: number): Promise<void> {
  await tables.put("due", [0, 0, INSTALLATION, installation], { since: now }, { kind: "none" });
}

/** Has every group looked at anew. Without the table that has happened already. */
export async function forgetInstalled(tables: Tables, installation: string): Promise<void> {
  try {
    await tables.delete("due", [0, 0, INSTALLATION, installation], { kind: "none" });
  } catch (error) {
    if (!(error instanceof StoreFailure) || error.kind !== "tableMissing") throw error;
  }
}
