// Lockdowns, and what they would do in each group, computed beforehand.
import type { GroupId, GroupRef } from "../domain/ids.ts";
import {
  type Lockdown,
  type LockdownGroup,
  lockdownIdOf,
  type Passage,
  type Preparation,
  parseLockdownId,
} from "../domain/lockdown.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { AppError } from "../errors/app-error.ts";
import type { KeyPart, Row, Tables, Write } from "../ports/tables.ts";
import { readable, revOf, shaped, shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

/** Hosts that a row tells of, the first ones: the store takes 2 MB in a column, and an attack does not wait for fewer hosts. */
const HOSTS_MAX = 2000;

const withFirstHosts = (groups: readonly LockdownGroup[]): readonly LockdownGroup[] => {
  let left = HOSTS_MAX;
  return groups.map((it) => {
    const hosts = it.hosts.slice(0, left);
    left -= hosts.length;
    return { ...it, hosts };
  });
};

const lockdownOf = withKey((row: Row): Lockdown => {
  const body = shapedColumn<Lockdown>(row.columns["body"], "lockdown", {
    ...{ lockdownId: "text", scope: "object", core: "texts", causes: "objects", state: "text" },
    ...{ startedAt: "number", until: "number", groups: "objects", steps: "objects" },
  });
  for (const group of body.groups) {
    shaped<LockdownGroup>(group, "lockdown", {
      ...{ group: "object", way: "text", left: "texts", hosts: "objects", passages: "objects?" },
    });
    for (const way of group.passages ?? [])
      shaped<Passage>(way, "lockdown", { own: "object", specs: "objects", since: "number" });
  }
  const specs = (all: readonly unknown[]) => all.map((spec) => specFromJson(spec, "lockdown"));
  return { ...body, groups: withSpecs(body.groups, specs), rev: revOf(row.columns, "lockdown") };
});

const withSpecs = (
  groups: readonly LockdownGroup[],
  change: (specs: readonly unknown[]) => readonly unknown[],
): readonly LockdownGroup[] =>
  groups.map((it) =>
    it.passages
      ? { ...it, passages: it.passages.map((way) => ({ ...way, specs: change(way.specs) as readonly RuleSpec[] })) }
      : it,
  );

const keyOf = (id: string): [string, number] | null => {
  const name = parseLockdownId(id);
  return name && [name.scope, name.sequence];
};

/** One lockdown, or null. */
export async function getLockdown(tables: Tables, id: string): Promise<Lockdown | null> {
  const key = keyOf(id);
  const row = key && (await tables.get("lockdown", key));
  return row ? lockdownOf(row) : null;
}

/**
 * The last lockdown of a scope by its name; null where the scope has had none. Its number is in its key: `lockdown` is null where its row
 * cannot be read, which keeps nobody from starting the next one.
 */
export async function lastLockdown(
  tables: Tables,
  scope: string,
): Promise<{ readonly sequence: number; readonly lockdown: Lockdown | null } | null> {
  const { rows } = await tables.range({
    table: "lockdown",
    from: [scope],
    to: [`${scope}\u0001`],
    reverse: true,
    limit: 1,
  });
  const [row] = rows;
  return row ? { sequence: Number(row.key[1]), lockdown: readable([row], lockdownOf).items[0] ?? null } : null;
}

/** Rows in the order of time lie behind those of all scopes, whose names are hexadecimal digits. */
const BY_TIME = "~time";

/** A place in the order of time: the instant, and what tells scopes of one instant apart. Exact up to the year 2041. */
const placeOf = ({ lockdownId, startedAt }: Lockdown): number =>
  startedAt * 4096 + Number.parseInt(parseLockdownId(lockdownId)?.scope.slice(0, 3) ?? "0", 16);

/** Has the lockdown listed; written before its own row, so that one row too many is left at worst. */
export const listedWrite = (lockdown: Lockdown): Write => ({
  kind: "put",
  table: "lockdown",
  key: [BY_TIME, placeOf(lockdown)],
  columns: { lockdown: lockdown.lockdownId },
});

/**
 * Lockdowns of all scopes, at most `limit`, in no order that means anything. Throws STATE_UNREADABLE for one that cannot be read: without it
 * a time in which nobody could come in would be taken for one in which nobody came.
 */
export async function listLockdowns(tables: Tables, limit: number): Promise<readonly Lockdown[]> {
  const { rows } = await tables.range({ table: "lockdown", from: [""], to: [BY_TIME], limit });
  return rows.map(lockdownOf);
}

/**
 * The ids of lockdowns that were not over by `since`, of all scopes and to the last page. One that nobody can read is among them.
 */
export async function lockdownsSince(tables: Tables, since: number): Promise<readonly string[]> {
  const found: string[] = [];
  let from: readonly KeyPart[] = [""];
  for (;;) {
    const page = await tables.range({ table: "lockdown", from, to: [BY_TIME], limit: 1000 });
    for (const row of page.rows) {
      const [scope, sequence] = row.key;
      if (!wasOverBy(row, since)) found.push(lockdownIdOf(String(scope), Number(sequence)));
    }
    const last = page.rows.at(-1);
    if (!page.more || !last) return found;
    from = [String(last.key[0]), Number(last.key[1]) + 1];
  }
}

function wasOverBy(row: Row, since: number): boolean {
  try {
    const { state, endedAt } = shapedColumn<Partial<Lockdown>>(row.columns["body"], "lockdown", {});
    return state === "lifted" && typeof endedAt === "number" && endedAt <= since;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return false;
  }
}

/** Lockdowns of all scopes, newest first; `before` continues after an earlier page. `unreadable` are ids of those that cannot be read. */
export async function pageLockdowns(
  tables: Tables,
  { limit, before }: { readonly limit: number; readonly before: number | null },
): Promise<{
  readonly lockdowns: readonly Lockdown[];
  readonly unreadable: readonly string[];
  readonly next: number | null;
}> {
  const lockdowns: Lockdown[] = [];
  const unreadable = new Set<string>();
  for (let at = before; ; ) {
    const page = await tables.range({
      table: "lockdown",
      from: [BY_TIME],
      to: at === null ? [`${BY_TIME}\u0001`] : [BY_TIME, at],
      reverse: true,
      limit: limit - lockdowns.length,
    });
    const found = await Promise.all(
      page.rows.map(async ({ columns }) => {
        const id = String(columns["lockdown"]);
        try {
          return await getLockdown(tables, id);
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          unreadable.add(id);
          return null;
        }
      }),
    );
    // Who lost the race for the next number of a scope has left a row that is not about the one that won.
    for (const [index, lockdown] of found.entries())
      if (lockdown !== null && placeOf(lockdown) === page.rows[index]?.key[1]) lockdowns.push(lockdown);
    at = Number(page.rows.at(-1)?.key[1]);
    if (!page.more) return { lockdowns, unreadable: [...unreadable], next: null };
    if (lockdowns.length >= limit) return { lockdowns, unreadable: [...unreadable], next: at };
  }
}

/** Stores a lockdown if its row is still at `rev`; answers it as stored, or null when somebody else was faster. */
export async function saveLockdown(tables: Tables, lockdown: Lockdown): Promise<Lockdown | null> {
  const { rev, ...told } = lockdown;
  const groups = withFirstHosts(told.groups);
  const body = { ...told, groups: withSpecs(groups, (specs) => specs.map((it) => specToJson(it as RuleSpec))) };
  const key = keyOf(lockdown.lockdownId);
  if (!key) throw new RangeError(`${lockdown.lockdownId} is no id of a lockdown`);
  const condition =
    rev === 0 ? ({ kind: "absent" } as const) : ({ kind: "equals", column: "rev", value: rev } as const);
  const outcome = await tables.put("lockdown", key, { body: JSON.stringify(body), rev: rev + 1 }, condition);
  return outcome === "written" ? { ...lockdown, rev: rev + 1 } : null;
}

/** Deletes the row of a lockdown that nobody can read, and no other, so that it can be written anew. */
export async function deleteUnreadableLockdown(tables: Tables, id: string): Promise<void> {
  const key = keyOf(id);
  const row = key && (await tables.get("lockdown", key));
  if (!row || readable([row], lockdownOf).unreadable.length === 0) return;
  const { body } = row.columns;
  await tables.delete(
    "lockdown",
    key,
    body === undefined ? { kind: "none" } : { kind: "equals", column: "body", value: body },
  );
}

const preparationKey = ({ region, groupId }: GroupRef): string[] => [region, groupId];

export const preparationWrite = (preparation: Preparation): Write => ({
  kind: "put",
  table: "preparation",
  key: preparationKey(preparation.group),
  columns: {
    body: JSON.stringify({
      ...preparation,
      hosts: preparation.hosts.slice(0, HOSTS_MAX),
      drops: preparation.drops.map(specToJson),
      suspends: preparation.suspends.map(specToJson),
    }),
  },
});

export const preparationDelete = (group: GroupRef): Write => ({
  kind: "delete",
  table: "preparation",
  key: preparationKey(group),
});

const preparationOf = withKey(({ columns }: Row): Preparation => {
  const body = shapedColumn<Preparation>(columns["body"], "preparation", {
    ...{ group: "object", name: "text", tags: "object", way: "text", drops: "objects", suspends: "objects" },
    ...{ left: "texts", hosts: "objects", cannotStop: "texts", policyVersion: "number", at: "number" },
  });
  const specs = (all: readonly unknown[]) => all.map((spec) => specFromJson(spec, "preparation"));
  return { ...body, drops: specs(body.drops), suspends: specs(body.suspends) };
});

/** Every preparation, to the last page, and the groups of those that cannot be read, which can be made anew. */
export async function listPreparations(
  tables: Tables,
): Promise<{ readonly preparations: readonly Preparation[]; readonly unreadable: readonly GroupRef[] }> {
  const preparations: Preparation[] = [];
  const unreadable: GroupRef[] = [];
  let from: readonly string[] = [""];
  for (;;) {
    const page = await tables.range({ table: "preparation", from, to: ["~"], limit: 1000 });
    const { items, unreadable: keys } = readable(page.rows, preparationOf);
    preparations.push(...items);
    unreadable.push(
      ...keys.map(([region, groupId]) => ({ region: String(region), groupId: String(groupId) as GroupId })),
    );
    const last = page.rows.at(-1);
    if (!page.more || !last) return { preparations, unreadable };
    from = [String(last.key[0]), `${String(last.key[1])}\u0001`];
  }
}
