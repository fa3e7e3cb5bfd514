// What the calls about the program itself answer, and what every failure does.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";
import { modeView } from "./answers-mode.ts";

/** How the program is. */
export const healthView = () =>
  z.object({
    status: z
      .enum(["ok", "overdue", "unseen", "trail-broken", "unjustified", "not-installed"])
      .check(
        z.describe(
          "`overdue`: a lease is past its end and not closed. `unseen`: groups have not been looked at for over twice the target. `trail-broken`: the audit trail is not as it was written. `unjustified`: a lease was opened without its second person and nobody has said why. `not-installed`: no sweep has run yet.",
        ),
      ),
    now: instant,
    oldestDueAt: z.nullable(instant).check(z.describe("The oldest instant that is past and not yet attended to.")),
    overdueEnds: z.array(z.object({ lease: text, group: text, dueAt: instant })),
    oldestGroupSeenAt: z
      .nullable(instant)
      .check(
        z.describe("Since when surely every group has been looked at; null before the first full pass has ended."),
      ),
    groupSeenTargetSeconds: z
      .nullable(z.number())
      .check(
        z.describe(
          "How old that becomes when all is well: an hour, and more where the call budget makes full passes long.",
        ),
      ),
    unjustified: z
      .array(z.object({ lease: text, group: text, principal: text, justifyBy: instant }))
      .check(z.describe("Leases that were opened without their second person and have not been justified.")),
    trail: z
      .object({
        checkedAt: z.nullable(instant).check(z.describe("When the newest records were last verified.")),
        faults: z
          .array(z.object({ of: text, kind: text, why: text }))
          .check(z.describe("Records and seals that do not verify.")),
      })
      .check(z.describe("The audit trail, as far as the program can tell by itself.")),
    evidence: z
      .array(
        z.object({
          region: text,
          source: text.check(z.describe("`flowLog`, `balancer` or `host`.")),
          readUntil: z
            .nullable(instant)
            .check(z.describe("Up to when its logs have been read; null where none could be.")),
          trouble: z.nullable(text).check(z.describe("What is the matter with it; null when nothing is.")),
          queriesToday: z.int(),
        }),
      )
      .check(z.describe("Sources of evidence of use, once they have been read.")),
    clockSkewSeconds: z.number().check(z.describe("How far the own clock is ahead of the cloud's.")),
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
