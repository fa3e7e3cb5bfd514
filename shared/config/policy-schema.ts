// From the text of a policy to the policy in force: what is wrong with it, and what it says.
import type * as z from "zod/mini";
import english from "zod/v4/locales/en.js";
import { POLICY_BYTES_MAX, type Policy } from "../domain/policy.ts";
import { fail } from "../errors/app-error.ts";
import { type PolicyDocument, policySchema } from "./document-schema.ts";
import { policyOf } from "./policy-values.ts";

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
  const mistakes = [...issuerMistakes(reading.document), ...sizeMistakes(reading.document)];
  return mistakes.length > 0 ? { kind: "mistakes", mistakes } : reading;
}

/** What is accepted once can be read, changed and sent again. */
function sizeMistakes(document: PolicyDocument): readonly PolicyMistake[] {
  const bytes = Buffer.byteLength(JSON.stringify(document));
  if (bytes <= POLICY_BYTES_MAX) return [];
  const what = `has ${bytes} bytes of JSON with every default filled in; ${POLICY_BYTES_MAX} are accepted`;
  return [{ path: "", keys: [], what, remedy: "Grant to roles and groups rather than one by one." }];
}

/** The same of one that is in force: what has come to be refused since leaves nobody without a policy. */
function readStoredDocument(value: unknown): PolicyReading {
  const parsed = policySchema.safeParse(value ?? {}, { error: words });
  if (!parsed.success) return { kind: "mistakes", mistakes: parsed.error.issues.flatMap(mistakesOf) };
  const crossed = crossFieldMistakes(parsed.data);
  return crossed.length > 0 ? { kind: "mistakes", mistakes: crossed } : { kind: "ok", document: parsed.data };
}

/** What is wrong with a value where the schema does not say it itself: `zod/mini` brings no words. */
const words = english().localeError;

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
export function documentOfRow(row: { readonly version: number; readonly text: string }): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(row.text);
  } catch (cause) {
    throw fail("STATE_UNREADABLE", { table: "policy", key: `policy ${row.version}` }, cause);
  }
  const reading = readStoredDocument(value);
  if (reading.kind === "mistakes")
    throw fail("STATE_UNREADABLE", {
      ...{ table: "policy", key: `policy ${row.version}`, why: namesOf(reading.mistakes) },
    });
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
