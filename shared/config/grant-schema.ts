// The parts of the policy document about grants, approvals and persons.
import * as z from "zod";
import { parseCidr } from "../domain/cidr.ts";
import { ROLES } from "../domain/permission.ts";
import { parsePortRange } from "../domain/port-range.ts";

const DAY_S = 86_400;
const ONE_HOUR_S = 3600;

const name = z.string().min(1).max(128);
const names = (what: string) => z.array(name).max(1000).default([]).describe(what);
const role = z.enum([...ROLES] as [(typeof ROLES)[number], ...(typeof ROLES)[number][]]);
const roles = z.array(role).max(ROLES.length).default([]).describe("Roles it is for.");
const portRange = z
  .string()
  .max(11)
  .refine((text) => parsePortRange(text) !== null, "is not a port or range such as 22 or 8000-8010");
const cidr = z
  .string()
  .max(64)
  .refine((text) => parseCidr(text) !== null, "is not an address or CIDR without host bits, such as 10.0.0.0/8");
const period = z
  .int()
  .min(1)
  .max(7 * DAY_S);
const tag = z
  .string()
  .max(256)
  .regex(/^[^=]+=/, "is not key=value");

/** Groups by id or name, by tag and by application. */
const whereFields = {
  groups: names("Groups by id or name."),
  tags: z.array(tag).max(1000).default([]).describe("Groups that carry one of these tags, each as key=value."),
  applications: names("Groups whose tag safeport:application is one of these."),
};

const grantSchema = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "is not 1 to 64 letters, digits, dots, hyphens and underscores"),
    effect: z.enum(["allow", "deny"]).default("allow"),
    persons: names("Persons or principals it is for; with `roles` empty too, it is for everybody who may ask."),
    roles,
    ...whereFields,
    protocols: z
      .array(z.enum(["tcp", "udp", "icmp", "gre", "all"]))
      .max(5)
      .default([])
      .describe("Empty: any."),
    ports: z.array(portRange).max(1000).default([]).describe("Empty: any, and protocols without ports."),
    sources: z.array(cidr).max(1000).default([]).describe("Blocks the sources lie within; empty: any."),
    periodMax: period.nullable().default(null).describe("Longest period, in seconds; null: lease.periodMax."),
    ticket: z.enum(["needed", "optional"]).default("optional").describe("Whether the number of a ticket is needed."),
    portsMax: z.int().min(1).max(65_535).nullable().default(null).describe("How many ports one lease may have."),
    sourceWidthMax: z
      .strictObject({ v4: z.int().min(0).max(32).default(0), v6: z.int().min(0).max(128).default(0) })
      .nullable()
      .default(null)
      .describe("Shortest prefix that the sources may have together."),
    approvals: z.int().min(0).max(5).default(0).describe("How many other persons have to approve."),
  })
  .refine(({ effect, approvals }) => effect === "allow" || approvals === 0, {
    path: ["approvals"],
    error: "is for rules that allow",
  });

/** `grants` of the document. */
export const grantsSchema = z
  .array(grantSchema)
  .max(500)
  .default([])
  .refine((rules) => new Set(rules.map((rule) => rule.name)).size === rules.length, "has two rules of one name")
  .describe(
    "Who may open what, to whom, for how long. The first rule that matches decides; without any match it is refused. Empty: all that the limits of `lease` allow.",
  );

/** `approval` of the document. */
export const approvalSchema = z.strictObject({
  ports: z
    .array(portRange)
    .max(1000)
    .default([])
    .describe("Ports that need a second person, whatever rule grants them."),
  ...whereFields,
  count: z.int().min(1).max(5).default(1).describe("How many persons ports and groups named here need."),
  decideWithin: z
    .int()
    .min(60)
    .max(30 * DAY_S)
    .default(DAY_S)
    .describe("Seconds until an undecided request lapses."),
  useWithin: z
    .int()
    .min(60)
    .max(7 * DAY_S)
    .default(ONE_HOUR_S)
    .describe("Seconds until an approval that could not be used lapses."),
  issuerMayApprove: z
    .boolean()
    .default(false)
    .describe(
      "Whether who issued a person's token may approve what is asked for with it. Gives up the second person where one admin issues the tokens: the admin can ask as another and approve as themselves.",
    ),
  distinctIssuers: z
    .boolean()
    .default(false)
    .describe(
      "Whether a second person needs a token that nobody issued who also stands behind the first person's, here and for changes of the policy: then no single admin can be both by tokens of others. It takes an identity provider, or two admins with tokens of setup of whom each issues for some.",
    ),
});

/** `breakGlass` of the document. */
export const breakGlassSchema = z
  .strictObject({
    persons: names("Persons or principals who may; with `roles` empty too, everybody who may ask."),
    roles,
    periodMax: period.default(ONE_HOUR_S).describe("Longest period, in seconds."),
    justifyWithin: z
      .int()
      .min(60)
      .max(30 * DAY_S)
      .default(DAY_S)
      .describe("Seconds in which it is to be justified."),
  })
  .nullable()
  .default(null)
  .describe("Opening at once without the second person it would need: short, loud, to be justified. Null: nobody may.");

/** `persons` of the document. */
export const personsSchema = z
  .record(name, z.array(name).min(1).max(100))
  .default({})
  .refine((persons) => {
    const all = Object.values(persons).flat();
    return new Set(all).size === all.length;
  }, "has a principal that is two persons")
  .describe(
    "Which principals are one person, such as { ann: [ann-laptop, corp/ann@example.com] }: nobody approves what the same person asked for.",
  );
