// People of a company's identity provider, on the built program: keys are read over the wire, and what is wrong lets nobody in.
import { createHmac } from "node:crypto";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type ApiAnswer, type Deployed, deploy } from "../kit/deployed.ts";
import { IdentityProvider } from "../kit/identity-provider.ts";

const AUDIENCE = "safeport";
let world: Deployed;
let corp: IdentityProvider;
let other: IdentityProvider;

beforeAll(async () => {
  [corp, other] = await Promise.all([IdentityProvider.start(), IdentityProvider.start()]);
  const issuer = (name: string, { issuer: at }: IdentityProvider) =>
    `    - { name: ${name}, issuer: "${at}", audience: ${AUDIENCE}, jwksUri: "${at}/keys", principalClaim: email, clockTolerance: 60, rules: [{ claim: groups, value: sre, roles: [operator] }] }`;
  world = await deploy({
    policy: [
      "defaultTarget: lab",
      "access:",
      "  failuresMax: 1000",
      "  oidc:",
      issuer("corp", corp),
      issuer("other", other),
    ].join("\n"),
    environment: { SAFEPORT_NOTIFY_PRIVATE_HOSTS: `${corp.host},${other.host}` },
  });
});
afterAll(async () => {
  await world?.stop();
  await Promise.all([corp?.stop(), other?.stop()]);
});
beforeEach(() => {
  corp.manner = "well";
  corp.published = ["one"];
});

const seconds = (): number => Math.floor(world.cloud.clock.now() / 1000);
const claims = (more: Readonly<Record<string, unknown>> = {}) => ({
  ...{ iss: corp.issuer, aud: AUDIENCE, email: "ann@example.com", groups: ["sre"], iat: seconds() },
  ...{ exp: seconds() + 300, ...more },
});
const leases = (token: string): Promise<ApiAnswer> => world.api("GET", "/v1/leases", { token });
const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("a person of the provider opens a port in the person's own name", async () => {
  const token = await corp.sign(claims());
  const body = { port: 9100, period: 60, group: "lab", reason: "a look" };
  const opened = await world.api("POST", "/v1/leases", { token, body });
  expect([opened.status, opened.body]).toMatchObject([201, { state: "open", principal: "corp/ann@example.com" }]);
  const { body: trail } = await world.api("GET", "/v1/records", { token });
  expect(trail.records[0]).toMatchObject({ actor: "corp/ann@example.com", from: "127.0.0.1/32" });
  expect(corp.asked).toEqual(["/keys"]);
  // Roles are the policy's to give.
  expect((await world.api("POST", "/v1/tokens", { token, body: { principal: "x", roles: ["admin"] } })).status).toBe(
    403,
  );
});

test("what is wrong with a token is not told, and lets nobody in", async () => {
  const good = await corp.sign(claims());
  const [head = "", payload = "", signature = ""] = good.split(".");
  const confused = (secret: string): string => {
    const text = `${b64({ alg: "HS256", kid: "one" })}.${payload}`;
    return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
  };
  const wrong: Readonly<Record<string, string | Promise<string>>> = {
    "another issuer": corp.sign(claims({ iss: "https://id.example.com" })),
    "the other provider's name with this one's key": corp.sign(claims({ iss: other.issuer })),
    "another audience": corp.sign(claims({ aud: "payroll" })),
    "expired beyond the tolerance": corp.sign(claims({ exp: seconds() - 61 })),
    "not good before long": corp.sign(claims({ nbf: seconds() + 70 })),
    "no end": corp.sign(claims({ exp: undefined })),
    "a key that is not published": corp.sign(claims(), "never-published"),
    "a key of its own in the header": corp.sign(claims(), "never-published", {
      kid: "one",
      jwk: corp.publicKey("never-published"),
    }),
    "keys from elsewhere": corp.sign(claims(), "never-published", { kid: "x", jku: `${other.issuer}/keys` }),
    "alg none": `${b64({ alg: "none", kid: "one" })}.${payload}.`,
    "alg none, with a signature": `${b64({ alg: "none", kid: "one" })}.${payload}.${signature}`,
    "the public key as a secret": confused(JSON.stringify(corp.publicKey("one"))),
    "the modulus as a secret": confused(String(corp.publicKey("one")?.n)),
    "another payload under the signature": `${head}.${b64(claims({ email: "root@example.com" }))}.${signature}`,
    "nobody's role": corp.sign(claims({ groups: ["guests"] })),
    "no token at all": "a.b.c",
  };
  const answers = new Set<string>();
  for (const [what, token] of Object.entries(wrong)) {
    const { status, body } = await leases(await token);
    expect([what, status, body.code]).toEqual([what, 401, "TOKEN_INVALID"]);
    answers.add(JSON.stringify({ ...body, requestId: "" }));
  }
  expect(answers.size).toBe(1);
  expect((await leases(good)).status).toBe(200);
  expect((await leases(await corp.sign(claims({ exp: seconds() - 30 })))).status).toBe(200);
});

test("keys are rotated: a process that begins takes the new one, and the old one is good no more", async () => {
  expect((await leases(await corp.sign(claims()))).status).toBe(200);
  corp.published = ["two"];
  world.cloud.functions.registry.kill("api");
  const asked = corp.asked.length;
  expect((await leases(await corp.sign(claims(), "two"))).status).toBe(200);
  expect((await leases(await corp.sign(claims()))).body.code).toBe("TOKEN_INVALID");
  // Made-up names of keys make it read no more often.
  for (let n = 0; n < 5; n++) await leases(await corp.sign(claims(), "two", { kid: `made-up-${n}` }));
  expect(corp.asked.length - asked).toBe(1);
});

test("a provider that is broken, or sends elsewhere, lets nobody in and is followed nowhere", async () => {
  const token = await other.sign(claims({ iss: other.issuer }));
  for (const manner of ["broken", "elsewhere"] as const) {
    other.manner = manner;
    world.cloud.functions.registry.kill("api");
    const { status, body } = await leases(token);
    expect([status, body.code]).toEqual([503, "KEYS_UNAVAILABLE"]);
  }
  expect(other.asked).not.toContain("/elsewhere");
  other.manner = "well";
  world.cloud.functions.registry.kill("api");
  expect((await leases(token)).status).toBe(200);
});

test("no token of the provider is in a log", async () => {
  const lines = JSON.stringify(world.cloud.functions.registry.logs().lines());
  expect(lines).not.toMatch(/eyJ[A-Za-z0-9_-]{20,}\./);
});
