// What strangers and callers of little rights try on the deployed program, through the gateway's own reading of paths and headers.
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Deployed, deploy } from "../kit/deployed.ts";

let world: Deployed;
beforeAll(async () => {
  world = await deploy();
});
afterAll(() => world?.stop());

/** Sends a request to the letter, as no client library would; answers the status and the body. */
function raw(line: string, headers: readonly string[] = [], body = ""): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(world.cloud.endpoints.api);
  const head = [line, "Host: x", "Connection: close", `Content-Length: ${Buffer.byteLength(body)}`, ...headers];
  return new Promise((done, failed) => {
    let text = "";
    const socket = connect(Number(port), hostname, () => socket.write(`${head.join("\r\n")}\r\n\r\n${body}`));
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", failed);
    socket.on("close", () => done({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text }));
  });
}
const bearer = (token: string): string => `Authorization: Bearer ${token}`;
const open = () => world.rules("web").length;

describe("paths to the letter", () => {
  test.each([
    ..."/v1/%2574okens /v1/leases/%252e%252e/tokens /v1/leases/%2e%2e%2ftokens /v1/leases/..;/tokens".split(" "),
    ..."/v1/tokens;x /v1/tokens/ //v1/tokens /v1/./tokens /v1/leases/../tokens /v1/TOKENS /v1/tokens%00 /v1/tokens%0d%0aX:y".split(
      " ",
    ),
    ..."/v1\\tokens /v1/tokens%23 http://x/v1/tokens /v1/%c0%ae%c0%ae/tokens /v1/leases/%".split(" "),
  ])("%s gives nobody but an admin a list of tokens", async (path) => {
    const { status, text } = await raw(`GET ${path} HTTP/1.1`, [bearer(world.tokens.requester)]);
    expect([path, status < 500, /"tokens":\[\{[^\]]*"principal":"(?!requester)/.test(text)]).toEqual([
      path,
      true,
      false,
    ]);
    const stranger = await raw(`GET ${path} HTTP/1.1`);
    expect([path, [400, 401, 404].includes(stranger.status)]).toEqual([path, true]);
  });
});

describe("headers to the letter", () => {
  test("two tokens are none, in whichever order, spelling and folding", async () => {
    const { admin, requester } = world.tokens;
    for (const both of [
      [bearer(requester), bearer(admin)],
      [bearer(admin), bearer(requester)],
      [bearer(requester), `authorization: Bearer ${admin}`],
      [`Authorization: Bearer ${requester}, Bearer ${admin}`],
      [`Authorization: Bearer ${requester}\r\n Bearer ${admin}`],
      [`Authorization : Bearer ${admin}`],
    ]) {
      // Which of two the gateway keeps is its own affair: never an admin's rights beside a requester's name.
      const { status, text } = await raw("GET /v1/policy HTTP/1.1", both);
      if (status === 200) expect(text).not.toContain(requester);
      else expect([400, 401, 403]).toContain(status);
    }
  });

  test("no header names the address, the method or the caller", async () => {
    const { requester } = world.tokens;
    const lies = ["X-Forwarded-For: 10.9.9.9", "X-Real-IP: 10.9.9.9", "Forwarded: for=10.9.9.9", "X-Fc-Account-Id: 1"];
    const method = ["X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT", "X-HTTP-Method: PUT"];
    const path = "/safeport/temp_allow?port=9777&period=60&dryRun=true&_method=DELETE".replace("&_method=DELETE", "");
    const dry = await raw(`PUT ${path} HTTP/1.1`, [bearer(requester), ...lies, ...method]);
    expect([dry.status, dry.text.includes("10.9.9.9"), dry.text.includes("127.0.0.1/32")]).toEqual([200, false, true]);
    const before = open();
    await raw("GET /safeport/temp_allow?port=9777&period=60 HTTP/1.1", [bearer(requester), ...method]);
    await raw("HEAD /safeport/temp_allow?port=9777&period=60 HTTP/1.1", [
      bearer(requester),
      "X-HTTP-Method-Override: PUT",
    ]);
    expect(open()).toBe(before);
  });
});

test("bodies that are deep, wide or no JSON are refused at once by every kind of write", async () => {
  const { admin } = world.tokens;
  const deep = "[".repeat(30_000) + "]".repeat(30_000);
  const bodies = [
    deep,
    `{"principal":${deep},"roles":["admin"]}`,
    `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`,
    `{"__proto__":{"roles":["admin"]},"principal":"eve","roles":["requester"]}`,
    `{"principal":"eve","roles":["requester"],"principal":"admin","x":1}`,
    "x".repeat(70_000),
    "\u0000",
  ];
  for (const path of ["/v1/tokens", "/v1/leases", "/v1/lockdown", "/v1/policy:confirm"])
    for (const body of bodies) {
      const begun = Date.now();
      const { status } = await raw(`POST ${path} HTTP/1.1`, [bearer(admin), "Content-Type: application/json"], body);
      expect([path, body.slice(0, 20), status >= 400 && status < 500]).toEqual([path, body.slice(0, 20), true]);
      expect(Date.now() - begun).toBeLessThan(5000);
    }
  const { body } = await world.api("GET", "/v1/tokens", { token: admin });
  expect(JSON.stringify(body)).not.toContain("eve");
});

test("from another site a browser can have nothing done: no cookie, no grant to read, no form that is understood", async () => {
  const origin = "Origin: https://evil.example.com";
  const preflight = await raw("OPTIONS /v1/leases HTTP/1.1", [origin, "Access-Control-Request-Method: POST"]);
  expect(preflight.text).not.toMatch(/access-control-allow/i);
  const form = ["Content-Type: application/x-www-form-urlencoded", "Cookie: token=x", origin];
  for (const path of ["/v1/leases", "/v1/lockdown", "/v1/tokens", "/v1/links/x"]) {
    const { status, text } = await raw(`POST ${path} HTTP/1.1`, form, "port=22&decision=approve&confirm=x");
    expect([path, [400, 401, 404].includes(status), /set-cookie|access-control-allow/i.test(text)]).toEqual([
      path,
      true,
      false,
    ]);
  }
});

test("links that nobody has signed are answered alike, whatever they name, and soon no more", async () => {
  const { body } = await world.api("PUT", "/safeport/temp_allow?port=6379&period=600", {
    token: world.tokens.requester,
  });
  const sign = "A".repeat(43);
  const person = Buffer.from("approver").toString("base64url");
  const made = [`${body.id}.zzzzzzzz.${person}.${sign}`, `ls-0000000000000000000.zzzzzzzz.${person}.${sign}`, "x"];
  const pages = await Promise.all(made.map((link) => raw(`GET /v1/links/${link} HTTP/1.1`)));
  const bodyOf = ({ text }: { text: string }) => text.slice(text.indexOf("<!doctype"));
  expect(pages.map((it) => it.status)).toEqual([404, 404, 404]);
  expect(new Set(pages.map(bodyOf)).size).toBe(1);
  let last = 404;
  for (let n = 0; n < 200 && last === 404; n++) last = (await raw(`GET /v1/links/x HTTP/1.1`)).status;
  expect(last).toBe(429);
});
