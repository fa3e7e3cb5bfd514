// What the routes of groups, the ledger and drift do for those who may call them.
import { describe, expect, test } from "vitest";
import { answersOf } from "../../../shared/http/answers.ts";
import type { HttpRequest } from "../../../shared/http/message.ts";
import { routes } from "../../../shared/http/routes.ts";
import { apiWorld, json } from "./api-world.ts";

const ADMIN = { authorization: "Bearer admin" };
const ENTRY = "/v1/ledger/sg-web/e-0123456789abcdef";
const DRIFT = "/v1/drift/dr-0123456789abcdef0123.sg-web";
const grant = { group: "web", port: 443, source: "0.0.0.0/0", owner: "ann", reason: "HTTPS" };
const word = { digest: "d", owner: "ann", reason: "as it was" };

/** Every call that decides something. */
const decisions: readonly [string, Partial<HttpRequest>][] = [
  ["allocateRule", { method: "PUT", path: "/v1/ledger", body: json(grant) }],
  ["retireEntry", { method: "DELETE", path: ENTRY }],
  ["confirmGuard", { method: "PUT", path: "/v1/groups/web/guard", body: json({ confirm: "none" }) }],
  ["confirmBaseline", { method: "POST", path: "/v1/groups/web/baseline", body: json(word) }],
  ["decideDrift", { method: "POST", path: `${DRIFT}:adopt` }],
  ["decideDrift", { method: "POST", path: `${DRIFT}:restore` }],
  ["decideDrift", { method: "POST", path: `${DRIFT}:release` }],
];

async function send(request: Partial<HttpRequest>, options: Parameters<typeof apiWorld>[0] = {}) {
  const world = apiWorld(options);
  const response = await world.send({ headers: ADMIN, ...request });
  return { world, status: response.status, body: JSON.parse(response.body) };
}

describe.each(decisions)("%s", (name, request) => {
  const route = routes.find(
    ({ method, path }) =>
      method === request.method && new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/:]+")}$`).test(request.path ?? ""),
  );

  test("decides, has the group looked at, and answers what its schema says", async () => {
    const { world, status, body } = await send(request);
    expect(status).toBe(200);
    expect(world.reached.map((it) => it.name)).toEqual([name, "lookAtGroup"]);
    expect(world.reached[1]?.input).toMatchObject([
      { groupId: "sg-web" },
      { actor: "admin", priority: "drift", drift: true, deadlineAt: 10_000 },
    ]);
    expect(answersOf(route?.operationId ?? "")[200]?.parse(body)).toEqual(body);
    expect(body).toMatchObject({ dryRun: false, settled: true });
  });

  test("looks at nothing in a dry run, and passes the wish on", async () => {
    const { world, body } = await send({ ...request, query: { dryRun: "true" } });
    expect(world.reached.map((it) => it.name)).toEqual([name]);
    expect(world.reached[0]?.input.at(-1)).toEqual({ dryRun: true });
    expect(body).toMatchObject({ dryRun: true, settled: true });
    expect(body.plan).toHaveLength(1);
  });

  test("is decided although nobody could look", async () => {
    const { status, body } = await send(request, { looked: null });
    expect([status, body.settled]).toEqual([200, false]);
  });
});

describe("the ledger", () => {
  test("takes ports as numbers, sources as a list or with commas, and the rest by default", async () => {
    const body = json({ ...grant, source: "192.0.2.1, 192.0.2.2" });
    const { world } = await send({ method: "PUT", path: "/v1/ledger", body });
    expect(world.reached[0]?.input[1]).toEqual({
      ...{ group: "web", protocol: "tcp", port: "443", sources: ["192.0.2.1", "192.0.2.2"] },
      ...{ backup: "", policy: "accept", direction: "ingress", priority: 1, owner: "ann", reason: "HTTPS" },
      ...{ application: "", ticket: "", allowedSources: [], openHours: null, sensitiveConfirmed: false },
    });
  });

  test.each([
    ["no owner", { owner: undefined }, /owner is missing/],
    ["an empty reason", { reason: "" }, /reason is empty/],
    ["no source", { source: undefined }, /source is missing/],
    ["a priority of 0", { priority: 0 }, /priority is below 1/],
    ["a priority of 101", { priority: 101 }, /priority is above 100/],
    ["no sources", { source: [] }, /source/],
    ["an unknown field", { until: "tomorrow" }, /until is not a field/],
    ["a zone that is none", { openHours: { zone: "Mars/Base", windows: [] } }, /IANA/],
    [
      "hours that are none",
      { openHours: { zone: "UTC", windows: [{ days: [1], from: "24:00", to: "06:00" }] } },
      /22:00/,
    ],
  ])("refuses %s", async (_what, changes, words) => {
    const { world, status, body } = await send({
      method: "PUT",
      path: "/v1/ledger",
      body: json({ ...grant, ...changes }),
    });
    expect([status, body.code]).toEqual([400, "REQUEST_INVALID"]);
    expect(body.message).toMatch(words);
    expect(world.reached).toEqual([]);
  });

  test("is read by pages whose cursor is group and entry", async () => {
    const { world, body } = await send({ path: "/v1/ledger", query: { limit: "2", group: "web" } });
    expect(world.reached[0]?.input[1]).toEqual({ limit: 2, cursor: null, group: "web" });
    expect(body.next).toBe("sg-web.e-0123456789abcdef");
    const next = await send({ path: "/v1/ledger", query: { cursor: body.next } });
    expect(next.world.reached[0]?.input[1]).toMatchObject({ cursor: ["sg-web", "e-0123456789abcdef"] });
    expect((await send({ path: "/v1/ledger", query: { cursor: "sg-web.x" } })).status).toBe(400);
  });

  test("shows an entry with holders, owner and rule, and of leases alone the first holder", async () => {
    const { body } = await send({ path: "/v1/ledger" });
    expect(body.entries[0]).toMatchObject({
      ...{ owner: "ann", application: "shop", ticket: "T-1", provenance: "adopted", owed: true, leases: ["ls-1"] },
      rule: { ports: "22", peer: "203.0.113.7/32", destination: "10.0.0.1/32" },
      ...{ standing: "preExisting", ruleId: "sgr-1" },
    });
    expect(body.entries[1]).toMatchObject({ owner: "bob", provenance: "lease", by: null, owed: false });
  });

  test("tells of each change in the history what it was before", async () => {
    const { body } = await send({ path: ENTRY });
    expect(body.history[0].changes).toEqual([
      { field: "owner", before: "eve", after: "ann" },
      { field: "openHours", before: null, after: expect.stringContaining("Asia/Shanghai") },
    ]);
  });

  test.each(["/v1/ledger/sg-web/e-xyz", `/v1/ledger/${"x".repeat(200)}/e-0123456789abcdef`])(
    "has no entry at %s",
    async (path) => {
      const { world, body } = await send({ method: "DELETE", path });
      expect(body.code).toBe("ENTRY_UNKNOWN");
      expect(world.reached).toEqual([]);
    },
  );
});

describe("groups", () => {
  test("come with guard, what is done, why, and the baseline", async () => {
    const { body } = await send({ path: "/v1/groups" });
    expect(body.groups[0]).toEqual({
      ...{ region: "cn-hangzhou", groupId: "sg-web", name: "web", type: "normal", protectedBy: null },
      ...{ guard: "enforce", acts: "observe", why: ["the ledger is not the one that was confirmed"] },
      baseline: { confirmedBy: "root", at: "2026-11-05T08:00:00Z", count: 2 },
    });
    expect(body.groups[1].baseline).toBeNull();
  });

  test("show the diff of a baseline with the keys to be confirmed", async () => {
    const { world, body } = await send({ path: "/v1/groups/web/baseline", query: { from: "template" } });
    expect(world.reached[0]?.input.slice(1)).toEqual(["web", { from: "template", template: "default" }]);
    expect(body).toMatchObject({ digest: "d2", sensitive: [body.added[0].key, body.unchanged[0].key] });
  });

  test("are not raised by a confirmation", async () => {
    const { body } = await send({ method: "PUT", path: "/v1/groups/web/guard", body: json({ confirm: "enforce" }) });
    expect(body.code).toBe("REQUEST_INVALID");
  });
});

describe("drift", () => {
  test("is listed by group and state, in pages whose cursor is an item", async () => {
    const { world, body } = await send({ path: "/v1/drift", query: { group: "web", state: "held" } });
    expect(world.reached[0]?.input[1]).toEqual({ limit: 100, cursor: null, group: "web", state: "held" });
    expect(body.next).toBe("dr-0123456789abcdef0123.sg-web");
    const next = await send({ path: "/v1/drift", query: { cursor: body.next } });
    expect(next.world.reached[0]?.input[1]).toMatchObject({ cursor: ["sg-web", "dr-0123456789abcdef0123"] });
  });

  test("is shown in full, with who did it", async () => {
    const { world, body } = await send({ path: DRIFT });
    expect(world.reached[0]?.input[1]).toBe("dr-0123456789abcdef0123.sg-web");
    expect(body).toMatchObject({
      ...{ id: "dr-0123456789abcdef0123.sg-web", verdict: "drift", why: "nobody granted it", heldBy: "freeze" },
      found: { description: "found", rule: { ports: "22" } },
      attribution: { actor: "eve", address: "198.51.100.9", at: "2026-11-05T08:00:00Z" },
    });
  });

  test("is decided by the verb of the path, with the caller's words", async () => {
    const body = json({ owner: "dba", reason: "needed", sensitiveConfirmed: true });
    const { world } = await send({ method: "POST", path: `${DRIFT}:restore`, body });
    const said = { owner: "dba", reason: "needed", ticket: "", sensitiveConfirmed: true };
    expect(world.reached[0]?.input.slice(1, 4)).toEqual(["dr-0123456789abcdef0123.sg-web", "restore", said]);
  });
});

test("OPTIONS names DELETE where it is served", async () => {
  const response = await apiWorld().send({ method: "OPTIONS", path: ENTRY, headers: ADMIN });
  expect(response.headers["Allow"]).toBe("HEAD, GET, DELETE, OPTIONS");
});
