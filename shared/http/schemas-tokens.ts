// What the calls about tokens accept and answer.
import * as z from "zod";
import { ROLES } from "../domain/permission.ts";
import { cursorOf, instant, page, text } from "./fields.ts";

const scope = z.strictObject({
  groups: z.array(z.string().min(1).max(128)).max(1000).default([]).describe("Groups by id or name."),
  tags: z
    .array(
      z
        .string()
        .regex(/^[^=]+=/, "is not key=value")
        .max(256),
    )
    .max(1000)
    .default([]),
  applications: z.array(z.string().min(1).max(128)).max(1000).default([]),
});
const role = z.enum([...ROLES] as [(typeof ROLES)[number], ...(typeof ROLES)[number][]]);

/** Body of `POST /v1/tokens`. */
export const tokenBody = z.strictObject({
  principal: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9@._/+-]{0,127}$/,
      "is not 1 to 128 letters, digits and @._/+-, a letter or digit first",
    )
    .describe("Whom it speaks for: one name for each person."),
  roles: z.array(role).min(1).max(ROLES.length),
  scope: scope.nullable().default(null).describe("What part of the account it is for; null: all of it."),
  days: z
    .int()
    .min(1)
    .max(3650)
    .default(90)
    .describe("Days until it expires, up to access.tokenDaysMax of the policy."),
  note: z.string().max(200).default("").describe("What it is for."),
});

/** Body of `POST /v1/tokens/{id}:rotate`. */
export const rotateBody = z.strictObject({
  overlap: z
    .int()
    .min(0)
    .max(7 * 86_400)
    .default(3600)
    .describe("Seconds that the old token goes on, at most."),
});

/** Query of `GET /v1/tokens`. */
export const tokensQuery = z.strictObject({ limit: page.limit, cursor: cursorOf(/^[0-9a-f]{16}$/) });

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
