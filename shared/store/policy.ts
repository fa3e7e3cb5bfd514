// The policy: versioned rows, the highest of which is in force, and one version that waits for a second person.
import { fail } from "../errors/app-error.ts";
import type { Condition, Row, Tables, WriteOutcome } from "../ports/tables.ts";
import { listColumn, withKey } from "./row-shape.ts";

const NAME = "policy";
const PENDING = ["pending", 0] as const;

/** One version of the policy as it is kept. Instants in milliseconds. */
export interface PolicyRow {
  readonly version: number;
  /** The checked document as JSON text. */
  readonly text: string;
  /** Null for the first version, which setup wrote. */
  readonly by: string | null;
  /** Who confirmed it, where it needed a second person. */
  readonly confirmedBy: string | null;
  readonly at: number | null;
  readonly reason: string;
}

/** What a build has noted on a version once it had checked it. */
export interface CheckedPolicy {
  /** Says which build it was, and of which document. */
  readonly mark: string;
  /** The document as JSON text, with what that build adds to it; null where that is nothing. */
  readonly filled: string | null;
}

/** A version as it is read. */
export interface StoredPolicy extends PolicyRow {
  readonly checked: CheckedPolicy | null;
}

/** A version that waits for its confirmation. */
export interface PendingPolicy {
  /** The version it was compared with; another in force makes it void. */
  readonly base: number;
  readonly text: string;
  readonly digest: string;
  readonly by: string;
  /** Who issued the token it was asked with, as in `Caller`; none in rows of earlier versions. */
  readonly issuers: readonly string[];
  /** The token it was asked with; null for a company's own, and in rows of earlier versions. */
  readonly tokenId: string | null;
  readonly at: number;
  readonly until: number;
  readonly reason: string;
}

/** The newest versions, the one in force first. */
export async function listPolicies(tables: Tables, limit: number): Promise<readonly StoredPolicy[]> {
  const page = await tables.range({ table: "policy", from: [NAME], to: [`${NAME}\u0001`], reverse: true, limit });
  return page.rows.map(policyRowOf);
}

/** The policy in force as JSON text, or null before setup. */
export async function readPolicy(tables: Tables): Promise<PolicyRow | null> {
  return (await listPolicies(tables, 1))[0] ?? null;
}

/** One version, or null. */
export async function getPolicy(tables: Tables, version: number): Promise<PolicyRow | null> {
  const row = await tables.get("policy", [NAME, version]);
  return row ? policyRowOf(row) : null;
}

/** Writes version 1; `conflict` when a policy exists. */
export function writeFirstPolicy(tables: Tables, text: string): Promise<WriteOutcome> {
  return tables.put("policy", [NAME, 1], { text }, { kind: "absent" });
}

/** Writes a version; `conflict` when it exists. */
export function writePolicy(tables: Tables, row: PolicyRow & { readonly at: number }): Promise<WriteOutcome> {
  const { version, text, by, confirmedBy, at, reason } = row;
  const columns = { text, by: by ?? "", confirmedBy: confirmedBy ?? "", at, reason };
  return tables.put("policy", [NAME, version], columns, { kind: "absent" });
}

/** Notes on a version that a build has checked it, in the place of any note before. */
export async function noteChecked(tables: Tables, version: number, { mark, filled }: CheckedPolicy): Promise<void> {
  await tables.update("policy", [NAME, version], { mark, filled: filled ?? "" }, { kind: "present" });
}

/** The version that waits, or null. */
export async function readPending(tables: Tables): Promise<PendingPolicy | null> {
  const row = await tables.get("policy", PENDING);
  return row && pendingOf(row);
}

const pendingOf = withKey(({ columns }): PendingPolicy => {
  const { base, text, digest, by, at, until, reason, tokenId } = columns;
  const issuers = listColumn<string>(columns["issuers"] ?? "[]", "policy", "texts");
  if (typeof base !== "number" || typeof at !== "number" || typeof until !== "number")
    throw fail("STATE_UNREADABLE", { table: "policy" });
  return {
    base,
    at,
    until,
    text: String(text),
    digest: String(digest),
    by: String(by),
    issuers,
    tokenId: tokenId ? String(tokenId) : null,
    reason: String(reason),
  };
});

/** Has this version wait, and no other. */
export async function writePending(tables: Tables, pending: PendingPolicy): Promise<void> {
  await tables.put(
    "policy",
    PENDING,
    { ...pending, issuers: JSON.stringify(pending.issuers), tokenId: pending.tokenId ?? "" },
    { kind: "none" },
  );
}

/** Nothing waits any longer; of another version than that of `digest` it is left. Null is for whatever it is. */
export async function deletePending(tables: Tables, digest: string | null): Promise<void> {
  const condition: Condition = digest === null ? { kind: "none" } : { kind: "equals", column: "digest", value: digest };
  await tables.delete("policy", PENDING, condition);
}

function policyRowOf({ key, columns }: Row): StoredPolicy {
  const { text, by, confirmedBy, at, reason, mark, filled } = columns;
  return {
    version: Number(key[1]),
    text: String(text),
    by: by ? String(by) : null,
    confirmedBy: confirmedBy ? String(confirmedBy) : null,
    at: typeof at === "number" ? at : null,
    reason: reason ? String(reason) : "",
    checked: mark ? { mark: String(mark), filled: filled ? String(filled) : null } : null,
  };
}
