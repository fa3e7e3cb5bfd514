// The audit trail: one row per pass that did or found something, newest read first.
import type { GroupRef } from "../domain/ids.ts";
import type { Random } from "../ports/random.ts";
import type { Tables, Write } from "../ports/tables.ts";
import { parseColumn } from "./spec-json.ts";

/** One line of the audit trail. */
export interface AuditRecord {
  readonly at: number;
  readonly group: GroupRef | null;
  /** Why the program looked: `open ls-…`, `due`, `recovery` … */
  readonly cause: string;
  readonly actor: string;
  readonly policyVersion: number | null;
  /** What was done and found, in words with ids. */
  readonly lines: readonly string[];
}

const CHAIN = "main";

export function recordWrite(record: AuditRecord, random: Random): Write {
  const chance = Buffer.from(random.bytes(5)).toString("hex");
  return {
    kind: "put",
    table: "record",
    key: [CHAIN, `${String(record.at).padStart(15, "0")}-${chance}`],
    columns: { body: JSON.stringify(record), group: record.group?.groupId ?? "" },
  };
}

/** Records, newest first. `before` is the cursor of an earlier page. */
export async function listRecords(
  tables: Tables,
  query: { limit: number; before: string | null; group?: string },
): Promise<{ records: readonly (AuditRecord & { sequence: string })[]; next: string | null }> {
  const records: (AuditRecord & { sequence: string })[] = [];
  let before = query.before ?? "~";
  for (;;) {
    const page = await tables.range({ table: "record", from: [CHAIN], to: [CHAIN, before], reverse: true, limit: 200 });
    for (const row of page.rows) {
      before = String(row.key[1]);
      if (query.group && row.columns["group"] !== query.group) continue;
      records.push({ ...(parseColumn(row.columns["body"], "record") as AuditRecord), sequence: before });
      if (records.length === query.limit) return { records, next: before };
    }
    if (!page.more || page.rows.length === 0) return { records, next: null };
  }
}
