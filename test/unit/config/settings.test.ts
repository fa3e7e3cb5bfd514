// The functions' configuration from the environment.
import { describe, expect, test } from "vitest";
import { environmentCredentials, readSettings, SettingsError } from "../../../shared/config/settings.ts";

const enough = {
  SAFEPORT_REGION: "cn-hangzhou",
  SAFEPORT_ACCOUNT_ID: "100000000000",
  SAFEPORT_INSTALLATION: "dev",
  SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
  SAFEPORT_TABLESTORE_INSTANCE: "safeport",
};
const problemsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    return error instanceof SettingsError ? error.problems : ["another error"];
  }
};

describe("settings", () => {
  test("defaults and the cloud's own endpoints fill what is not set", () => {
    expect(readSettings(enough)).toEqual({
      region: "cn-hangzhou",
      accountId: "100000000000",
      settings: {
        installation: "dev",
        markSecret: enough.SAFEPORT_MARK_SECRET,
        lateEffectMaxMs: 60_000,
        publicUrl: null,
        lockMs: 30_000,
        lockMarginMs: 12_000,
        answerWithinMs: 10_000,
        skewMaxMs: 5000,
        shards: 1,
        fullPassGroups: 5000,
      },
      endpoints: {
        ecs: null,
        actionTrail: null,
        sls: null,
        vpc: null,
        cms: null,
        quotas: null,
        ram: null,
        tablestore: "https://safeport.cn-hangzhou.ots.aliyuncs.com",
        tablestoreInstance: "safeport",
        fc: "https://100000000000.cn-hangzhou.fc.aliyuncs.com",
        sweepFunction: "safeport-sweep",
      },
      wakeups: true,
      alarmSecrets: [],
      callsPerMinute: 200,
      flowLogs: [],
      heartbeat: false,
      cloudAssistant: false,
      lockdownLists: [],
      notifyPrivateHosts: [],
    });
  });

  test("flow logs are named by region, project and logstore", () => {
    const read = (text: string) => readSettings({ ...enough, SAFEPORT_FLOW_LOGS: text }).flowLogs;
    expect(read("cn-hangzhou=net/flow,cn-beijing=net-2/flow_log")).toEqual([
      { region: "cn-hangzhou", project: "net", logstore: "flow" },
      { region: "cn-beijing", project: "net-2", logstore: "flow_log" },
    ]);
    for (const wrong of ["net/flow", "cn-hangzhou=net", "cn-hangzhou=net/flow,", "cn-hangzhou=net/../x"])
      expect(() => read(wrong)).toThrow(SettingsError);
  });

  test("the platform's own names stand in for region and account", () => {
    const { SAFEPORT_REGION: _region, SAFEPORT_ACCOUNT_ID: _account, ...rest } = enough;
    const read = readSettings({ ...rest, FC_REGION: "cn-beijing", FC_ACCOUNT_ID: "7" });
    expect([read.region, read.accountId]).toEqual(["cn-beijing", "7"]);
  });

  test("every missing name is told at once with what to set", () => {
    const problems = problemsOf({});
    for (const name of Object.keys(enough)) expect(problems.join("\n")).toContain(`${name} is missing. Set it to`);
    expect(problems).toHaveLength(5);
  });

  test.each([
    ["SAFEPORT_INSTALLATION", "Dev_1"],
    ["SAFEPORT_MARK_SECRET", "short"],
    ["SAFEPORT_SHARDS", "0"],
    ["SAFEPORT_SHARDS", "1e1"],
    ["SAFEPORT_ECS_ENDPOINT", "http://a b"],
    ["SAFEPORT_LOCK_MARGIN_SECONDS", "30"],
    ["SAFEPORT_CALLS_PER_MINUTE", "9"],
  ])("%s of a wrong form is told by name, without its value", (name, value) => {
    const problems = problemsOf({ ...enough, [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    if (name.endsWith("SECRET")) expect(problems[0]).not.toContain(value);
  });

  test("endpoints may name a scheme and a port", () => {
    const read = readSettings({
      ...enough,
      SAFEPORT_ECS_ENDPOINT: "http://127.0.0.1:9100",
      SAFEPORT_ACTIONTRAIL_ENDPOINT: "http://127.0.0.1:9105",
      SAFEPORT_FC_ENDPOINT: "fc.test",
    });
    expect(read.endpoints).toMatchObject({
      ecs: "http://127.0.0.1:9100",
      actionTrail: "http://127.0.0.1:9105",
      fc: "https://fc.test",
    });
  });

  test("the call budget can be set", () => {
    expect(readSettings({ ...enough, SAFEPORT_CALLS_PER_MINUTE: "600" }).callsPerMinute).toBe(600);
  });

  test("keys come as a pair or not at all", () => {
    expect(environmentCredentials({ ALIBABA_CLOUD_ACCESS_KEY_ID: "a" })).toBeNull();
    const keys = { ALIBABA_CLOUD_ACCESS_KEY_ID: "a", ALIBABA_CLOUD_ACCESS_KEY_SECRET: "b" };
    expect(environmentCredentials(keys)).toEqual({ accessKeyId: "a", accessKeySecret: "b", securityToken: undefined });
  });
});
