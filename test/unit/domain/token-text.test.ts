// How tokens are written and read. What is kept of them, and who is let in, is in `test/unit/access/token.test.ts`.
import { expect, test } from "vitest";
import { formatToken, hashSecret, parseToken, TOKEN_BYTES } from "../../../shared/domain/token-text.ts";

const id = Uint8Array.from({ length: TOKEN_BYTES.id }, (_, at) => at * 31);
const secret = Uint8Array.from({ length: TOKEN_BYTES.secret }, (_, at) => 255 - at * 7);
const tokenOf = () => formatToken(id, secret);

// The checksums were reckoned with zlib's CRC-32.
test.each([
  [id, secret, "46BBch"],
  [new Uint8Array(8), new Uint8Array(32), "27QEvx"],
  [new Uint8Array(8).fill(255), new Uint8Array(32).fill(255), "4LMeGb"],
])("a token is prefix, id, secret and the CRC-32 of all that", (id, secret, sum) => {
  const start = `spt_${Buffer.from(id).toString("hex")}_${Buffer.from(secret).toString("base64url")}`;
  expect(formatToken(id, secret)).toBe(start + sum);
});

test("its bytes of chance are as many as its text has room for", () => {
  expect(TOKEN_BYTES).toEqual({ id: 8, secret: 32, salt: 16 });
  expect(parseToken(tokenOf())).toEqual({
    tokenId: Buffer.from(id).toString("hex"),
    secret: Buffer.from(secret).toString("base64url"),
  });
});

test.each<[string, (token: string) => string]>([
  ["nothing", () => ""],
  ["a blank", () => " "],
  ["one with something before it", (token) => `x${token}`],
  ["one with something behind it", (token) => `${token}x`],
  ["a part of one", (token) => token.slice(0, -1)],
  ["a line", (token) => `${token}\n`],
  ["one in capitals", (token) => token.toUpperCase()],
  ["two", (token) => token + token],
  ["one with another checksum", (token) => `${token.slice(0, -1)}${token.endsWith("0") ? "1" : "0"}`],
])("none is %s", (_what, changed) => {
  expect(parseToken(changed(tokenOf()))).toBeNull();
});

test("a secret is kept as SHA-256 of salt and secret", () => {
  expect(hashSecret("a", "bc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
