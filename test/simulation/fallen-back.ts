// A known limit (docs/decisions/0008): a change of a ledger is taken for dead and another announced over it, and then the first comes about all
// the same, or the second does not. No baseline knows that ledger: its group is observed until a person has looked, and people are told.
import type { GroupRow } from "../../shared/domain/guard.ts";
import type { GroupRef } from "../../shared/domain/ids.ts";
import type { Notice } from "../../shared/domain/notice.ts";
import { baselineAgrees } from "../../shared/plan/effective-guard.ts";
import type { Row, Tables } from "../../shared/ports/tables.ts";
import { getGroupRow } from "../../shared/store/group-rows.ts";
import { listEntries } from "../../shared/store/ledger.ts";
import type { RowWrite } from "./watched-tables.ts";

/** Null for nothing, and where the row cannot be read. */
function announced(row: Row | null): string | null {
  try {
    const next = row && (JSON.parse(String(row.columns["body"])) as GroupRow).baseline?.next;
    return next ? JSON.stringify(next) : null;
  } catch {
    return null;
  }
}

/** True where a change of the ledger is announced over one that is under way. */
export function overtakes({ table, before, after }: RowWrite): boolean {
  if (table !== "group") return false;
  const [was, is] = [announced(before), announced(after)];
  return was !== null && is !== null && was !== is;
}

interface Seen {
  readonly tables: Tables;
  readonly overtaken: ReadonlySet<string>;
}

/** True where all that came about, and no baseline knows the ledger. */
export async function isFallenBack({ tables, overtaken }: Seen, group: GroupRef): Promise<boolean> {
  if (!overtaken.has(group.groupId)) return false;
  const { baseline } = await getGroupRow(tables, group);
  const { entries } = await listEntries(tables, group);
  return baseline !== null && !baselineAgrees(baseline, entries);
}

/** What a look has people told of it, once a day. */
export const tellsOfIt = ({ columns }: Pick<Row, "columns">, { groupId }: GroupRef): boolean => {
  const { kind, group } = JSON.parse(String(columns["body"])) as Notice;
  return kind === "guardFellBack" && group?.groupId === groupId;
};
