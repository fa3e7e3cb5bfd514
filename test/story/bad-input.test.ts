// What the running program refuses: every case with its code and a remedy, and nothing written, neither to the ledger nor to ECS.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newRoleTokens, type RoleTokens } from "../../cli/setup/installation.ts";
import { type ApiInput, type Deployed, deploy, inWords, writesOf } from "../kit/deployed.ts";

let world: Deployed;
let expired: RoleTokens;

beforeAll(async () => {
  world = await deploy({ policy: "defaultTarget: web\ngroups: { denied: [legacy] }\n" });
  expired = newRoleTokens();
  await world.issue(expired, -1);
  await world.advance(60_000);
});
afterAll(() => world?.stop());

/** A lease that would be granted, with what is wrong about it. */
type Fields = Readonly<Record<string, unknown>>;
const asked: Fields = { port: "22", period: "600", source: "203.0.113.7" };

// Each as a query of temp_allow and as a body of POST /v1/leases.
const leases: readonly (readonly [string, Fields, number, string])[] = [
  ["port 0", { port: "0" }, 422, "PORT_INVALID"],
  ["port 65536", { port: "65536" }, 422, "PORT_INVALID"],
  ["a range that runs backwards", { port: "22/10" }, 422, "PORT_INVALID"],
  ["a port in letters", { port: "abc" }, 422, "PORT_INVALID"],
  ["a port with a sign", { port: "-22" }, 422, "PORT_INVALID"],
  ["a port with a fraction", { port: "22.0" }, 422, "PORT_INVALID"],
  ["a port in hexadecimal", { port: "0x16" }, 422, "PORT_INVALID"],
  ["an empty port", { port: "" }, 422, "PORT_INVALID"],
  ["no port", { port: undefined }, 422, "PORT_INVALID"],
  ["a range without its end", { port: "22-" }, 422, "PORT_INVALID"],
  ["a range beyond the last port", { port: "65000-65536" }, 422, "PORT_INVALID"],
  ["a port for icmp", { protocol: "icmp" }, 422, "PORT_INVALID"],
  ["an unknown protocol", { protocol: "sctp" }, 422, "PROTOCOL_INVALID"],
  ["period 0", { period: "0" }, 422, "PERIOD_INVALID"],
  ["a negative period", { period: "-60" }, 422, "PERIOD_INVALID"],
  ["a period with an exponent", { period: "1e9" }, 422, "PERIOD_INVALID"],
  ["a period of 59 seconds", { period: "59" }, 422, "PERIOD_INVALID"],
  ["a period of a fraction", { period: "60.5" }, 422, "PERIOD_INVALID"],
  ["a period beyond the policy", { period: "28801" }, 422, "PERIOD_INVALID"],
  ["no period", { period: undefined }, 400, "REQUEST_INVALID"],
  ["a wide source on a sensitive port", { source: "203.0.0.0/23" }, 422, "SOURCE_TOO_WIDE"],
  ["the world on a sensitive port", { source: "0.0.0.0/0" }, 422, "SOURCE_TOO_WIDE"],
  ["a wide source on a range that covers one", { port: "20-25", source: "10.0.0.0/8" }, 422, "SOURCE_TOO_WIDE"],
  ["a wide source on every port", { port: "1-65535", source: "10.0.0.0/23" }, 422, "SOURCE_TOO_WIDE"],
  [
    "a wide source on every protocol",
    { port: undefined, protocol: "all", source: "10.0.0.0/23" },
    422,
    "SOURCE_TOO_WIDE",
  ],
  ["a wide source on udp", { protocol: "udp", source: "10.0.0.0/8" }, 422, "SOURCE_TOO_WIDE"],
  ["a wide IPv6 source", { source: "2001:db8::/55" }, 422, "SOURCE_TOO_WIDE"],
  ["the IPv6 world", { port: "20-25", source: "::/0" }, 422, "SOURCE_TOO_WIDE"],
  ["the world in halves", { source: "0.0.0.0/1,128.0.0.0/1" }, 422, "SOURCE_TOO_WIDE"],
  ["the world in halves on a range", { port: "20-25", source: "0.0.0.0/1,128.0.0.0/1" }, 422, "SOURCE_TOO_WIDE"],
  ["two blocks of /24 that make one of /23", { source: "10.0.0.0/24,10.0.1.0/24" }, 422, "SOURCE_TOO_WIDE"],
  ["an IPv4-mapped source", { source: "::ffff:203.0.113.7" }, 422, "SOURCE_INVALID"],
  ["an IPv4-mapped block", { source: "::ffff:0:0/96" }, 422, "SOURCE_INVALID"],
  ["a zone id", { source: "fe80::1%eth0" }, 422, "SOURCE_INVALID"],
  [
    "an IPv6 source for icmp",
    { port: undefined, protocol: "icmp", source: "2001:db8::1" },
    422,
    "SOURCE_PROTOCOL_MISMATCH",
  ],
  ["host bits", { source: "203.0.113.7/24" }, 422, "SOURCE_INVALID"],
  ["IPv6 host bits", { source: "2001:db8::1/64" }, 422, "SOURCE_INVALID"],
  ["256.1.1.1", { source: "256.1.1.1" }, 422, "SOURCE_INVALID"],
  ["an octal address", { source: "010.0.0.1" }, 422, "SOURCE_INVALID"],
  ["an address of three parts", { source: "10.0.1" }, 422, "SOURCE_INVALID"],
  ["an address as a number", { source: "3405803783" }, 422, "SOURCE_INVALID"],
  ["a host name", { source: "example.com" }, 422, "SOURCE_INVALID"],
  ["a prefix of 33", { source: "10.0.0.1/33" }, 422, "SOURCE_INVALID"],
  ["an empty source", { source: "" }, 422, "SOURCE_INVALID"],
  ["one bad source among good ones", { source: "10.0.0.1,10.0.0.256" }, 422, "SOURCE_INVALID"],
  ["an unknown group", { group: "nothing" }, 404, "GROUP_UNKNOWN"],
  ["an unknown group id", { group: "sg-0000" }, 404, "GROUP_UNKNOWN"],
  ["a group a service manages", { group: "ack-cluster" }, 403, "GROUP_PROTECTED"],
  ["a group the policy denies", { group: "legacy" }, 403, "GROUP_PROTECTED"],
  ["an unknown instance", { instance: "i-0000" }, 404, "INSTANCE_UNKNOWN"],
  ["a group and an instance", { group: "web", instance: "web-1" }, 422, "TARGET_CONFLICT"],
  ["a region without leases", { region: "cn-shanghai" }, 400, "REQUEST_INVALID"],
  ["an unknown field", { prot: "tcp" }, 400, "REQUEST_INVALID"],
];

describe("a lease is refused before anything is written", () => {
  it.each(leases)("temp_allow: %s", async (_name, fields, status, code) => {
    await refused("PUT", `/safeport/temp_allow?${queryOf(fields)}`, {}, status, code);
  });

  it.each(leases)("POST /v1/leases: %s", async (_name, fields, status, code) => {
    await refused("POST", "/v1/leases", { body: bodyOf(fields) }, status, code);
  });

  it("POST /v1/leases: an instance in a group a service manages", async () => {
    const body = bodyOf({ instance: world.instanceId("ack-node-1") });
    await refused("POST", "/v1/leases", { body }, 403, "GROUP_PROTECTED");
  });
});

const allow = `/safeport/temp_allow?${queryOf({})}`;
const create = "/v1/leases";
type Case = readonly [string, string, string, () => ApiInput, number, string];
const requests: readonly Case[] = [
  ["temp_allow without a token", "PUT", allow, () => ({ token: null }), 401, "TOKEN_MISSING"],
  ["a lease without a token", "POST", create, () => ({ token: null, body: bodyOf({}) }), 401, "TOKEN_MISSING"],
  ["temp_allow with a wrong token", "PUT", allow, () => ({ token: "nonsense" }), 401, "TOKEN_INVALID"],
  [
    "a lease with an altered token",
    "POST",
    create,
    () => ({ token: altered(), body: bodyOf({}) }),
    401,
    "TOKEN_INVALID",
  ],
  ["temp_allow with an expired token", "PUT", allow, () => ({ token: expired.operator }), 401, "TOKEN_INVALID"],
  [
    "a lease with an expired token",
    "POST",
    create,
    () => ({ token: expired.admin, body: bodyOf({}) }),
    401,
    "TOKEN_INVALID",
  ],
  ["temp_allow without the role", "PUT", allow, () => ({ token: world.tokens.auditor }), 403, "ROLE_MISSING"],
  [
    "a lease without the role",
    "POST",
    create,
    () => ({ token: world.tokens.approver, body: bodyOf({}) }),
    403,
    "ROLE_MISSING",
  ],
  [
    "cleanup without the role",
    "PUT",
    "/safeport/cleanup",
    () => ({ token: world.tokens.requester }),
    403,
    "ROLE_MISSING",
  ],
  ["cleanup without a token", "PUT", "/safeport/cleanup", () => ({ token: null }), 401, "TOKEN_MISSING"],
  ["temp_allow by GET", "GET", allow, () => ({}), 405, "METHOD_NOT_ALLOWED"],
  ["temp_allow by POST", "POST", allow, () => ({}), 405, "METHOD_NOT_ALLOWED"],
  ["leases by DELETE", "DELETE", create, () => ({}), 405, "METHOD_NOT_ALLOWED"],
  ["invalid JSON", "POST", create, () => ({ body: "{" }), 400, "REQUEST_INVALID"],
  ["port 0 as a number", "POST", create, () => ({ body: bodyOf({ port: 0 }) }), 422, "PORT_INVALID"],
  ["port 65536 as a number", "POST", create, () => ({ body: bodyOf({ port: 65_536 }) }), 422, "PORT_INVALID"],
  ["port 22.5 as a number", "POST", create, () => ({ body: bodyOf({ port: 22.5 }) }), 422, "PORT_INVALID"],
  ["period 0 as a number", "POST", create, () => ({ body: bodyOf({ period: 0 }) }), 422, "PERIOD_INVALID"],
  ["period 1e9 as a number", "POST", create, () => ({ body: bodyOf({ period: 1e9 }) }), 422, "PERIOD_INVALID"],
  ["period 60.5 as a number", "POST", create, () => ({ body: bodyOf({ period: 60.5 }) }), 422, "PERIOD_INVALID"],
  [
    "the world in halves as a list",
    "POST",
    create,
    () => ({ body: bodyOf({ source: ["0.0.0.0/1", "128.0.0.0/1"] }) }),
    422,
    "SOURCE_TOO_WIDE",
  ],
  ["a list for a body", "POST", create, () => ({ body: [] }), 400, "REQUEST_INVALID"],
  ["a body that is not UTF-8", "POST", create, () => ({ body: Uint8Array.of(0xff, 0x7b) }), 400, "REQUEST_INVALID"],
  ["a body for temp_allow", "PUT", allow, () => ({ body: { port: 22 } }), 400, "REQUEST_INVALID"],
  ["a body of 100 kB", "POST", create, () => ({ body: "x".repeat(100_000) }), 413, "BODY_TOO_LARGE"],
  // What the platform itself refuses never reaches the program.
  ["a body of 40 MB", "POST", create, () => ({ body: new Uint8Array(40_000_000) }), 400, "InvalidArgument"],
  [
    "a body of 40 MB for temp_allow",
    "PUT",
    allow,
    () => ({ body: new Uint8Array(40_000_000) }),
    400,
    "InvalidArgument",
  ],
  ["a parameter given twice", "PUT", `${allow}&port=23`, () => ({}), 400, "REQUEST_INVALID"],
  ["an unknown path", "PUT", "/safeport/allow", () => ({}), 404, "NOT_FOUND"],
];

describe("a request is refused before anything is written", () => {
  it.each(requests)("%s", async (_name, method, path, input, status, code) => {
    await refused(method, path, input(), status, code);
  });
});

it("the request that all these differ from is granted, and what it writes is seen", async () => {
  const since = world.next();
  const granted = await world.api("PUT", allow);
  expect(granted.body).toMatchObject({ state: "open" });
  const services = writesOf(world.calls(since)).map(({ service, operation }) => `${service} ${operation}`);
  expect(services).toEqual(expect.arrayContaining(["ots BatchWriteRow", "ots PutRow", "ecs AuthorizeSecurityGroup"]));
});

async function refused(method: string, path: string, input: ApiInput, status: number, code: string): Promise<void> {
  const since = world.next();
  const rules = JSON.stringify(world.cloud.ecs.groups());
  const answer = await world.api(method, path, input);
  expect(answer.body, JSON.stringify(answer.body)).toMatchObject({ status, code });
  expect(answer.status).toBe(status);
  expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json\b/);
  expect(answer.body.message.length).toBeGreaterThan(10);
  expect(answer.body.remedy.length).toBeGreaterThan(10);
  const calls = world.calls(since);
  expect(writesOf(calls), inWords(calls)).toEqual([]);
  expect(JSON.stringify(world.cloud.ecs.groups())).toBe(rules);
}

function bodyOf(fields: Fields): Fields {
  return { ...asked, ...fields };
}

function queryOf(fields: Fields): string {
  const given = Object.entries(bodyOf(fields)).filter(([, value]) => value !== undefined);
  return given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join("&");
}

function altered(): string {
  const { operator } = world.tokens;
  const last = operator.endsWith("a") ? "b" : "a";
  return operator.slice(0, -1) + last;
}
