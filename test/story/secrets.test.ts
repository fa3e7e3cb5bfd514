// After a run of the whole program (every function, alarms, notices, the audit, the company's tokens, the command line), no secret is in
// the tables, the logs, the answers, the errors, the messages, what the command line says, the exported trail, or the bundles.
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { adoptSeed } from "../../cli/dev/adopt-seed.ts";
import { environmentOf, functionsOf } from "../../cli/dev/deployment.ts";
import { act } from "../../cli/dev/somebody.ts";
import { runCommand } from "../../cli/safeport/run.ts";
import { seededRandom } from "../../local/random.ts";
import { seedTablestoreInstance, seedUser, seedUserNames } from "../../local/seed.ts";
import { newTokenText } from "../../shared/access/token.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { parseToken } from "../../shared/domain/token-text.ts";
import { schemas } from "../../shared/store/tables.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { builtProgram } from "../kit/deployed-build.ts";
import { IdentityProvider } from "../kit/identity-provider.ts";
import { type Receiver, startReceiver } from "../kit/receivers.ts";

const MINUTE = 60_000;
const SIGN = "the signing key of the receiver";
const ROBOT = "robot-token-0123456789";
const EARLIER_ALARM = "b".repeat(48);
const SECRETS = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };

let world: Deployed;
let hook: Receiver;
let corp: IdentityProvider;
/** What the command line says, on both streams. */
const said: string[] = [];
/** Links that decide in somebody's name: they are in the message to that person, and nowhere else. */
const links = new Map<string, string>();
let exported = "";
/** What nobody may find, each with what it is. */
const secrets = new Map<string, string>();
/** Answers that are not the one in which a secret is told. */
const answers: string[] = [];

const secretOf = (token: string): string => parseToken(token)?.secret ?? token;

async function safeport(line: string): Promise<void> {
  const { cloud, tokens } = world;
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const out = (text: string): void => void said.push(text);
  await runCommand(line.split(" "), {
    env: {
      ...environmentOf(cloud, { ...SECRETS, tokens }),
      ...{ SAFEPORT_ROLE: seedUserNames.role, SAFEPORT_FUNCTION_PREFIX: "", SAFEPORT_API: cloud.endpoints.api },
      ...{ SAFEPORT_TOKEN: tokens.admin, ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId },
      ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
    },
    ...{ out, err: out, fetch, stopped: Promise.resolve() },
    clock: {
      now: () => cloud.clock.now(),
      monotonicMs: () => cloud.clock.monotonicMs(),
      sleep: (ms) => world.advance(ms),
    },
  });
}

/** The monitoring posts an alarm with a secret in the path. */
/** Posts an alarm; answers the status. */
async function alarm(secret: string, state: string): Promise<number> {
  const body = new URLSearchParams({
    ...{ alertName: "ddos", alertState: state, triggerLevel: "CRITICAL" },
    dimensions: `{instanceId=${world.instanceId("web-1")}, userId=1}`,
    timestamp: String(Math.floor(world.cloud.clock.now() / 1000) + said.length),
  });
  const answer = await fetch(`${world.cloud.endpoints.api}/alarm/${secret}`, { method: "POST", body });
  answers.push(await answer.text());
  return answer.status;
}

async function call(token: string, method: string, path: string, body?: object): Promise<Record<string, string>> {
  const answer = await world.api(method, path, { token, ...(body === undefined ? {} : { body }) });
  const { token: told, ...rest } = Object(answer.body);
  if (typeof told === "string") secrets.set(secretOf(told), `the token of ${path}`);
  answers.push(JSON.stringify([path, rest, [...answer.headers]]));
  return { ...rest, token: told };
}

beforeAll(async () => {
  [hook, corp] = await Promise.all([
    startReceiver("webhook", SIGN, () => world.cloud.clock.now()),
    IdentityProvider.start(),
  ]);
  const policy = [
    readFileSync("cli/dev/policy.yaml", "utf8"),
    "notifications:",
    "  targets:",
    "    hook: { kind: webhook, urlFrom: HOOK, secretFrom: HOOK_KEY, least: low }",
    "    own: { kind: webhook, urlFrom: HOOK, secretFrom: HOOK_KEY }",
    "  people: { dba: { targets: [own] } }",
    "  otherwise: [hook]",
    "access:",
    `  oidc: [{ name: corp, issuer: "${corp.issuer}", audience: safeport, jwksUri: "${corp.issuer}/keys", rules: [{ claim: groups, value: sre, roles: [operator] }] }]`,
  ].join("\n");
  world = await deploy({
    policy,
    environment: {
      SAFEPORT_SECRET_HOOK: `${hook.url}?access_token=${ROBOT}`,
      SAFEPORT_SECRET_HOOK_KEY: SIGN,
      SAFEPORT_NOTIFY_PRIVATE_HOSTS: `${hook.host},${corp.host}`,
      SAFEPORT_ALARM_SECRETS: `${SECRETS.alarmSecret},${EARLIER_ALARM}`,
      SAFEPORT_PUBLIC_URL: "https://safeport.example.com",
    },
  });
  secrets
    .set(SIGN, "the receiver's key")
    .set(ROBOT, "the robot's address")
    .set(EARLIER_ALARM, "the alarm's other secret");
  for (const [role, token] of Object.entries(world.tokens)) secrets.set(secretOf(token), `the token of ${role}`);
  secrets.set("m".repeat(64), "the mark's key").set("a".repeat(48), "the alarm's secret");
  for (const user of world.cloud.account.users) secrets.set(user.accessKeySecret, `the key of ${user.name}`);

  const { accessKeySecret, securityToken } = world.cloud.roleKeys();
  secrets.set(accessKeySecret, "the key of the functions' role").set(securityToken, "the token of the functions' role");

  const { admin, requester, approver, operator } = world.tokens;
  const made = await call(admin, "POST", "/v1/tokens", { principal: "ann", roles: ["requester"] });
  const rotated = await call(made["token"] ?? "", "POST", `/v1/tokens/${made["id"]}:rotate`, { overlap: 60 });
  await call(rotated["token"] ?? "", "POST", "/v1/leases", { port: 9000, period: 600, group: "lab", reason: "a look" });
  await call(admin, "DELETE", `/v1/tokens/${rotated["id"]}`);
  // Wrong ones are secrets too: somebody may have mistyped theirs.
  const wrong = newTokenText(seededRandom("wrong"));
  const jwt = `${Buffer.from('{"alg":"RS256"}').toString("base64url")}.${Buffer.from('{"iss":"x"}').toString("base64url")}.c2lnbmF0dXJl`;
  for (const token of [wrong, wrong.slice(0, -1), jwt, "a-password-in-the-wrong-place"]) {
    secrets.set(secretOf(token), "a wrong token");
    await call(token, "GET", "/v1/leases");
    await call(token, "POST", "/v1/leases", { port: "x", period: "y" });
  }
  const asked = await call(requester, "POST", "/v1/leases", { port: 6379, period: 600, group: "lab" });
  await call(approver, "POST", `/v1/leases/${asked["id"]}:approve`, {});
  const loud = { port: 6379, period: 600, group: "lab", breakGlass: true, reason: "it cannot wait" };
  const opened = await call(operator, "POST", "/v1/leases", loud);
  await call(operator, "POST", `/v1/leases/${opened["id"]}:justify`, { text: "the queue was full" });
  await wholeProgram();
  for (const { body } of hook.received)
    for (const [link = ""] of body.matchAll(/\/v1\/links\/[A-Za-z0-9_.~-]+/g))
      links.set(link.slice("/v1/links/".length), "a link");
  for (const path of ["tokens", "leases", "records", "health", "policy", "ledger", "openapi.json", "drift", "lockdown"])
    await call(admin, "GET", `/v1/${path}`);
}, 120_000);
afterAll(async () => {
  await world?.stop();
  await Promise.all([hook?.stop(), corp?.stop()]);
});

/** Every function, alarms, notices, the audit, a company's tokens and the command line; good input and bad. */
async function wholeProgram(): Promise<void> {
  const { cloud, tokens } = world;
  const { admin, auditor } = tokens;
  await adoptSeed(cloud.endpoints.api, admin);
  // A company's token, good and altered.
  const seconds = Math.floor(cloud.clock.now() / 1000);
  const claims = { iss: corp.issuer, aud: "safeport", sub: "ann", groups: ["sre"], iat: seconds, exp: seconds + 3000 };
  const jwt = await corp.sign(claims);
  for (const token of [jwt, jwt.slice(0, -4), await corp.sign({ ...claims, aud: "x" })]) {
    secrets.set(token.split(".")[2] ?? token, "a company's token");
    await call(token, "GET", "/v1/leases");
  }
  // A second person who is asked by a link.
  const entry = { group: "lab", port: 6379, source: "10.0.0.0/8", owner: "dba", reason: "cache" };
  await call(admin, "PUT", "/v1/ledger", entry);
  await call(tokens.requester, "POST", "/v1/leases", { port: 6379, period: 600, group: "lab", reason: "a look" });
  // Somebody else's rule, seen by the trail and rolled back.
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.foreign);
  const somebody = { accessKeyId, accessKeySecret, ecs: cloud.endpoints.ecs, region: cloud.account.regionId };
  const rule = { port: 3306, source: "0.0.0.0/0" };
  await act({ ...somebody, groupId: world.groupId("web"), clock: cloud.clock }, "open", rule);
  await world.advance(MINUTE);
  // Alarms, with a right secret, a wrong one, and none.
  secrets.set("c".repeat(48), "a wrong secret of an alarm");
  for (const secret of [SECRETS.alarmSecret, EARLIER_ALARM, "c".repeat(48), ""]) await alarm(secret, "ALERT");
  await world.advance(MINUTE);
  await alarm(SECRETS.alarmSecret, "OK");
  const month = new Date(cloud.clock.now()).toISOString().slice(0, 7);
  await call(auditor, "POST", `/v1/audits/${month}`, {});
  // Past the hour at which records are sealed.
  await world.advance(100 * MINUTE);
  await call(auditor, "GET", `/v1/audits/${month}`);
  const file = join(mkdtempSync(join(tmpdir(), "safeport-secrets-")), "trail.jsonl");
  for (const line of [
    "setup --plan --json",
    "setup --apply --contacts operations",
    "doctor --contacts operations --json",
    "policy show",
    "policy check /nowhere",
    "mode halt --reason exercise",
    "mode normal --reason over",
    "uninstall --plan --json",
    "records verify --json",
    `records export ${file}`,
    "unheard-of",
  ])
    await safeport(line);
  exported = readFileSync(file, "utf8");
}

/** Which secrets are in a text. */
const foundIn = (text: string): readonly string[] =>
  [...secrets].flatMap(([secret, what]) => (text.includes(secret) ? [what] : []));

test("there are secrets to look for, and the search finds one that is planted", () => {
  expect(secrets.size).toBeGreaterThan(12);
  expect(Math.min(...[...secrets.keys()].map((secret) => secret.length))).toBeGreaterThan(7);
  expect(foundIn(`a line with ${[...secrets.keys()][0]} in it`)).toHaveLength(1);
});

test("no table has one", async () => {
  const { accessKeyId, accessKeySecret } = seedUser(world.cloud.account, seedUserNames.admin);
  const tables = tablestoreTables({
    ...{ clock: systemClock, random: seededRandom("secrets"), schemas, instance: seedTablestoreInstance },
    ...{ endpoint: world.cloud.endpoints.tablestore, credentials: () => ({ accessKeyId, accessKeySecret }) },
  });
  let rows = 0;
  for (const { name, key } of schemas) {
    const from = key[0]?.type === "integer" ? [0] : [""];
    const page = await tables.range({ table: name, from, to: null, limit: 5000 });
    rows += page.rows.length;
    const rowsText = JSON.stringify(page.rows);
    expect([name, foundIn(rowsText)]).toEqual([name, []]);
    expect([name, [...links.keys()].filter((link) => rowsText.includes(link))]).toEqual([name, []]);
  }
  expect(rows).toBeGreaterThan(20);
});

test("the whole program has run, and no message, nothing the command line says and nothing of the exported trail has one", async () => {
  const run = new Set(
    world.cloud.functions.registry
      .logs()
      .lines()
      .map((line) => JSON.stringify(line).match(/api|sweep|alarm|audit/)?.[0]),
  );
  expect(run.size).toBeGreaterThan(1);
  expect(hook.received.length).toBeGreaterThan(5);
  expect(new Set(hook.received.map(({ json }) => json["type"])).size).toBeGreaterThan(4);
  expect([links.size > 0, exported.split("\n").length > 20, said.join("").includes("findings")]).toEqual([
    true,
    true,
    true,
  ]);
  for (const { body } of hook.received) expect(foundIn(body)).toEqual([]);
  expect(foundIn(exported)).toEqual([]);
  for (const text of said) expect(foundIn(text), text.slice(0, 200)).toEqual([]);
  const elsewhere = JSON.stringify([world.cloud.functions.registry.logs().lines(), answers, exported, said]);
  for (const link of links.keys()) expect(elsewhere.includes(link)).toBe(false);
});

test("no log line and no answer has one", () => {
  const lines = world.cloud.functions.registry.logs().lines();
  expect(foundIn(JSON.stringify(lines))).toEqual([]);
  expect(answers.length).toBeGreaterThan(20);
  for (const answer of answers) expect(foundIn(answer), answer.slice(0, 300)).toEqual([]);
});

test("no bundle has one", async () => {
  const dist = join(await builtProgram(), "dist");
  const files = readdirSync(dist, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bundles = files.filter(({ name, parentPath }) => name.endsWith(".js") && !parentPath.includes("maps"));
  expect(bundles.length).toBeGreaterThan(3);
  for (const { name, parentPath } of bundles)
    expect(foundIn(readFileSync(join(parentPath, name), "utf8")), join(parentPath, name)).toEqual([]);
});

// The last: it deploys with other secrets.
test("the alarm's secret changes with an overlap: both are good while both are set, and the old one no more when it is taken out", async () => {
  const dist = join(await builtProgram(), "dist");
  const [old, next] = [EARLIER_ALARM, "n".repeat(48)];
  const statusesWith = async (inForce: string): Promise<readonly number[]> => {
    const environment = { SAFEPORT_ALARM_SECRETS: inForce };
    const { cloud, tokens } = world;
    cloud.deploy(functionsOf(cloud, { ...SECRETS, tokens }, { dist, environment }));
    return [await alarm(old, "ALERT"), await alarm(next, "ALERT")];
  };
  expect(await statusesWith(old)).toEqual([200, 404]);
  expect(await statusesWith(`${old},${next}`)).toEqual([200, 200]);
  expect(await statusesWith(next)).toEqual([404, 200]);
});
