// Access tokens: only salted hashes of their secrets are stored.
import { PROGRAM_NAMES } from "../domain/grant-policy.ts";
import { ROLES } from "../domain/permission.ts";
import type { Scope } from "../domain/scope.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { readable, shapedColumn } from "./row-shape.ts";

/** A token. Instants in milliseconds. */
export interface TokenRow {
  readonly tokenId: string;
  readonly salt: string;
  /** See `hashSecret`. */
  readonly secretHash: string;
  readonly principal: string;
  readonly roles: readonly string[];
  /** What part of the account it is for; null for all. */
  readonly scope: Scope | null;
  readonly note: string;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Who issued it, who issued the token that was used for that, and so on; rows of earlier versions have `createdBy` alone. */
  readonly issuers?: readonly string[];
  /** Since when its holder has had one that this one came to replace, by the holder's own hand; absent where it replaced none: `createdAt`. */
  readonly since?: number;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
  /** The token it was replaced by; it goes on until `expiresAt`. */
  readonly replacedBy: string | null;
}

/** A token as it was read. */
export interface StoredToken extends TokenRow {
  /** When it was last used, to the hour; null for never. */
  readonly usedAt: number | null;
  readonly rev: number;
}

/** What rows of earlier versions do not have. */
const EARLIER = {
  salt: "",
  scope: null,
  note: "",
  createdAt: 0,
  createdBy: "setup",
  revokedAt: null,
  replacedBy: null,
};

function tokenOf({ columns }: Row): StoredToken {
  const told = shapedColumn<TokenRow>(columns["body"], "token", {
    ...{
      tokenId: "text",
      secretHash: "text",
      principal: "text",
      roles: "texts",
      expiresAt: "number",
      scope: "object?",
    },
  });
  const body = { ...EARLIER, ...told };
  const usedAt = columns["usedAt"] === undefined ? null : Number(columns["usedAt"]);
  return { ...body, usedAt, rev: Number(columns["rev"] ?? 0) };
}

export async function readToken(tables: Tables, tokenId: string): Promise<StoredToken | null> {
  const row = await tables.get("token", [tokenId]);
  return row ? tokenOf(row) : null;
}

/** Whom a token speaks for, with the roles that are known. Whether it is good is another question: `isGood`. */
export function identityOf({ principal, tokenId, scope, createdBy, issuers = [createdBy], ...token }: StoredToken) {
  const roles = ROLES.filter((role) => token.roles.includes(role));
  // Who may run setup could write the rows of tokens: that one is new says nothing.
  const tokenSince = PROGRAM_NAMES.includes(createdBy) ? undefined : (token.since ?? token.createdAt);
  return { principal, roles, scopes: scope === null ? [] : [scope], tokenId, issuers, tokenSince };
}

/** Neither revoked nor expired. */
export const isGood = ({ revokedAt, expiresAt }: StoredToken, now: number): boolean =>
  revokedAt === null && expiresAt > now;

/** Stores a new token; false when its id exists. */
export async function createToken(tables: Tables, token: TokenRow): Promise<boolean> {
  const columns = { body: JSON.stringify(token), rev: 1 };
  return (await tables.put("token", [token.tokenId], columns, { kind: "absent" })) === "written";
}

/** Changes a token unless somebody has since it was read; true when it did. */
export async function changeToken(tables: Tables, read: StoredToken, change: Partial<TokenRow>): Promise<boolean> {
  const { usedAt: _, rev, ...body } = read;
  const columns = { body: JSON.stringify({ ...body, ...change }), rev: rev + 1 };
  // Rows of earlier versions have no such column.
  const condition =
    rev === 0 ? ({ kind: "present" } as const) : ({ kind: "equals", column: "rev", value: rev } as const);
  return (await tables.update("token", [read.tokenId], columns, condition)) === "written";
}

/** Notes that a token was used in an hour. A token that is gone stays gone. */
export async function touchToken(tables: Tables, tokenId: string, usedAt: number): Promise<void> {
  await tables.update("token", [tokenId], { usedAt }, { kind: "present" });
}

/** Tokens in the order of their ids, at most `limit`; `after` continues a page. `unreadable` are ids of those that cannot be read. */
export async function listTokens(
  tables: Tables,
  query: { readonly after: string | null; readonly limit: number },
): Promise<{
  readonly tokens: readonly StoredToken[];
  readonly unreadable: readonly string[];
  readonly next: string | null;
}> {
  const { after, limit } = query;
  const page = await tables.range({ table: "token", from: [after === null ? "" : `${after}\u0001`], to: null, limit });
  const last = page.rows.at(-1);
  const { items, unreadable } = readable(page.rows, tokenOf);
  return {
    tokens: items,
    unreadable: unreadable.map(([tokenId]) => String(tokenId)),
    next: page.more && last ? String(last.key[0]) : null,
  };
}
