// What the API answers about the policy.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";

const document = z
  .looseObject({})
  .check(z.describe("The policy document; `safeport policy schema` prints its JSON Schema."));
const version = z.object({
  version: z.int(),
  by: z.nullable(text).check(z.describe("Null for the first, which setup wrote.")),
  confirmedBy: z.nullable(text).check(z.describe("The second person, where it took one.")),
  at: z.nullable(instant),
  reason: text,
});

const pending = z.object({
  base: z.int(),
  digest: text,
  by: text,
  at: instant,
  until: instant.check(z.describe("When it is given up unless it is confirmed.")),
  reason: text,
  policy: document,
});

/** A version of the policy. */
export const policyView = () => z.extend(version, { policy: document, pending: z.nullable(pending) });

/** The versions. */
export const policyVersionsView = () => z.object({ versions: z.array(version) });

const step = z.object({
  group: text,
  groupName: text,
  does: z.enum(["opens", "closes", "edits"]),
  rule: text,
  cause: text,
  reach: z.object({
    hosts: z.array(z.object({ instanceId: z.nullable(text), name: z.nullable(text), address: text })),
    protocol: text,
    ports: text,
    sources: z.array(text),
  }),
});

/** The answer to a change of the policy. */
export const policyAnswerView = () =>
  z.object({
    version: z.int().check(z.describe("In force now.")),
    state: z.enum(["unchanged", "applied", "pending", "preview"]),
    dryRun: z.boolean(),
    widens: z
      .boolean()
      .check(z.describe("True when it allows more than before, and so takes another admin to confirm it.")),
    digest: z.nullable(text).check(z.describe("By which another admin confirms exactly this change.")),
    until: z.nullable(instant),
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
      .check(z.describe("What is allowed in this policy and hardly meant.")),
    guards: z.array(z.object({ group: text, groupName: text, before: text, after: text })),
    begins: z.array(step).check(z.describe("What would be opened, closed or edited that is not now.")),
    ceases: z.array(step).check(z.describe("What is about to be done and would be no longer.")),
    looked: z
      .int()
      .check(z.describe("Guarded groups that were planned under both policies, of as many as `groups` says.")),
    groups: z.int(),
    unreadable: z
      .array(text)
      .check(z.describe("Groups of which something stored cannot be read: what would be done there nobody can tell.")),
    away: z
      .array(text)
      .check(
        z.describe("Regions and groups that the cloud does not tell of: with any of them it takes a second person."),
      ),
    lists: z
      .nullable(
        z.object({
          weight: z
            .nullable(z.int())
            .check(z.describe("Rules that a group's drops on lists count for, where it lets in IPv4 alone.")),
          writingCalls: z.int().check(z.describe("Calls that close all groups of one scope in one region.")),
          groups: z.array(
            z.object({
              group: text,
              name: text,
              weight: z.nullable(z.int()),
              used: z.nullable(z.int()).check(z.describe("What the other rules of its fullest interface count for.")),
              max: z.int(),
              why: z.nullable(text).check(z.describe("Why it is closed by drops of its own instead.")),
            }),
          ),
        }),
      )
      .check(z.describe("What lockdown.prefixLists costs in the quota of rules; null where nothing about it changes.")),
  });

/** The answer to a change that was given up. */
export const withdrawnView = () => z.object({ message: text });
