// What the calls about leases answer.
import * as z from "zod";
import { instant, nextOf, text } from "./answer-fields.ts";

/** A lease as the API shows it. */
export const leaseView = () =>
  z.object({
    id: text,
    state: text,
    until: instant.describe("End of the lease, UTC."),
    message: text.describe("The same in words."),
    principal: text,
    region: text,
    group: z.object({ id: text, name: text }),
    instance: text.nullable(),
    protocol: text,
    ports: text,
    sources: z.array(text),
    periodSeconds: z.int(),
    startAt: instant.nullable().describe("Nothing is open before. Null for a lease that opens at once."),
    sessions: z
      .object({
        atEnd: z.enum(["keep", "cut"]),
        outcome: text
          .nullable()
          .describe("What came of cutting them, host by host; null before, and where they are kept."),
      })
      .describe("What becomes of sessions that are established at the end."),
    reason: text,
    ticket: text,
    requestedAt: instant,
    follows: text.nullable().describe("Id of the lease whose place it took when its holder moved."),
    openedAt: instant.nullable(),
    closedAt: instant.nullable(),
    preExisting: z.boolean().describe("True when a rule stood before the lease; its end removes nothing."),
    ruleIds: z.array(text),
    note: text.nullable(),
    grant: z
      .object({
        rule: text.describe("The rule of the policy that grants it; `default` where the policy has none."),
        policyVersion: z.int(),
        approvals: z.int().describe("How many second persons it needs."),
      })
      .nullable(),
    approval: z
      .object({
        needed: z.int(),
        change: text.describe("Hash of the exact change: what an approval is about."),
        askedOf: z.array(text).describe("Owners and stand-ins of the port by the ledger, who were asked first."),
        lapsesAt: instant,
        words: z.array(
          z.object({
            by: text,
            decision: z.enum(["approve", "deny"]),
            reason: text,
            at: instant,
            via: z.enum(["api", "link"]),
          }),
        ),
      })
      .nullable()
      .describe("Null for a lease that waits for nobody."),
    breakGlass: z
      .object({
        justifyBy: instant,
        justified: z.object({ by: text, at: instant, text }).nullable().describe("Null until it is."),
      })
      .nullable()
      .describe("Set when it was opened without the second person it needs."),
  });

/** The answer to a lease that was opened, extended, ended or read. */
export const leaseAnswerView = () =>
  leaseView().extend({
    reach: z.object({
      hosts: z.array(z.object({ instanceId: text.nullable(), name: text.nullable(), address: text })),
      protocol: text,
      ports: text,
      sources: z.array(text),
    }),
    settled: z.boolean().describe("False when the cloud has not yet shown the change: read the lease again."),
    extended: z.boolean().describe("True when a lease that was there has been extended."),
    dryRun: z.boolean(),
    plan: z.array(text).describe("The changes, in words."),
    notes: z.array(text),
  });

/** A page of leases. */
export const leasePageView = () => z.object({ leases: z.array(leaseView()), next: nextOf });

/** What one sweep did. */
export const cleanupView = () =>
  z.object({
    message: text,
    closed: z.array(z.object({ leaseId: text, ruleIds: z.array(text) })),
    opened: z.array(text),
    looked: z.array(text).describe("Groups that were looked at."),
    left: z.int().describe("What is due and was left for the next sweep."),
    recovered: z.int().describe("Leases found again from the marks on their rules."),
  });
