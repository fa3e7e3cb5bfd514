// What the calls about monthly audits answer.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";

const count = z.int();

const countsView = () =>
  z.object({
    open: count.check(z.describe("Rules that let somebody in, when the audit was made.")),
    used: count,
    idle: count,
    unknown: count.check(z.describe("Rules of which nobody can say; never taken for idle.")),
    leases: count.check(z.describe("Leases asked for in the month.")),
    drift: count.check(z.describe("Differences from the ledger that were found in the month.")),
    changes: count.check(z.describe("Changes to the ledger in the month.")),
    recycling: count.check(z.describe("Steps of the recycling queue in the month, back and forth.")),
  });

const summaryView = () =>
  z.object({
    computedAt: instant,
    policyVersion: count,
    groups: count,
    failed: count.check(z.describe("Groups that could not be looked at.")),
    findings: count.check(z.describe("Rules that are idle, or that nobody owns.")),
    unreadable: count.check(
      z.describe("Leases and rules of the recycling queue that cannot be read and were not counted."),
    ),
    totals: countsView(),
  });

/** One group of an audit. */
export const auditedGroupView = () =>
  z.object({
    region: text,
    group: text,
    name: text,
    failed: z.nullable(text).check(z.describe("Why it could not be looked at.")),
    owners: z.array(z.extend(countsView(), { owner: text.check(z.describe("Empty: nobody.")) })),
    ports: z.array(
      z.object({
        protocol: text,
        ports: text,
        source: text,
        owner: text,
        application: text,
        provenance: z.enum(["baseline", "template", "adopted", "lease", "none"]),
        use: z.enum(["used", "idle", "unknown"]),
        lastUsedAt: z.nullable(instant),
        coverage: count.check(z.describe("Known part of the time that was looked at, in percent.")),
        why: text,
      }),
    ),
  });

/** A page of an audit. */
export const auditView = () =>
  z.extend(summaryView(), {
    month: text,
    isPartial: z.boolean().check(z.describe("True where the month was not over when it was made.")),
    items: z.array(auditedGroupView()),
    next: z.nullable(text),
  });

/** Every month. */
export const auditListView = () =>
  z.object({
    audits: z.array(
      z.object({
        month: text,
        running: z.boolean().check(z.describe("True while one is being made.")),
        finished: z.nullable(summaryView()).check(z.describe("The last that was finished.")),
      }),
    ),
    unreadable: z.array(text).check(z.describe("Months whose row cannot be read; asking for one makes it anew.")),
  });

/** The answer to an audit that was asked for. */
export const askedAuditView = () => z.object({ month: text, message: text, dryRun: z.boolean() });
