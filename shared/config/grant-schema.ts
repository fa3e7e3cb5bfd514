// The parts of the policy document about grants, approvals and persons.
import * as z from "zod/mini";
import { parseCidr } from "../domain/cidr.ts";
import { ROLES } from "../domain/permission.ts";
import { parsePortRange } from "../domain/port-range.ts";

const DAY_S = 86_400;
const ONE_HOUR_S = 3600;

const name = z.string().check(z.minLength(1), z.maxLength(128));
const names = (what: string) => z._default(z.array(name).check(z.maxLength(1000)), []).check(z.describe(what));
const role = z.enum([...ROLES] as [(typeof ROLES)[number], ...(typeof ROLES)[number][]]);
const roles = z._default(z.array(role).check(z.maxLength(ROLES.length)), []).check(z.describe("Roles it is for."));
const portRange = z.string().check(
  z.maxLength(11),
  z.refine((text) => parsePortRange(text) !== null, "is not a port or range such as 22 or 8000-8010"),
);
const cidr = z.string().check(
  z.maxLength(64),
  z.refine((text) => parseCidr(text) !== null, "is not an address or CIDR without host bits, such as 10.0.0.0/8"),
);
const period = z.int().check(z.gte(1), z.lte(7 * DAY_S));
const tag = z.string().check(z.maxLength(256), z.regex(/^[^=]+=/, "is not key=value"));

/** Groups by id or name, by tag and by application. */
const whereFields = {
  groups: names("Groups by id or name."),
  tags: z
    ._default(z.array(tag).check(z.maxLength(1000)), [])
    .check(z.describe("Groups that carry one of these tags, each as key=value.")),
  applications: names("Groups whose tag safeport:application is one of these."),
};

const grantSchema = z
  .strictObject({
    name: z
      .string()
      .check(z.regex(/^[A-Za-z0-9._-]{1,64}$/, "is not 1 to 64 letters, digits, dots, hyphens and underscores")),
    effect: z._default(z.enum(["allow", "deny"]), "allow"),
    persons: names("Persons or principals it is for; with `roles` empty too, it is for everybody who may ask."),
    roles,
    ...whereFields,
    protocols: z
      ._default(z.array(z.enum(["tcp", "udp", "icmp", "gre", "all"])).check(z.maxLength(5)), [])
      .check(z.describe("Empty: any.")),
    ports: z
      ._default(z.array(portRange).check(z.maxLength(1000)), [])
      .check(z.describe("Empty: any, and protocols without ports.")),
    sources: z
      ._default(z.array(cidr).check(z.maxLength(1000)), [])
      .check(z.describe("Blocks the sources lie within; empty: any.")),
    periodMax: z
      ._default(z.nullable(period), null)
      .check(z.describe("Longest period, in seconds; null: lease.periodMax.")),
    ticket: z
      ._default(z.enum(["needed", "optional"]), "optional")
      .check(z.describe("Whether the number of a ticket is needed.")),
    portsMax: z
      ._default(z.nullable(z.int().check(z.gte(1), z.lte(65_535))), null)
      .check(z.describe("How many ports one lease may have.")),
    sourceWidthMax: z
      ._default(
        z.nullable(
          z.strictObject({
            v4: z._default(z.int().check(z.gte(0), z.lte(32)), 0),
            v6: z._default(z.int().check(z.gte(0), z.lte(128)), 0),
          }),
        ),
        null,
      )
      .check(z.describe("Shortest prefix that the sources may have together.")),
    approvals: z
      ._default(z.int().check(z.gte(0), z.lte(5)), 0)
      .check(z.describe("How many other persons have to approve.")),
  })
  .check(
    z.refine(({ effect, approvals }) => effect === "allow" || approvals === 0, {
      path: ["approvals"],
      error: "is for rules that allow",
    }),
  );

/** `grants` of the document. */
export const grantsSchema = z._default(z.array(grantSchema).check(z.maxLength(500)), []).check(
  z.refine((rules) => new Set(rules.map((rule) => rule.name)).size === rules.length, "has two rules of one name"),
  z.describe(
    "Who may open what, to whom, for how long. The first rule that matches decides; without any match it is refused. Empty: all that the limits of `lease` allow.",
  ),
);

/** `approval` of the document. */
export const approvalSchema = z.strictObject({
  ports: z
    ._default(z.array(portRange).check(z.maxLength(1000)), [])
    .check(z.describe("Ports that need a second person, whatever rule grants them.")),
  ...whereFields,
  count: z
    ._default(z.int().check(z.gte(1), z.lte(5)), 1)
    .check(z.describe("How many persons ports and groups named here need.")),
  decideWithin: z
    ._default(z.int().check(z.gte(60), z.lte(30 * DAY_S)), DAY_S)
    .check(z.describe("Seconds until an undecided request lapses.")),
  useWithin: z
    ._default(z.int().check(z.gte(60), z.lte(7 * DAY_S)), ONE_HOUR_S)
    .check(z.describe("Seconds until an approval that could not be used lapses.")),
  issuerMayApprove: z
    ._default(z.boolean(), false)
    .check(
      z.describe(
        "Whether who issued a person's token may approve what is asked for with it. Gives up the second person where one admin issues the tokens: the admin can ask as another and approve as themselves.",
      ),
    ),
  distinctIssuers: z
    ._default(z.boolean(), false)
    .check(
      z.describe(
        "Whether a second person needs a token that nobody issued who also stands behind the first person's, here and for changes of the policy: then no single admin can be both by tokens of others. It takes an identity provider, or two admins with tokens of setup of whom each issues for some.",
      ),
    ),
});

/** `breakGlass` of the document. */
export const breakGlassSchema = z
  ._default(
    z.nullable(
      z.strictObject({
        persons: names("Persons or principals who may; with `roles` empty too, everybody who may ask."),
        roles,
        periodMax: z._default(period, ONE_HOUR_S).check(z.describe("Longest period, in seconds.")),
        justifyWithin: z
          ._default(z.int().check(z.gte(60), z.lte(30 * DAY_S)), DAY_S)
          .check(z.describe("Seconds in which it is to be justified.")),
      }),
    ),
    null,
  )
  .check(
    z.describe(
      "Opening at once without the second person it would need: short, loud, to be justified. Null: nobody may.",
    ),
  );

/** `persons` of the document. */
export const personsSchema = z
  ._default(z.record(name, z.array(name).check(z.minLength(1), z.maxLength(100))), {})
  .check(
    z.refine((persons) => {
      const all = Object.values(persons).flat();
      return new Set(all).size === all.length;
    }, "has a principal that is two persons"),
    z.describe(
      "Which principals are one person, such as { ann: [ann-laptop, corp/ann@example.com] }: nobody approves what the same person asked for.",
    ),
  );
