// What the calls about monthly audits answer.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";

const count = z.int();

const countsView = () =>
  z.object({
    open: count.describe("Rules that let somebody in, when the audit was made."),
    used: count,
    idle: count,
    unknown: count.describe("Rules of which nobody can say; never taken for idle."),
    leases: count.describe("Leases asked for in the month."),
    drift: count.describe("Differences from the ledger that were found in the month."),
    changes: count.describe("Changes to the ledger in the month."),
    recycling: count.describe("Steps of the recycling queue in the month, back and forth."),
  });

const summaryView = () =>
  z.object({
    computedAt: instant,
    policyVersion: count,
    groups: count,
    failed: count.describe("Groups that could not be looked at."),
    findings: count.describe("Rules that are idle, or that nobody owns."),
    totals: countsView(),
  });

/** One group of an audit. */
export const auditedGroupView = () =>
  z.object({
    region: text,
    group: text,
    name: text,
    failed: text.nullable().describe("Why it could not be looked at."),
    owners: z.array(countsView().extend({ owner: text.describe("Empty: nobody.") })),
    ports: z.array(
      z.object({
        protocol: text,
        ports: text,
        source: text,
        owner: text,
        application: text,
        provenance: z.enum(["baseline", "template", "adopted", "lease", "none"]),
        use: z.enum(["used", "idle", "unknown"]),
        lastUsedAt: instant.nullable(),
        coverage: count.describe("Known part of the time that was looked at, in percent."),
        why: text,
      }),
    ),
  });

/** A page of an audit. */
export const auditView = () =>
  summaryView().extend({
    month: text,
    isPartial: z.boolean().describe("True where the month was not over when it was made."),
    items: z.array(auditedGroupView()),
    next: text.nullable(),
  });

/** Every month. */
export const auditListView = () =>
  z.object({
    audits: z.array(
      z.object({
        month: text,
        running: z.boolean().describe("True while one is being made."),
        finished: summaryView().nullable().describe("The last that was finished."),
      }),
    ),
  });

/** The answer to an audit that was asked for. */
export const askedAuditView = () => z.object({ month: text, message: text, dryRun: z.boolean() });
