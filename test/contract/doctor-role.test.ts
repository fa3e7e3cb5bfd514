// The role that can open every port: doctor names who else may act as it, and what else it may do; setup mends the first.
import { afterAll, beforeAll, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf } from "../../cli/safeport/account.ts";
import { roleFindings } from "../../cli/safeport/look-at-role.ts";
import { type CloudCalls, cloudCalls } from "../../cli/setup/cloud-call.ts";
import { type RamPolicy, trustPolicy } from "../../cli/setup/ram-policy.ts";
import { roleSteps } from "../../cli/setup/role.ts";
import { runSteps } from "../../cli/setup/steps.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { terminalOf, typed } from "../kit/command-line.ts";

let cloud: Cloud;
let calls: CloudCalls;
let env: Readonly<Record<string, string>>;
beforeAll(async () => {
  cloud = await startCloud({ engine: "userspace", range: "127.141.0.0/16" });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "role", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  calls = cloudCalls(accountOf(terminalOf({ cloud, env }).surroundings));
});
afterAll(() => cloud?.stop());

const make = async (role: string, trust: object, ...policies: readonly string[]) => {
  await calls.ask(calls.ram, "CreateRole", { RoleName: role, AssumeRolePolicyDocument: JSON.stringify(trust) });
  for (const name of policies) {
    const document = { Version: "1", Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }] };
    await calls.ask(calls.ram, "CreatePolicy", { PolicyName: name, PolicyDocument: JSON.stringify(document) });
    await calls.ask(calls.ram, "AttachPolicyToRole", { PolicyType: "Custom", PolicyName: name, RoleName: role });
  }
  return (await roleFindings(calls, role)).map(({ state, found, remedy }) => [state, found, remedy !== ""]);
};

it("is well where it is as setup makes it", async () => {
  expect(await make("as-made", trustPolicy, "as-made")).toEqual([
    ["ok", "Function Compute alone", false],
    ["ok", "nothing besides its own policy", false],
  ]);
});

it("is not where others may act as it, or where it may do more", async () => {
  const Statement = [{ ...trustPolicy.Statement[0], Principal: { RAM: ["acs:ram::100:root"] } }];
  expect(await make("widened", { Version: "1", Statement }, "widened", "everything")).toEqual([
    ["warn", expect.stringContaining("acs:ram::100:root"), true],
    ["warn", "it also has everything", true],
  ]);
});

it("is told of once where others may act as it", async () => {
  const stranger = { ...trustPolicy.Statement[0], Principal: { RAM: ["acs:ram::100:root"] } };
  await make("told-once", { Version: "1", Statement: [stranger] }, "told-once");
  const { out } = await typed("doctor --json", { cloud, env: { ...env, SAFEPORT_ROLE: "told-once" } });
  const { findings } = JSON.parse(out) as { readonly findings: readonly { check: string; state: string }[] };
  const told = findings.filter(({ check }) => / told-once$/.test(check) && !/^(policy|what)/.test(check));
  expect(told.map(({ check, state }) => [check, state])).toEqual([["who may act as told-once", "warn"]]);
});

it("is set anew by setup where others may act as it, and left alone where only the order of the words is another", async () => {
  const [statement] = trustPolicy.Statement;
  const { Effect, Action, Principal } = statement;
  const reordered = { Statement: [{ Principal, Action, Effect }], Version: "1" };
  const stranger = { ...statement, Principal: { RAM: ["acs:ram::100:root"] } };
  for (const [role, trust, state, found] of [
    ["other-order", reordered, "ready", "ready"],
    ["given-away", { Version: "1", Statement: [statement, stranger] }, "made", "differs"],
  ] as const) {
    await make(role, trust, role);
    const [step] = roleSteps(calls, { role, policy: { Version: "1", Statement: [] } });
    const run = async (apply: boolean) =>
      (await runSteps(step === undefined ? [] : [step], { apply, progress: () => undefined })).map((it) => it.state);
    expect([await run(false), await run(true), await run(false)]).toEqual([[found], [state], ["ready"]]);
    expect((await roleFindings(calls, role))[0]).toMatchObject({ state: "ok" });
  }
});

it("is neither changed nor removed for another installation", async () => {
  const policyOn = (instance: string): RamPolicy => ({
    Version: "1",
    Statement: [
      { Effect: "Allow", Action: ["ots:GetRow"], Resource: [`acs:ots:cn-hangzhou:1:instance/${instance}/table/*`] },
    ],
  });
  const run = async (instance: string, apply = true) => {
    const steps = roleSteps(calls, { role: "shared", policy: policyOn(instance) });
    return (await runSteps(steps, { apply, progress: () => undefined })).map((it) => it.state);
  };
  expect(await run("first")).toEqual(["made", "made", "made"]);
  expect(await run("second")).toEqual(["ready", "wrong", "ready"]);
  const last = roleSteps(calls, { role: "shared", policy: policyOn("second") }).at(-1);
  await expect(last?.remove?.()).rejects.toThrow("SAFEPORT_ROLE");
  expect(await run("first", false)).toEqual(["ready", "ready", "ready"]);
});

it("is taken away with every version that its policy has had", async () => {
  const policyOf = (action: string): RamPolicy => ({
    Version: "1",
    Statement: [{ Effect: "Allow", Action: [action], Resource: ["*"] }],
  });
  const stepsOf = (action: string) => roleSteps(calls, { role: "switched", policy: policyOf(action) });
  for (const action of ["cms:PutCustomMetric", "vpc:DescribeFlowLogs"])
    await runSteps(stepsOf(action), { apply: true, progress: () => undefined });
  const steps = stepsOf("vpc:DescribeFlowLogs");
  for (const step of [...steps].reverse()) await step.remove?.();
  const left = await runSteps(steps, { apply: false, progress: () => undefined });
  expect(left.map(({ state }) => state)).toEqual(["missing", "missing", "missing"]);
});

it("is not spoken of where there is none", async () => {
  expect(await roleFindings(calls, "nobody")).toEqual([]);
});
