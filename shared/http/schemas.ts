// What the API accepts and answers, as zod schemas: requests are checked with them, and the API description is made of them.
import * as z from "zod";
import { cursorOf, flag, instant, nextOf, page, single, text } from "./fields.ts";
import { modeView } from "./schemas-mode.ts";

const reason = z.string().max(2000).default("").describe("Why the port is opened; kept in the record.");
const ticket = z.string().max(200).default("").describe("Number of the ticket this belongs to.");
/** Only the form is told here; the bounds are the policy's. */
const periodSeconds = z
  .union([z.string().max(64), z.number()])
  .describe("Whole seconds, from the policy's lease.periodMin (60) to its lease.periodMax (28800).");
const target = single(128).nullable().default(null);

/** Query of a call that has no parameters. */
export const noQuery = z.strictObject({});
/** Query of a write: with `dryRun=true` nothing is changed and the answer shows the plan. */
export const dryRunQuery = z.strictObject({ dryRun: flag });
/** Body of a call that takes none. */
export const noBody = z.strictObject({});

/** Query of `PUT /safeport/temp_allow`. */
export const tempAllowQuery = z.strictObject({
  port: single(32).nullable().default(null).describe("22, or 8000-8010; left out for icmp, gre and all."),
  period: single(64).describe("Whole seconds."),
  protocol: single(16).default("tcp").describe("tcp, udp, icmp, gre or all."),
  source: z
    .string()
    .max(2000)
    .nullable()
    .default(null)
    .describe("Addresses or CIDRs, separated by commas; the caller's own when left out."),
  group: target.describe("Group by id or name."),
  instance: target.describe("Instance by id; the opening is narrowed to its address."),
  region: target,
  reason,
  ticket,
  dryRun: flag,
});

/** Body of `POST /v1/leases`. */
export const leaseBody = z.strictObject({
  port: z
    .union([z.string().max(32), z.number()])
    .nullable()
    .default(null)
    .describe('22, or "8000-8010"; left out for icmp, gre and all.'),
  period: periodSeconds,
  protocol: z.string().max(16).default("tcp").describe("tcp, udp, icmp, gre or all."),
  source: z
    .union([z.string().max(2000), z.array(z.string().max(64)).min(1).max(50)])
    .nullable()
    .default(null)
    .describe("Addresses or CIDRs, as a list or separated by commas; the caller's own when left out."),
  group: z.string().max(128).nullable().default(null).describe("Group by id or name."),
  instance: z.string().max(128).nullable().default(null).describe("Instance by id."),
  region: z.string().max(128).nullable().default(null),
  startAt: z.iso
    .datetime({ offset: true })
    .nullable()
    .default(null)
    .describe(
      "When it is to open, at most the policy's lease.startAheadMax ahead; its period counts from there. At once when left out.",
    ),
  reason,
  ticket,
  sessions: z
    .enum(["keep", "cut"])
    .default("keep")
    .describe(
      "What becomes of TCP sessions that are established at the end: `cut` ends them on the hosts by Cloud Assistant, and is refused where that cannot be.",
    ),
  breakGlass: z
    .boolean()
    .default(false)
    .describe("True to open at once without the second person it needs: short, loud, and to be justified afterwards."),
});

/** Body of `POST /v1/leases/{id}:approve`. */
export const approveBody = z.strictObject({
  change: z
    .string()
    .regex(/^[0-9a-f]{64}$/, "is not 64 hex digits")
    .nullable()
    .default(null)
    .describe("`approval.change` of the lease that was looked at; refused when it is another. Null: whatever it is."),
  reason: z.string().max(2000).default(""),
});

/** Body of `POST /v1/leases/{id}:deny`. */
export const denyBody = approveBody.extend({
  reason: z.string().trim().min(1).max(2000).describe("Why not; whoever asked is told."),
});

/** Body of `POST /v1/leases/{id}:justify`. */
export const justifyBody = z.strictObject({
  text: z.string().trim().min(10).max(2000).describe("Why it could not wait for a second person."),
});

/** Body of `POST /v1/leases/{id}:extend`. */
export const extendBody = z.strictObject({ period: periodSeconds });

/** Body of `POST /v1/leases/{id}:follow`. */
export const followBody = z.strictObject({
  source: single(64)
    .nullable()
    .default(null)
    .describe("The new address or CIDR, within what the policy grants; the caller's own when left out."),
  from: single(64)
    .nullable()
    .default(null)
    .describe("Which of the lease's `sources` gives way; needed where it has several."),
});

/** Query of `GET /v1/leases`. */
export const leasesQuery = z.strictObject({
  ...page,
  cursor: cursorOf(/^ls-[0-9a-z]{19}$/),
  state: z
    .enum(["requested", "approved", "opening", "open", "closing", "closed", "denied", "lapsed", "cancelled", "failed"])
    .optional(),
});

/** Query of `GET /v1/approvals`. */
export const approvalsQuery = leasesQuery.pick({ limit: true, cursor: true });

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

/** How the program is. */
export const healthView = () =>
  z.object({
    status: z
      .enum(["ok", "overdue", "unseen", "trail-broken", "unjustified", "not-installed"])
      .describe(
        "`overdue`: a lease is past its end and not closed. `unseen`: groups have not been looked at for over twice the target. `trail-broken`: the audit trail is not as it was written. `unjustified`: a lease was opened without its second person and nobody has said why. `not-installed`: no sweep has run yet.",
      ),
    now: instant,
    oldestDueAt: instant.nullable().describe("The oldest instant that is past and not yet attended to."),
    overdueEnds: z.array(z.object({ lease: text, group: text, dueAt: instant })),
    oldestGroupSeenAt: instant
      .nullable()
      .describe("Since when surely every group has been looked at; null before the first full pass has ended."),
    groupSeenTargetSeconds: z
      .number()
      .nullable()
      .describe(
        "How old that becomes when all is well: an hour, and more where the call budget makes full passes long.",
      ),
    unjustified: z
      .array(z.object({ lease: text, group: text, principal: text, justifyBy: instant }))
      .describe("Leases that were opened without their second person and have not been justified."),
    trail: z
      .object({
        checkedAt: instant.nullable().describe("When the newest records were last verified."),
        faults: z
          .array(z.object({ of: text, kind: text, why: text }))
          .describe("Records and seals that do not verify."),
      })
      .describe("The audit trail, as far as the program can tell by itself."),
    evidence: z
      .array(
        z.object({
          region: text,
          source: text.describe("`flowLog`, `balancer` or `host`."),
          readUntil: instant.nullable().describe("Up to when its logs have been read; null where none could be."),
          trouble: text.nullable().describe("What is the matter with it; null when nothing is."),
          queriesToday: z.int(),
        }),
      )
      .describe("Sources of evidence of use, once they have been read."),
    clockSkewSeconds: z.number().describe("How far the own clock is ahead of the cloud's."),
    policyVersion: z.int(),
    mode: modeView(),
  });

/** The API description; its shape is the standard's. */
export const apiDescriptionView = () =>
  z.looseObject({
    openapi: z.literal("3.1.0"),
    info: z.looseObject({ title: text, version: text }),
    paths: z.record(text, z.looseObject({})),
    components: z.looseObject({}),
  });

/** The body of every failure. */
export const problemView = () =>
  z.object({
    type: text,
    title: text,
    status: z.int(),
    code: text,
    message: text,
    detail: text,
    remedy: text,
    retry: z.enum(["never", "later", "now"]),
    requestId: text,
    values: z.record(text, z.union([text, z.number()])),
  });
