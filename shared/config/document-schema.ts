// The policy document: its fields with units, defaults and bounds.
import { isIP } from "node:net";
import * as z from "zod";
import { accessSchema } from "./access-schema.ts";
import { alarmsSchema, lockdownSchema } from "./alarm-schema.ts";
import {
  driftSchema,
  foreignWritersSchema,
  guardsSchema,
  operatorPathSchema,
  operatorsSchema,
  templatesSchema,
  trustedPrincipalsSchema,
} from "./drift-schema.ts";
import { approvalSchema, breakGlassSchema, grantsSchema, personsSchema } from "./grant-schema.ts";
import { notificationsSchema } from "./notifications-schema.ts";
import { recyclingSchema } from "./recycling-schema.ts";

const seconds = (min: number, max: number) => z.int().min(min).max(max);
const DAY_S = 86_400;

/** A region id of the cloud, such as `cn-hangzhou`. */
const regionId = z.string().regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, "is not a region id such as cn-hangzhou");
const groupName = z.string().min(1).max(128);
const addressOrBlock = z
  .string()
  .refine((text) => isProxyBlock(text), "is not an address or CIDR such as 10.0.0.0/8 or 2001:db8::/32");

const leaseSchema = z.strictObject({
  periodMin: seconds(1, DAY_S).default(60).describe("Shortest period a lease may ask for, in seconds."),
  periodMax: seconds(60, 7 * DAY_S)
    .default(8 * 3600)
    .describe("Longest period a lease may ask for, in seconds."),
  totalMax: seconds(60, 30 * DAY_S)
    .default(DAY_S)
    .describe("Longest time from the first opening of a lease to its end, extensions included, in seconds."),
  priority: z
    .int()
    .min(1)
    .max(100)
    .default(100)
    .describe("Priority of the rules that leases write, 1 is the strongest; 100 never overrides a customer's drop."),
  sensitivePorts: z
    .array(z.int().min(1).max(65_535))
    .max(1000)
    .default([22, 23, 135, 139, 445, 1433, 1521, 2375, 3306, 3389, 5432, 5900, 6379, 9200, 11_211, 27_017])
    .describe("Ports whose grants are bound to sourceWidthMax."),
  sourceWidthMax: z
    .strictObject({
      v4: z.int().min(0).max(32).default(24),
      v6: z.int().min(0).max(128).default(56),
    })
    .prefault({})
    .describe("Shortest prefix that the sources of a grant on a sensitive port may have together."),
  portsMax: z.int().min(1).max(65_535).default(65_535).describe("How many ports one lease may have."),
  openMax: z
    .int()
    .min(1)
    .max(1000)
    .nullable()
    .default(null)
    .describe(
      "How many leases one person may have at a time, those that wait for approval included; null: any number.",
    ),
  startAheadMax: seconds(0, 30 * DAY_S)
    .default(7 * DAY_S)
    .describe("How far ahead the start of a lease may lie, in seconds; 0: leases open at once only."),
  endNotices: z
    .array(z.number().gt(0).lt(1))
    .max(5)
    .default([0.8])
    .describe("Parts of a lease's lifetime after which its holder is told that it is about to end; [] for none."),
  endNoticesFrom: seconds(0, 30 * DAY_S)
    .default(1800)
    .describe("Shortest lifetime of a lease whose end is told of, in seconds."),
  onInstanceStop: z
    .enum(["end", "end-and-tell", "keep"])
    .default("end")
    .describe(
      "Leases of an instance that is stopped: they end; operators are told of it, too; or they stay. Those of one that is released end in any case.",
    ),
  destCidrIp: z
    .enum(["use", "never"])
    .default("use")
    .describe("`use`: narrow to an instance with the rule's destination address; `never`: the cloud ignores it here."),
});

/** The policy document as people write it. Every field has a default; an unknown field is an error. */
export const policySchema = z.strictObject({
  regions: z
    .array(regionId)
    .max(50)
    .default([])
    .describe("Regions in which leases may be opened; empty means the region safeport itself runs in."),
  defaultTarget: groupName
    .nullable()
    .default(null)
    .describe("Group, by name or id, of a lease that names neither group nor instance."),
  lease: leaseSchema.prefault({}),
  access: accessSchema.prefault({}),
  grants: grantsSchema,
  approval: approvalSchema.prefault({}),
  breakGlass: breakGlassSchema,
  persons: personsSchema,
  groups: z
    .strictObject({
      denied: z.array(groupName).max(10_000).default([]).describe("Groups, by name or id, that take no rule from us."),
      guards: guardsSchema,
    })
    .prefault({}),
  drift: driftSchema.prefault({}),
  foreignWriters: foreignWritersSchema,
  trustedPrincipals: trustedPrincipalsSchema,
  operators: operatorsSchema,
  templates: templatesSchema,
  operatorPath: operatorPathSchema,
  alarms: alarmsSchema,
  lockdown: lockdownSchema.prefault({}),
  notifications: notificationsSchema.prefault({}),
  recycling: recyclingSchema.prefault({}),
  limits: z
    .strictObject({
      rulesPerInterface: z
        .int()
        .min(1)
        .max(10_000)
        .default(1000)
        .describe("Rules over all groups of one network interface (the account's quota)."),
      rulesKeptFree: z
        .int()
        .min(0)
        .max(1000)
        .default(20)
        .describe("Rules of that quota that leases leave free, so that restores and drops fit."),
      changesPerPass: z.int().min(1).max(10_000).default(200).describe("Changes to one group in one pass, at most."),
    })
    .prefault({}),
  trustedProxies: z
    .array(addressOrBlock)
    .max(200)
    .default([])
    .describe("Addresses or blocks of proxies whose X-Forwarded-For is believed."),
});

/** The document after defaults. */
export type PolicyDocument = z.output<typeof policySchema>;

function isProxyBlock(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes("%")) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
