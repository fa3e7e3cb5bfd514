// The policy document: its fields with units, defaults and bounds.
import { isIP } from "node:net";
import * as z from "zod/mini";
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

const seconds = (min: number, max: number) => z.int().check(z.gte(min), z.lte(max));
const DAY_S = 86_400;

/** A region id of the cloud, such as `cn-hangzhou`. */
const regionId = z.string().check(z.regex(/^[a-z]{2,}(-[a-z0-9]+)+$/, "is not a region id such as cn-hangzhou"));
const groupName = z.string().check(z.minLength(1), z.maxLength(128));
const addressOrBlock = z
  .string()
  .check(z.refine((text) => isProxyBlock(text), "is not an address or CIDR such as 10.0.0.0/8 or 2001:db8::/32"));

const leaseSchema = z.strictObject({
  periodMin: z._default(seconds(1, DAY_S), 60).check(z.describe("Shortest period a lease may ask for, in seconds.")),
  periodMax: z
    ._default(seconds(60, 7 * DAY_S), 8 * 3600)
    .check(z.describe("Longest period a lease may ask for, in seconds.")),
  totalMax: z
    ._default(seconds(60, 30 * DAY_S), DAY_S)
    .check(z.describe("Longest time from the first opening of a lease to its end, extensions included, in seconds.")),
  priority: z
    ._default(z.int().check(z.gte(1), z.lte(100)), 100)
    .check(
      z.describe("Priority of the rules that leases write, 1 is the strongest; 100 never overrides a customer's drop."),
    ),
  sensitivePorts: z
    ._default(
      z.array(z.int().check(z.gte(1), z.lte(65_535))).check(z.maxLength(1000)),
      [22, 23, 135, 139, 445, 1433, 1521, 2375, 3306, 3389, 5432, 5900, 6379, 9200, 11_211, 27_017],
    )
    .check(z.describe("Ports whose grants are bound to sourceWidthMax.")),
  sourceWidthMax: z
    .prefault(
      z.strictObject({
        v4: z._default(z.int().check(z.gte(0), z.lte(32)), 24),
        v6: z._default(z.int().check(z.gte(0), z.lte(128)), 56),
      }),
      {},
    )
    .check(z.describe("Shortest prefix that the sources of a grant on a sensitive port may have together.")),
  portsMax: z
    ._default(z.int().check(z.gte(1), z.lte(65_535)), 65_535)
    .check(z.describe("How many ports one lease may have.")),
  openMax: z
    ._default(z.nullable(z.int().check(z.gte(1), z.lte(1000))), null)
    .check(
      z.describe(
        "How many leases one person may have at a time, those that wait for approval included; null: any number.",
      ),
    ),
  startAheadMax: z
    ._default(seconds(0, 30 * DAY_S), 7 * DAY_S)
    .check(z.describe("How far ahead the start of a lease may lie, in seconds; 0: leases open at once only.")),
  endNotices: z
    ._default(z.array(z.number().check(z.gt(0), z.lt(1))).check(z.maxLength(5)), [0.8])
    .check(
      z.describe("Parts of a lease's lifetime after which its holder is told that it is about to end; [] for none."),
    ),
  endNoticesFrom: z
    ._default(seconds(0, 30 * DAY_S), 1800)
    .check(z.describe("Shortest lifetime of a lease whose end is told of, in seconds.")),
  onInstanceStop: z
    ._default(z.enum(["end", "end-and-tell", "keep"]), "end")
    .check(
      z.describe(
        "Leases of an instance that is stopped: they end; operators are told of it, too; or they stay. Those of one that is released end in any case.",
      ),
    ),
  destCidrIp: z
    ._default(z.enum(["use", "never"]), "use")
    .check(
      z.describe(
        "`use`: narrow to an instance with the rule's destination address; `never`: the cloud ignores it here.",
      ),
    ),
});

/** The policy document as people write it. Every field has a default; an unknown field is an error. */
export const policySchema = z.strictObject({
  regions: z
    ._default(z.array(regionId).check(z.maxLength(50)), [])
    .check(z.describe("Regions in which leases may be opened; empty means the region safeport itself runs in.")),
  defaultTarget: z
    ._default(z.nullable(groupName), null)
    .check(z.describe("Group, by name or id, of a lease that names neither group nor instance.")),
  lease: z.prefault(leaseSchema, {}),
  access: z.prefault(accessSchema, {}),
  grants: grantsSchema,
  approval: z.prefault(approvalSchema, {}),
  breakGlass: breakGlassSchema,
  persons: personsSchema,
  groups: z.prefault(
    z.strictObject({
      denied: z
        ._default(z.array(groupName).check(z.maxLength(10_000)), [])
        .check(z.describe("Groups, by name or id, that take no rule from us.")),
      guards: guardsSchema,
    }),
    {},
  ),
  drift: z.prefault(driftSchema, {}),
  foreignWriters: foreignWritersSchema,
  trustedPrincipals: trustedPrincipalsSchema,
  operators: operatorsSchema,
  templates: templatesSchema,
  operatorPath: operatorPathSchema,
  alarms: alarmsSchema,
  lockdown: z.prefault(lockdownSchema, {}),
  notifications: z.prefault(notificationsSchema, {}),
  recycling: z.prefault(recyclingSchema, {}),
  limits: z.prefault(
    z.strictObject({
      rulesPerInterface: z
        ._default(z.int().check(z.gte(1), z.lte(10_000)), 1000)
        .check(z.describe("Rules over all groups of one network interface (the account's quota).")),
      rulesKeptFree: z
        ._default(z.int().check(z.gte(0), z.lte(1000)), 20)
        .check(z.describe("Rules of that quota that leases leave free, so that restores and drops fit.")),
      changesPerPass: z
        ._default(z.int().check(z.gte(1), z.lte(10_000)), 200)
        .check(z.describe("Changes to one group in one pass, at most.")),
    }),
    {},
  ),
  trustedProxies: z
    ._default(z.array(addressOrBlock).check(z.maxLength(200)), [])
    .check(z.describe("Addresses or blocks of proxies whose X-Forwarded-For is believed.")),
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
