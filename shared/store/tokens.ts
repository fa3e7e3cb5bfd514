// Access tokens: only hashes of their secrets are stored.
import type { Tables } from "../ports/tables.ts";
import { parseColumn } from "./spec-json.ts";

export interface TokenRow {
  readonly tokenId: string;
  /** Hex SHA-256 of the secret part. */
  readonly secretHash: string;
  readonly principal: string;
  readonly roles: readonly string[];
  readonly expiresAt: number;
}

export async function readToken(tables: Tables, tokenId: string): Promise<TokenRow | null> {
  const row = await tables.get("token", [tokenId]);
  return row ? (parseColumn(row.columns["body"], "token") as TokenRow) : null;
}

export async function putToken(tables: Tables, token: TokenRow): Promise<void> {
  await tables.put("token", [token.tokenId], { body: JSON.stringify(token) }, { kind: "none" });
}
