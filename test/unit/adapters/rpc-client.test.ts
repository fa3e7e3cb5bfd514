// What one call to an RPC service sends, and what it makes of a service that refuses, breaks off or is silent.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ecsRpcClient, type RpcSettings } from "../../../shared/adapters/alibaba/rpc-client.ts";
import { systemClock } from "../../../shared/adapters/system/clock.ts";
import type { CloudFailure } from "../../../shared/ports/firewall.ts";

let server: Server;
let connections = 0;
let asked: { readonly method: string; readonly url: string; readonly headers: IncomingMessage["headers"] }[] = [];
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push({ method: request.method ?? "", url: request.url ?? "", headers: request.headers });
    request.resume().on("end", () => answer(response));
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
beforeEach(() => {
  connections = 0;
  asked = [];
  answer = (response) => response.end("{}");
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const served = () => `127.0.0.1:${(server.address() as AddressInfo).port}`;

function client(settings: Partial<RpcSettings> = {}) {
  return ecsRpcClient({
    clock: systemClock,
    credentials: () => ({ accessKeyId: "key", accessKeySecret: "secret" }),
    endpoint: served,
    protocol: "http",
    ...settings,
  });
}

function call(settings: Partial<RpcSettings> = {}, reading = false) {
  const request = () => ({ toMap: () => ({ RegionId: "cn-hangzhou", Permissions: [{ Description: "a b*'(端)!" }] }) });
  return client(settings).call({ action: "Act", region: "cn-hangzhou", priority: "open", reading, request });
}

function failureOf(settings: Partial<RpcSettings> = {}, reading = false): Promise<CloudFailure> {
  return call(settings, reading).then(
    () => Promise.reject(new Error("it was answered")),
    (failure: CloudFailure) => failure,
  );
}

it("sends a signed request without a body, its parameters in the query", async () => {
  await call({ credentials: () => ({ accessKeyId: "STS.key", accessKeySecret: "secret", securityToken: "token" }) });
  const [{ method, url, headers } = { method: "", url: "", headers: {} }] = asked;
  expect(method).toBe("POST");
  expect(Object.fromEntries(new URL(url, "http://it").searchParams)).toEqual({
    RegionId: "cn-hangzhou",
    "Permissions.1.Description": "a b*'(端)!",
  });
  expect(headers).toMatchObject({
    host: served(),
    "content-length": "0",
    "x-acs-action": "Act",
    "x-acs-version": "2014-05-26",
    "x-acs-date": expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    "x-acs-signature-nonce": expect.stringMatching(/^[0-9a-f]{64}$/),
    "x-acs-accesskey-id": "STS.key",
    "x-acs-security-token": "token",
    "user-agent": expect.stringContaining("AlibabaCloud"),
  });
  const signed =
    "host;x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version";
  expect(headers.authorization).toMatch(`ACS3-HMAC-SHA256 Credential=STS.key,SignedHeaders=${signed},Signature=`);
});

it("sends no header of a token where the key has none", async () => {
  await call();
  expect(Object.keys(asked[0]?.headers ?? {})).not.toContain("x-acs-security-token");
});

it("keeps its connection for the next call", async () => {
  const rpc = client();
  for (const action of ["One", "Two", "Three"]) {
    const request = () => ({ toMap: () => ({}) });
    await rpc.call({ action, region: "cn-hangzhou", priority: "open", reading: true, request });
  }
  expect([asked.length, connections]).toEqual([3, 1]);
});

const told = (code: string): string => JSON.stringify({ Code: code, Message: "no", RequestId: "R" });

it.each<[string, number, string, Partial<CloudFailure>]>([
  ["throttling", 400, told("Throttling.User"), { kind: "throttled", cloudCode: "Throttling.User", requestId: "R" }],
  ["a code that is spelt small", 403, '{"code":"NoPermission"}', { kind: "refused", cloudCode: "NoPermission" }],
  ["a fault of the service", 503, told("ServiceUnavailable"), { kind: "unknown", cloudCode: "ServiceUnavailable" }],
  ["a page of a proxy", 502, "<html></html>", { kind: "unknown", cloudCode: null }],
  ["headers that are too large", 431, "", { kind: "invalid", cloudCode: "HTTP 431" }],
  ["a query that is too long", 414, "<html></html>", { kind: "invalid", cloudCode: "HTTP 414" }],
  ["an answer without a code", 400, "{}", { kind: "unknown", cloudCode: null }],
  ["an answer elsewhere", 302, "{}", { kind: "unknown", cloudCode: null }],
  ["an answer that is none", 200, "<html></html>", { kind: "unknown", cloudCode: null }],
])("takes %s for what it is, and asks once", async (_what, status, body, expected) => {
  answer = (response) => response.writeHead(status, { location: "/" }).end(body);
  expect(await failureOf({}, true)).toMatchObject({ name: "CloudFailure", operation: "Act", ...expected });
  expect(asked).toHaveLength(1);
});

it.each<[string, number, string]>([
  ["a success", 200, "{}"],
  ["a refusal", 400, told("Throttling")],
])("does not know what a write did whose reply was cut, even if it began as %s", async (_what, status, body) => {
  answer = (response) => {
    response.writeHead(status, { "content-length": "1000" });
    response.write(body, () => response.destroy());
  };
  expect(await failureOf()).toMatchObject({ kind: "unknown", cloudCode: null });
  expect(asked).toHaveLength(1);
});

it("gives its connection up with a call that is not answered in time", async () => {
  const closed = new Promise<void>((resolve) => {
    answer = (response) => void response.once("close", resolve);
  });
  expect(await failureOf({ timeoutMs: 50 })).toMatchObject({ kind: "unknown", cloudCode: null });
  await closed;
});

it("throws nothing else where keys cannot be sent", async () => {
  const credentials = () => ({ accessKeyId: "key\n", accessKeySecret: "secret" });
  expect(await failureOf({ credentials })).toMatchObject({ name: "CloudFailure", kind: "unknown" });
});

it("takes no slow reply for a wrong clock", async () => {
  let lateMs = 0;
  const rpc = client({ clock: { ...systemClock, now: () => systemClock.now() + lateMs } });
  answer = (response) => {
    lateMs = 6_000;
    response.end("{}");
  };
  const act = () =>
    rpc.call({
      action: "Act",
      region: "cn-hangzhou",
      priority: "open",
      reading: true,
      request: () => ({ toMap: () => ({}) }),
    });
  await act();
  expect(rpc.skewMs()).toBe(0);
  await act();
  expect(rpc.skewMs()).toBeGreaterThan(4_000);
});

it("asks nobody in a region whose name could be the end of somebody else's address", async () => {
  const request = () => ({ toMap: () => ({}) });
  for (const region of ["cn-hangzhou/", "x.example.com:80/?", "a@b", "CN", ""]) {
    const failure = await client()
      .call({ action: "Act", region, priority: "open", reading: true, request })
      .catch((error: CloudFailure) => error.kind);
    expect([region, failure]).toEqual([region, "invalid"]);
  }
  expect([connections, asked]).toEqual([0, []]);
});
