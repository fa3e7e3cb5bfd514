// What a stranger or a caller of little rights tries at the edge of the API, each by name.
import { describe, expect, test } from "vitest";
import { readPolicyDocument } from "../../../shared/config/policy-schema.ts";
import { parseCidr } from "../../../shared/domain/cidr.ts";
import { parseToken } from "../../../shared/domain/token-text.ts";
import { readHttpEvent } from "../../../shared/events/http-event.ts";
import type { HttpRequest } from "../../../shared/http/message.ts";
import { toAppError } from "../../../shared/http/problem.ts";
import { routes } from "../../../shared/http/routes.ts";
import { apiWorld, json } from "./api-world.ts";
import { requestOf } from "./route-samples.ts";

const codeOf = (body: string): string => JSON.parse(body).code;
const as = (role: string): Partial<HttpRequest> => ({ headers: { authorization: `Bearer ${role}` } });

describe("header smuggling through the HTTP event", () => {
  const event = (headers: object) => ({
    headers,
    rawPath: "/",
    requestContext: { http: { method: "GET", sourceIp: "203.0.113.7" } },
  });

  test("two spellings of one header are both seen, so that neither passes for the only one", () => {
    const { headers } = readHttpEvent(event({ Authorization: "Bearer a", authorization: "Bearer b" }), "r");
    expect(headers["authorization"]).toBe("Bearer a,Bearer b");
    const listed = readHttpEvent(event({ Authorization: ["Bearer a", "Bearer b"] }), "r");
    expect(listed.headers["authorization"]).toBe("Bearer a,Bearer b");
  });

  test("headers that name an address, a method or a path change nothing", async () => {
    const world = apiWorld();
    const headers = {
      authorization: "Bearer requester",
      ...{ "x-forwarded-for": "10.0.0.1", "x-real-ip": "10.0.0.1", forwarded: "for=10.0.0.1", "client-ip": "10.0.0.1" },
      ...{ "x-http-method-override": "DELETE", "x-original-url": "/v1/tokens", "x-rewrite-url": "/v1/tokens" },
    };
    await world.send({ ...requestOf("tempAllow"), headers });
    expect(world.reached.map((it) => it.name)).toEqual(["openLease"]);
    expect(world.reached[0]?.input[1]).toMatchObject({ sources: ["127.0.0.1/32"] });
  });
});

describe("path smuggling", () => {
  test.each([
    "//v1/tokens",
    "/v1//tokens",
    "/v1/./tokens",
    "/v1/leases/../tokens",
    "/v1/leases/..%2ftokens",
    "/v1/leases/%2e%2e/tokens",
    "/V1/tokens",
    "/v1/%74okens",
    "/v1/tokens%00",
    "/v1/tokens;a=b",
    "/v1/tokens%3F",
    "/v1/tokens\\",
    "\\v1\\tokens",
    "http://127.0.0.1/v1/tokens",
  ])("%s is not the list of tokens", async (path) => {
    const world = apiWorld();
    const response = await world.send({ method: "POST", path, body: json({}), ...as("requester") });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(world.reached).toEqual([]);
  });

  test("a verb in an id is no verb, and an id that is none reaches no use case", async () => {
    for (const path of [
      "/v1/leases/ls-1%3Aend%3Aextend",
      "/v1/leases/ls-1%0Aend",
      "/v1/leases/%",
      "/v1/leases/..:end",
    ]) {
      const world = apiWorld();
      const response = await world.send({ method: "POST", path, body: json({ period: 600 }), ...as("operator") });
      expect(response.status, path).toBeGreaterThanOrEqual(400);
      expect(world.reached).toEqual([]);
    }
  });
});

describe("cross-site requests", () => {
  const writes = routes.filter(({ method, permission }) => method !== "GET" && permission !== "public");

  test.each(writes.map((route) => [route.operationId]))(
    "%s takes no cookie and no form for a token",
    async (operationId) => {
      const world = apiWorld();
      const request = requestOf(operationId);
      // What a page elsewhere may send without asking first, JSON as text among it.
      for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"]) {
        const headers = {
          ...{ cookie: "token=admin; authorization=Bearer admin", origin: "https://evil.example.com" },
          "content-type": type,
        };
        const query = { ...request.query, authorization: "Bearer admin" };
        const response = await world.send({ ...request, headers, query });
        expect([type, response.status, codeOf(response.body)]).toEqual([type, 401, "TOKEN_MISSING"]);
      }
      expect(world.reached).toEqual([]);
    },
  );

  test("no answer lets another site read it or sets a cookie", async () => {
    for (const route of routes)
      for (const method of [route.method, "OPTIONS"]) {
        const request = { ...requestOf(route.operationId), method };
        const headers = { authorization: "Bearer admin", origin: "https://evil.example.com" };
        const names = Object.keys((await apiWorld().send({ ...request, headers })).headers).map((it) =>
          it.toLowerCase(),
        );
        expect(names.filter((name) => name.startsWith("access-control-") || name === "set-cookie")).toEqual([]);
      }
  });
});

describe("bodies", () => {
  const post = (body: Uint8Array) => apiWorld().send({ ...requestOf("openLease"), body, ...as("operator") });

  test("that are too large or nested without end are refused quickly", async () => {
    const nested = (open: string, close: string, depth: number) =>
      Buffer.from(open.repeat(depth) + close.repeat(depth));
    const bodies: readonly [Uint8Array, number][] = [
      [new Uint8Array(64 * 1024 + 1), 413],
      [nested("[", "]", 30_000), 400],
      [nested('{"a":', "}", 10_000), 400],
      [Buffer.from(`{"port":"22","period":"600","reason":${"[".repeat(20_000)}${"]".repeat(20_000)}}`), 400],
      [Buffer.from(`{"a":1${',"b":2'.repeat(9000)}}`), 400],
      [Buffer.from(`{"period":1e${"9".repeat(60_000)}}`), 400],
    ];
    for (const [body, status] of bodies) {
      const began = process.hrtime.bigint();
      expect((await post(body)).status).toBe(status);
      expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(1000);
    }
  });

  test("reach no prototype", async () => {
    for (const name of ["__proto__", "constructor", "prototype"]) {
      const response = await post(Buffer.from(`{"port":"22","period":"600","${name}":{"roles":["admin"]}}`));
      expect(response.status).toBe(400);
    }
    expect(Object.hasOwn(Object.prototype, "roles")).toBe(false);
  });
});

describe("texts that are dear to read", () => {
  const long = [
    "1".repeat(60_000),
    "1.".repeat(30_000),
    ":".repeat(60_000),
    "::1".repeat(20_000),
    `${"a".repeat(30_000)}!`,
    `${"0".repeat(60_000)}/0`,
    "spt_".repeat(15_000),
    "=".repeat(60_000),
    "a-".repeat(30_000),
  ];

  test("are refused in time wherever they are read as an address, a token or a policy", () => {
    const began = process.hrtime.bigint();
    for (const text of long) {
      expect(parseCidr(text)).toBeNull();
      expect(parseToken(text)).toBeNull();
      const document = { grants: [{ name: text, tags: [text], ports: [text], sources: [text] }], regions: [text] };
      expect(readPolicyDocument(document).kind).toBe("mistakes");
    }
    expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(2000);
  });

  test("are no more than fifty sources, and no more text than a field has", async () => {
    for (const source of [Array.from({ length: 51 }, (_, n) => `10.0.0.${n}`).join(","), ",".repeat(1999)]) {
      const world = apiWorld();
      const body = json({ port: "22", period: "600", source });
      const response = await world.send({ ...requestOf("openLease"), body, ...as("operator") });
      expect([response.status, codeOf(response.body)]).toEqual([400, "REQUEST_INVALID"]);
      expect(world.reached).toEqual([]);
    }
  });
});

test("what goes wrong inside is answered without a word of it", async () => {
  const secret = "spt_0123456789abcdef_secret";
  const world = apiWorld({ throws: new Error(`at ${secret}`) });
  const response = await world.send({ ...requestOf("openLease"), ...as("operator") });
  expect(response.status).toBe(500);
  expect(response.body).not.toContain(secret);
  expect(toAppError(new Error(secret)).message).not.toContain(secret);
});
