// Tokens over HTTP, on the deployed program: issued, scoped, rotated, revoked, and tried wrongly.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { answersOf } from "../../shared/http/answers.ts";
import { type ApiAnswer, type ApiInput, type Deployed, deploy } from "../kit/deployed.ts";

const HOUR_MS = 3_600_000;
let world: Deployed;

beforeAll(async () => {
  world = await deploy();
});
afterAll(() => world?.stop());

const as = (token: string, method: string, path: string, input: ApiInput = {}): Promise<ApiAnswer> =>
  world.api(method, path, { token, ...input });
const admin = (method: string, path: string, body?: object): Promise<ApiAnswer> =>
  as(world.tokens.admin, method, path, body === undefined ? {} : { body });

async function issued(fields: object = {}): Promise<{ id: string; token: string }> {
  const { status, body } = await admin("POST", "/v1/tokens", { principal: "ann", roles: ["requester"], ...fields });
  expect([status, body]).toEqual([201, expect.objectContaining({ state: "good" })]);
  expect(answersOf("issueToken")[201]?.parse(body)).toEqual(body);
  return body;
}

const LEASE = { body: { port: 9400, period: 600, group: "lab" } };

describe("a token", () => {
  test("is issued, shown once, speaks for its person, and says when it was last used", async () => {
    const { id, token } = await issued({ note: "laptop", days: 7 });
    expect(token).toMatch(/^spt_[0-9a-f]{16}_[A-Za-z0-9_-]{43}[0-9A-Za-z]{6}$/);
    const lease = await as(token, "POST", "/v1/leases?dryRun=true", LEASE);
    expect(lease.body).toMatchObject({ principal: "ann", grant: { rule: "default", approvals: 0 } });
    const all = await admin("GET", "/v1/tokens");
    const shown = all.body.tokens.find((it: { id: string }) => it.id === id);
    expect(shown).toMatchObject({ principal: "ann", note: "laptop", createdBy: "admin", state: "good" });
    expect(shown.lastUsedAt).toMatch(/:00:00Z$/);
    expect(JSON.stringify(all.body)).not.toContain(token.slice(21, 60));
  });

  test("sees its person's own tokens alone, and an administrator sees all", async () => {
    const { token } = await issued({ principal: "zoe" });
    const own = await as(token, "GET", "/v1/tokens");
    expect(own.body.tokens.map((it: { principal: string }) => it.principal)).toEqual(["zoe"]);
    const { id } = await issued({ principal: "carl" });
    for (const [method, path] of [
      ["DELETE", `/v1/tokens/${id}`],
      ["POST", `/v1/tokens/${id}:rotate`],
      ["DELETE", "/v1/tokens/0000000000000000"],
    ] as const)
      expect((await as(token, method, path)).body.code).toBe("TOKEN_UNKNOWN");
  });

  test("is revoked at once, and a revoked one is answered like an unknown one", async () => {
    const { id, token } = await issued();
    expect((await as(token, "GET", "/v1/groups")).status).toBe(200);
    expect((await admin("DELETE", `/v1/tokens/${id}?dryRun=true`)).body.state).toBe("good");
    expect((await admin("DELETE", `/v1/tokens/${id}`)).body.state).toBe("revoked");
    const [revoked, unknown] = [
      await as(token, "GET", "/v1/groups"),
      await as(token.replace("spt_", "sqt_"), "GET", "/v1/groups"),
    ];
    expect([revoked.status, revoked.body.code]).toEqual([401, "TOKEN_INVALID"]);
    expect({ ...revoked.body, requestId: "" }).toEqual({ ...unknown.body, requestId: "" });
  });

  test("is rotated by its holder: both are good for the overlap, then the new one alone", async () => {
    const old = await issued({ principal: "rita", days: 30 });
    const { status, body } = await as(old.token, "POST", `/v1/tokens/${old.id}:rotate`, { body: { overlap: 3600 } });
    expect([status, body.principal, body.roles]).toEqual([200, "rita", ["requester"]]);
    const again = (await as(old.token, "POST", `/v1/tokens/${old.id}:rotate`)).body;
    expect([again.code, again.message]).toEqual([
      "TOKEN_OVER",
      `The token ${old.id} cannot be replaced: it was replaced by ${body.id} already.`,
    ]);
    for (const token of [old.token, body.token]) expect((await as(token, "GET", "/v1/groups")).status).toBe(200);
    await world.advance(HOUR_MS + 60_000);
    expect((await as(old.token, "GET", "/v1/groups")).status).toBe(401);
    expect((await as(body.token, "GET", "/v1/groups")).status).toBe(200);
  });

  test("that is revoked takes along what it was replaced by, however often", async () => {
    const first = await issued({ principal: "rita" });
    const rotate = async (it: { id: string; token: string }) =>
      (await as(it.token, "POST", `/v1/tokens/${it.id}:rotate`, { body: { overlap: 3600 } })).body;
    const second = await rotate(first);
    const third = await rotate(second);
    const isGood = async (): Promise<readonly number[]> => {
      const answers = [first, second, third].map(({ token }) => as(token, "GET", "/v1/groups"));
      return (await Promise.all(answers)).map((it) => it.status);
    };
    await admin("DELETE", `/v1/tokens/${first.id}?dryRun=true`);
    expect(await isGood()).toEqual([200, 200, 200]);
    await admin("DELETE", `/v1/tokens/${second.id}`);
    expect(await isGood()).toEqual([200, 401, 401]);
    // What was revoked earlier is looked through: a process may have died on the way, or somebody was faster.
    expect((await admin("DELETE", `/v1/tokens/${first.id}`)).body.state).toBe("revoked");
    expect(await isGood()).toEqual([401, 401, 401]);
  });

  test("that was rotated is revoked with its successor, which goes on", async () => {
    const old = await issued({ principal: "rita" });
    const { body } = await as(old.token, "POST", `/v1/tokens/${old.id}:rotate`, { body: { overlap: 3600 } });
    expect((await as(body.token, "DELETE", `/v1/tokens/${old.id}`)).body.state).toBe("revoked");
    const answers = [await as(old.token, "GET", "/v1/groups"), await as(body.token, "GET", "/v1/groups")];
    expect(answers.map((it) => it.status)).toEqual([401, 200]);
  });

  test("is not rotated with another token of the same person, or a weak one would become a strong one", async () => {
    const strong = await issued({ principal: "both", roles: ["admin"], scope: { groups: ["web"] } });
    const weak = await issued({ principal: "both", roles: ["requester"] });
    const tried = await as(weak.token, "POST", `/v1/tokens/${strong.id}:rotate`);
    expect([tried.status, tried.body.code]).toEqual([403, "TOKEN_NOT_YOURS"]);
    const issuing = await as(strong.token, "POST", "/v1/tokens", { body: { principal: "eve", roles: ["admin"] } });
    expect([issuing.status, issuing.body.code]).toEqual([403, "OUT_OF_SCOPE"]);
  });

  test("of a scope opens within it, and sees nothing of what is outside", async () => {
    const { token } = await issued({ principal: "sam", roles: ["requester", "auditor"], scope: { groups: ["lab"] } });
    const opened = await as(token, "POST", "/v1/leases", LEASE);
    expect(opened.status).toBe(201);
    for (const group of ["web", "legacy", world.groupId("web"), "nothing-of-that-name"]) {
      const refused = await as(token, "POST", "/v1/leases", { body: { ...LEASE.body, group } });
      expect([group, refused.status, refused.body.code]).toEqual([group, 403, "OUT_OF_SCOPE"]);
    }
    const instance = world.instanceId("web-1");
    const { group: _, ...rest } = LEASE.body;
    for (const body of [{ ...rest, instance }, rest])
      expect((await as(token, "POST", "/v1/leases", { body })).body.code).toBe("OUT_OF_SCOPE");
    const others = await world.api("POST", "/v1/leases", { body: { port: 9401, period: 600, group: "web" } });
    expect((await as(token, "GET", `/v1/leases/${others.body.id}`)).body.code).toBe("OUT_OF_SCOPE");
    for (const path of ["/v1/leases", "/v1/groups", "/v1/ledger", "/v1/records", "/v1/drift", "/v1/health"]) {
      const { status, body } = await as(token, "GET", path);
      expect([path, status]).toEqual([path, 200]);
      expect(JSON.stringify(body), path).not.toContain(world.groupId("web"));
    }
    expect((await as(token, "GET", "/v1/groups")).body.groups).toHaveLength(1);
  });

  test("with a life or a name that is not allowed is not issued", async () => {
    for (const fields of [
      { days: 366 },
      { days: 0 },
      { principal: "safeport" },
      { principal: "a b" },
      { roles: [] },
      { roles: ["root"] },
    ]) {
      const { status, body } = await admin("POST", "/v1/tokens", { principal: "ann", roles: ["requester"], ...fields });
      expect([fields, status, body.code]).toEqual([fields, 400, "REQUEST_INVALID"]);
    }
  });
});

describe("wrong tokens", () => {
  test("are locked for their sender for a time, with the time to wait, and are no way to learn of tokens or to lock others out", async () => {
    const { id } = await issued();
    const { token: pattern } = await issued();
    // A token's text with another's id fails already by its checksum: nothing is looked up for it.
    const made = pattern.replace(/^spt_[0-9a-f]{16}/, `spt_${id}`);
    let answer = await as(made, "GET", "/v1/groups");
    for (let n = 0; n < 40 && answer.status === 401; n++) answer = await as(made, "GET", "/v1/groups");
    expect([answer.status, answer.body.code]).toEqual([429, "ATTEMPTS_TOO_MANY"]);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await admin("GET", "/v1/groups")).status).toBe(200);
    expect((await as(pattern, "GET", "/v1/groups")).status).toBe(200);
    await world.advance(61_000);
    expect((await as(made, "GET", "/v1/groups")).status).toBe(401);
  });
});
