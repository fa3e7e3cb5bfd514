// What the calls about the policy and the mode are asked with.
import * as z from "zod/mini";
import { input, like, orNull, someWords, told, words } from "./inputs.ts";

/** Body of `PUT /v1/policy`. */
export const policyBody = () =>
  input({
    policy: told(z.looseObject({}), "The policy document; `safeport policy schema` prints its JSON Schema."),
    reason: told(z._default(words(500), ""), "Why; kept with the version."),
    base: told(
      orNull(z.int().check(z.gte(1))),
      "The version the change was made to: another one in force refuses it. Null: whichever is in force.",
    ),
  });

/** Body of `POST /v1/policy:confirm`. */
export const confirmPolicyBody = () =>
  input({
    digest: told(
      like(/^[0-9a-f]{64}$/, "is not a digest as the change was answered with"),
      "Of the change that was looked at.",
    ),
  });

/** Query of `GET /v1/policy`. */
export const policyQuery = () =>
  input({
    version: told(
      z.optional(like(/^[1-9]\d{0,8}$/, "is not the number of a version")),
      "An older one; the one in force when left out.",
    ),
  });

/** Body of `PUT /v1/mode`. */
export const modeBody = () =>
  input({
    mode: told(
      z.enum(["normal", "close-only", "halt"]),
      "`normal`; `close-only`: nothing is opened and nothing rolled back; `halt`: nothing is written but the ends of what safeport opened.",
    ),
    reason: told(someWords(500), "Why; kept in the record and shown with the mode."),
  });
