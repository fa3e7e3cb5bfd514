// What the calls about tokens answer.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";

/** A token as the API shows it: never its secret. */
export const tokenView = () =>
  z.object({
    id: text,
    principal: text,
    roles: z.array(text),
    scope: z.object({ groups: z.array(text), tags: z.array(text), applications: z.array(text) }).nullable(),
    note: text,
    state: z.enum(["good", "replaced", "expired", "revoked"]).describe("`replaced`: good until it expires."),
    createdAt: instant,
    createdBy: text,
    expiresAt: instant,
    lastUsedAt: instant.nullable().describe("To the hour."),
    revokedAt: instant.nullable(),
    replacedBy: text.nullable(),
  });

/** A page of tokens. */
export const tokenPageView = () => z.object({ tokens: z.array(tokenView()), next: text.nullable() });

/** The answer to a token that was made, replaced or revoked. */
export const tokenAnswerView = () =>
  tokenView().extend({
    token: text.nullable().describe("The token itself: shown this once, and kept nowhere."),
    dryRun: z.boolean(),
    plan: z.array(text),
  });
