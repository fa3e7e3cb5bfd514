// The HTTP trigger: requests as events, results as responses, and the limits in front of both.

import { expect, it } from "vitest";
import { bundle, START_MS, send, startWorld } from "./kit.ts";

const ECHO = `exports.handler = async (event) => ({ statusCode: 200, headers: { "Content-Type": "application/json" }, body: event.toString() });`;

async function startEcho() {
  const world = await startWorld();
  world.fc.registry.deploy({ name: "api", bundle: bundle(ECHO), triggers: [{ type: "http" }] });
  return world;
}

it("hands a request over as the platform's event", async () => {
  const { fc } = await startEcho();
  const answer = await send(fc.gatewayPort, {
    method: "PUT",
    path: "/v1/a%20b?tag=a&dry=1&tag=b",
    headers: { "content-type": "application/json", "x-request-id": ["one", "two"], "user-agent": "test/1" },
    body: '{"a":1}',
  });
  const event = JSON.parse(answer.body);
  expect(event).toMatchObject({
    version: "v1",
    rawPath: "/v1/a%20b",
    body: '{"a":1}',
    isBase64Encoded: false,
    queryParameters: { tag: "a,b", dry: "1" },
    requestContext: {
      accountId: "1000",
      timeEpoch: String(START_MS),
      time: "2026-11-01T08:00:30Z",
      http: { method: "PUT", path: "/v1/a b", protocol: "HTTP/1.1", sourceIp: "127.0.0.1", userAgent: "test/1" },
    },
  });
  expect(event.headers).toMatchObject({ "Content-Type": "application/json", "X-Request-Id": "one,two" });
  expect(event.requestContext.requestId).toBe(answer.headers["x-fc-request-id"]);
});

it("names an IPv4 caller of an IPv6 socket by its IPv4 address", async () => {
  const { fc } = await startWorld({ host: "::" });
  fc.registry.deploy({ name: "api", bundle: bundle(ECHO) });
  const answer = await send(fc.gatewayPort, { path: "/" });
  expect(JSON.parse(answer.body).requestContext.http.sourceIp).toBe("127.0.0.1");
});

it("hands binary bodies over as base64", async () => {
  const { fc } = await startEcho();
  const body = Buffer.from([0, 255, 1]);
  const headers = { "content-type": "application/octet-stream" };
  const event = JSON.parse((await send(fc.gatewayPort, { method: "POST", path: "/", headers, body })).body);
  expect([event.isBase64Encoded, event.body]).toEqual([true, "AP8B"]);
});

it("maps status, headers and a base64 body of the result, and keeps the platform's own headers", async () => {
  const { fc } = await startWorld();
  const source = `exports.handler = async () => ({ statusCode: 418, headers: { "X-Tea": "green", "X-Fc-Forged": "1", Server: "mine" },
    body: Buffer.from("tea").toString("base64"), isBase64Encoded: true });`;
  fc.registry.deploy({ name: "api", bundle: bundle(source) });
  const answer = await send(fc.gatewayPort, { path: "/" });
  expect([answer.status, answer.body, answer.headers["x-tea"]]).toEqual([418, "tea", "green"]);
  expect(answer.headers).not.toHaveProperty("x-fc-forged");
  expect(answer.headers).not.toHaveProperty("server");
});

it("sends /alarm paths to the alarm function once it exists", async () => {
  const { fc } = await startEcho();
  const named = (name: string) => bundle(`exports.handler = async () => ({ statusCode: 200, body: "${name}" });`);
  fc.registry.deploy({ name: "api", bundle: named("api") });
  expect((await send(fc.gatewayPort, { path: "/alarm/x" })).body).toBe("api");
  fc.registry.deploy({ name: "alarm", bundle: named("alarm") });
  const paths = ["/alarm", "/alarm/x?y=1", "/alarms", "/"];
  const bodies = await Promise.all(paths.map(async (path) => (await send(fc.gatewayPort, { path })).body));
  expect(bodies).toEqual(["alarm", "alarm", "api", "api"]);
});

it("answers 400 with a problem document to what is over the limits, a body of 40 MB included", async () => {
  const { fc } = await startEcho();
  const tooLong = [
    { method: "POST", path: "/", body: Buffer.alloc(40 * 1024 * 1024) },
    { path: `/${"p".repeat(4_096)}` },
    { path: "/", headers: { "x-long": "h".repeat(8_192) } },
    { path: "/", headers: { "x-long": "h".repeat(100_000) } },
  ];
  for (const call of tooLong) {
    const answer = await send(fc.gatewayPort, call);
    expect([answer.status, answer.headers["content-type"]]).toEqual([400, "application/problem+json"]);
    const problem = JSON.parse(answer.body);
    expect(problem).toMatchObject({
      type: "about:blank",
      status: 400,
      code: "InvalidArgument",
      Code: "InvalidArgument",
    });
    for (const field of ["title", "message", "remedy", "requestId", "RequestId", "Message"])
      expect(problem[field], field).toMatch(/./);
  }
});

it("accepts a body of just 32 MB", async () => {
  const { fc } = await startWorld();
  const source = `exports.handler = async (event) => ({ statusCode: 200, body: String(JSON.parse(event).body.length) });`;
  fc.registry.deploy({ name: "api", bundle: bundle(source) });
  const body = Buffer.alloc(32 * 1024 * 1024, 97);
  const answer = await send(fc.gatewayPort, {
    method: "POST",
    path: "/",
    headers: { "content-type": "text/plain" },
    body,
  });
  expect([answer.status, answer.body]).toEqual([200, String(body.length)]);
});

it("answers 502 when the function throws, crashes, runs too long or answers nonsense", async () => {
  const { fc } = await startWorld();
  const sources = {
    HandledInvocationError: `exports.handler = async () => { throw new Error("secret inside"); };`,
    UnhandledInvocationError: `exports.handler = async () => { process.exit(3); };`,
    FunctionTimeout: `exports.handler = () => new Promise(() => setInterval(() => 0, 1000));`,
    BadResponse: `exports.handler = async () => ({ statusCode: "many" });`,
  };
  for (const [code, source] of Object.entries(sources)) {
    fc.registry.deploy({ name: "api", bundle: bundle(source), timeoutS: 1 });
    const answer = await send(fc.gatewayPort, { path: "/" });
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([502, code]);
    expect(answer.body).not.toContain("secret inside");
  }
});

it.each([
  ["letters that no header holds", "令牌"],
  ["a control character", "a\u0001b"],
])("answers 502 to a header with %s, and goes on", async (_what, value) => {
  const { fc } = await startWorld();
  const answered = JSON.stringify({ statusCode: 200, headers: { "x-a": value }, body: "" });
  fc.registry.deploy({ name: "api", bundle: bundle(`exports.handler = async () => (${answered});`) });
  const answer = await send(fc.gatewayPort, { path: "/" });
  expect([answer.status, JSON.parse(answer.body).code]).toEqual([502, "BadResponse"]);
  expect((await send(fc.gatewayPort, { path: "/" })).status).toBe(502);
});

it("answers 202 to an asynchronous request and runs it with the same event", async () => {
  const { fc } = await startWorld();
  fc.registry.deploy({
    name: "api",
    bundle: bundle(`exports.handler = async (event) => { console.log("path", JSON.parse(event).rawPath); };`),
  });
  const answer = await send(fc.gatewayPort, { path: "/later", headers: { "X-Fc-Invocation-Type": "Async" } });
  expect(answer.status).toBe(202);
  await expect
    .poll(() =>
      fc.registry
        .logs()
        .lines()
        .map((line) => line.text),
    )
    .toContain("path /later");
  expect(fc.registry.logs().lines()[0]?.requestId).toBe(answer.headers["x-fc-request-id"]);
});

it("answers 404 when nothing is deployed", async () => {
  const { fc } = await startWorld();
  const answer = await send(fc.gatewayPort, { path: "/" });
  expect([answer.status, JSON.parse(answer.body).code]).toEqual([404, "FunctionNotFound"]);
});

it("serves a function by its own domain, as something to download", async () => {
  const { fc } = await startEcho();
  const hello = `exports.handler = async () => ({ statusCode: 200, headers: {}, body: "hello" });`;
  fc.registry.deploy({ name: "page", bundle: bundle(hello) });
  const own = await send(fc.gatewayPort, { path: "/", headers: { host: "page.cn-hangzhou.fcapp.run" } });
  expect([own.body, own.headers["content-disposition"]]).toEqual(["hello", "attachment"]);
  expect((await send(fc.gatewayPort, { path: "/" })).headers).not.toHaveProperty("content-disposition");
  const none = await send(fc.gatewayPort, { path: "/", headers: { host: "none.cn-hangzhou.fcapp.run" } });
  expect(none.status).toBe(404);
});
