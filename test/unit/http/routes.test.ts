// What the routes do for those who may call them.
import { describe, expect, test } from "vitest";
import { answersOf } from "../../../shared/http/answers.ts";
import { routes } from "../../../shared/http/routes.ts";
import { apiWorld, json, leaseAnswer, NOW } from "./api-world.ts";
import { placeOf, requestOf } from "./route-samples.ts";

describe("leases", () => {
  test("temp_allow asks for the caller's own address, tcp, and repeats", async () => {
    const world = apiWorld();
    const response = await world.send({
      ...requestOf("tempAllow"),
      headers: { authorization: "Bearer requester", "idempotency-key": "k-1" },
    });
    expect(world.reached[0]?.name).toBe("openLease");
    const [caller, ask, options] = world.reached[0]?.input ?? [];
    expect(caller).toMatchObject({ principal: "requester", roles: ["requester"] });
    expect(ask).toEqual({
      protocol: "tcp",
      port: "22",
      sources: ["127.0.0.1/32"],
      group: null,
      instance: null,
      region: null,
      periodMs: 600_000,
      reason: "",
      ticket: "",
      startAt: null,
      breakGlass: false,
    });
    expect(options).toEqual({ mode: "repeat", idempotencyKey: "k-1", dryRun: false });
    expect(response.status).toBe(200);
  });

  test("the answer states id, state, end, reach and a sentence", async () => {
    const response = await apiWorld().send(requestOf("tempAllow"));
    const body = JSON.parse(response.body);
    expect(body).toMatchObject({ id: "ls-1", state: "open", until: "2026-11-05T09:00:00Z", settled: true });
    expect(body.reach.hosts).toEqual([{ instanceId: "i-1", name: "web-1", address: "127.10.0.11" }]);
    expect(body.message).toBe(
      "22/tcp on web-1 (127.10.0.11) is open for 127.0.0.1/32 until 2026-11-05T09:00:00Z; its end stops new connections only.",
    );
    expect(response.headers["Content-Type"]).toBe("application/json; charset=utf-8");
    expect(response.headers["X-Request-Id"]).toBe("req-1");
  });

  test("a new lease is 201 with its place, and 202 with its place while the cloud has not shown it", async () => {
    const created = await apiWorld().send(requestOf("openLease"));
    expect([created.status, created.headers["Location"]]).toEqual([201, "/v1/leases/ls-1"]);
    const pending = await apiWorld({ answer: leaseAnswer({ settled: false }) }).send(requestOf("tempAllow"));
    expect([pending.status, pending.headers["Location"]]).toEqual([202, "/v1/leases/ls-1"]);
  });

  test.each([
    ["2026-11-05T10:00:00Z", Date.UTC(2026, 10, 5, 10)],
    ["2026-11-05T18:00:00+08:00", Date.UTC(2026, 10, 5, 10)],
    ["2026-11-05T10:00:00.250Z", Date.UTC(2026, 10, 5, 10, 0, 1)],
  ])("a start at %s is passed on as whole seconds", async (startAt, at) => {
    const world = apiWorld();
    await world.send({ ...requestOf("openLease"), body: json({ port: 22, period: 600, startAt }) });
    expect(world.reached[0]?.input[1]).toMatchObject({ startAt: at });
  });

  test("a start that is no instant with its zone is refused", async () => {
    for (const startAt of ["tomorrow", "2026-11-05T10:00:00", "2026-11-05", 1793865600, ""]) {
      const body = json({ port: 22, period: 600, startAt });
      expect((await apiWorld().send({ ...requestOf("openLease"), body })).status).toBe(400);
    }
  });

  test("a lease follows to the caller's own address, or to one that is named", async () => {
    const world = apiWorld();
    await world.send(requestOf("followLease"));
    await world.send({ ...requestOf("followLease"), body: json({ source: "198.51.100.9", from: "203.0.113.7" }) });
    expect(world.reached.filter(({ name }) => name === "followLease").map(({ input }) => input.slice(1))).toEqual([
      ["ls-1", { to: "127.0.0.1/32", from: null }, { dryRun: false }],
      ["ls-1", { to: "198.51.100.9", from: "203.0.113.7" }, { dryRun: false }],
    ]);
  });

  test("the same again is a new lease, and its key is passed on", async () => {
    const world = apiWorld();
    const headers = { authorization: "Bearer requester", "idempotency-key": "k-1" };
    expect((await world.send({ ...requestOf("askAgain"), headers })).status).toBe(201);
    expect(world.reached.at(-1)?.input.slice(1)).toEqual(["ls-1", { idempotencyKey: "k-1", dryRun: false }]);
  });

  test("a dry run passes the wish on and shows the plan", async () => {
    const world = apiWorld();
    const response = await world.send({ ...requestOf("openLease"), query: { dryRun: "true" } });
    expect(world.reached[0]?.input[2]).toMatchObject({ mode: "create", dryRun: true });
    expect(response.status).toBe(200);
    expect(JSON.parse(response.body).message).toContain("authorize 22/tcp from 127.0.0.1/32");
  });

  test("sources may be a list or separated by commas", async () => {
    for (const source of ["192.0.2.1, 192.0.2.2/32", ["192.0.2.1", "192.0.2.2/32"]]) {
      const world = apiWorld();
      await world.send({ ...requestOf("openLease"), body: json({ port: 22, period: 600, source }) });
      expect(world.reached[0]?.input[1]).toMatchObject({ port: "22", sources: ["192.0.2.1", "192.0.2.2/32"] });
    }
  });

  test("bounds of the period are the policy's, both ends included", async () => {
    for (const period of ["60", "28800"]) {
      const world = apiWorld();
      await world.send({ ...requestOf("tempAllow"), query: { port: "22", period } });
      expect(world.reached[0]?.input[1]).toMatchObject({ periodMs: Number(period) * 1000 });
    }
  });

  test("a requester reads the own leases only", async () => {
    const answer = leaseAnswer();
    const request = { ...answer.lease.request, principal: "somebody" };
    const other = apiWorld({ answer: { ...answer, lease: { ...answer.lease, request } } });
    expect(JSON.parse((await other.send({ path: "/v1/leases/ls-1" })).body).code).toBe("LEASE_NOT_YOURS");
    const auditor = { authorization: "Bearer auditor" };
    expect((await other.send({ path: "/v1/leases/ls-1", headers: auditor })).status).toBe(200);
  });

  test("whom a lease was put to reads it under every name of the person", async () => {
    const answer = leaseAnswer();
    const request = { ...answer.lease.request, principal: "somebody" };
    const approval = {
      ...{ needed: 1, change: "c", requester: "somebody", lapsesAt: NOW, words: [], approvedAt: null, rev: 1 },
      askedOf: ["rita"],
    };
    const lease = { ...answer.lease, request, approval };
    const read = async (policy: object) =>
      (await apiWorld({ answer: { ...answer, lease }, policy }).send({ path: "/v1/leases/ls-1" })).status;
    expect(await read({ persons: { rita: ["requester"] } })).toBe(200);
    expect(await read({ persons: { ann: ["requester"] } })).toBe(403);
  });

  test("a list asks the store for the requester's own leases, and for everybody's where the role reads all", async () => {
    const query = { limit: "7", state: "open", group: "sg-web", cursor: `ls-${"0".repeat(19)}` };
    const asked = { limit: 7, state: "open", group: "sg-web", cursor: query.cursor };
    const own = apiWorld();
    const page = JSON.parse((await own.send({ path: "/v1/leases", query })).body);
    expect(own.reached[0]?.input[0]).toEqual({ ...asked, principal: "requester", sees: expect.any(Function) });
    expect(page).toMatchObject({ leases: [{ id: "ls-1" }], next: null });
    const all = apiWorld();
    await all.send({ path: "/v1/leases", query, headers: { authorization: "Bearer auditor" } });
    expect(all.reached[0]?.input[0]).toEqual({ ...asked, sees: expect.any(Function) });
  });

  test("an action is found with an encoded colon too", async () => {
    const world = apiWorld();
    await world.send({ method: "POST", path: "/v1/leases/ls-1%3Aend" });
    expect(world.reached[0]).toMatchObject({ name: "endLease" });
    expect(world.reached[0]?.input[1]).toBe("ls-1");
  });

  test("cleanup sweeps in the caller's name and tells what it closed", async () => {
    const world = apiWorld();
    const response = await world.send({ ...requestOf("cleanup"), headers: { authorization: "Bearer operator" } });
    expect(world.reached[0]?.input[0]).toMatchObject({ cause: "cleanup by operator", deadlineAt: 58_000 });
    expect(JSON.parse(response.body)).toMatchObject({ message: "1 lease was closed; 0 due are left." });
  });
});

describe("what is listed", () => {
  const read = async (path: string, query = {}) => {
    const world = apiWorld();
    const response = await world.send({ path, query, headers: { authorization: "Bearer auditor" } });
    return { input: world.reached[0]?.input, body: JSON.parse(response.body) };
  };

  test("records come in pages, with their instants in UTC", async () => {
    const cursor = "001793865600000-00000000ff";
    const sequence = "001793865600000-0000000001";
    const { input, body } = await read("/v1/records", { limit: "2", cursor, group: "sg-web" });
    expect(input?.[0]).toEqual({ limit: 2, cursor, group: "sg-web" });
    const lines = ["authorize ingress|tcp|22/22: done"];
    const from = "203.0.113.7/32, token 0123456789abcdef";
    const changes = [{ what: "rule sgr-1", before: null, after: { key: "k" } }];
    const both = { at: "2026-11-05T08:00:00Z", cause: "open ls-1", actor: "requester", from, lines, changes };
    expect(body).toEqual({
      records: [
        {
          ...both,
          sequence: "001793865600000-0000000002",
          region: "cn-hangzhou",
          group: "sg-web",
          policyVersion: 3,
          decidedBy: "grants: ops",
        },
        { ...both, sequence, region: null, group: null, policyVersion: null, decidedBy: null },
      ],
      next: sequence,
    });
  });

  test("health names what is overdue, in UTC and seconds", async () => {
    expect((await read("/v1/health")).body).toEqual({
      status: "overdue",
      now: "2026-11-05T08:00:00Z",
      oldestDueAt: "2026-11-05T07:58:59Z",
      overdueEnds: [{ lease: "ls-1", group: "sg-web", dueAt: "2026-11-05T07:59:00Z" }],
      oldestGroupSeenAt: "2026-11-05T07:30:00Z",
      groupSeenTargetSeconds: 3600,
      trail: { checkedAt: "2026-11-05T08:00:00Z", faults: [] },
      unjustified: [{ lease: "ls-1", group: "sg-web", principal: "ann", justifyBy: "2026-11-05T08:00:00Z" }],
      evidence: [
        {
          region: "cn-hangzhou",
          source: "flowLog",
          readUntil: "2026-11-05T08:00:00Z",
          trouble: "down",
          queriesToday: 4,
        },
      ],
      clockSkewSeconds: -1.5,
      policyVersion: 3,
      mode: { mode: "halt", since: "2026-11-05T08:00:00Z", by: "ann", reason: "an incident" },
    });
  });

  test.each(
    routes
      .filter(({ method, permission }) => method === "GET" && permission !== "public")
      .map((route) => [route.operationId, route] as const),
  )("%s answers what its schema says and nothing else", async (_operationId, route) => {
    const { body } = await read(placeOf(route.path));
    // A schema drops the fields it does not name: what comes back equal has none of them.
    expect(answersOf(route.operationId)[200]?.parse(body)).toEqual(body);
  });
});

describe("methods and probes", () => {
  test("HEAD answers as GET without a body", async () => {
    const response = await apiWorld().send({ method: "HEAD", path: "/v1/leases" });
    expect([response.status, response.body]).toEqual([200, ""]);
  });

  test("OPTIONS lists the methods of a path", async () => {
    const response = await apiWorld().send({ method: "OPTIONS", path: "/safeport/cleanup" });
    expect([response.status, response.headers["Allow"]]).toEqual([204, "PUT, OPTIONS"]);
  });

  test("health without a token says that the function answers, and reads nothing", async () => {
    const world = apiWorld();
    const response = await world.send({ path: "/v1/health", headers: {} });
    expect([response.status, response.body]).toEqual([200, '{"status":"up"}\n']);
    expect(world.reached).toEqual([]);
  });
});
