// What the calls about tokens answer.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";

/** A token as the API shows it: never its secret. */
export const tokenView = () =>
  z.object({
    id: text,
    principal: text,
    roles: z.array(text),
    scope: z.nullable(z.object({ groups: z.array(text), tags: z.array(text), applications: z.array(text) })),
    note: text,
    state: z.enum(["good", "replaced", "expired", "revoked"]).check(z.describe("`replaced`: good until it expires.")),
    createdAt: instant,
    createdBy: text,
    expiresAt: instant,
    lastUsedAt: z.nullable(instant).check(z.describe("To the hour.")),
    revokedAt: z.nullable(instant),
    replacedBy: z.nullable(text),
  });

/** A page of tokens. */
export const tokenPageView = () => z.object({ tokens: z.array(tokenView()), next: z.nullable(text) });

/** The answer to a token that was made, replaced or revoked. */
export const tokenAnswerView = () =>
  z.extend(tokenView(), {
    token: z.nullable(text).check(z.describe("The token itself: shown this once, and kept nowhere.")),
    dryRun: z.boolean(),
    plan: z.array(text),
  });
