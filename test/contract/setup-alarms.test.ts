// The alarms that watch safeport from outside: setup and doctor see when somebody has weakened one, and setup makes it whole.
import { afterAll, beforeAll, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf, stepsOf } from "../../cli/safeport/account.ts";
import { alarmSteps } from "../../cli/setup/alarms.ts";
import { type CloudCalls, cloudCalls } from "../../cli/setup/cloud-call.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { terminalOf } from "../kit/command-line.ts";

let cloud: Cloud;
let calls: CloudCalls;
let env: Readonly<Record<string, string>>;
const put: Record<string, unknown>[] = [];

beforeAll(async () => {
  cloud = await startCloud({ engine: "userspace", range: "127.140.0.0/16", startMs: Date.UTC(2026, 10, 27) });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "watched", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  const real = cloudCalls(accountOf(terminalOf({ cloud, env }).surroundings));
  calls = {
    ...real,
    ask: (rpc, action, parameters) => {
      if (action === "PutResourceMetricRule") put.push(parameters ?? {});
      return real.ask(rpc, action, parameters);
    },
  };
});
afterAll(() => cloud?.stop());

it("a rule that was changed is not as it should be, and is made anew", async () => {
  const order = { contacts: "operations", webhook: null, evidenceRegions: [], region: cloud.account.regionId };
  const steps = alarmSteps(() => calls, { accountId: cloud.account.accountId, installation: "watched", ...order });
  expect(steps.map(({ id }) => id.replace("alarm safeport-watched-", ""))).toEqual(["silent", "overdue", "deaf"]);
  for (const step of steps) await step.make();
  const states = () => Promise.all(steps.map(async (step) => (await step.look()).state));
  expect(await states()).toEqual(["ready", "ready", "ready"]);

  const [silent] = put;
  const [silentStep] = steps;
  for (const change of [
    { "Escalations.Critical.Threshold": "0" },
    { "Escalations.Critical.Times": "5" },
    { "Escalations.Critical.ComparisonOperator": "GreaterThanThreshold" },
    { Period: "3600" },
    { SilenceTime: "86400" },
    { NoDataPolicy: "OK" },
    { ContactGroups: "nobody" },
  ]) {
    await calls.ask(calls.cms, "PutResourceMetricRule", { ...silent, ...change });
    expect(await states(), JSON.stringify(change)).toEqual(["differs", "ready", "ready"]);
    await silentStep?.make();
    expect(await states(), JSON.stringify(change)).toEqual(["ready", "ready", "ready"]);
  }
});

it("ports without traffic are told of in every region whose use is published, there", async () => {
  const asked: string[] = [];
  const callsIn = (region: string): CloudCalls => {
    asked.push(region);
    return calls;
  };
  const order = { contacts: "operations", webhook: null, region: "cn-hangzhou" };
  const evidenceRegions = ["cn-hangzhou", "cn-shanghai"];
  const of = { accountId: cloud.account.accountId, installation: "far", evidenceRegions, ...order };
  const steps = alarmSteps(callsIn, of).slice(3);
  expect(asked.slice(3)).toEqual(evidenceRegions);
  expect(steps.map(({ id }) => id)).toEqual(evidenceRegions.map((it) => `alarm safeport-far-no-traffic-${it}`));
  for (const step of steps) {
    expect((await step.look()).state).toBe("missing");
    await step.make();
    expect((await step.look()).state).toBe("ready");
  }
});

it("setup asks for an alarm for each region that has flow logs", () => {
  const flowLogs = "cn-hangzhou=p-1/a,cn-shanghai=p-2/b,cn-shanghai=p-2/c";
  const { surroundings } = terminalOf({ cloud, env: { ...env, SAFEPORT_FLOW_LOGS: flowLogs } });
  const { alarms } = stepsOf(surroundings, accountOf(surroundings), { contacts: "operations" });
  expect(alarms.map(({ id }) => id.split("-no-traffic-")[1] ?? "").filter(Boolean)).toEqual([
    "cn-hangzhou",
    "cn-shanghai",
  ]);
});
