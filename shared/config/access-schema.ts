// The part of the policy document about who is let in.
import * as z from "zod";
import { JWT_ALGORITHMS } from "../domain/access-policy.ts";
import { ROLES } from "../domain/permission.ts";

const text = z.string().min(1).max(256);
const texts = z.array(text).max(1000).default([]);

/** Groups by id or name, tags as key=value, applications. */
const scopeSchema = z.strictObject({ groups: texts, tags: texts, applications: texts });

const httpsUrl = z
  .string()
  .max(500)
  .regex(/^https?:\/\/[^\s@]+$/, "is not an address such as https://id.example.com/keys");

const issuerSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/, "is not 1 to 32 of a-z, 0-9 and -"),
  issuer: text.describe("Exactly what its tokens say in `iss`."),
  audience: text.describe("What its tokens for safeport say in `aud`."),
  jwksUri: httpsUrl.describe("Where it publishes its keys."),
  algorithms: z.array(z.enum(JWT_ALGORITHMS)).min(1).max(JWT_ALGORITHMS.length).default(["RS256", "ES256"]),
  principalClaim: text.default("sub").describe("The claim that names the person; principals are `name/<its value>`."),
  clockTolerance: z.int().min(0).max(300).default(60).describe("Seconds its clock may be off."),
  rules: z
    .array(
      z.strictObject({
        claim: text,
        value: text.describe("The claim's value, or one of its list."),
        roles: z
          .array(z.enum([...ROLES] as [(typeof ROLES)[number], ...(typeof ROLES)[number][]]))
          .min(1)
          .max(5),
        scope: scopeSchema.nullable().default(null).describe("Null: every group."),
      }),
    )
    .min(1)
    .max(200)
    .describe("What roles its people have; all rules that match count, and somebody without any is not let in."),
});

/** `access` of the document. */
export const accessSchema = z.strictObject({
  oidc: z.array(issuerSchema).max(10).default([]).describe("Identity providers whose tokens (JWT) are taken."),
  scopes: z
    .record(text, scopeSchema)
    .default({})
    .describe("What part of the account a person or principal is for, whatever the token says."),
  requestsPerMinute: z
    .int()
    .min(10)
    .max(1_000_000)
    .default(6000)
    .describe("Requests of one principal or address a minute, of one instance of the function."),
  failuresMax: z.int().min(3).max(1000).default(20).describe("Wrong tokens in five minutes before a lock-out."),
  tokenDaysMax: z.int().min(1).max(3650).default(365).describe("Longest life of a token."),
});
