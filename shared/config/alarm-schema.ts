// The parts of the policy document that speak of alarms and lockdowns.
import * as z from "zod";
import { parseCorePort } from "../domain/core-port.ts";

const DAY_S = 86_400;
const words = z.string().min(1).max(256);
const groupName = z.string().min(1).max(128);
const period = z
  .int()
  .min(60)
  .max(7 * DAY_S);

const scopeSchema = z.union([
  z.strictObject({ groups: z.array(groupName).min(1).max(1000) }),
  z.strictObject({ tag: z.string().regex(/^[^=]+=.*$/, "is not a tag such as app=shop") }),
]);

/** `alarms` of the document. */
export const alarmsSchema = z
  .array(
    z.strictObject({
      rule: words.nullable().default(null).describe("Name or id of the alarm rule; null for any."),
      namespace: words.nullable().default(null).describe("Such as acs_ecs_dashboard; `ddos` for its system events."),
      metric: words.nullable().default(null).describe("Key of the metric, or name of the system event."),
      levels: z
        .array(z.enum(["CRITICAL", "WARN", "INFO"]))
        .default([])
        .describe("Empty for any."),
      do: z
        .enum(["lockdown", "optimise", "restore-recent", "notify"])
        .describe(
          "`lockdown` of non-core ports; `optimise`: rules of the instance's groups, or of all where it names none, that are idle for 72 hours by evidence enter recycling early; `restore-recent`: what was closed a short time ago is opened again; `notify`: people are told.",
        ),
      scope: scopeSchema
        .nullable()
        .default(null)
        .describe("Of a lockdown: groups or a tag; null for the groups of the instance that the alarm names."),
      period: period.nullable().default(null).describe("Of a lockdown, in seconds; null for lockdown.period."),
    }),
  )
  .max(500)
  .default([])
  .describe("What alarms of the monitoring lead to; the first rule that is met counts. OK lifts what ALERT began.");

/** `lockdown` of the document. */
export const lockdownSchema = z.strictObject({
  core: z
    .array(z.string().refine((text) => parseCorePort(text) !== null, "is not a port such as 443, 8000-8010 or udp/443"))
    .max(100)
    .default(["80", "443"])
    .describe("Ports that a lockdown leaves open, to whoever they are open."),
  period: period.default(3600).describe("After so many seconds a lockdown ends by itself."),
  groups: z
    .array(groupName)
    .max(10_000)
    .default([])
    .describe('Groups, by id or name, in which a lockdown writes; "*" for all.'),
  withoutOperatorPath: words
    .nullable()
    .default(null)
    .describe("Name of who answers for lockdowns while operatorPath is empty; null: such lockdowns are refused."),
  prefixLists: z
    .array(scopeSchema)
    .max(50)
    .default([])
    .describe(
      "Groups that a lockdown of all of them closes by filling prefix lists, with drops that stand in peace. Takes SAFEPORT_LOCKDOWN_LISTS, and room for rules.",
    ),
});
