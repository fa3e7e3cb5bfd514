// The parts of the policy document that speak of drift: who else writes rules, what is rolled back and when.
import * as z from "zod";
import { parseCidr } from "../domain/cidr.ts";
import { isCloudPrincipal } from "../domain/cloud-principal.ts";
import { isTimeOfDay, isZone } from "../domain/open-hours.ts";
import { isOperatorPath } from "../domain/operator-path.ts";

const DAY_S = 86_400;
const cidrText = z.string().refine((text) => parseCidr(text) !== null, "is not an address or CIDR such as 10.0.0.0/8");
const accountId = z.string().regex(/^\d{1,32}$/, "is not the number of an account");

/** Weekly windows in a time zone. */
const openHoursSchema = z.strictObject({
  zone: z.string().refine(isZone, "is not an IANA time zone such as Asia/Shanghai").describe("IANA time zone."),
  windows: z
    .array(
      z.strictObject({
        days: z.array(z.int().min(1).max(7)).min(1).max(7).describe("Days it begins on; 1 is Monday, 7 is Sunday."),
        from: z.string().refine((text) => isTimeOfDay(text) && text !== "24:00", "is not a time such as 22:00"),
        to: z.string().refine(isTimeOfDay, "is not a time such as 06:00 or 24:00"),
      }),
    )
    .min(1)
    .max(50)
    .describe("Windows from one time of day to another, across midnight when the end is not after the beginning."),
});

/** `groups.guards` of the document. */
export const guardsSchema = z
  .record(z.string().min(1).max(128), z.enum(["none", "observe", "enforce"]))
  .default({})
  .describe(
    "Guard by id or name of the group: `observe` reports rules nobody granted, `enforce` rolls them back once a person has confirmed the group's baseline. Wins over the tag safeport:guard.",
  );

/** `drift` of the document. */
export const driftSchema = z.strictObject({
  unknownWriterWait: z
    .int()
    .min(0)
    .max(DAY_S)
    .default(900)
    .describe("How long a rule nobody is known to have written waits for its event, in seconds."),
  revertsMax: z.int().min(1).max(100).default(3).describe("Rollbacks of one rule before it is held for a person."),
  revertsWithin: z.int().min(60).max(DAY_S).default(600).describe("Within so many seconds."),
  percentPerPass: z
    .int()
    .min(1)
    .max(100)
    .default(50)
    .describe(
      "Largest part of the rules that stood at the confirmation which one pass rolls back, in percent; five always may be.",
    ),
  freeze: openHoursSchema.nullable().default(null).describe("Weekly windows in which nothing is rolled back."),
  canary: z
    .strictObject({
      group: z.string().regex(/^sg-[a-z0-9]{1,60}$/, "is not the id of a group, such as sg-bp1…"),
      region: z.string().nullable().default(null).describe("Null: the first of `regions`."),
      within: z.int().min(60).max(DAY_S).default(900).describe("How late an event may be, in seconds."),
    })
    .nullable()
    .default(null)
    .describe(
      "The empty group that setup made for it: a rule to nobody opens and closes there every hour, to see that events still come. Costs two writing and about twelve reading calls an hour.",
    ),
  foreignWidthMax: z
    .strictObject({ v4: z.int().min(0).max(32).default(16), v6: z.int().min(0).max(128).default(48) })
    .prefault({})
    .describe("Shortest prefix of a source that may be a foreign writer's."),
});

/** `foreignWriters` of the document. */
export const foreignWritersSchema = z
  .array(
    z.strictObject({
      name: z.string().min(1).max(64).describe("Such as DMS, DTS, Bastionhost, ACK, OOS or Cloud Firewall."),
      sources: z.array(cidrText).max(1000).default([]).describe("Ranges its rules open to."),
      ownerAccounts: z.array(accountId).max(100).default([]).describe("Accounts that own the groups its rules name."),
    }),
  )
  .max(100)
  .default([])
  .describe(
    "Cloud services that write rules of their own. Such a rule is known by source or owner, never by its words. No ranges are shipped: they differ by region and change. DTS answers its own through its call WhiteIpList, DMS lists its own in its console and help pages.",
  );

/** `trustedPrincipals` of the document. */
export const trustedPrincipalsSchema = z
  .array(
    z.strictObject({
      principal: z
        .string()
        .min(1)
        .max(140)
        .refine(
          isCloudPrincipal,
          "is not role/NAME, user/NAME or the number that the cloud gave one, such as role/terraform; of a role without its session",
        )
        .describe(
          "`role/NAME`, `user/NAME`, or the number of a user or role; of a role without its session. A name alone is read as a role's.",
        ),
      treat: z.enum(["adopt", "ticket"]).default("ticket").describe("Into the ledger, or reported and left alone."),
    }),
  )
  .max(100)
  .default([])
  .describe("Whose changes are believed once the trail confirms them, such as a Terraform role.");

/** `templates` of the document. */
export const templatesSchema = z
  .record(
    z.string().regex(/^[a-z0-9-]{1,32}$/),
    z
      .array(
        z.strictObject({
          protocol: z.enum(["tcp", "udp", "icmp", "gre", "all"]).default("tcp"),
          port: z.string().max(32).default(""),
          sources: z.array(cidrText).max(100).default([]).describe("Empty: the sources of `operators`."),
          reason: z.string().max(200).default(""),
        }),
      )
      .max(200),
  )
  .default({
    default: [
      { protocol: "tcp", port: "22", sources: [], reason: "SSH for operators" },
      { protocol: "tcp", port: "3389", sources: [], reason: "remote desktop for operators" },
      { protocol: "tcp", port: "80", sources: ["0.0.0.0/0"], reason: "HTTP" },
      { protocol: "tcp", port: "443", sources: ["0.0.0.0/0"], reason: "HTTPS" },
      { protocol: "tcp", port: "2048", sources: [], reason: "management for operators" },
    ],
  })
  .describe("Rules that a new group may be given when a person adopts it.");

/** `operators` of the document. */
export const operatorsSchema = z
  .array(cidrText)
  .max(100)
  .default([])
  .describe("Where operators come from: the sources of template rules that name none.");

/** `operatorPath` of the document. */
export const operatorPathSchema = z
  .array(
    z
      .strictObject({
        protocol: z.enum(["tcp", "udp", "icmp", "gre", "all"]).default("tcp"),
        port: z.string().max(32).default("").describe("`22` or `8000-8010`; left out where the protocol has no ports."),
        sources: z.array(cidrText).min(1).max(100).describe("Addresses or blocks that must always reach the port."),
      })
      .refine(isOperatorPath, {
        error: "needs a port such as 22 with tcp and udp, none with others, and sources that fit them",
        // What is wrong with one field is told once, at that field.
        when: ({ issues }) => issues.length === 0,
      }),
  )
  .max(100)
  .default([])
  .describe("Ways in that no change may cut. A change that would is refused together with the rest of its plan.");
