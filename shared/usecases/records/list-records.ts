// Reads the audit trail, newest first.
import { type AuditRecord, listRecords as readRecords } from "../../store/records.ts";
import type { App } from "../app.ts";

/** A page of the audit trail; `next` continues. */
export interface RecordPage {
  readonly records: readonly (AuditRecord & { readonly sequence: string })[];
  readonly next: string | null;
}

/** Records, newest first, of every group or of one. */
export function listRecords(
  app: App,
  query: { limit: number; cursor: string | null; group?: string },
): Promise<RecordPage> {
  const { limit, cursor, group } = query;
  return readRecords(app.tables, { limit, before: cursor, ...(group === undefined ? {} : { group }) });
}
