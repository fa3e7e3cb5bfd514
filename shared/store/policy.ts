// The policy: a versioned row; the highest version is in force.
import type { Tables, WriteOutcome } from "../ports/tables.ts";

const NAME = "policy";

/** The policy in force as JSON text, or null before setup. */
export async function readPolicy(tables: Tables): Promise<{ version: number; text: string } | null> {
  const page = await tables.range({ table: "policy", from: [NAME], to: [`${NAME}\u0001`], reverse: true, limit: 1 });
  const row = page.rows[0];
  return row ? { version: Number(row.key[1]), text: String(row.columns["text"]) } : null;
}

/** Writes version 1; `conflict` when a policy exists. */
export function writeFirstPolicy(tables: Tables, text: string): Promise<WriteOutcome> {
  return tables.put("policy", [NAME, 1], { text }, { kind: "absent" });
}
