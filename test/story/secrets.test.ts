// After a run of everything that handles secrets, none of them is in the tables, the logs, the answers or the bundles.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../local/random.ts";
import { seedTablestoreInstance, seedUser, seedUserNames } from "../../local/seed.ts";
import { newTokenText } from "../../shared/access/token.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { parseToken } from "../../shared/domain/token-text.ts";
import { schemas } from "../../shared/store/tables.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { builtProgram } from "../kit/deployed-build.ts";

let world: Deployed;
/** What nobody may find, each with what it is. */
const secrets = new Map<string, string>();
/** Answers that are not the one in which a secret is told. */
const answers: string[] = [];

const secretOf = (token: string): string => parseToken(token)?.secret ?? token;

async function call(token: string, method: string, path: string, body?: object): Promise<Record<string, string>> {
  const answer = await world.api(method, path, { token, ...(body === undefined ? {} : { body }) });
  const { token: told, ...rest } = Object(answer.body);
  if (typeof told === "string") secrets.set(secretOf(told), `the token of ${path}`);
  answers.push(JSON.stringify([path, rest, [...answer.headers]]));
  return { ...rest, token: told };
}

beforeAll(async () => {
  world = await deploy();
  for (const [role, token] of Object.entries(world.tokens)) secrets.set(secretOf(token), `the token of ${role}`);
  secrets.set("m".repeat(64), "the mark's key").set("a".repeat(48), "the alarm's secret");
  for (const user of world.cloud.account.users) secrets.set(user.accessKeySecret, `the key of ${user.name}`);

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
  await world.advance(20 * 60_000);
  for (const path of ["tokens", "leases", "records", "health", "policy", "ledger", "openapi.json"])
    await call(admin, "GET", `/v1/${path}`);
});
afterAll(() => world?.stop());

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
    expect([name, foundIn(JSON.stringify(page.rows))]).toEqual([name, []]);
  }
  expect(rows).toBeGreaterThan(20);
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
