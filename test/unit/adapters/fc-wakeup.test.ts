// Wake-ups as Function Compute gets them.
import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fcWakeup } from "../../../shared/adapters/alibaba/fc-wakeup.ts";
import type { Clock } from "../../../shared/ports/clock.ts";

const NOW = 1_793_520_000_250;

let server: http.Server;
let status = 202;
let type = "application/json";
let connections = 0;
let asked: { path: string; headers: http.IncomingHttpHeaders; body: string }[] = [];
let logged: string[] = [];

beforeEach(async () => {
  status = 202;
  type = "application/json";
  connections = 0;
  asked = [];
  logged = [];
  server = http.createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ path: request.url ?? "", headers: request.headers, body });
    response.writeHead(status, { "content-type": type, "x-fc-request-id": "R" });
    response.end(JSON.stringify({ ErrorCode: "SomeError", ErrorMessage: "no" }));
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

function wakeup(settings: { endpoint?: string; securityToken?: string } = {}) {
  const clock: Clock = { now: () => NOW, monotonicMs: () => 0, sleep: async () => undefined };
  return fcWakeup({
    clock,
    log: { write: (level, message, fields) => void logged.push(`${level} ${message} ${JSON.stringify(fields)}`) },
    credentials: () => ({ accessKeyId: "ak", accessKeySecret: "sk", securityToken: settings.securityToken }),
    accountId: "100000000000",
    region: "cn-hangzhou",
    functionName: "sweep",
    endpoint: settings.endpoint ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
}

describe("arming a wake-up", () => {
  it("invokes the sweep asynchronously, delayed to the next full second", async () => {
    await wakeup({ securityToken: "token" }).arm(3, NOW + 10_001);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      path: "/2023-03-30/functions/sweep/invocations",
      body: JSON.stringify({ wakeup: { shard: 3, at: NOW + 10_001, again: 0 } }),
      headers: {
        "x-fc-invocation-type": "Async",
        "x-fc-async-task-id": "w_3_1793520011",
        "x-fc-async-delay": "11",
        "x-fc-security-token": "token",
      },
    });
    expect(asked[0]?.headers.authorization).toMatch(/^FC ak:/);
    expect(logged).toEqual([]);
  });

  it("asks for no delay when the instant has come", async () => {
    await wakeup().arm(0, NOW - 5_000);
    expect(asked[0]?.headers).not.toHaveProperty("x-fc-async-delay");
  });

  it("cuts a delay of more than an hour, on the minute, so that far wake-ups share one call", async () => {
    const armed = wakeup();
    await armed.arm(0, NOW + 2 * 3_600_000);
    await armed.arm(0, NOW + 3 * 3_600_000);
    expect(asked).toHaveLength(1);
    const delay = Number(asked[0]?.headers["x-fc-async-delay"]);
    expect(delay).toBeGreaterThan(3_600 - 61);
    expect(delay).toBeLessThanOrEqual(3_599);
    expect(asked[0]?.headers["x-fc-async-task-id"]).toBe(`w_0_${Math.floor(NOW / 1000) + delay}`);
    // It will come before its time, and that is no fault of the platform's.
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ wakeup: { shard: 0, at: NOW + 2 * 3_600_000 } });
  });

  it("asks for a second anew by another name, as a name is taken once", async () => {
    const armed = wakeup();
    await armed.arm(1, NOW + 9_000);
    await armed.arm(1, NOW + 9_000, 1);
    await armed.arm(1, NOW + 9_000, 1);
    expect(asked.map(({ headers }) => headers["x-fc-async-task-id"])).toEqual(["w_1_1793520010", "w_1_1793520010_1"]);
    expect(JSON.parse(asked[1]?.body ?? "")).toEqual({ wakeup: { shard: 1, at: NOW + 9_000, again: 1 } });
  });

  it("sends one call per shard and due second", async () => {
    const armed = wakeup();
    await Promise.all([armed.arm(1, NOW + 4_000), armed.arm(1, NOW + 4_100), armed.arm(2, NOW + 4_000)]);
    await armed.arm(1, NOW + 9_000);
    expect(asked).toHaveLength(3);
  });

  it("takes a duplicate's 409 for success", async () => {
    status = 409;
    await wakeup().arm(1, NOW + 4_000);
    expect(logged).toEqual([]);
  });

  it("logs a failure, never throws, and tries again when asked again", async () => {
    status = 503;
    const armed = wakeup();
    await armed.arm(1, NOW + 4_000);
    expect(logged).toHaveLength(1);
    status = 202;
    await armed.arm(1, NOW + 4_000);
    expect(asked).toHaveLength(2);
    expect(logged).toHaveLength(1);
  });

  it("keeps its connection for the next wake-up", async () => {
    const armed = wakeup();
    for (const seconds of [4, 5, 6]) await armed.arm(1, NOW + seconds * 1_000);
    expect([asked.length, connections]).toEqual([3, 1]);
  });

  it("logs what is no answer of the service", async () => {
    [status, type] = [502, "text/html"];
    await wakeup().arm(1, NOW + 4_000);
    expect(logged).toEqual([expect.stringMatching(/wake-up not armed.*failed with 502/)]);
  });

  it("sends what the service can check the body with", async () => {
    await wakeup().arm(1, NOW + 4_000);
    const { body, headers } = asked[0] ?? { body: "", headers: {} as http.IncomingHttpHeaders };
    expect(headers["content-length"]).toBe(`${body.length}`);
    const digits = Buffer.from(`${headers["content-md5"]}`, "base64").toString();
    expect(digits).toBe(createHash("md5").update(body).digest("hex"));
  });

  it("logs an endpoint that is not there", async () => {
    await wakeup({ endpoint: "http://127.0.0.1:1" }).arm(1, NOW + 4_000);
    expect(logged).toHaveLength(1);
  });
});
