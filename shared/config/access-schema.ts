// The part of the policy document about who is let in.
import * as z from "zod/mini";
import { JWT_ALGORITHMS } from "../domain/access-policy.ts";
import { ROLES } from "../domain/permission.ts";

const text = z.string().check(z.minLength(1), z.maxLength(256));
const texts = z._default(z.array(text).check(z.maxLength(1000)), []);

/** Groups by id or name, tags as key=value, applications. */
const scopeSchema = z.strictObject({ groups: texts, tags: texts, applications: texts });

const httpsUrl = z
  .string()
  .check(z.maxLength(500), z.regex(/^https?:\/\/[^\s@]+$/, "is not an address such as https://id.example.com/keys"));

const issuerSchema = z.strictObject({
  name: z.string().check(z.regex(/^[a-z0-9-]{1,32}$/, "is not 1 to 32 of a-z, 0-9 and -")),
  issuer: text.check(z.describe("Exactly what its tokens say in `iss`.")),
  audience: text.check(z.describe("What its tokens for safeport say in `aud`.")),
  jwksUri: httpsUrl.check(z.describe("Where it publishes its keys.")),
  algorithms: z._default(z.array(z.enum(JWT_ALGORITHMS)).check(z.minLength(1), z.maxLength(JWT_ALGORITHMS.length)), [
    "RS256",
    "ES256",
  ]),
  principalClaim: z
    ._default(text, "sub")
    .check(z.describe("The claim that names the person; principals are `name/<its value>`.")),
  clockTolerance: z
    ._default(z.int().check(z.gte(0), z.lte(300)), 60)
    .check(z.describe("Seconds its clock may be off.")),
  rules: z
    .array(
      z.strictObject({
        claim: text,
        value: text.check(z.describe("The claim's value, or one of its list.")),
        roles: z
          .array(z.enum([...ROLES] as [(typeof ROLES)[number], ...(typeof ROLES)[number][]]))
          .check(z.minLength(1), z.maxLength(5)),
        scope: z._default(z.nullable(scopeSchema), null).check(z.describe("Null: every group.")),
      }),
    )
    .check(
      z.minLength(1),
      z.maxLength(200),
      z.describe("What roles its people have; all rules that match count, and somebody without any is not let in."),
    ),
});

/** `access` of the document. */
export const accessSchema = z.strictObject({
  oidc: z
    ._default(z.array(issuerSchema).check(z.maxLength(10)), [])
    .check(z.describe("Identity providers whose tokens (JWT) are taken.")),
  scopes: z
    ._default(z.record(text, scopeSchema), {})
    .check(z.describe("What part of the account a person or principal is for, whatever the token says.")),
  requestsPerMinute: z
    ._default(z.int().check(z.gte(10), z.lte(1_000_000)), 6000)
    .check(z.describe("Requests of one principal or address a minute, of one instance of the function.")),
  failuresMax: z
    ._default(z.int().check(z.gte(3), z.lte(1000)), 20)
    .check(z.describe("Wrong tokens in five minutes before a lock-out.")),
  tokenDaysMax: z._default(z.int().check(z.gte(1), z.lte(3650)), 365).check(z.describe("Longest life of a token.")),
});
