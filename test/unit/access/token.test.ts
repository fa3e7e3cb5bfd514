// Access tokens: what is kept, who is let in.
import { describe, expect, test } from "vitest";
import { authenticate, issueToken, newTokenText, parseTokenText } from "../../../shared/access/token.ts";
import type { Columns, Row, Tables } from "../../../shared/ports/tables.ts";

const NOW = 1_000_000;
const random = (() => {
  let next = 0;
  return {
    bytes: (length: number) => Uint8Array.from({ length }, () => (next = (next * 73 + 41) % 251)),
    fraction: () => 0.5,
  };
})();

interface Kept {
  readonly rows: Map<string, Columns>;
  readonly tables: Tables;
}

function keptTables(): Kept {
  const rows = new Map<string, Columns>();
  const tables = {
    get: async (table: string, key: Row["key"]) => {
      const columns = rows.get(JSON.stringify([table, ...key]));
      return columns === undefined ? null : { key, columns };
    },
    put: async (table: string, key: Row["key"], columns: Columns) => {
      rows.set(JSON.stringify([table, ...key]), columns);
      return "written" as const;
    },
  } as unknown as Tables;
  return { rows, tables };
}

const grant = { principal: "zhang", roles: ["requester" as const], expiresAt: NOW + 1 };

describe("tokens", () => {
  test("an issued token speaks for its principal until the instant it expires", async () => {
    const { tables } = keptTables();
    const text = await issueToken(tables, random, grant);
    expect(text).toMatch(/^spt_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
    const identity = { principal: "zhang", roles: ["requester"], scopes: [] };
    expect(await authenticate(tables, `Bearer ${text}`, NOW)).toEqual(identity);
    expect(await authenticate(tables, `bearer  ${text} `, NOW)).toEqual(identity);
    await expect(authenticate(tables, `Bearer ${text}`, NOW + 1)).rejects.toMatchObject({ code: "TOKEN_INVALID" });
  });

  test("only a hash of the secret is kept", async () => {
    const { rows, tables } = keptTables();
    const text = await issueToken(tables, random, grant);
    const secret = parseTokenText(text)?.secret ?? "none";
    expect(JSON.stringify([...rows])).not.toContain(secret);
    expect(JSON.stringify([...rows])).toContain("zhang");
  });

  test("two tokens differ", () => {
    expect(newTokenText(random)).not.toBe(newTokenText(random));
  });

  test("a wrong secret of a known id is refused like an unknown id", async () => {
    const { tables } = keptTables();
    const text = await issueToken(tables, random, grant);
    const other = newTokenText(random);
    const forged = `spt_${parseTokenText(text)?.tokenId}_${parseTokenText(other)?.secret}`;
    for (const wrong of [forged, other, "spt_x", `${text}x`, text.toUpperCase()])
      await expect(authenticate(tables, `Bearer ${wrong}`, NOW)).rejects.toMatchObject({ code: "TOKEN_INVALID" });
  });

  test("no bearer token is missing, whatever else the header says", async () => {
    const { tables } = keptTables();
    for (const header of [null, "", "Bearer", "Bearer ", "Basic abc", "spt_x"])
      await expect(authenticate(tables, header, NOW)).rejects.toMatchObject({ code: "TOKEN_MISSING" });
  });

  test("a role nobody knows any more gives no right", async () => {
    const { tables, rows } = keptTables();
    const text = await issueToken(tables, random, grant);
    for (const [key, columns] of rows)
      rows.set(key, JSON.parse(JSON.stringify(columns).replaceAll("requester", "superuser")));
    expect(await authenticate(tables, `Bearer ${text}`, NOW)).toEqual({ principal: "zhang", roles: [], scopes: [] });
  });
});
