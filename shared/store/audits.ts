// Monthly audits: one row for each month, and one for each group of it.
import type { Audit, AuditedGroup, Month } from "../domain/audit.ts";
import type { GroupId } from "../domain/ids.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { readable, shapedColumn, withKey } from "./row-shape.ts";

/** Where the rows of the months are: before those of their groups. */
const MONTHS = "#";

const prefixOf = (run: number): string => `${String(run).padStart(15, "0")}/`;
const placeOf = (run: number, region: string, groupId: string): string => `${prefixOf(run)}${region}/${groupId}`;

const auditOf = withKey((row) => shapedColumn<Audit>(row.columns["body"], "audit", { month: "text" }));
const groupOf = withKey((row) =>
  shapedColumn<AuditedGroup>(row.columns["body"], "audit", {
    group: "object",
    name: "text",
    owners: "objects",
    ports: "objects",
  }),
);

/** The month's row; null when it was never audited. Throws STATE_UNREADABLE. */
export async function getAudit(tables: Tables, month: Month): Promise<Audit | null> {
  const row = await tables.get("audit", [MONTHS, month]);
  return row && auditOf(row);
}

/** As `getAudit`, for whoever makes one: `unreadable` where somebody has damaged the row, which holds nobody up, as it is made anew. */
export async function readAudit(tables: Tables, month: Month): Promise<Audit | "unreadable" | null> {
  const row = await tables.get("audit", [MONTHS, month]);
  return row && (readable([row], auditOf).items[0] ?? "unreadable");
}

export const auditWrite = (audit: Audit): Write => ({
  kind: "put",
  table: "audit",
  key: [MONTHS, audit.month],
  columns: { body: JSON.stringify(audit) },
});

/** Months that were audited, the newest first, and those whose row cannot be read. */
export async function listAudits(
  tables: Tables,
  limit: number,
): Promise<{ readonly audits: readonly Audit[]; readonly unreadable: readonly Month[] }> {
  const page = await tables.range({ table: "audit", from: [MONTHS], to: [`${MONTHS}\u0001`], reverse: true, limit });
  const { items: audits, unreadable } = readable(page.rows, auditOf);
  return { audits, unreadable: unreadable.map(([, month]) => String(month)) };
}

export const auditedGroupWrite = (month: Month, run: number, audited: AuditedGroup): Write => ({
  kind: "put",
  table: "audit",
  key: [month, placeOf(run, audited.group.region, audited.group.groupId)],
  columns: { body: JSON.stringify(audited) },
});

export const hasAuditedGroup = async (
  tables: Tables,
  month: Month,
  run: number,
  { region, groupId }: AuditedGroup["group"],
): Promise<boolean> => (await tables.get("audit", [month, placeOf(run, region, groupId)])) !== null;

/**
 * Groups of one run, a page at a time, in the order of region and id; `after` is `region/group` of the page's last. One whose row cannot be
 * read is told as one that could not be looked at.
 */
export async function listAuditedGroups(
  tables: Tables,
  month: Month,
  run: number,
  query: { readonly after: string | null; readonly limit: number },
): Promise<{ readonly groups: readonly AuditedGroup[]; readonly next: string | null }> {
  const prefix = prefixOf(run);
  const page = await tables.range({
    table: "audit",
    from: [month, query.after === null ? prefix : `${prefix}${query.after}\u0001`],
    to: [month, `${prefix}~`],
    limit: query.limit,
  });
  const last = page.rows.at(-1);
  return {
    groups: page.rows.map((row) => readable([row], groupOf).items[0] ?? unreadableGroup(row.key, prefix)),
    next: page.more && last ? String(last.key[1]).slice(prefix.length) : null,
  };
}

function unreadableGroup([, place]: Row["key"], prefix: string): AuditedGroup {
  const [region = "", groupId = ""] = String(place).slice(prefix.length).split("/");
  const group = { region, groupId: groupId as GroupId };
  return { group, name: "", owners: [], ports: [], failed: "what was found in it cannot be read (table audit)" };
}

/** Deletes the groups of every other run of the month, at most `limit`. Answers true when none is left. */
export async function forgetOtherRuns(tables: Tables, month: Month, run: number, limit: number): Promise<boolean> {
  const own = prefixOf(run);
  const ranges = [
    { from: [month, ""], to: [month, own] },
    { from: [month, `${own}~`], to: [`${month}\u0001`] },
  ];
  for (const range of ranges) {
    const { rows, more } = await tables.range({ table: "audit", ...range, limit });
    const gone = rows.map(({ key }): Write => ({ kind: "delete", table: "audit", key }));
    if (gone.length > 0) await tables.writeAll(gone);
    if (more) return false;
  }
  return true;
}
