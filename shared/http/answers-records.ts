// The audit trail over HTTP.
import * as z from "zod/mini";
import { instant, nextOf, text } from "./answer-fields.ts";

/** A page of the audit trail. */
export const recordPageView = () =>
  z.object({
    records: z.array(
      z.object({
        sequence: text.check(z.describe("Place in the trail; later records sort after earlier ones.")),
        at: instant,
        region: z.nullable(text),
        group: z.nullable(text).check(z.describe("Group by id; null when the record is of no group.")),
        cause: text.check(z.describe("Why safeport looked.")),
        actor: text,
        from: z.nullable(text).check(z.describe("Address and token of whoever asked; null where nobody did.")),
        policyVersion: z.nullable(z.int()),
        decidedBy: z.nullable(text).check(z.describe("The line of the policy that decided.")),
        lines: z.array(text).check(z.describe("What was done and found.")),
        changes: z
          .array(z.object({ what: text, before: z.unknown(), after: z.unknown() }))
          .check(z.describe("What was changed; null is what is not there.")),
      }),
    ),
    next: nextOf,
  });

/** A part of the trail as it is stored. */
export const exportView = () =>
  z.object({
    publicKey: text.check(z.describe("Public half of the key that signs, Ed25519, base64url.")),
    lines: z
      .array(
        z.union([
          z.object({
            kind: z.literal("record"),
            sequence: text,
            lane: text.check(z.describe("Sequence of the first record of its lane.")),
            n: z.int().check(z.describe("Place in the lane.")),
            after: text.check(z.describe("Sequence of the record before it in the lane; empty for the first.")),
            prev: text.check(z.describe("Hash of that record.")),
            group: text,
            body: text.check(z.describe("The record, JSON as it was signed.")),
            signature: text,
          }),
          z.object({
            kind: z.literal("seal"),
            number: z.int(),
            body: text.check(z.describe("What it sums up, JSON as it was signed.")),
            signature: text,
          }),
        ]),
      )
      .check(z.describe("Each seal after the records that it has looked at.")),
    next: z.nullable(text),
  });
