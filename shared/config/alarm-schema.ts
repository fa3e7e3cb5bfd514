// The parts of the policy document that speak of alarms and lockdowns.
import * as z from "zod/mini";
import { parseCorePort } from "../domain/core-port.ts";

const DAY_S = 86_400;
const words = z.string().check(z.minLength(1), z.maxLength(256));
const groupName = z.string().check(z.minLength(1), z.maxLength(128));
const period = z.int().check(z.gte(60), z.lte(7 * DAY_S));

const scopeSchema = z.union([
  z.strictObject({ groups: z.array(groupName).check(z.minLength(1), z.maxLength(1000)) }),
  z.strictObject({ tag: z.string().check(z.regex(/^[^=]+=.*$/, "is not a tag such as app=shop")) }),
]);

/** `alarms` of the document. */
export const alarmsSchema = z
  ._default(
    z
      .array(
        z.strictObject({
          rule: z._default(z.nullable(words), null).check(z.describe("Name or id of the alarm rule; null for any.")),
          namespace: z
            ._default(z.nullable(words), null)
            .check(z.describe("Such as acs_ecs_dashboard; `ddos` for its system events.")),
          metric: z
            ._default(z.nullable(words), null)
            .check(z.describe("Key of the metric, or name of the system event.")),
          levels: z._default(z.array(z.enum(["CRITICAL", "WARN", "INFO"])), []).check(z.describe("Empty for any.")),
          do: z
            .enum(["lockdown", "optimise", "restore-recent", "notify"])
            .check(
              z.describe(
                "`lockdown` of non-core ports; `optimise`: rules of the instance's groups, or of all where it names none, that are idle for 72 hours by evidence enter recycling early; `restore-recent`: what was closed a short time ago is opened again; `notify`: people are told.",
              ),
            ),
          scope: z
            ._default(z.nullable(scopeSchema), null)
            .check(
              z.describe("Of a lockdown: groups or a tag; null for the groups of the instance that the alarm names."),
            ),
          period: z
            ._default(z.nullable(period), null)
            .check(z.describe("Of a lockdown, in seconds; null for lockdown.period.")),
        }),
      )
      .check(z.maxLength(500)),
    [],
  )
  .check(
    z.describe("What alarms of the monitoring lead to; the first rule that is met counts. OK lifts what ALERT began."),
  );

/** `lockdown` of the document. */
export const lockdownSchema = z.strictObject({
  core: z
    ._default(
      z
        .array(
          z
            .string()
            .check(z.refine((text) => parseCorePort(text) !== null, "is not a port such as 443, 8000-8010 or udp/443")),
        )
        .check(z.maxLength(100)),
      ["80", "443"],
    )
    .check(z.describe("Ports that a lockdown leaves open, to whoever they are open.")),
  period: z._default(period, 3600).check(z.describe("After so many seconds a lockdown ends by itself.")),
  groups: z
    ._default(z.array(groupName).check(z.maxLength(10_000)), [])
    .check(z.describe('Groups, by id or name, in which a lockdown writes; "*" for all.')),
  withoutOperatorPath: z
    ._default(z.nullable(words), null)
    .check(
      z.describe("Name of who answers for lockdowns while operatorPath is empty; null: such lockdowns are refused."),
    ),
  prefixLists: z
    ._default(z.array(scopeSchema).check(z.maxLength(50)), [])
    .check(
      z.describe(
        "Groups that a lockdown of all of them closes by filling prefix lists, with drops that stand in peace. Takes SAFEPORT_LOCKDOWN_LISTS, and room for rules.",
      ),
    ),
});
