// The parts of the policy document that speak of drift: who else writes rules, what is rolled back and when.
import * as z from "zod/mini";
import { parseCidr } from "../domain/cidr.ts";
import { isCloudPrincipal } from "../domain/cloud-principal.ts";
import { isTimeOfDay, isZone } from "../domain/open-hours.ts";
import { isOperatorPath } from "../domain/operator-path.ts";

const DAY_S = 86_400;
const cidrText = z
  .string()
  .check(z.refine((text) => parseCidr(text) !== null, "is not an address or CIDR such as 10.0.0.0/8"));
const accountId = z.string().check(z.regex(/^\d{1,32}$/, "is not the number of an account"));

/** Weekly windows in a time zone. */
const openHoursSchema = z.strictObject({
  zone: z
    .string()
    .check(z.refine(isZone, "is not an IANA time zone such as Asia/Shanghai"), z.describe("IANA time zone.")),
  windows: z
    .array(
      z.strictObject({
        days: z
          .array(z.int().check(z.gte(1), z.lte(7)))
          .check(z.minLength(1), z.maxLength(7), z.describe("Days it begins on; 1 is Monday, 7 is Sunday.")),
        from: z
          .string()
          .check(z.refine((text) => isTimeOfDay(text) && text !== "24:00", "is not a time such as 22:00")),
        to: z.string().check(z.refine(isTimeOfDay, "is not a time such as 06:00 or 24:00")),
      }),
    )
    .check(
      z.minLength(1),
      z.maxLength(50),
      z.describe("Windows from one time of day to another, across midnight when the end is not after the beginning."),
    ),
});

/** `groups.guards` of the document. */
export const guardsSchema = z
  ._default(z.record(z.string().check(z.minLength(1), z.maxLength(128)), z.enum(["none", "observe", "enforce"])), {})
  .check(
    z.describe(
      "Guard by id or name of the group: `observe` reports rules nobody granted, `enforce` rolls them back once a person has confirmed the group's baseline. Wins over the tag safeport:guard.",
    ),
  );

/** `drift` of the document. */
export const driftSchema = z.strictObject({
  unknownWriterWait: z
    ._default(z.int().check(z.gte(0), z.lte(DAY_S)), 900)
    .check(z.describe("How long a rule nobody is known to have written waits for its event, in seconds.")),
  revertsMax: z
    ._default(z.int().check(z.gte(1), z.lte(100)), 3)
    .check(z.describe("Rollbacks of one rule before it is held for a person.")),
  revertsWithin: z._default(z.int().check(z.gte(60), z.lte(DAY_S)), 600).check(z.describe("Within so many seconds.")),
  percentPerPass: z
    ._default(z.int().check(z.gte(1), z.lte(100)), 50)
    .check(
      z.describe(
        "Largest part of the rules that stood at the confirmation which one pass rolls back, in percent; five always may be.",
      ),
    ),
  freeze: z
    ._default(z.nullable(openHoursSchema), null)
    .check(z.describe("Weekly windows in which nothing is rolled back.")),
  canary: z
    ._default(
      z.nullable(
        z.strictObject({
          group: z.string().check(z.regex(/^sg-[a-z0-9]{1,60}$/, "is not the id of a group, such as sg-bp1…")),
          region: z._default(z.nullable(z.string()), null).check(z.describe("Null: the first of `regions`.")),
          within: z
            ._default(z.int().check(z.gte(60), z.lte(DAY_S)), 900)
            .check(z.describe("How late an event may be, in seconds.")),
        }),
      ),
      null,
    )
    .check(
      z.describe(
        "The empty group that setup made for it: a rule to nobody opens and closes there every hour, to see that events still come. Costs two writing and about twelve reading calls an hour.",
      ),
    ),
  foreignWidthMax: z
    .prefault(
      z.strictObject({
        v4: z._default(z.int().check(z.gte(0), z.lte(32)), 16),
        v6: z._default(z.int().check(z.gte(0), z.lte(128)), 48),
      }),
      {},
    )
    .check(z.describe("Shortest prefix of a source that may be a foreign writer's.")),
});

/** `foreignWriters` of the document. */
export const foreignWritersSchema = z
  ._default(
    z
      .array(
        z.strictObject({
          name: z
            .string()
            .check(
              z.minLength(1),
              z.maxLength(64),
              z.describe("Such as DMS, DTS, Bastionhost, ACK, OOS or Cloud Firewall."),
            ),
          sources: z
            ._default(z.array(cidrText).check(z.maxLength(1000)), [])
            .check(z.describe("Ranges its rules open to.")),
          ownerAccounts: z
            ._default(z.array(accountId).check(z.maxLength(100)), [])
            .check(z.describe("Accounts that own the groups its rules name.")),
        }),
      )
      .check(z.maxLength(100)),
    [],
  )
  .check(
    z.describe(
      "Cloud services that write rules of their own. Such a rule is known by source or owner, never by its words. No ranges are shipped: they differ by region and change. DTS answers its own through its call WhiteIpList, DMS lists its own in its console and help pages.",
    ),
  );

/** `trustedPrincipals` of the document. */
export const trustedPrincipalsSchema = z
  ._default(
    z
      .array(
        z.strictObject({
          principal: z
            .string()
            .check(
              z.minLength(1),
              z.maxLength(140),
              z.refine(
                isCloudPrincipal,
                "is not role/NAME, user/NAME or the number that the cloud gave one, such as role/terraform; of a role without its session",
              ),
              z.describe(
                "`role/NAME`, `user/NAME`, or the number of a user or role; of a role without its session. A name alone is read as a role's.",
              ),
            ),
          treat: z
            ._default(z.enum(["adopt", "ticket"]), "ticket")
            .check(z.describe("Into the ledger, or reported and left alone.")),
        }),
      )
      .check(z.maxLength(100)),
    [],
  )
  .check(z.describe("Whose changes are believed once the trail confirms them, such as a Terraform role."));

/** `templates` of the document. */
export const templatesSchema = z
  ._default(
    z.record(
      z.string().check(z.regex(/^[a-z0-9-]{1,32}$/)),
      z
        .array(
          z.strictObject({
            protocol: z._default(z.enum(["tcp", "udp", "icmp", "gre", "all"]), "tcp"),
            port: z._default(z.string().check(z.maxLength(32)), ""),
            sources: z
              ._default(z.array(cidrText).check(z.maxLength(100)), [])
              .check(z.describe("Empty: the sources of `operators`.")),
            reason: z._default(z.string().check(z.maxLength(200)), ""),
          }),
        )
        .check(z.maxLength(200)),
    ),
    {
      default: [
        { protocol: "tcp", port: "22", sources: [], reason: "SSH for operators" },
        { protocol: "tcp", port: "3389", sources: [], reason: "remote desktop for operators" },
        { protocol: "tcp", port: "80", sources: ["0.0.0.0/0"], reason: "HTTP" },
        { protocol: "tcp", port: "443", sources: ["0.0.0.0/0"], reason: "HTTPS" },
        { protocol: "tcp", port: "2048", sources: [], reason: "management for operators" },
      ],
    },
  )
  .check(z.describe("Rules that a new group may be given when a person adopts it."));

/** `operators` of the document. */
export const operatorsSchema = z
  ._default(z.array(cidrText).check(z.maxLength(100)), [])
  .check(z.describe("Where operators come from: the sources of template rules that name none."));

/** `operatorPath` of the document. */
export const operatorPathSchema = z
  ._default(
    z
      .array(
        z
          .strictObject({
            protocol: z._default(z.enum(["tcp", "udp", "icmp", "gre", "all"]), "tcp"),
            port: z
              ._default(z.string().check(z.maxLength(32)), "")
              .check(z.describe("`22` or `8000-8010`; left out where the protocol has no ports.")),
            sources: z
              .array(cidrText)
              .check(
                z.minLength(1),
                z.maxLength(100),
                z.describe("Addresses or blocks that must always reach the port."),
              ),
          })
          .check(
            z.refine(isOperatorPath, {
              error: "needs a port such as 22 with tcp and udp, none with others, and sources that fit them",
              // What is wrong with one field is told once, at that field.
              when: ({ issues }) => issues.length === 0,
            }),
          ),
      )
      .check(z.maxLength(100)),
    [],
  )
  .check(
    z.describe("Ways in that no change may cut. A change that would is refused together with the rest of its plan."),
  );
