// What an installation needs before its first request: tables, a policy, tokens. Repeating it changes nothing that is there.
import { fail } from "../../errors/app-error.ts";
import type { Tables } from "../../ports/tables.ts";
import { claimTables, otherOwner, readOwnership } from "../../store/due.ts";
import { writeFirstPolicy } from "../../store/policy.ts";
import { schemas } from "../../store/tables.ts";
import { changeToken, createToken, readToken, type TokenRow } from "../../store/tokens.ts";

/** What setup is to leave behind. */
export interface SetUpOrder {
  /** Whose the tables are from now on. */
  readonly installation: string;
  /** The checked policy document as JSON text; used only where no policy is stored yet. */
  readonly policyText: string;
  readonly tokens: readonly TokenRow[];
}

/** What setup did. */
export interface SetUpReport {
  readonly tables: readonly string[];
  /** `kept`: a policy was there and stays in force, whatever the file says. */
  readonly policy: "written" | "kept";
  readonly tokens: number;
}

/** Creates missing tables, claims them, writes policy version 1 unless there is one, and keeps the tokens' hashes. Throws where they are another's. */
export async function setUp(tables: Tables, order: SetUpOrder): Promise<SetUpReport> {
  const { installation } = order;
  await tables.createTables(schemas);
  const other = otherOwner(await readOwnership(tables), installation);
  if (other !== null || !(await claimTables(tables, installation)))
    throw fail("STATE_OF_ANOTHER", { other: other ?? "another", own: installation });
  const policy = await writeFirstPolicy(tables, order.policyText);
  for (const token of order.tokens) await keepToken(tables, token);
  return {
    tables: schemas.map((schema) => schema.name),
    policy: policy === "written" ? "written" : "kept",
    tokens: order.tokens.length,
  };
}

/** A token that is there lives on until the new instant; one that was revoked stays revoked. */
async function keepToken(tables: Tables, token: TokenRow): Promise<void> {
  for (;;) {
    const kept = await readToken(tables, token.tokenId);
    if (kept?.revokedAt != null) return;
    const { expiresAt, salt, secretHash } = token;
    const isDone = kept
      ? await changeToken(tables, kept, { expiresAt, salt, secretHash })
      : await createToken(tables, token);
    if (isDone) return;
  }
}
