// Reads the audit trail, newest first.
import { type AuditRecord, listRecords as readRecords } from "../store/records.ts";
import type { App } from "./app.ts";

export function listRecords(
  app: App,
  query: { limit: number; cursor: string | null; group?: string },
): Promise<{ records: readonly (AuditRecord & { sequence: string })[]; next: string | null }> {
  const { limit, cursor, group } = query;
  return readRecords(app.tables, { limit, before: cursor, ...(group === undefined ? {} : { group }) });
}
