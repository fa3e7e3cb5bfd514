// What the API answers about the policy.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";

const document = z.looseObject({}).describe("The policy document; `safeport policy schema` prints its JSON Schema.");
const version = z.object({
  version: z.int(),
  by: text.nullable().describe("Null for the first, which setup wrote."),
  confirmedBy: text.nullable().describe("The second person, where it took one."),
  at: instant.nullable(),
  reason: text,
});

const pending = z.object({
  base: z.int(),
  digest: text,
  by: text,
  at: instant,
  until: instant.describe("When it is given up unless it is confirmed."),
  reason: text,
  policy: document,
});

/** A version of the policy. */
export const policyView = () => version.extend({ policy: document, pending: pending.nullable() });

/** The versions. */
export const policyVersionsView = () => z.object({ versions: z.array(version) });

const step = z.object({
  group: text,
  groupName: text,
  does: z.enum(["opens", "closes", "edits"]),
  rule: text,
  cause: text,
  reach: z.object({
    hosts: z.array(z.object({ instanceId: text.nullable(), name: text.nullable(), address: text })),
    protocol: text,
    ports: text,
    sources: z.array(text),
  }),
});

/** The answer to a change of the policy. */
export const policyAnswerView = () =>
  z.object({
    version: z.int().describe("In force now."),
    state: z.enum(["unchanged", "applied", "pending", "preview"]),
    dryRun: z.boolean(),
    widens: z.boolean().describe("True when it allows more than before, and so takes another admin to confirm it."),
    digest: text.nullable().describe("By which another admin confirms exactly this change."),
    until: instant.nullable(),
    changes: z.array(
      z.object({
        path: text,
        before: z.unknown(),
        after: z.unknown(),
        effect: z.enum(["widens", "narrows", "neutral"]),
      }),
    ),
    warnings: z
      .array(z.object({ path: text, what: text, remedy: text }))
      .describe("What is allowed in this policy and hardly meant."),
    guards: z.array(z.object({ group: text, groupName: text, before: text, after: text })),
    begins: z.array(step).describe("What would be opened, closed or edited that is not now."),
    ceases: z.array(step).describe("What is about to be done and would be no longer."),
    looked: z.int().describe("Guarded groups that were planned under both policies, of as many as `groups` says."),
    groups: z.int(),
    lists: z
      .object({
        weight: z
          .int()
          .nullable()
          .describe("Rules that a group's drops on lists count for, where it lets in IPv4 alone."),
        writingCalls: z.int().describe("Calls that close all groups of one scope in one region."),
        groups: z.array(
          z.object({
            group: text,
            name: text,
            weight: z.int().nullable(),
            used: z.int().nullable().describe("What the other rules of its fullest interface count for."),
            max: z.int(),
            why: text.nullable().describe("Why it is closed by drops of its own instead."),
          }),
        ),
      })
      .nullable()
      .describe("What lockdown.prefixLists costs in the quota of rules; null where nothing about it changes."),
  });

/** The answer to a change that was given up. */
export const withdrawnView = () => z.object({ message: text });
