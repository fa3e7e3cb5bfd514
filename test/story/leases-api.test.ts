// The life of leases over HTTP, on the deployed program; every answer is held against the API's own description.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import type { EcsRule } from "../../local/services/ecs/model.ts";
import { answersOf } from "../../shared/http/answers.ts";
import { problemView } from "../../shared/http/answers-operation.ts";
import { routes } from "../../shared/http/routes.ts";
import { ecsClient } from "../conformance/cloud/rpc-call.ts";
import { type ApiAnswer, type ApiInput, type Deployed, deploy, inWords, writesOf } from "../kit/deployed.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

const MINUTE_MS = 60_000;
const CALLER = "127.0.0.1/32";
const REFUSED = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;

let world: Deployed;
/** Routes that are called in stories of their own. */
const elsewhere = (path: string): boolean =>
  /^\/v1\/(approvals|audits|links|lockdown|mode|policy|recycling|tokens)\b|:(again|approve|deny|follow|justify)$/.test(
    path,
  );
/** What was called, as `GET /v1/leases/{id} 200`. */
const answered = new Set<string>();

beforeAll(async () => {
  // Without wake-ups only ticks and cleanup close.
  world = await deploy({ environment: { SAFEPORT_WAKEUPS: "off" } });
  await world.advance(MINUTE_MS);
});
afterAll(() => world?.stop());

/** Calls the API and holds the answer against the route's schema. */
async function call(method: string, path: string, input: ApiInput = {}): Promise<ApiAnswer> {
  const answer = await world.api(method, path, input);
  const pathname = path.split("?")[0] ?? "";
  const route = routes.find((it) => it.method === method && patternOf(it.path).test(pathname));
  if (route === undefined) throw new Error(`no route for ${method} ${path}`);
  answered.add(`${route.method} ${route.path} ${answer.status}`);
  const schema = answer.status < 400 ? answersOf(route.operationId)[answer.status] : problemView();
  expect(schema?.parse(answer.body), `${method} ${path} answers ${answer.status}`).toEqual(answer.body);
  return answer;
}

const patternOf = (path: string): RegExp => new RegExp(`^${path.replace(".", "\\.").replace(/\{\w+\}/g, "[^/:]+")}$`);

/** Opens a lease that is expected to be open at once, a second after everything before it. */
async function create(port: number, fields: object = {}, input: ApiInput = {}): Promise<ApiAnswer> {
  await world.advance(1_000);
  const answer = await call("POST", "/v1/leases", { body: { port, period: 600, group: "lab", ...fields }, ...input });
  expect(answer.body, JSON.stringify(answer.body)).toMatchObject({ state: "open" });
  return answer;
}

const rulesFor = (port: number, group = "lab"): readonly EcsRule[] =>
  world.rules(group).filter((rule) => rule.portRange === `${port}/${port}`);

describe("a lease", () => {
  it("is created, stands as one rule, and can be read", async () => {
    const { status, headers, body } = await create(9001, { reason: "look at a log", ticket: "OPS-1" });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/v1/leases/${body.id}`);
    expect(body).toMatchObject({
      principal: "operator",
      sources: [CALLER],
      ports: "9001",
      reason: "look at a log",
      ticket: "OPS-1",
      group: { name: "lab" },
      reach: { hosts: [{ name: "lab-1" }], ports: "9001", protocol: "tcp", sources: [CALLER] },
    });
    expect(rulesFor(9001).map((rule) => rule.ruleId)).toEqual(body.ruleIds);
    const read = await call("GET", `/v1/leases/${body.id}`);
    expect(read.body).toMatchObject({ id: body.id, state: "open", until: body.until, ruleIds: body.ruleIds });
  });

  it("is created once for an Idempotency-Key, and refused for another request with that key", async () => {
    const headers = { "idempotency-key": "key-1" };
    const first = await create(9002, {}, { headers });
    const again = await create(9002, {}, { headers });
    expect(again.body.id).toBe(first.body.id);
    expect(again.body.until).toBe(first.body.until);
    expect(rulesFor(9002)).toHaveLength(1);
    const other = await call("POST", "/v1/leases", { body: { port: 9003, period: 600, group: "lab" }, headers });
    expect([other.status, other.body.code]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect(rulesFor(9003)).toEqual([]);
  });

  it("is extended: its end moves, in the answer and in the rule's mark", async () => {
    const { body } = await create(9004);
    const extended = await call("POST", `/v1/leases/${body.id}:extend`, { body: { period: 1200 } });
    expect([extended.status, extended.body.state, extended.body.extended]).toEqual([200, "open", true]);
    expect(Date.parse(extended.body.until) - Date.parse(body.until)).toBeGreaterThanOrEqual(590_000);
    const [rule, ...more] = rulesFor(9004);
    expect(more).toEqual([]);
    expect(extended.body.ruleIds).toEqual([rule?.ruleId]);
    // A cloud that gives a modified rule a new id is the one reading under which it is not the first.
    if (switchUnderTest().modifiedRule !== "new-id") expect(rule?.ruleId).toBe(body.ruleIds[0]);
    expect(rule?.description).toContain(` until=${extended.body.until} `);
  });

  it("is ended at once, and ending it again is success", async () => {
    const { body } = await create(9005);
    for (const time of ["first", "second"]) {
      const ended = await call("POST", `/v1/leases/${body.id}:end`);
      expect([time, ended.status, ended.body.state]).toEqual([time, 200, "closed"]);
      expect(rulesFor(9005)).toEqual([]);
    }
    const extended = await call("POST", `/v1/leases/${body.id}:extend`, { body: { period: 600 } });
    expect([extended.status, extended.body.code]).toEqual([409, "LEASE_ENDED"]);
  });

  it("that nobody knows is a 404", async () => {
    for (const [method, path] of [
      ["GET", "/v1/leases/ls-none"],
      ["POST", "/v1/leases/ls-none:end"],
    ] as const)
      expect((await call(method, path)).body.code).toBe("LEASE_UNKNOWN");
  });
});

describe("a dry run", () => {
  it("answers the plan and writes nothing", async () => {
    const { body } = await create(9006);
    const asks: readonly [string, string, object | undefined, RegExp][] = [
      ["POST", "/v1/leases", { port: 9007, period: 600, group: "lab" }, /^authorize /],
      ["PUT", "/safeport/temp_allow?port=9007&period=600&group=lab", undefined, /^authorize /],
      ["PUT", "/safeport/temp_allow?port=9006&period=1200&group=lab", undefined, /^rewrite the mark /],
      ["POST", `/v1/leases/${body.id}:extend`, { period: 1200 }, /^rewrite the mark /],
      ["POST", `/v1/leases/${body.id}:end`, undefined, /^revoke /],
    ];
    for (const [method, path, sent, plan] of asks) {
      const since = world.next();
      const url = `${path}${path.includes("?") ? "&" : "?"}dryRun=true`;
      const answer = await call(method, url, sent === undefined ? {} : { body: sent });
      expect([method, path, answer.status, answer.body.dryRun]).toEqual([method, path, 200, true]);
      expect(answer.body.plan).toContainEqual(expect.stringMatching(plan));
      const calls = world.calls(since);
      expect(writesOf(calls), inWords(calls)).toEqual([]);
    }
    expect([rulesFor(9006).length, rulesFor(9007).length]).toEqual([1, 0]);
  });
});

describe("temp_allow", () => {
  it("repeated, extends the caller's lease and never stacks rules", async () => {
    const first = await call("PUT", "/safeport/temp_allow?port=9010&period=60&group=lab");
    const again = await call("PUT", "/safeport/temp_allow?port=9010&period=600&group=lab");
    expect(again.body).toMatchObject({ id: first.body.id, extended: true, state: "open" });
    expect(Date.parse(again.body.until)).toBeGreaterThan(Date.parse(first.body.until));
    const shorter = await call("PUT", "/safeport/temp_allow?port=9010&period=60&group=lab");
    expect(shorter.body).toMatchObject({ id: first.body.id, until: again.body.until });
    expect(rulesFor(9010)).toHaveLength(1);
  });

  it("takes the policy's default target and the caller's own address", async () => {
    const { body } = await call("PUT", "/safeport/temp_allow?port=22&period=60");
    expect(body).toMatchObject({ group: { name: "web" }, sources: [CALLER], state: "open" });
    expect((await call("POST", `/v1/leases/${body.id}:end`)).body.state).toBe("closed");
  });
});

describe("a rule that several hold", () => {
  it("is one rule for two principals: the first end leaves it open, the last closes it", async () => {
    const first = await create(9020, {}, { token: world.tokens.requester });
    const second = await create(9020, { period: 1200 }, { token: world.tokens.admin });
    expect(second.body.id).not.toBe(first.body.id);
    expect(rulesFor(9020)).toHaveLength(1);
    const end = (id: string, token: string) => call("POST", `/v1/leases/${id}:end`, { token });
    const ended = await end(first.body.id, world.tokens.requester);
    expect([ended.status, ended.body.state]).toEqual([200, "closed"]);
    expect(rulesFor(9020)).toHaveLength(1);
    expect((await call("GET", `/v1/leases/${second.body.id}`)).body.state).toBe("open");
    expect((await end(second.body.id, world.tokens.admin)).body.state).toBe("closed");
    expect(rulesFor(9020)).toEqual([]);
  });

  it("that stood before the lease is left in place at its end, and the answers say so", async () => {
    await ecsClient(world.cloud, seedUser(world.cloud.account, seedUserNames.foreign))("AuthorizeSecurityGroup", {
      SecurityGroupId: world.groupId("lab"),
      "Permissions.1.IpProtocol": "TCP",
      "Permissions.1.PortRange": "9021/9021",
      "Permissions.1.SourceCidrIp": "127.0.0.1",
      "Permissions.1.Priority": "100",
      "Permissions.1.Description": "stood before",
    });
    const before = rulesFor(9021);
    const { body } = await create(9021);
    expect(body).toMatchObject({ preExisting: true, message: expect.stringContaining("its end removes nothing") });
    const ended = await call("POST", `/v1/leases/${body.id}:end`);
    expect(ended.body).toMatchObject({ state: "closed", preExisting: true });
    expect(ended.body.message).toContain("was left in place");
    expect(rulesFor(9021)).toEqual(before);
  });
});

describe("what is due", () => {
  it("is closed by cleanup, which says what it closed; the ledger keeps what is not due", async () => {
    // A few seconds after a tick, so that the next one comes before the end and the one after it much later.
    await world.advance(MINUTE_MS + 5_000 - (world.cloud.clock.now() % MINUTE_MS));
    const { body } = await create(9030, { period: 60 });
    const later = await create(9031, { period: 600 });
    await world.advance(50_000);
    const early = await call("PUT", "/safeport/cleanup");
    expect(early.body.closed.filter((it: { leaseId: string }) => it.leaseId === body.id)).toEqual([]);
    await world.advance(11_000);
    expect(rulesFor(9030), "a tick has come before the cleanup").toHaveLength(1);
    const late = await call("PUT", "/safeport/cleanup");
    expect(late.body.closed).toContainEqual({ leaseId: body.id, ruleIds: body.ruleIds });
    expect(late.body.message).toMatch(/closed/);
    expect(rulesFor(9030)).toEqual([]);
    expect((await call("GET", `/v1/leases/${body.id}`)).body.state).toBe("closed");
    expect((await call("GET", `/v1/leases/${later.body.id}`)).body.state).toBe("open");
  });
});

describe("lists", () => {
  it("leases come newest first, in pages, filtered by state and group", async () => {
    const made: string[] = [];
    for (const port of [9040, 9041, 9042]) made.push((await create(port)).body.id);
    const newest = [...made].reverse();
    const first = await call("GET", "/v1/leases?limit=2");
    const second = await call("GET", `/v1/leases?limit=2&cursor=${first.body.next}`);
    const ids = (answer: ApiAnswer): string[] => answer.body.leases.map(({ id }: { id: string }) => id);
    expect([...ids(first), ...ids(second)].slice(0, 3)).toEqual(newest);
    let pages = 1;
    const all = ids(first);
    for (let next = first.body.next; next !== null; pages++) {
      const page = await call("GET", `/v1/leases?limit=2&cursor=${next}`);
      all.push(...ids(page));
      next = page.body.next;
    }
    expect(pages).toBeGreaterThan(2);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toEqual(ids(await call("GET", "/v1/leases")));

    const closed = await call("GET", "/v1/leases?state=closed");
    expect(new Set(closed.body.leases.map(({ state }: { state: string }) => state))).toEqual(new Set(["closed"]));
    const web = await call("GET", `/v1/leases?group=${world.groupId("web")}`);
    expect(ids(web)).toHaveLength(1);
    expect(ids(await call("GET", `/v1/leases?state=open&group=${world.groupId("legacy")}`))).toEqual([]);
  });

  it("a requester sees and ends the own leases only", async () => {
    const own = await create(9050, {}, { token: world.tokens.requester });
    const other = await create(9051);
    const token = world.tokens.requester;
    const list = await call("GET", "/v1/leases?limit=1", { token });
    expect(list.body.leases.map(({ id }: { id: string }) => id)).toEqual([own.body.id]);
    const all = await call("GET", "/v1/leases", { token });
    expect(new Set(all.body.leases.map(({ principal }: { principal: string }) => principal))).toEqual(
      new Set(["requester"]),
    );
    expect((await call("GET", `/v1/leases/${own.body.id}`, { token })).status).toBe(200);
    for (const [method, path] of [
      ["GET", `/v1/leases/${other.body.id}`],
      ["POST", `/v1/leases/${other.body.id}:end`],
    ] as const)
      expect((await call(method, path, { token })).body.code).toBe("LEASE_NOT_YOURS");
    expect(rulesFor(9051)).toHaveLength(1);
  });

  it("records tell what was opened and closed, by whom and why", async () => {
    const { body } = await create(9060, {}, { token: world.tokens.requester });
    await world.advance(1_000);
    await call("POST", `/v1/leases/${body.id}:end`, { token: world.tokens.requester });
    const { records } = (await call("GET", `/v1/records?group=${world.groupId("lab")}&limit=2`)).body;
    expect(records).toMatchObject([
      { cause: `end ${body.id}`, actor: "requester", lines: expect.arrayContaining([`${body.id} has ended`]) },
      { cause: `open ${body.id}`, actor: "requester" },
    ]);
    expect(records[0].lines.join()).toContain(`revoke ${body.ruleIds[0]}`);
    expect(records[1].lines.join()).toMatch(/authorize .*9060/);
    expect((await call("GET", "/v1/records", { token: world.tokens.requester })).body.code).toBe("ROLE_MISSING");
    const whole = await call("GET", "/v1/records:export?limit=1", { token: world.tokens.auditor });
    expect(whole.body).toMatchObject({ lines: [{ kind: "record", n: 1 }], next: expect.stringMatching(/~0$/) });
    for (const token of [world.tokens.requester, world.tokens.operator])
      expect((await call("GET", "/v1/records:export", { token })).body.code).toBe("ROLE_MISSING");
  });

  it("groups tell which take leases", async () => {
    const { groups } = (await call("GET", "/v1/groups")).body;
    const protectedBy = Object.fromEntries(
      groups.map((group: { name: string; protectedBy: string | null }) => [group.name, group.protectedBy]),
    );
    expect(protectedBy).toEqual({ web: null, legacy: null, lab: null, "ack-cluster": "a cloud service manages it" });
  });
});

describe("health", () => {
  it("is good, and names a lease that is overdue", async () => {
    expect((await world.api("GET", "/v1/health", { token: null })).body).toEqual({ status: "up" });
    const good = await call("GET", "/v1/health");
    expect(good.body).toMatchObject({ status: "ok", overdueEnds: [], policyVersion: 1 });

    const { body } = await create(9070, { period: 60 });
    world.cloud.faults.set([{ service: "ecs", operation: "RevokeSecurityGroup", fault: REFUSED }]);
    await world.advance(3 * MINUTE_MS);
    const bad = await call("GET", "/v1/health");
    expect(bad.body.status).toBe("overdue");
    expect(bad.body.overdueEnds).toContainEqual(
      expect.objectContaining({ lease: body.id, group: world.groupId("lab") }),
    );
    expect((await call("GET", `/v1/leases/${body.id}`)).body.state).toBe("closing");

    world.cloud.faults.set([]);
    await world.advance(MINUTE_MS);
    expect((await call("GET", `/v1/leases/${body.id}`)).body.state).toBe("closed");
    expect((await call("GET", "/v1/health")).body).toMatchObject({ status: "ok", overdueEnds: [] });
  });
});

describe("groups, ledger and drift", () => {
  it("answer as they are described, in success and in refusal", async () => {
    const { admin } = world.tokens;
    const diff = await call("GET", "/v1/groups/lab/baseline?from=rules");
    const word = { digest: diff.body.digest, owner: "ops", reason: "as it was", sensitive: diff.body.sensitive };
    const said = [
      await call("GET", "/v1/groups/lab"),
      await call("PUT", "/v1/groups/lab/guard?dryRun=true", { token: admin, body: { confirm: "none" } }),
      await call("POST", "/v1/groups/lab/baseline?dryRun=true", { token: admin, body: word }),
      await call("PUT", "/v1/ledger", {
        body: { group: "lab", port: 9443, source: "203.0.113.0/24", owner: "ann", reason: "the new shop" },
      }),
    ];
    expect(said.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { body } = await call("GET", "/v1/ledger?group=lab");
    const entry = body.entries.find((it: { owner: string }) => it.owner === "ann");
    const path = `/v1/ledger/${entry.group}/${entry.id}`;
    expect((await call("GET", path)).status).toBe(200);
    expect((await call("DELETE", path)).status).toBe(200);
    expect((await call("GET", "/v1/drift")).status).toBe(200);
    const unknown = `/v1/drift/dr-${"0".repeat(20)}.${world.groupId("lab")}`;
    const words = { owner: "ann", reason: "none" };
    expect((await call("GET", unknown)).status).toBe(404);
    for (const verb of ["adopt", "restore"])
      expect((await call("POST", `${unknown}:${verb}`, { body: words })).status, verb).toBe(404);
    expect((await call("POST", `${unknown}:release`)).status).toBe(404);
  });
});

describe("the API's description", () => {
  it("describes every path and status that was answered", async () => {
    const { body } = await call("GET", "/v1/openapi.json");
    expect(body).toMatchObject({ openapi: "3.1.0", info: { title: "safeport" } });
    for (const entry of answered) {
      const [method = "", path = "", status = ""] = entry.split(" ");
      const operation = body.paths[path]?.[method.toLowerCase()];
      expect(operation, entry).toBeDefined();
      expect(Object.keys(operation.responses), entry).toContain(Number(status) < 400 ? status : "default");
    }
    const own = Object.entries<object>(body.paths).filter(([path]) => !elsewhere(path));
    const described = own.flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const called = new Set([...answered].map((entry) => entry.split(" ").slice(0, 2).join(" ")));
    expect([...called].sort()).toEqual(described.sort());
  });

  it("holds together: ids of operations are unique, and every reference has its target", async () => {
    const { body } = await call("GET", "/v1/openapi.json");
    const operations = Object.values<Record<string, { operationId: string }>>(body.paths).flatMap((it) =>
      Object.values(it),
    );
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, reference = ""] of JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = reference.split("/").reduce((node, key) => node?.[key], body);
      expect(target, reference).toBeDefined();
    }
  });
});
