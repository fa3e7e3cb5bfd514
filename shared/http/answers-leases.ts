// What the calls about leases answer.
import * as z from "zod/mini";
import { instant, nextOf, text } from "./answer-fields.ts";

/** A lease as the API shows it. */
export const leaseView = () =>
  z.object({
    id: text,
    state: text,
    until: instant.check(z.describe("End of the lease, UTC.")),
    message: text.check(z.describe("The same in words.")),
    principal: text,
    region: text,
    group: z.object({ id: text, name: text }),
    instance: z.nullable(text),
    protocol: text,
    ports: text,
    sources: z.array(text),
    periodSeconds: z.int(),
    startAt: z.nullable(instant).check(z.describe("Nothing is open before. Null for a lease that opens at once.")),
    sessions: z
      .object({
        atEnd: z.enum(["keep", "cut"]),
        outcome: z
          .nullable(text)
          .check(z.describe("What came of cutting them, host by host; null before, and where they are kept.")),
      })
      .check(z.describe("What becomes of sessions that are established at the end.")),
    reason: text,
    ticket: text,
    requestedAt: instant,
    follows: z.nullable(text).check(z.describe("Id of the lease whose place it took when its holder moved.")),
    openedAt: z.nullable(instant),
    closedAt: z.nullable(instant),
    preExisting: z.boolean().check(z.describe("True when a rule stood before the lease; its end removes nothing.")),
    ruleIds: z.array(text),
    note: z.nullable(text),
    grant: z.nullable(
      z.object({
        rule: text.check(z.describe("The rule of the policy that grants it; `default` where the policy has none.")),
        policyVersion: z.int(),
        approvals: z.int().check(z.describe("How many second persons it needs.")),
      }),
    ),
    approval: z
      .nullable(
        z.object({
          needed: z.int(),
          change: text.check(z.describe("Hash of the exact change: what an approval is about.")),
          askedOf: z
            .array(text)
            .check(z.describe("Owners and stand-ins of the port by the ledger, who were asked first.")),
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
        }),
      )
      .check(z.describe("Null for a lease that waits for nobody.")),
    breakGlass: z
      .nullable(
        z.object({
          justifyBy: instant,
          justified: z.nullable(z.object({ by: text, at: instant, text })).check(z.describe("Null until it is.")),
        }),
      )
      .check(z.describe("Set when it was opened without the second person it needs.")),
  });

/** The answer to a lease that was opened, extended, ended or read. */
export const leaseAnswerView = () =>
  z.extend(leaseView(), {
    reach: z.object({
      hosts: z.array(z.object({ instanceId: z.nullable(text), name: z.nullable(text), address: text })),
      protocol: text,
      ports: text,
      sources: z.array(text),
    }),
    settled: z.boolean().check(z.describe("False when the cloud has not yet shown the change: read the lease again.")),
    extended: z.boolean().check(z.describe("True when a lease that was there has been extended.")),
    dryRun: z.boolean(),
    plan: z.array(text).check(z.describe("The changes, in words.")),
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
    looked: z.array(text).check(z.describe("Groups that were looked at.")),
    left: z.int().check(z.describe("What is due and was left for the next sweep.")),
    recovered: z.int().check(z.describe("Leases found again from the marks on their rules.")),
  });
