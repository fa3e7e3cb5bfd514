// Access tokens: how they are written, what is kept, who is let in.
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../local/random.ts";
import { checkToken, newTokenText } from "../../../shared/access/token.ts";
import { formatToken, hashSecret, parseToken } from "../../../shared/domain/token-text.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { changeToken, createToken, readToken, type TokenRow } from "../../../shared/store/tokens.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const NOW = 1_000_000;
const random = seededRandom("tokens");

async function issued(change: Partial<TokenRow> = {}) {
  const tables = memoryTables(schemas);
  const text = newTokenText(random);
  const { tokenId = "", secret = "" } = parseToken(text) ?? {};
  await createToken(tables, {
    ...{ tokenId, salt: "ab", secretHash: hashSecret("ab", secret), principal: "zhang", roles: ["requester"] },
    ...{
      scope: null,
      note: "",
      createdAt: 0,
      createdBy: "root",
      expiresAt: NOW + 1,
      revokedAt: null,
      replacedBy: null,
    },
    ...change,
  });
  return { tables, text, tokenId, secret };
}

describe("a token's text", () => {
  test("has a prefix, an id, a secret and a checksum", () => {
    expect(newTokenText(random)).toMatch(/^spt_[0-9a-f]{16}_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/);
    expect(newTokenText(random)).not.toBe(newTokenText(random));
  });

  test("ends in the CRC-32 of what is before it", () => {
    // The check value of CRC-32 for "123456789" is cbf43926; this text was reckoned with another implementation.
    const text = formatToken(new Uint8Array(8), new Uint8Array(32));
    expect(text).toBe(`spt_0000000000000000_${"A".repeat(43)}${text.slice(-6)}`);
    expect(parseToken(text)).toEqual({ tokenId: "0".repeat(16), secret: "A".repeat(43) });
  });

  test("with any one character changed is none", () => {
    const text = newTokenText(random);
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.constantFrom(..."0aZ_-"), (at, other) => {
        fc.pre(text[at] !== other);
        expect(parseToken(text.slice(0, at) + other + text.slice(at + 1))).toBeNull();
      }),
    );
  });
});

describe("tokens", () => {
  test("let in until the instant they expire", async () => {
    const { tables, text } = await issued();
    expect(await checkToken(tables, text, NOW)).toMatchObject({ principal: "zhang" });
    expect(await checkToken(tables, text, NOW + 1)).toBeNull();
  });

  test("are kept as a salted hash", async () => {
    const { tables, tokenId, secret } = await issued();
    const kept = JSON.stringify(await readToken(tables, tokenId));
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain(hashSecret("", secret));
    expect(kept).toContain(hashSecret("ab", secret));
  });

  test("with a wrong secret, an unknown id or another form let nobody in, nor do revoked ones", async () => {
    const { tables, text, tokenId } = await issued();
    const other = parseToken(newTokenText(random));
    expect(await checkToken(tables, formatToken(Buffer.from(tokenId, "hex"), new Uint8Array(32)), NOW)).toBeNull();
    expect(await checkToken(tables, newTokenText(random), NOW)).toBeNull();
    expect(await checkToken(tables, `spt_${other?.tokenId}`, NOW)).toBeNull();
    const kept = await readToken(tables, tokenId);
    expect(kept && (await changeToken(tables, kept, { revokedAt: NOW }))).toBe(true);
    expect(await checkToken(tables, text, NOW)).toBeNull();
  });

  test("are changed by one at a time", async () => {
    const { tables, tokenId } = await issued();
    const kept = await readToken(tables, tokenId);
    if (kept === null) throw new Error("no token");
    expect(await changeToken(tables, kept, { revokedAt: NOW })).toBe(true);
    expect(await changeToken(tables, kept, { expiresAt: NOW * 2 })).toBe(false);
    expect(await readToken(tables, tokenId)).toMatchObject({ revokedAt: NOW, expiresAt: NOW + 1 });
  });
});
