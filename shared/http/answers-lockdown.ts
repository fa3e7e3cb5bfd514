// What the API answers about lockdowns.
import * as z from "zod/mini";
import { instant, text } from "./answer-fields.ts";

const hostView = () => z.object({ instanceId: z.nullable(text), name: z.nullable(text), address: text });

const groupView = () =>
  z.object({
    group: text,
    region: text,
    name: text,
    way: z
      .enum(["drops", "suspend", "none", "unread"])
      .check(
        z.describe(
          "`drops`; `suspend`: accepts are revoked and kept; `none`: nothing is done there; `unread`: it could not be read yet, and is tried again.",
        ),
      ),
    drops: z.int(),
    suspends: z.int(),
    onLists: z.boolean().check(z.describe("True where its drops are on prefix lists, which the lockdown has filled.")),
    closed: z.boolean().check(z.describe("True when everything has been read back.")),
    left: z.array(text).check(z.describe("What is not closed, and why.")),
    hosts: z.array(hostView()),
  });

/** A lockdown. */
export const lockdownView = () =>
  z.object({
    id: text,
    state: z.enum(["active", "lifting", "lifted"]),
    scope: z.object({ kind: z.enum(["instance", "groups", "tag"]), name: text }),
    core: z.array(text).check(z.describe("Ports that stay open, to whoever they are open.")),
    reason: text,
    by: text,
    causes: z
      .array(text)
      .check(z.describe("Alarms and persons it lasts for; it ends when none is left, or by its time.")),
    waivedBy: z.nullable(text),
    startedAt: instant,
    until: instant,
    endedAt: z.nullable(instant),
    endedBy: z.nullable(text),
    closed: z.boolean().check(z.describe("True when every group is closed.")),
    groups: z.array(groupView()),
    otherHosts: z
      .array(hostView())
      .check(
        z.describe(
          "Hosts that are hit because they share a group with the instance; none of groups and tags, whose hosts are all meant and stand with each group.",
        ),
      ),
    cannotStop: z.array(text).check(z.describe("What no rule of these groups stops.")),
    steps: z
      .array(z.object({ name: text, ms: z.int() }))
      .check(z.describe("Time since the arrival at which each step was done.")),
  });

/** The answer to a start or a lift. */
export const lockdownAnswerView = () => z.extend(lockdownView(), { dryRun: z.boolean(), plan: z.array(text) });

export const lockdownListView = () =>
  z.object({
    lockdowns: z.array(lockdownView()),
    unreadable: z.array(text).check(z.describe("Lockdowns that cannot be read.")),
    next: z.nullable(text).check(z.describe("`cursor` of the next page; null after the last.")),
  });
