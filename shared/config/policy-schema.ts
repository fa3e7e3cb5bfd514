// The policy document: its fields with units, defaults and bounds, and the way from its text to the policy in force.
import { isIP } from "node:net";
import * as z from "zod";
import type { Policy } from "../domain/policy.ts";
import { fail } from "../errors/app-error.ts";
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
import { policyOf } from "./policy-values.ts";
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

/** One thing that is wrong with a document. */
export interface PolicyMistake {
  /** Path of the field, such as `lease.periodMax` or `regions[0]`; empty for the document itself. */
  readonly path: string;
  /** Path as keys, for finding the place in the text. */
  readonly keys: readonly (string | number)[];
  readonly what: string;
  readonly remedy: string;
}

/** The checked document, or everything that is wrong with it. */
export type PolicyReading =
  | { readonly kind: "ok"; readonly document: PolicyDocument }
  | { readonly kind: "mistakes"; readonly mistakes: readonly PolicyMistake[] };

/** Checks a parsed document that is to be in force and fills in the defaults. */
export function readPolicyDocument(value: unknown): PolicyReading {
  const reading = readStoredDocument(value);
  if (reading.kind === "mistakes") return reading;
  const doubled = issuerMistakes(reading.document);
  return doubled.length > 0 ? { kind: "mistakes", mistakes: doubled } : reading;
}

/** The same of one that is in force: what has come to be refused since leaves nobody without a policy. */
function readStoredDocument(value: unknown): PolicyReading {
  const parsed = policySchema.safeParse(value ?? {});
  if (!parsed.success) return { kind: "mistakes", mistakes: parsed.error.issues.flatMap(mistakesOf) };
  const crossed = crossFieldMistakes(parsed.data);
  return crossed.length > 0 ? { kind: "mistakes", mistakes: crossed } : { kind: "ok", document: parsed.data };
}

/** How many mistakes one answer names. */
const MISTAKES_MAX = 10;

/** The checked document as JSON text with every default filled in. Throws POLICY_INVALID. */
export function checkedPolicyText(value: unknown): string {
  const reading = readPolicyDocument(value);
  if (reading.kind === "ok") return JSON.stringify(reading.document);
  const { mistakes } = reading;
  throw fail("POLICY_INVALID", { count: mistakes.length, mistakes: namesOf(mistakes.slice(0, MISTAKES_MAX)) });
}

/** The document of a stored row. Throws STATE_UNREADABLE when the row does not hold a valid one. */
export function documentOfRow(row: { readonly text: string }): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(row.text);
  } catch (cause) {
    throw fail("STATE_UNREADABLE", { table: "policy" }, cause);
  }
  const reading = readStoredDocument(value);
  if (reading.kind === "mistakes") throw fail("STATE_UNREADABLE", { table: "policy", why: namesOf(reading.mistakes) });
  return reading.document;
}

/** The policy of a stored row. Throws STATE_UNREADABLE when the row does not hold a valid document. */
export function policyOfRow(row: { readonly version: number; readonly text: string }, ownRegion: string): Policy {
  return policyOf(documentOfRow(row), row.version, ownRegion);
}

/** The policy of an empty document: what ends leases when no policy can be read. Its version is 0. */
export function defaultPolicy(ownRegion: string): Policy {
  return policyOf(policySchema.parse({}), 0, ownRegion);
}

/** JSON Schema of the document, for editors. */
export function policyJsonSchema(): Record<string, unknown> {
  return { ...z.toJSONSchema(policySchema, { io: "input" }), title: "safeport policy" };
}

function crossFieldMistakes(document: PolicyDocument): PolicyMistake[] {
  const { lease, limits, approval } = document;
  const mistakes: PolicyMistake[] = [];
  const add = (keys: readonly string[], what: string, remedy: string) =>
    mistakes.push({ path: keys.join("."), keys, what, remedy });
  if (lease.periodMin > lease.periodMax)
    add(["lease", "periodMin"], `${lease.periodMin} is above lease.periodMax (${lease.periodMax})`, "Lower it.");
  if (lease.periodMax > lease.totalMax)
    add(["lease", "periodMax"], `${lease.periodMax} is above lease.totalMax (${lease.totalMax})`, "Lower it.");
  if (limits.rulesKeptFree >= limits.rulesPerInterface)
    add(["limits", "rulesKeptFree"], "leaves no room for a lease", "Keep it below limits.rulesPerInterface.");
  if (approval.issuerMayApprove && approval.distinctIssuers)
    add(["approval", "distinctIssuers"], "is the contrary of approval.issuerMayApprove", "Set one of them.");
  return mistakes;
}

/** Two providers of one name would share their people's names, and of two entries for one provider only the first would be asked. */
function issuerMistakes({ access: { oidc } }: PolicyDocument): PolicyMistake[] {
  return (["name", "issuer"] as const).flatMap((field) =>
    oidc.flatMap((it, index): PolicyMistake[] =>
      oidc.findIndex((earlier) => earlier[field] === it[field]) === index
        ? []
        : [
            {
              path: `access.oidc[${index}].${field}`,
              keys: ["access", "oidc", index, field],
              what: `${it[field]} is that of another provider`,
              remedy: "Give each provider one entry with a name of its own.",
            },
          ],
    ),
  );
}

function mistakesOf(issue: z.core.$ZodIssue): PolicyMistake[] {
  const keys = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: pathText([...keys, key]),
      keys: [...keys, key],
      what: "is not a field of the policy",
      remedy: "Remove it or correct its spelling.",
    }));
  return [{ path: pathText(keys), keys, what: issue.message, remedy: "Correct the value." }];
}

function pathText(keys: readonly (string | number)[]): string {
  return keys.map((key, index) => (typeof key === "number" ? `[${key}]` : index === 0 ? key : `.${key}`)).join("");
}

function namesOf(mistakes: readonly PolicyMistake[]): string {
  return mistakes.map(({ path, what }) => `${path || "document"}: ${what}`).join("; ");
}

function isProxyBlock(text: string): boolean {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes("%")) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128);
}
