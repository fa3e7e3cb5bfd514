// Doctor tells before a lease is refused for want of room: of the account's groups, and of the rules on each interface, in every region.
import { afterEach, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf, stepsOf } from "../../cli/safeport/account.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { runSteps } from "../../cli/setup/steps.ts";
import { type Cloud, type CloudOptions, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../local/seed.ts";
import { writeFirstPolicy } from "../../shared/store/policy.ts";
import { terminalOf, typed } from "../kit/command-line.ts";

let cloud: Cloud;
afterEach(() => cloud?.stop());

/** An account with an interface in two groups of so many rules, and what doctor finds there of what fits. */
async function found(rulesOfEach: number, options: Partial<CloudOptions> = {}) {
  const { groups, instances, ...account } = seedAccount(seededRandom("doctor-quotas"));
  const rules = Array.from({ length: rulesOfEach }, (_, at) => ({
    portRange: `${at + 1}/${at + 1}`,
    sourceCidrIp: "10.0.0.1",
  }));
  const full = ["sg-one", "sg-two"].map((groupId) => ({ groupId, name: groupId, rules }));
  const host = {
    instanceId: "i-full",
    name: "full",
    address: "127.158.0.99",
    groupIds: ["sg-one", "sg-two"],
    listening: [],
  };
  cloud = await startCloud({
    engine: "userspace",
    range: "127.158.0.0/16",
    account: { ...account, groups: [...groups, ...full], instances: [host], regions: ["cn-shanghai"] },
    ...options,
  });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "quotas", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  const env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  const { surroundings } = terminalOf({ cloud, env });
  const doctor = async () => {
    const { out } = await typed("doctor --json", { cloud, env });
    const { findings } = JSON.parse(out) as {
      readonly findings: readonly { check: string; state: string; found: string; remedy: string }[];
    };
    return findings.filter(({ check }) => /fit (into|onto)|^groups of/.test(check));
  };
  return { doctor, surroundings };
}

it("is well where there is room, and says for how much", async () => {
  const { doctor } = await found(20);
  expect(await doctor()).toEqual([
    { check: "groups that fit into cn-hangzhou", state: "ok", found: "6 of 801", remedy: "" },
    {
      check: "rules that fit onto interfaces in cn-hangzhou",
      state: "ok",
      found: expect.stringMatching(/^none can have more than 4\d rules$/),
      remedy: "",
    },
    { check: "groups of cn-hangzhou", state: "ok", found: "6 are seen", remedy: "" },
  ]);
});

it("names the interfaces that are nearly full by all of their groups, and that no more groups fit", async () => {
  const { doctor } = await found(450, { limits: { groups: 6 } });
  const [groups, rules] = await doctor();
  expect(groups).toMatchObject({ state: "warn", found: "6 of 6", remedy: expect.stringContaining("Quota Center") });
  expect(rules).toMatchObject({ state: "warn", found: expect.stringMatching(/^of 1000 rules eni-\S+ has 900$/) });
  expect(rules?.remedy).not.toBe("");
});

it("fails where nothing more can be opened", async () => {
  const { doctor } = await found(500);
  expect((await doctor())[1]).toMatchObject({ state: "fail", found: expect.stringMatching(/ has 1000$/) });
});

it("looks in every region of the policy", async () => {
  const { doctor, surroundings } = await found(1);
  const account = accountOf(surroundings);
  await runSteps(stepsOf(surroundings, account).tables, { apply: true, progress: () => undefined });
  await writeFirstPolicy(stateOf(account), JSON.stringify({ regions: ["cn-hangzhou", "cn-shanghai"] }));
  expect((await doctor()).filter(({ check }) => check.includes("cn-shanghai"))).toEqual([
    { check: "groups that fit into cn-shanghai", state: "ok", found: "0 of 801", remedy: "" },
    {
      check: "rules that fit onto interfaces in cn-shanghai",
      state: "ok",
      found: "none can have more than 0 rules",
      remedy: "",
    },
    { check: "groups of cn-shanghai", state: "warn", found: "no security group is seen", remedy: expect.any(String) },
  ]);
});
