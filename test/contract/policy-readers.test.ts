// Which policy is in force for whom, on rows of Tablestore: the newest that can be read, the last good one, or a stand-in by which things end.
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { seededRandom } from "../../local/random.ts";
import { startTablestore, type Tablestore } from "../../local/services/tablestore/server.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { readDue } from "../../shared/store/due.ts";
import { writeFirstPolicy, writePolicy } from "../../shared/store/policy.ts";
import { schemas } from "../../shared/store/tables.ts";
import { runJob } from "../../shared/usecases/operation/jobs.ts";

const credentials = { accessKeyId: "ak", accessKeySecret: "secret" };
const SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef";
const random = seededRandom("policy readers");
let service: Tablestore | undefined;
let tables: Tables;
let composition: ReturnType<typeof import("../../functions/compose.ts").compose>;

beforeEach(async () => {
  await service?.stop();
  service = await startTablestore({
    ...{ clock: systemClock, random, instances: ["safeport"], credentials: () => ({ secret: "secret" }) },
  });
  tables = tablestoreTables({
    ...{ endpoint: service.url, instance: "safeport", credentials: () => credentials, clock: systemClock, random },
    schemas,
  });
  await tables.createTables(schemas);
  const environment = {
    SAFEPORT_REGION: "cn-hangzhou",
    SAFEPORT_ACCOUNT_ID: "100000000000",
    SAFEPORT_INSTALLATION: "test",
    SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
    SAFEPORT_TABLESTORE_INSTANCE: "safeport",
    SAFEPORT_TABLESTORE_ENDPOINT: service.url,
    SAFEPORT_ALARM_SECRETS: SECRET,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  await fresh();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  vi.resetModules();
  await service?.stop();
});

/** A process that has read nothing. */
async function fresh(): Promise<void> {
  vi.resetModules();
  composition = (await import("../../functions/compose.ts")).compose(credentials);
}

const write = (version: number, text: string) =>
  writePolicy(tables, { version, text, by: "eve", confirmedBy: null, at: 1, reason: "" });

test("before setup people are told so, and things end by a stand-in", async () => {
  await expect(composition.readPolicy()).rejects.toMatchObject({ code: "NOT_READY" });
  expect(await composition.readPolicyOrDefault()).toMatchObject({ version: 0, isStandIn: true });
});

test("the newest version is in force; where it is damaged, the last good one is, also for a new process", async () => {
  await writeFirstPolicy(tables, "{}");
  await write(2, `{"defaultTarget":"web"}`);
  expect(await composition.readPolicy()).toMatchObject({ version: 2, defaultTarget: "web" });
  for (const [version, damage] of [`{"defaultTarget":`, `{"nothing":1}`, ""].entries()) {
    await write(version + 3, damage);
    await fresh();
    expect(await composition.readPolicy()).toMatchObject({ version: 2 });
    const judging = await composition.readPolicyOrDefault();
    expect([judging.version, judging.isStandIn]).toEqual([2, undefined]);
  }
});

test("where none can be read, a process that has read one keeps that; any other has a stand-in, and people are told so", async () => {
  await writeFirstPolicy(tables, `{"defaultTarget":"web"}`);
  await composition.readPolicy();
  await tables.put("policy", ["policy", 1], { text: "?" }, { kind: "present" });
  await expect(composition.readPolicy()).rejects.toMatchObject({ code: "POLICY_UNREADABLE", entry: { status: 503 } });
  expect(await composition.readPolicyOrDefault()).toMatchObject({ version: 1, defaultTarget: "web" });
  await fresh();
  await expect(composition.readPolicy()).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
  expect(await composition.readPolicyOrDefault()).toMatchObject({ version: 0, isStandIn: true });
});

test("an alarm that comes while none can be read waits for one: nobody tells it twice", async () => {
  await writeFirstPolicy(tables, "?");
  const { handler } = await import("../../functions/alarm/index.ts");
  const form = {
    ...{ alertName: "ddos", alertState: "ALERT", triggerLevel: "CRITICAL", timestamp: String(Date.now()) },
    ...{ namespace: "acs_ecs_dashboard", metricName: "x", dimensions: "{instanceId=i-1}" },
  };
  const event = {
    ...{ rawPath: `/alarm/${SECRET}`, body: String(new URLSearchParams(form)), isBase64Encoded: false },
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    requestContext: { http: { method: "POST", sourceIp: "203.0.113.7" } },
  };
  const post = () => handler(Buffer.from(JSON.stringify(event)), { requestId: "r", credentials });
  const alarms = async () => (await tables.range({ table: "alarm", from: [], to: null, limit: 10 })).rows;
  expect(await post()).toMatchObject({ statusCode: 200, body: expect.stringContaining("when the policy can be read") });
  const [row] = await alarms();
  const { alarmId, isHandled } = JSON.parse(String(row?.columns["body"]));
  expect(isHandled).toBe(false);
  const { app } = composition;
  const { due } = await readDue(app.tables, 0, app.clock.now() + 3_600_000, 100);
  const own = due.find(({ id }) => id === `alarm/${alarmId}`);
  if (own === undefined) throw new Error("no row has the job act on it");
  const tick = (policy: Policy) =>
    runJob(app, own, { policy, cause: "tick", deadlineAt: app.clock.monotonicMs() + 10_000 });
  expect(await tick(await composition.readPolicyOrDefault())).toBe(false);
  await tables.put("policy", ["policy", 1], { text: "{}" }, { kind: "present" });
  expect(await tick(await composition.readPolicy())).toBe(true);
  expect(String((await alarms())[0]?.columns["body"])).toContain('"isHandled":true');
});
