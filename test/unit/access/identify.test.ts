// Whom a request speaks for: own tokens, tokens of an identity provider, and the limits of trying.
import { createHmac } from "node:crypto";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { seededRandom } from "../../../local/random.ts";
import { doorkeeper } from "../../../shared/access/identify.ts";
import { OidcTokens } from "../../../shared/access/oidc.ts";
import { newTokenText } from "../../../shared/access/token.ts";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import { formatToken, hashSecret, parseToken } from "../../../shared/domain/token-text.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { createToken, readToken } from "../../../shared/store/tokens.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const START = Date.UTC(2026, 10, 5, 8, 30, 0);
const ISSUER = "https://id.example.com";
const oidc = {
  ...{ name: "corp", issuer: ISSUER, audience: "safeport", jwksUri: `${ISSUER}/keys`, principalClaim: "email" },
  rules: [
    { claim: "groups", value: "sre", roles: ["operator"] },
    { claim: "groups", value: "shop", roles: ["requester"], scope: { applications: ["shop"] } },
  ],
};
type Keys = Awaited<ReturnType<typeof generateKeyPair>>;
let rsa: Keys;
let other: Keys;
let ec: Keys;
beforeAll(async () => {
  [rsa, other, ec] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256"), generateKeyPair("ES256")]);
});

const claims = { iss: ISSUER, aud: "safeport", email: "ann@example.com", groups: ["sre"] };

async function world(access: object = {}) {
  let ms = 0;
  const tables = memoryTables(schemas);
  const published = {
    keys: [{ ...(await exportJWK(rsa.publicKey)), kid: "one" }] as object[],
    reads: 0,
    isDown: false,
    /** What is answered in the place of a key set. */
    instead: undefined as unknown,
  };
  const clock = { now: () => START + ms, monotonicMs: () => 1000 + ms };
  const keySets = {
    read: async () => {
      published.reads += 1;
      if (published.isDown) throw new Error("down");
      return published.instead ?? { keys: published.keys };
    },
  };
  const pending: Promise<unknown>[] = [];
  const policy = policyOf(policySchema.parse({ access: { oidc: [oidc], ...access } }), 1, "cn-hangzhou");
  const { identify } = doorkeeper({
    clock,
    tables,
    oidc: new OidcTokens(clock, keySets),
    later: (work) => pending.push(work),
  });
  const text = newTokenText(seededRandom("identify"));
  const { tokenId = "", secret = "" } = parseToken(text) ?? {};
  await createToken(tables, {
    ...{ tokenId, salt: "s", secretHash: hashSecret("s", secret), principal: "bob", roles: ["operator", "gone"] },
    ...{ scope: { groups: ["web"], tags: [], applications: [] }, note: "", createdAt: 0, createdBy: "root" },
    ...{ expiresAt: START * 2, revokedAt: null, replacedBy: null },
  });
  return {
    ...{ text, tokenId, tables, published, pending },
    pass: (by: number) => {
      ms += by;
    },
    who: (bearer: string | null, address = "203.0.113.7/32") =>
      identify({
        authorization: bearer === null ? null : `Bearer ${bearer}`,
        address: async () => address,
        policy: async () => policy,
      }),
    signed: (
      payload: Record<string, unknown> = {},
      key = rsa.privateKey,
      header: object = { alg: "RS256", kid: "one" },
    ) =>
      new SignJWT({
        ...claims,
        iat: Math.floor((START + ms) / 1000),
        exp: Math.floor((START + ms) / 1000) + 300,
        ...payload,
      })
        .setProtectedHeader({ alg: "RS256", ...header })
        .sign(key),
  };
}

/** Another secret for the same id, which lists and records show. */
const wrongOf = (text: string): string =>
  formatToken(Buffer.from(parseToken(text)?.tokenId ?? "", "hex"), new Uint8Array(32));

const refused = { code: "TOKEN_INVALID" };

describe("a token of safeport's own", () => {
  test("speaks for its principal, with the roles that are known, its scope, and who issued it", async () => {
    const { who, text, tokenId } = await world();
    expect(await who(text)).toEqual({
      ...{ principal: "bob", roles: ["operator"], tokenId, issuers: ["root"], tokenSince: expect.any(Number) },
      scopes: [{ groups: ["web"], tags: [], applications: [] }],
    });
    await expect(who(null)).rejects.toMatchObject({ code: "TOKEN_MISSING" });
  });

  test("is bound by what the policy says of its person too", async () => {
    const { who, text } = await world({ scopes: { bob: { tags: ["env=test"] } } });
    expect((await who(text)).scopes).toHaveLength(2);
  });

  test("is noted as used, once an hour", async () => {
    const { who, text, tokenId, tables, pending, pass } = await world();
    await who(text);
    await Promise.all(pending);
    expect(await readToken(tables, tokenId)).toMatchObject({ usedAt: START - 30 * 60_000 });
    await who(text);
    expect(pending).toHaveLength(1);
    pass(60 * 60_000);
    await who(text);
    expect(pending).toHaveLength(2);
  });

  test("tried wrongly too often is locked for its sender, and by many tries its sender is locked out, the right token too", async () => {
    const { who, text, pass } = await world({ failuresMax: 5 });
    const wrong = newTokenText(seededRandom("wrong"));
    for (let n = 0; n < 5; n++) await expect(who(wrong)).rejects.toMatchObject(refused);
    await expect(who(wrong)).rejects.toMatchObject({ code: "ATTEMPTS_TOO_MANY" });
    expect((await who(text)).principal).toBe("bob");
    for (let n = 0; n < 15; n++)
      await expect(who(newTokenText(seededRandom(`wrong ${n}`)))).rejects.toMatchObject(refused);
    await expect(who(text)).rejects.toMatchObject({ code: "ATTEMPTS_TOO_MANY" });
    expect((await who(text, "198.51.100.1/32")).principal).toBe("bob");
    pass(61_000);
    expect((await who(text)).principal).toBe("bob");
  });

  test("is not locked for its owner by whoever knows its id, from however many addresses", async () => {
    const { who, text } = await world({ failuresMax: 5 });
    const guess = wrongOf(text);
    for (let n = 0; n < 20; n++) await expect(who(guess, `198.51.100.${n}/32`)).rejects.toThrow();
    expect((await who(text)).principal).toBe("bob");
    expect((await who(text, "198.51.100.3/32")).principal).toBe("bob");
  });

  test("wrong from many addresses is slowed down, alike whether there is such a token", async () => {
    const { who, text, pass } = await world({ failuresMax: 5 });
    for (const wrong of [wrongOf(text), newTokenText(seededRandom("nobody's"))]) {
      for (let n = 0; n < 5; n++) await expect(who(wrong, `203.0.113.${n}/32`)).rejects.toMatchObject(refused);
      await expect(who(wrong, "203.0.113.99/32")).rejects.toMatchObject({ code: "ATTEMPTS_TOO_MANY" });
      pass(61_000);
      await expect(who(wrong, "203.0.113.98/32")).rejects.toMatchObject(refused);
    }
  });

  test("of an IPv6 site counts as of one address", async () => {
    const { who } = await world({ failuresMax: 5 });
    for (let n = 0; n < 20; n++)
      await expect(who(newTokenText(seededRandom(`${n}`)), `2001:db8:1:2:${n}::1/128`)).rejects.toMatchObject(refused);
    await expect(who(newTokenText(seededRandom("x")), "2001:db8:1:2:ffff::1/128")).rejects.toMatchObject({
      code: "ATTEMPTS_TOO_MANY",
    });
  });

  test("asked with too often is asked to wait", async () => {
    const { who, text } = await world({ requestsPerMinute: 10 });
    for (let n = 0; n < 10; n++) await who(text, `203.0.113.${n}/32`);
    await expect(who(text, "203.0.113.200/32")).rejects.toMatchObject({ code: "REQUESTS_TOO_MANY" });
  });
});

describe("a token of an identity provider", () => {
  test("speaks for its person, with the roles of the rules that match", async () => {
    const { who, signed } = await world();
    expect(await who(await signed())).toEqual({ principal: "corp/ann@example.com", roles: ["operator"], scopes: [] });
    const both = await who(await signed({ groups: ["shop", "sre"] }));
    expect([both.roles, both.scopes]).toEqual([["requester", "operator"], []]);
    const shop = await who(await signed({ groups: "shop" }));
    expect(shop.scopes).toEqual([{ groups: [], tags: [], applications: ["shop"] }]);
  });

  test.each<[string, Record<string, unknown>]>([
    ["expired", { exp: START / 1000 - 61 }],
    ["not good yet", { nbf: START / 1000 + 61 }],
    ["of another issuer", { iss: "https://evil.example.com" }],
    ["of an issuer that only begins alike", { iss: `${ISSUER}.evil.example.com` }],
    ["for another audience", { aud: "payroll" }],
    ["without an end", { exp: undefined }],
    ["without a person", { email: undefined }],
    ["with a person that is no text", { email: { toString: "x" } }],
    ["of somebody without a role", { groups: ["guests"] }],
    ["with groups that are no list of texts", { groups: { sre: true } }],
  ])("that is %s is refused, like any wrong token", async (_, payload) => {
    const { who, signed } = await world();
    await expect(who(await signed(payload))).rejects.toMatchObject(refused);
  });

  test("that is tried again and again is locked for its sender, and nobody else's of that address is", async () => {
    const { who, signed } = await world({ failuresMax: 5 });
    const stale = await signed({ exp: START / 1000 - 61 });
    for (let n = 0; n < 5; n++) await expect(who(stale)).rejects.toMatchObject(refused);
    for (let n = 0; n < 20; n++) await expect(who(stale)).rejects.toMatchObject({ code: "ATTEMPTS_TOO_MANY" });
    expect((await who(await signed())).principal).toBe("corp/ann@example.com");
    for (let n = 0; n < 15; n++)
      await expect(who(await signed({ exp: START / 1000 - 100 - n }))).rejects.toMatchObject(refused);
    await expect(who(await signed())).rejects.toMatchObject({ code: "ATTEMPTS_TOO_MANY" });
  });

  test("is for safeport where that is one of the audiences it names, and for nobody where it names none", async () => {
    const { who, signed } = await world();
    expect((await who(await signed({ aud: ["payroll", "safeport"] }))).principal).toBe("corp/ann@example.com");
    for (const aud of [["payroll", "safeport.example.com"], [], undefined, { safeport: true }, "safeport "])
      await expect(who(await signed({ aud }))).rejects.toMatchObject(refused);
  });

  test("by an algorithm that the policy does not name, or with a demand nobody here knows, is refused", async () => {
    const { who, signed, published } = await world();
    const pss = await generateKeyPair("PS256");
    published.keys.push({ ...(await exportJWK(pss.publicKey)), kid: "two" });
    await expect(who(await signed({}, pss.privateKey, { alg: "PS256", kid: "two" }))).rejects.toMatchObject(refused);
    const [, body = "", sign = ""] = (await signed()).split(".");
    const head = Buffer.from(JSON.stringify({ alg: "RS256", kid: "one", crit: ["b64"], b64: false })).toString(
      "base64url",
    );
    await expect(who(`${head}.${body}.${sign}`)).rejects.toMatchObject(refused);
  });

  test("that names no key is checked with the only one there is, and refused where there are two", async () => {
    const { who, signed, published, pass } = await world();
    const nameless = () => signed({}, rsa.privateKey, { kid: undefined });
    expect((await who(await nameless())).principal).toBe("corp/ann@example.com");
    expect(published.reads).toBe(1);
    published.keys.push({ ...(await exportJWK(other.publicKey)), kid: "two" });
    pass(11 * 60_000);
    await expect(who(await nameless())).rejects.toMatchObject(refused);
    expect((await who(await signed())).principal).toBe("corp/ann@example.com");
  });

  test("may be off by the tolerance of the clock", async () => {
    const { who, signed } = await world();
    expect((await who(await signed({ exp: START / 1000 - 59 }))).principal).toBe("corp/ann@example.com");
  });

  test("without a signature, or with one of a key that is not published, is refused", async () => {
    const { who, signed } = await world();
    const [, body = ""] = (await signed()).split(".");
    const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    for (const alg of ["none", "None", "NONE", ""])
      for (const signature of ["", "AAAA"])
        await expect(who(`${b64({ alg, kid: "one" })}.${body}.${signature}`)).rejects.toMatchObject(refused);
    await expect(who(await signed({}, other.privateKey))).rejects.toMatchObject(refused);
    const altered = b64({ ...claims, groups: ["sre", "admin"], exp: START / 1000 + 60, iat: START / 1000 });
    const [head, , sign] = (await signed()).split(".");
    await expect(who(`${head}.${altered}.${sign}`)).rejects.toMatchObject(refused);
  });

  test("signed with the public key as if it were a secret is refused, and so is a secret in the key set", async () => {
    const { who, signed, published } = await world();
    const [, body = ""] = (await signed()).split(".");
    const head = Buffer.from(JSON.stringify({ alg: "HS256", kid: "one" })).toString("base64url");
    for (const secret of [await exportSPKI(rsa.publicKey), JSON.stringify(await exportJWK(rsa.publicKey)), ""]) {
      const sign = createHmac("sha256", secret).update(`${head}.${body}`).digest("base64url");
      await expect(who(`${head}.${body}.${sign}`)).rejects.toMatchObject(refused);
    }
    published.keys.push({ kty: "oct", k: "c2VjcmV0", kid: "two", alg: "HS256" });
    const own = Buffer.from(JSON.stringify({ alg: "HS256", kid: "two" })).toString("base64url");
    const sign = createHmac("sha256", "secret").update(`${own}.${body}`).digest("base64url");
    await expect(who(`${own}.${body}.${sign}`)).rejects.toMatchObject(refused);
  });

  test("brings no keys of its own", async () => {
    const { who, signed } = await world();
    const jwk = await exportJWK(other.publicKey);
    for (const header of [{ jwk }, { jku: "https://evil.example.com/keys" }, { x5u: "https://evil.example.com/c" }])
      await expect(who(await signed({}, other.privateKey, { ...header, kid: "one" }))).rejects.toMatchObject(refused);
  });

  test("with a key that is new is taken after one more reading, and a made-up key id makes no more than one", async () => {
    const { who, signed, published, pass } = await world();
    await who(await signed());
    await who(await signed());
    expect(published.reads).toBe(1);
    published.keys = [{ ...(await exportJWK(ec.publicKey)), kid: "two" }];
    pass(31_000);
    const rotated = await signed({}, ec.privateKey, { alg: "ES256", kid: "two" });
    expect((await who(rotated)).principal).toBe("corp/ann@example.com");
    expect(published.reads).toBe(2);
    for (let n = 0; n < 5; n++)
      await expect(who(await signed({}, rsa.privateKey, { kid: `made-up-${n}` }))).rejects.toMatchObject(refused);
    expect(published.reads).toBe(2);
    // The old key is not published any more.
    await expect(who(await signed())).rejects.toMatchObject(refused);
  });

  test("is checked with the keys from before while the provider does not answer, and without any is answered so", async () => {
    const { who, signed, published, pass } = await world();
    published.isDown = true;
    await expect(who(await signed())).rejects.toMatchObject({ code: "KEYS_UNAVAILABLE" });
    published.isDown = false;
    pass(31_000);
    await who(await signed());
    published.isDown = true;
    pass(11 * 60_000);
    expect((await who(await signed())).principal).toBe("corp/ann@example.com");
  });

  test.each([
    ["no JSON", "<html>a moment, please</html>"],
    ["no key set", { error: "busy" }],
  ])(
    "is checked with the keys from before while the provider answers what is %s, and without any is answered so",
    async (_, instead) => {
      const { who, signed, published, pass } = await world();
      published.instead = instead;
      await expect(who(await signed())).rejects.toMatchObject({ code: "KEYS_UNAVAILABLE" });
      published.instead = undefined;
      pass(31_000);
      await who(await signed());
      published.instead = instead;
      pass(11 * 60_000);
      expect((await who(await signed())).principal).toBe("corp/ann@example.com");
      published.instead = undefined;
      pass(31_000);
      expect((await who(await signed())).principal).toBe("corp/ann@example.com");
    },
  );

  test("is no token where the policy names no provider, or is larger than any", async () => {
    const { who, signed } = await world({ oidc: [] });
    await expect(who(await signed())).rejects.toMatchObject(refused);
    const big = await world();
    await expect(big.who(await big.signed({ more: "x".repeat(20_000) }))).rejects.toMatchObject(refused);
    await expect(big.who("a.b.c")).rejects.toMatchObject(refused);
  });
});
