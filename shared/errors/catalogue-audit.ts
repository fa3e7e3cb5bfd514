// Failures of the monthly audit.
import { type CatalogueEntry, entry } from "./catalogue-entry.ts";

export const auditFailures = {
  AUDIT_UNKNOWN: entry(
    404,
    "never",
    "caller",
    (d) => `There is no finished audit of ${d["month"]}.`,
    (d) => `POST /v1/audits/${d["month"]} has it made; that takes a few minutes, in large accounts hours.`,
  ),
  AUDIT_MONTH_INVALID: entry(
    422,
    "never",
    "caller",
    (d) => `${d["month"]} is no month that can be audited.`,
    () => "Name a month such as 2026-11 that has begun.",
  ),
} satisfies Record<string, CatalogueEntry>;
