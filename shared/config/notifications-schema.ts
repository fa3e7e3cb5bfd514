// The part of the policy document that says who is told where.
import * as z from "zod";

/** A name in the functions' configuration, without its prefix. */
const settingName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, "is not a name such as OPS_ROBOT, for the setting SAFEPORT_SECRET_OPS_ROBOT");
const targetName = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, "is not a name such as ops-room");
const targetNames = z.array(targetName).max(20);
const language = z.enum(["en", "zh"]);

const targetSchema = z
  .strictObject({
    kind: z.enum(["webhook", "dingtalk", "feishu", "wecom", "slack"]),
    url: z
      .string()
      .max(2000)
      .refine((text) => isAddress(text), "is not an address such as https://hooks.example.com/safeport")
      .nullable()
      .default(null)
      .describe("Address of a webhook. A robot's address is a secret: say `urlFrom`."),
    urlFrom: settingName
      .nullable()
      .default(null)
      .describe("The setting that holds the address: OPS_ROBOT stands for SAFEPORT_SECRET_OPS_ROBOT."),
    secretFrom: settingName
      .nullable()
      .default(null)
      .describe("The setting that holds the signing secret; a webhook needs one."),
    language: language.nullable().default(null).describe("Null: `notifications.language`."),
    least: z.enum(["alarm", "high", "normal", "low"]).default("normal").describe("The lowest priority told there."),
    perMinute: z.int().min(1).max(6000).nullable().default(null).describe("Null: what the service is known to allow."),
  })
  .refine((target) => (target.url === null) !== (target.urlFrom === null), "needs one of url and urlFrom")
  .refine((target) => target.kind === "webhook" || target.url === null, "is a robot: its address goes to urlFrom")
  .refine(
    (target) => target.kind !== "webhook" || target.secretFrom !== null,
    "needs secretFrom, to sign what is sent",
  );

/** `notifications` of the document. */
export const notificationsSchema = z
  .strictObject({
    language: language.default("en"),
    targets: z.record(targetName, targetSchema).default({}).describe("Places that take messages, by name."),
    people: z
      .record(
        z.string().min(1).max(128),
        z.strictObject({
          targets: targetNames.default([]),
          standIn: z.string().min(1).max(128).nullable().default(null).describe("Is told as well what is urgent."),
        }),
      )
      .default({})
      .describe("By principal, as tokens and owners name them."),
    groups: z.record(z.string().min(1).max(128), targetNames).default({}).describe("By the id of the group."),
    roles: z
      .partialRecord(z.enum(["approver", "operator", "auditor", "admin"]), targetNames)
      .default({})
      .describe("By role."),
    otherwise: targetNames.default([]).describe("For whom nothing else is said."),
    digestOver: z.int().min(1).max(100).default(5).describe("So many that may wait become one message."),
    deadAfterDays: z.int().min(1).max(30).default(3).describe("What cannot be told for so long is given up."),
  })
  .superRefine((document, context) => {
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
  });

/** Without user and password. That it is https, and which hosts may be reached, is checked when something is sent. */
function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}
