// `safeport uninstall` on the built program: what was opened is closed and what was closed is given back, wherever it was cut before, and the
// state stays until then.
import { afterAll, beforeAll, expect, test } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { seedTablestoreInstance, seedUser, seedUserNames } from "../../local/seed.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import { systemRandom } from "../../shared/adapters/system/random.ts";
import { dayAfter, dayOf, daysBetween, unknownDay } from "../../shared/domain/evidence.ts";
import { addEvidence } from "../../shared/store/evidence.ts";
import { schemas } from "../../shared/store/tables.ts";
import { type CommandRun, typed } from "../kit/command-line.ts";
import { type Deployed, deploy } from "../kit/deployed.ts";
import { WHOLE_DAY } from "../kit/evidence.ts";

const DAY_MS = 86_400_000;
/** Every how manyth request is cut; `CRASH_POINTS=all` cuts each. */
const STEP = process.env["CRASH_POINTS"] === "all" ? 1 : 6;
const policy = `
defaultTarget: web
lockdown: { groups: [legacy], withoutOperatorPath: a test }
recycling: { window: 7, notice: 1, quarantine: 30, groups: [lab] }
`;

let program: Deployed;
beforeAll(async () => {
  program = await deploy({ policy, ageDays: 9 });
}, 60_000);
afterAll(() => program?.stop());

const admin = (path: string, body: unknown) => program.api("POST", path, { token: program.tokens.admin, body });
const dropsOf = (group: string) => program.rules(group).filter((rule) => rule.policy === "Drop");
const marked = () =>
  ["web", "lab", "legacy"].flatMap((group) =>
    program.rules(group).filter((it) => it.description.startsWith("safeport/1")),
  );

async function lockDown(): Promise<void> {
  const locked = await admin("/v1/lockdown", { groups: ["legacy"], reason: "an incident", waivedBy: "ann" });
  expect(locked.status, JSON.stringify(locked.body)).toBeLessThan(300);
  expect(dropsOf("legacy").length).toBeGreaterThan(0);
}

/** Runs the command, beside an alarm that comes once the mode is set; its request number `cut` is never answered, and every second of those is not even made. */
async function close(cut: number): Promise<CommandRun & { readonly requests: number }> {
  let requests = 0;
  let isAlarmed = false;
  const reach: typeof fetch = async (...words) => {
    const at = requests++;
    if (at === cut && cut % 2 === 1) throw new TypeError("fetch failed");
    const answer = await fetch(...words);
    if (!isAlarmed && String(words[1]?.body).includes("close-only")) {
      isAlarmed = true;
      await lockDown();
    }
    if (at === cut) throw new TypeError("fetch failed");
    return answer;
  };
  return { ...(await uninstall("--close", { fetch: reach })), requests };
}

function uninstall(how: string, { prefix = "", ...more }: { fetch?: typeof fetch; prefix?: string } = {}) {
  const { cloud, tokens } = program;
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "test-1", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48), tokens };
  const env = {
    ...environmentOf(cloud, secrets),
    SAFEPORT_FUNCTION_PREFIX: prefix,
    SAFEPORT_API: cloud.endpoints.api,
    SAFEPORT_TOKEN: tokens.admin,
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  return typed(`uninstall ${how} --json`, { cloud, env, sleep: (ms) => program.advance(ms), ...more });
}

/** The rule of `lab` that nobody uses, closed on a person's word. */
async function quarantine(): Promise<void> {
  const { accessKeyId, accessKeySecret } = seedUser(program.cloud.account, "admin");
  const tables = tablestoreTables({
    ...{ clock: systemClock, random: systemRandom, schemas },
    credentials: () => ({ accessKeyId, accessKeySecret }),
    endpoint: program.cloud.endpoints.tablestore,
    instance: seedTablestoreInstance,
  });
  const today = () => dayOf(program.cloud.clock.now());
  const tell = async (from: number) => {
    for (const day of daysBetween(dayAfter(today(), from), today()))
      await addEvidence(tables, "cn-hangzhou", {
        ...unknownDay(program.instanceId("lab-1"), day),
        ...{ seen: WHOLE_DAY, sources: ["flowLog"], ports: [] },
      });
  };
  await tell(-9);
  const run = () => program.api("POST", "/v1/recycling:run", { token: program.tokens.operator });
  await run();
  await program.advance(DAY_MS + 60_000);
  await tell(-1);
  const { body } = await program.api("GET", "/v1/recycling?group=lab", { token: program.tokens.operator });
  const path = `/v1/recycling/${body.recycling[0].id}:approve`;
  const answer = await program.api("POST", path, { token: program.tokens.approver, body: { step: "quarantine" } });
  expect(answer.body, JSON.stringify(answer.body)).toMatchObject({ state: "quarantined" });
}

test("lifts quarantines and lockdowns and ends leases, and goes on where it was cut", async () => {
  await quarantine();
  const [drop] = dropsOf("lab");
  expect(drop).toBeDefined();
  const before = program.rules("legacy").map(({ portRange, policy }) => [portRange, policy]);
  for (let cut = 0; ; cut += STEP) {
    // What an alarm and a person did since the last run, which may have left another mode than `normal`.
    await lockDown();
    const mode = await program.api("PUT", "/v1/mode", {
      token: program.tokens.admin,
      body: { mode: "normal", reason: "test" },
    });
    expect(mode.status).toBe(200);
    const opened = await admin("/v1/leases", { port: 9400 + cut, period: 3600, group: "web", source: "203.0.113.7" });
    expect(opened.status, JSON.stringify(opened.body)).toBe(201);
    await program.api("PUT", "/v1/mode", { token: program.tokens.admin, body: { mode: "close-only", reason: "test" } });
    const told = await close(cut);
    if (told.requests > cut) {
      expect(told.code, told.err).toBe(1);
      continue;
    }
    expect(told.code, told.err).toBe(0);
    break;
  }
  // Nor does it pass over a call of its own to the cloud that fails: the look for rules, or the removal of an alarm.
  for (const [at, service] of (["ecs", "cms"] as const).entries()) {
    await program.api("PUT", "/v1/mode", { token: program.tokens.admin, body: { mode: "normal", reason: "test" } });
    const opened = await admin("/v1/leases", { port: 9300 + at, period: 3600, group: "web", source: "203.0.113.7" });
    expect(opened.status, JSON.stringify(opened.body)).toBe(201);
    const { accessKeyId } = seedUser(program.cloud.account, seedUserNames.admin);
    const fault = { kind: "reject", status: 403, code: "NoPermission" } as const;
    program.cloud.faults.set([{ service, accessKeyId, skip: 1, times: 1, fault }]);
    const cut = await close(Number.POSITIVE_INFINITY);
    program.cloud.faults.set([]);
    expect([cut.code, cut.out], cut.err).toEqual([1, ""]);
    const again = await close(Number.POSITIVE_INFINITY);
    expect(again.code, again.err).toBe(0);
  }
  expect(marked()).toEqual([]);
  expect(program.rules("legacy").map(({ portRange, policy }) => [portRange, policy])).toEqual(before);
  const query = { token: program.tokens.operator };
  expect((await program.api("GET", "/v1/recycling?state=restored", query)).body.recycling).toHaveLength(1);
  expect((await program.api("GET", "/v1/mode", { token: program.tokens.admin })).body.mode).toBe("close-only");
}, 120_000);

test("keeps its state while a lockdown has its owner's rule revoked, which no rule of the cloud tells", async () => {
  const token = program.tokens.admin;
  await program.api("PUT", "/v1/mode", { token, body: { mode: "normal", reason: "test" } });
  const before = program.rules("legacy").map(({ portRange, policy }) => [portRange, policy]);
  expect(before.length).toBeGreaterThan(0);
  // The cloud takes no drops: accepts are revoked, and kept in the ledger alone.
  const fault = { kind: "reject", status: 403, code: "AuthorizationLimitExceed" } as const;
  program.cloud.faults.set([{ service: "ecs", operation: "AuthorizeSecurityGroup", fault }]);
  const locked = await admin("/v1/lockdown", { groups: ["legacy"], reason: "an incident", waivedBy: "ann" });
  program.cloud.faults.set([]);
  expect(locked.body.groups, JSON.stringify(locked.body)).toMatchObject([{ way: "suspend" }]);
  expect(program.rules("legacy").length).toBeLessThan(before.length);
  // As after `s remove`: under these names there are no functions.
  const refused = await uninstall("--state", { prefix: "gone-" });
  expect(refused.code, refused.err).toBe(3);
  expect(JSON.parse(refused.out)).toMatchObject({
    ...{ removed: [], rules: [] },
    held: expect.arrayContaining([
      expect.stringContaining(`${program.groupId("legacy")}, closed by ${locked.body.id}`),
    ]),
  });
  const closed = await uninstall("--close");
  expect(closed.code, closed.err).toBe(0);
  expect(program.rules("legacy").map(({ portRange, policy }) => [portRange, policy])).toEqual(before);
  const gone = await uninstall("--state", { prefix: "gone-" });
  expect([gone.code, JSON.parse(gone.out).removed], gone.err).toEqual([0, expect.arrayContaining(["table ledger"])]);
}, 60_000);
