// What has become of ledger entries: one row for each change, so that nothing leaves the ledger without a trace.
import type { Allocation } from "../domain/allocation.ts";
import type { EntryId, GroupId, GroupRef } from "../domain/ids.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { AppError } from "../errors/app-error.ts";
import type { Random } from "../ports/random.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

/** `allocated`, `changed`, `retired`: of an allocation; `closed`: the last hold on the rule has ended and nothing stands for it. */
export type HistoryKind = "allocated" | "changed" | "retired" | "closed";

export interface HistoryLine {
  readonly group: GroupRef;
  readonly entryId: EntryId;
  readonly at: number;
  readonly kind: HistoryKind;
  readonly by: string;
  readonly spec: RuleSpec;
  readonly before: Allocation | null;
  readonly after: Allocation | null;
  /** Of `closed`: whose holds have ended, and when the cloud had created their rule. */
  readonly leases: readonly string[];
  readonly createdAt: number | null;
}

const lineOf = withKey((row: Row): HistoryLine => {
  const body = shapedColumn<HistoryLine>(row.columns["body"], "history", {
    ...{ group: "object", entryId: "text", at: "number", kind: "text" },
    ...{ before: "object?", after: "object?", leases: "list?" },
  });
  return { ...body, spec: specFromJson(body.spec, "history") };
});

/** A line to be written; a random part keeps two of the same instant apart. */
export function historyWrite(line: HistoryLine, random: Random): Write {
  const chance = Buffer.from(random.bytes(4)).toString("hex");
  return {
    kind: "put",
    table: "history",
    key: [line.group.groupId, line.entryId, `${String(line.at).padStart(15, "0")}-${chance}`],
    columns: { body: JSON.stringify({ ...line, spec: specToJson(line.spec) }) },
  };
}

/** What has become of an entry, newest first. */
export async function listHistory(
  tables: Tables,
  group: GroupRef,
  entryId: EntryId,
  limit: number,
): Promise<readonly HistoryLine[]> {
  const page = await tables.range({
    table: "history",
    from: [group.groupId, entryId],
    to: [group.groupId, `${entryId}\u0001`],
    reverse: true,
    limit,
  });
  return page.rows.map(lineOf);
}

/** Every line of a group, a page at a time, in the order of entries; `after` is the place of the page before. */
export async function historyPage(
  tables: Tables,
  groupId: string,
  after: readonly string[] | null,
): Promise<{ readonly lines: readonly HistoryLine[]; readonly next: readonly string[] | null }> {
  const [entry = "", at = ""] = after ?? [];
  const page = await tables.range({
    table: "history",
    from: after === null ? [groupId] : [groupId, entry, `${at}\u0001`],
    to: [`${groupId}\u0001`],
    limit: 500,
  });
  const last = page.rows.at(-1);
  return { lines: page.rows.map(lineOf), next: page.more && last ? last.key.slice(1).map(String) : null };
}

/** The region of a group that any entry has a history in; null where none has, or its first line cannot be read. */
export async function regionOfHistory(tables: Tables, groupId: GroupId): Promise<string | null> {
  const { rows } = await tables.range({ table: "history", from: [groupId], to: [`${groupId}\u0001`], limit: 1 });
  try {
    return rows.map(lineOf)[0]?.group.region ?? null;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return null;
  }
}
