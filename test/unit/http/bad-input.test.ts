// Requests that are refused at the edge: each with a code and a remedy, and none reaches a use case.
import { describe, expect, test } from "vitest";
import type { HttpRequest } from "../../../shared/http/message.ts";
import { apiWorld, json } from "./api-world.ts";

const tempAllow = (query: Record<string, string>): Partial<HttpRequest> => ({
  method: "PUT",
  path: "/safeport/temp_allow",
  query,
});
const create = (body: unknown): Partial<HttpRequest> => ({ method: "POST", path: "/v1/leases", body: json(body) });
const raw = (text: string): Partial<HttpRequest> => ({
  method: "POST",
  path: "/v1/leases",
  body: new TextEncoder().encode(text),
});
const requester = { authorization: "Bearer requester" };

const table: readonly [string, Partial<HttpRequest>, number, string, RegExp][] = [
  ["a period of 0", tempAllow({ port: "22", period: "0" }), 422, "PERIOD_INVALID", /"0"/],
  ["a negative period", tempAllow({ port: "22", period: "-5" }), 422, "PERIOD_INVALID", /"-5"/],
  ["an exponent", tempAllow({ port: "22", period: "1e9" }), 422, "PERIOD_INVALID", /1e9/],
  ["a period in words", tempAllow({ port: "22", period: "abc" }), 422, "PERIOD_INVALID", /abc/],
  ["a fraction", tempAllow({ port: "22", period: "60.5" }), 422, "PERIOD_INVALID", /60\.5/],
  ["a leading zero", tempAllow({ port: "22", period: "0600" }), 422, "PERIOD_INVALID", /0600/],
  ["a blank before the period", tempAllow({ port: "22", period: " 600" }), 422, "PERIOD_INVALID", / 600/],
  ["a second too short", tempAllow({ port: "22", period: "59" }), 422, "PERIOD_INVALID", /"59"/],
  ["a second too long", tempAllow({ port: "22", period: "28801" }), 422, "PERIOD_INVALID", /28801/],
  ["an empty period", tempAllow({ port: "22", period: "" }), 422, "PERIOD_INVALID", /""/],
  ["no period", tempAllow({ port: "22" }), 400, "REQUEST_INVALID", /period is missing/],
  ["two periods", tempAllow({ port: "22", period: "600,60" }), 400, "REQUEST_INVALID", /period .*more than once/],
  ["two ports", tempAllow({ port: "22,23", period: "600" }), 400, "REQUEST_INVALID", /port .*more than once/],
  ["two groups", tempAllow({ port: "22", period: "600", group: "a,b" }), 400, "REQUEST_INVALID", /group/],
  [
    "an unknown parameter",
    tempAllow({ port: "22", period: "600", prot: "tcp" }),
    400,
    "REQUEST_INVALID",
    /prot is not/,
  ],
  [
    "a parameter __proto__",
    tempAllow(JSON.parse('{"port":"22","period":"600","__proto__":"1"}')),
    400,
    "REQUEST_INVALID",
    /__proto__/,
  ],
  ["dryRun=yes", tempAllow({ port: "22", period: "600", dryRun: "yes" }), 400, "REQUEST_INVALID", /dryRun/],
  [
    "fields in the body of temp_allow",
    { ...tempAllow({ port: "22", period: "600" }), body: json({ port: 23 }) },
    400,
    "REQUEST_INVALID",
    /port/,
  ],
  [
    "a reason beyond bounds",
    tempAllow({ port: "22", period: "600", reason: "x".repeat(2001) }),
    400,
    "REQUEST_INVALID",
    /reason/,
  ],
  [
    "a parameter on cleanup",
    { method: "PUT", path: "/safeport/cleanup", query: { all: "1" }, headers: { authorization: "Bearer operator" } },
    400,
    "REQUEST_INVALID",
    /all/,
  ],
  ["no JSON", raw("{"), 400, "REQUEST_INVALID", /not JSON/],
  ["a list as body", raw("[]"), 400, "REQUEST_INVALID", /not a JSON object/],
  ["null as body", raw("null"), 400, "REQUEST_INVALID", /not a JSON object/],
  [
    "a body that is not UTF-8",
    { ...create({}), body: Uint8Array.of(0x7b, 0xff, 0x7d) },
    400,
    "REQUEST_INVALID",
    /UTF-8/,
  ],
  ["a body of one byte too many", raw(" ".repeat(64 * 1024 + 1)), 413, "BODY_TOO_LARGE", /65537/],
  ["an unknown field", create({ port: 22, period: 600, prot: "tcp" }), 400, "REQUEST_INVALID", /prot is not/],
  [
    "a field __proto__",
    raw('{"port":22,"period":600,"__proto__":{"dryRun":true}}'),
    400,
    "REQUEST_INVALID",
    /__proto__/,
  ],
  ["a port as object", create({ port: {}, period: 600 }), 400, "REQUEST_INVALID", /port/],
  ["a group as number", create({ port: 22, period: 600, group: 7 }), 400, "REQUEST_INVALID", /group/],
  ["no sources", create({ port: 22, period: 600, source: [] }), 400, "REQUEST_INVALID", /source/],
  ["a period of a fraction in JSON", create({ port: 22, period: 60.5 }), 422, "PERIOD_INVALID", /60\.5/],
  ["a period of 1e9 in JSON", raw('{"port":22,"period":1e9}'), 422, "PERIOD_INVALID", /1000000000/],
  ["a period of 1e400 in JSON", raw('{"port":22,"period":1e400}'), 400, "REQUEST_INVALID", /period/],
  ["an empty body", { ...create({}), body: new Uint8Array() }, 400, "REQUEST_INVALID", /period is missing/],
  [
    "an empty Idempotency-Key",
    { ...create({ port: 22, period: 600 }), headers: { ...requester, "idempotency-key": "" } },
    400,
    "REQUEST_INVALID",
    /Idempotency-Key/,
  ],
  [
    "an Idempotency-Key of 65",
    { ...create({ port: 22, period: 600 }), headers: { ...requester, "idempotency-key": "k".repeat(65) } },
    400,
    "REQUEST_INVALID",
    /Idempotency-Key/,
  ],
  [
    "an unprintable Idempotency-Key",
    { ...create({ port: 22, period: 600 }), headers: { ...requester, "idempotency-key": "a\u0007" } },
    400,
    "REQUEST_INVALID",
    /Idempotency-Key/,
  ],
  [
    "a bad period of an extension",
    { method: "POST", path: "/v1/leases/ls-1:extend", body: json({ period: "abc" }) },
    422,
    "PERIOD_INVALID",
    /abc/,
  ],
  ["an unknown state", { path: "/v1/leases", query: { state: "opened" } }, 400, "REQUEST_INVALID", /state/],
  ["a page of none", { path: "/v1/leases", query: { limit: "0" } }, 400, "REQUEST_INVALID", /limit/],
  ["a page too long", { path: "/v1/leases", query: { limit: "1001" } }, 400, "REQUEST_INVALID", /limit/],
  ["a cursor of no list", { path: "/v1/leases", query: { cursor: "ls-1" } }, 400, "REQUEST_INVALID", /no cursor/],
  ["an empty cursor", { path: "/v1/leases", query: { cursor: "" } }, 400, "REQUEST_INVALID", /no cursor/],
  [
    "a cursor of another list",
    {
      path: "/v1/records",
      query: { cursor: `ls-${"0".repeat(19)}` },
      headers: { authorization: "Bearer auditor" },
    },
    400,
    "REQUEST_INVALID",
    /no cursor/,
  ],
  ["an unknown path", { path: "/v1/nothing" }, 404, "NOT_FOUND", /nothing/],
  ["a path that is no text", { path: "/v1/leases/%ff" }, 404, "NOT_FOUND", /%ff/],
  ["a lease id with a slash in it", { path: "/v1/leases/a%2Fb" }, 404, "LEASE_UNKNOWN", /a\/b/],
  ["an unknown action", { method: "POST", path: "/v1/leases/ls-1:open" }, 404, "NOT_FOUND", /:open/],
  ["the wrong method", { method: "DELETE", path: "/v1/leases/ls-1" }, 405, "METHOD_NOT_ALLOWED", /DELETE/],
  ["no token", { path: "/v1/leases", headers: {} }, 401, "TOKEN_MISSING", /no access token/],
  [
    "a wrong token",
    { path: "/v1/leases", headers: { authorization: "Bearer wrong" } },
    401,
    "TOKEN_INVALID",
    /unknown or expired/,
  ],
  [
    "a wrong token on health",
    { path: "/v1/health", headers: { authorization: "Bearer wrong" } },
    401,
    "TOKEN_INVALID",
    /unknown/,
  ],
];

describe("bad input", () => {
  test.each(table)("%s is refused with its code and a remedy", async (_name, request, status, code, words) => {
    const world = apiWorld();
    const response = await world.send(request);
    const problem = JSON.parse(response.body);
    expect(problem).toMatchObject({ status, code, requestId: "req-1", type: `urn:safeport:problem:${code}` });
    expect(response.status).toBe(status);
    expect(problem.message).toMatch(words);
    expect(problem.detail).toBe(problem.message);
    expect(problem.remedy.length).toBeGreaterThan(10);
    expect(response.headers["Content-Type"]).toBe("application/problem+json; charset=utf-8");
    expect(world.reached).toEqual([]);
  });

  test("without a token nothing about the request is told, whatever is wrong with it", async () => {
    for (const [, request] of table) {
      const response = await apiWorld().send({ ...request, headers: {} });
      if (request.path === "/v1/health") continue;
      expect(JSON.parse(response.body).code).toBe("TOKEN_MISSING");
      expect(response.headers["WWW-Authenticate"]).toContain("Bearer");
    }
  });

  test("a refusal of the method lists the methods that are allowed", async () => {
    const response = await apiWorld().send({ method: "DELETE", path: "/v1/leases" });
    expect(response.headers["Allow"]).toBe("HEAD, GET, POST, OPTIONS");
  });

  test("a failure without a name is answered as INTERNAL and logged with its request, without its words", async () => {
    const world = apiWorld({ throws: new Error("secret inside") });
    const response = await world.send({ path: "/v1/leases" });
    expect(response.status).toBe(500);
    expect(response.body).not.toContain("secret inside");
    expect(world.logged.join()).toContain("req-1");
  });
});
