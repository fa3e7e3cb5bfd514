// What the API accepts and answers about lockdowns.
import * as z from "zod";
import { cursorOf, instant, text } from "./fields.ts";

const name = z.string().min(1).max(128);

/** Body of `POST /v1/lockdown`: one of instance, groups and tag. */
export const lockdownBody = z
  .strictObject({
    instance: name.optional().describe("The groups of this instance."),
    groups: z.array(name).min(1).max(1000).optional().describe("Groups by id or name."),
    tag: z
      .string()
      .regex(/^[^=]+=.*$/, "is not a tag such as app=shop")
      .optional()
      .describe("Groups with this tag."),
    reason: z.string().min(1).max(500).describe("Why; kept in the record and told with the lockdown."),
    period: z.int().min(60).max(604_800).optional().describe("Seconds; default lockdown.period of the policy."),
    waivedBy: name.optional().describe("Who answers for a lockdown while the policy has no operator path."),
  })
  .refine(({ instance, groups, tag }) => [instance, groups, tag].filter((it) => it !== undefined).length === 1, {
    error: "name one of instance, groups and tag",
  });

const hostView = () => z.object({ instanceId: text.nullable(), name: text.nullable(), address: text });

const groupView = () =>
  z.object({
    group: text,
    region: text,
    name: text,
    way: z
      .enum(["drops", "suspend", "none", "unread"])
      .describe(
        "`drops`; `suspend`: accepts are revoked and kept; `none`: nothing is done there; `unread`: it could not be read yet, and is tried again.",
      ),
    drops: z.int(),
    suspends: z.int(),
    onLists: z.boolean().describe("True where its drops are on prefix lists, which the lockdown has filled."),
    closed: z.boolean().describe("True when everything has been read back."),
    left: z.array(text).describe("What is not closed, and why."),
    hosts: z.array(hostView()),
  });

/** A lockdown. */
export const lockdownView = () =>
  z.object({
    id: text,
    state: z.enum(["active", "lifting", "lifted"]),
    scope: z.object({ kind: z.enum(["instance", "groups", "tag"]), name: text }),
    core: z.array(text).describe("Ports that stay open, to whoever they are open."),
    reason: text,
    by: text,
    causes: z.array(text).describe("Alarms and persons it lasts for; it ends when none is left, or by its time."),
    waivedBy: text.nullable(),
    startedAt: instant,
    until: instant,
    endedAt: instant.nullable(),
    endedBy: text.nullable(),
    closed: z.boolean().describe("True when every group is closed."),
    groups: z.array(groupView()),
    otherHosts: z
      .array(hostView())
      .describe(
        "Hosts that are hit because they share a group with the instance; none of groups and tags, whose hosts are all meant and stand with each group.",
      ),
    cannotStop: z.array(text).describe("What no rule of these groups stops."),
    steps: z
      .array(z.object({ name: text, ms: z.int() }))
      .describe("Time since the arrival at which each step was done."),
  });

/** The answer to a start or a lift. */
export const lockdownAnswerView = () => lockdownView().extend({ dryRun: z.boolean(), plan: z.array(text) });

/** Query of the list; a lockdown of many groups is long, and so pages are short. */
export const lockdownQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^([1-9]\d?|100)$/, "is not a whole number from 1 to 100")
    .default("20")
    .transform(Number),
  cursor: cursorOf(/^[1-9]\d{12,15}$/),
});

export const lockdownListView = () =>
  z.object({
    lockdowns: z.array(lockdownView()),
    next: text.nullable().describe("`cursor` of the next page; null after the last."),
  });
