// The part of the policy document that says who is told where.
import * as z from "zod/mini";

/** A name in the functions' configuration, without its prefix. */
const settingName = z
  .string()
  .check(
    z.regex(/^[A-Z][A-Z0-9_]{0,63}$/, "is not a name such as OPS_ROBOT, for the setting SAFEPORT_SECRET_OPS_ROBOT"),
  );
const targetName = z.string().check(z.regex(/^[a-z][a-z0-9-]{0,31}$/, "is not a name such as ops-room"));
const targetNames = z.array(targetName).check(z.maxLength(20));
const language = z.enum(["en", "zh"]);

const targetSchema = z
  .strictObject({
    kind: z.enum(["webhook", "dingtalk", "feishu", "wecom", "slack"]),
    url: z
      ._default(
        z.nullable(
          z.string().check(
            z.maxLength(2000),
            z.refine((text) => isAddress(text), "is not an address such as https://hooks.example.com/safeport"),
          ),
        ),
        null,
      )
      .check(z.describe("Address of a webhook. A robot's address is a secret: say `urlFrom`.")),
    urlFrom: z
      ._default(z.nullable(settingName), null)
      .check(z.describe("The setting that holds the address: OPS_ROBOT stands for SAFEPORT_SECRET_OPS_ROBOT.")),
    secretFrom: z
      ._default(z.nullable(settingName), null)
      .check(z.describe("The setting that holds the signing secret; a webhook needs one.")),
    language: z._default(z.nullable(language), null).check(z.describe("Null: `notifications.language`.")),
    least: z
      ._default(z.enum(["alarm", "high", "normal", "low"]), "normal")
      .check(z.describe("The lowest priority told there.")),
    perMinute: z
      ._default(z.nullable(z.int().check(z.gte(1), z.lte(6000))), null)
      .check(z.describe("Null: what the service is known to allow.")),
  })
  .check(
    z.refine((target) => (target.url === null) !== (target.urlFrom === null), "needs one of url and urlFrom"),
    z.refine((target) => target.kind === "webhook" || target.url === null, "is a robot: its address goes to urlFrom"),
    z.refine(
      (target) => target.kind !== "webhook" || target.secretFrom !== null,
      "needs secretFrom, to sign what is sent",
    ),
  );

/** `notifications` of the document. */
export const notificationsSchema = z
  .strictObject({
    language: z._default(language, "en"),
    targets: z
      ._default(z.record(targetName, targetSchema), {})
      .check(z.describe("Places that take messages, by name.")),
    people: z
      ._default(
        z.record(
          z.string().check(z.minLength(1), z.maxLength(128)),
          z.strictObject({
            targets: z._default(targetNames, []),
            standIn: z
              ._default(z.nullable(z.string().check(z.minLength(1), z.maxLength(128))), null)
              .check(z.describe("Is told as well what is urgent.")),
          }),
        ),
        {},
      )
      .check(z.describe("By principal, as tokens and owners name them.")),
    groups: z
      ._default(z.record(z.string().check(z.minLength(1), z.maxLength(128)), targetNames), {})
      .check(z.describe("By the id of the group.")),
    roles: z
      ._default(z.partialRecord(z.enum(["approver", "operator", "auditor", "admin"]), targetNames), {})
      .check(z.describe("By role.")),
    otherwise: z._default(targetNames, []).check(z.describe("For whom nothing else is said.")),
    digestOver: z
      ._default(z.int().check(z.gte(1), z.lte(100)), 5)
      .check(z.describe("So many that may wait become one message.")),
    deadAfterDays: z
      ._default(z.int().check(z.gte(1), z.lte(30)), 3)
      .check(z.describe("What cannot be told for so long is given up.")),
  })
  .check(
    z.superRefine((document, context) => {
      const known = new Set(Object.keys(document.targets));
      const check = (path: readonly PropertyKey[], names: readonly string[]): void => {
        for (const [index, name] of names.entries())
          if (!known.has(name))
            context.addIssue({ code: "custom", path: [...path, index], message: "is not the name of a target" });
      };
      check(["otherwise"], document.otherwise);
      for (const [name, { targets }] of Object.entries(document.people)) check(["people", name, "targets"], targets);
      for (const [name, targets] of Object.entries(document.groups)) check(["groups", name], targets);
      for (const [name, targets] of Object.entries(document.roles)) check(["roles", name], targets ?? []);
    }),
  );

/** Without user and password. That it is https, and which hosts may be reached, is checked when something is sent. */
function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}
