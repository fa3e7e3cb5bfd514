// Monthly audits as they are asked for and read.
import { type Audit, type AuditedGroup, type AuditSummary, type Month, monthBounds } from "../../domain/audit.ts";
import { fail } from "../../errors/app-error.ts";
import {
  listAuditedGroups,
  listAudits as listStoredAudits,
  readAudit,
  getAudit as storedAudit,
} from "../../store/audits.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import type { App } from "../app.ts";

/** Months of a list; three years are kept. */
const MONTHS_MAX = 60;

/** A page of a finished audit. */
export interface AuditPage {
  readonly month: Month;
  /** True where the month was not over when it was made. */
  readonly isPartial: boolean;
  readonly summary: AuditSummary;
  readonly groups: readonly AuditedGroup[];
  /** Where the next page begins; null after the last. */
  readonly next: string | null;
}

/** Every month that was audited or is being audited, the newest first; `unreadable` are months whose row cannot be read. */
export const listAudits = (
  app: App,
): Promise<{ readonly audits: readonly Audit[]; readonly unreadable: readonly Month[] }> =>
  listStoredAudits(app.tables, MONTHS_MAX);

/** A page of a month's audit. Throws AUDIT_MONTH_INVALID, AUDIT_UNKNOWN, STATE_UNREADABLE. */
export async function getAudit(
  app: App,
  month: Month,
  query: { readonly after: string | null; readonly limit: number },
): Promise<AuditPage> {
  const { until } = boundsOf(app, month);
  const summary = (await storedAudit(app.tables, month))?.summary ?? null;
  if (summary === null) throw fail("AUDIT_UNKNOWN", { month });
  const page = await listAuditedGroups(app.tables, month, summary.run, query);
  return { month, isPartial: summary.computedAt < until, summary, ...page };
}

/** Has the audit of a month made, anew where there is one, or where it cannot be read. Answers false where one is being made already. */
export async function askAudit(app: App, month: Month, options: { readonly dryRun: boolean }): Promise<boolean> {
  boundsOf(app, month);
  const audit = await readAudit(app.tables, month);
  if (audit !== "unreadable" && audit?.running) return false;
  if (options.dryRun) return true;
  const at = Math.ceil(app.clock.now() / 1000) * 1000;
  await app.tables.writeAll([dueWrite(dueJob("audit", month, at))]);
  await app.wakeup.arm(0, at);
  return true;
}

function boundsOf(app: App, month: Month): { readonly from: number; readonly until: number } {
  const bounds = monthBounds(month);
  if (bounds === null || bounds.from > app.clock.now())
    throw fail("AUDIT_MONTH_INVALID", { month: month.slice(0, 20) });
  return bounds;
}
