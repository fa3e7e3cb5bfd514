// What the API answers about lockdowns.
import * as z from "zod";
import { instant, text } from "./answer-fields.ts";

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

export const lockdownListView = () =>
  z.object({
    lockdowns: z.array(lockdownView()),
    next: text.nullable().describe("`cursor` of the next page; null after the last."),
  });
