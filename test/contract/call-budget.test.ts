// The call budget between the official SDK and the embedded ECS with a limit on calls: two instances, one account.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { compose } from "../../functions/compose.ts";
import { CloudClock } from "../../local/clock.ts";
import { seededRandom } from "../../local/random.ts";
import type { EcsService } from "../../local/services/ecs/ecs-service.ts";
import { startEcs } from "../../local/services/ecs/start-ecs.ts";
import { startTablestore } from "../../local/services/tablestore/server.ts";
import { callBudget } from "../../shared/adapters/alibaba/call-budget.ts";
import { ecsFirewall } from "../../shared/adapters/alibaba/ecs-firewall.ts";
import { ecsRpcClient } from "../../shared/adapters/alibaba/rpc-client.ts";
import type { GroupId, GroupRef } from "../../shared/domain/ids.ts";
import { type CallPriority, CloudFailure } from "../../shared/ports/firewall.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { tableBudgets } from "../../shared/store/budget.ts";
import { schemas } from "../../shared/store/tables.ts";
import { memoryTables } from "../kit/memory-tables.ts";
import { switchUnderTest } from "../kit/switch-under-test.ts";

const web: GroupRef = { region: "cn-hangzhou", groupId: "sg-web" as GroupId };
const keys = { accessKeyId: "ak", accessKeySecret: "sk" };

let cloud: EcsService;
let clock: CloudClock;
let tables: Tables;
let calls = 0;

beforeEach(async () => {
  clock = new CloudClock({ startMs: Date.parse("2026-11-05T08:00:00Z") });
  tables = memoryTables(schemas);
  calls = 0;
  cloud = await startEcs({
    clock,
    random: seededRandom("ecs"),
    seed: {
      accountId: "100000000000",
      regionId: web.region,
      vpcId: "vpc-1",
      users: [{ name: "safeport", ...keys, principalId: "20001" }],
      groups: [{ groupId: web.groupId, name: "web", rules: [] }],
      instances: [],
      enis: [],
    },
    limits: { callsPerMinute: 30 },
    switches: switchUnderTest(),
    onCall: () => void calls++,
  });
});
afterEach(() => cloud.stop());

function instance(callsPerMinute: number) {
  const gate = callBudget({
    clock,
    random: seededRandom("budget"),
    log: { write: () => undefined },
    budgets: tableBudgets(tables),
    callsPerMinute,
  });
  const rpc = ecsRpcClient({ clock, credentials: () => keys, endpoint: () => cloud.endpoint, protocol: "http", gate });
  const firewall = ecsFirewall(rpc);
  /** The first failure's code of the cloud, "own budget" for our refusal, or null after that many readings. */
  const read = async (priority: CallPriority, times = 1): Promise<string | null> => {
    for (let n = 0; n < times; n++) {
      try {
        await firewall.readGroup(web, priority);
      } catch (error) {
        if (!(error instanceof CloudFailure) || error.kind !== "throttled") throw error;
        return error.cloudCode ?? "own budget";
      }
    }
    return null;
  };
  return { read, settle: () => gate.settle() };
}

test("a Throttling answer to one instance stops the other before it asks the cloud, and lowers its next minute", async () => {
  const [a, b] = [instance(60), instance(60)];
  expect(await a.read("open", 40)).toBe("Throttling.User");
  await a.settle();
  const before = calls;
  expect(await b.read("open")).toBe("own budget");
  expect(calls).toBe(before);

  await clock.advance(60_000);
  calls = 0;
  // 60 halved and a twentieth given back are 33, of which 85 of 100 are for opens.
  expect(await b.read("open", 60)).toBe("own budget");
  expect(calls).toBe(28);
});

test("within the cloud's limit two instances together never hear Throttling", async () => {
  const [a, b] = [instance(30), instance(30)];
  const heard = await Promise.all([
    a.read("open", 30),
    b.read("open", 30),
    a.read("drift", 30),
    b.read("inventory", 30),
  ]);
  expect(heard).toEqual(Array(4).fill("own budget"));
  expect(await a.read("end", 4)).toBeNull();
  expect(calls).toBeLessThanOrEqual(30);
});

test("an end reaches the cloud when the budget is used up and when the cloud has said Throttling", async () => {
  const a = instance(10);
  expect(await a.read("open", 20)).toBe("own budget");
  expect(await a.read("end", 22)).toBeNull();
  expect(await a.read("end")).toBe("Throttling.User");
  const before = calls;
  expect(await a.read("end")).toBe("Throttling.User");
  expect(calls).toBe(before + 1);
});

test("the composition has the budget of its setting, in the table of its Tablestore", async () => {
  // The composition lives by the machine's clock.
  const real = new CloudClock();
  const random = seededRandom("composition");
  const tablestore = await startTablestore({
    clock: real,
    random,
    instances: ["safeport"],
    credentials: () => ({ secret: keys.accessKeySecret }),
  });
  const environment = {
    SAFEPORT_REGION: web.region,
    SAFEPORT_ACCOUNT_ID: "100000000000",
    SAFEPORT_INSTALLATION: "test",
    SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
    SAFEPORT_TABLESTORE_INSTANCE: "safeport",
    SAFEPORT_TABLESTORE_ENDPOINT: tablestore.url,
    SAFEPORT_ECS_ENDPOINT: `http://${cloud.endpoint}`,
    SAFEPORT_CALLS_PER_MINUTE: "10",
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  try {
    const { app } = compose(keys);
    await app.tables.createTables(schemas);
    const readings = Array.from({ length: 20 }, () => app.firewall.readGroup(web, "open"));
    const refused = (await Promise.allSettled(readings)).filter(({ status }) => status === "rejected");
    // Eight calls a minute, and at most one end of a minute in between.
    expect(refused.length).toBeGreaterThanOrEqual(4);
    expect(refused[0]).toMatchObject({ reason: { kind: "throttled", cloudCode: null } });
    const row = await app.tables.get("budget", [web.region, "DescribeSecurityGroupAttribute"]);
    expect(row?.columns["taken"]).toBeGreaterThan(0);
  } finally {
    vi.unstubAllEnvs();
    await tablestore.stop();
  }
});
