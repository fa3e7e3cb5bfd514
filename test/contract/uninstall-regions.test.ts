// Before its state is removed, uninstall looks for rules wherever there may be any, also where the policy no longer leads.
import { afterAll, beforeAll, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { type Account, accountOf } from "../../cli/safeport/account.ts";
import { ownRules } from "../../cli/safeport/own-rules.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seededRandom } from "../../local/random.ts";
import { seedAccount, seedUser, seedUserNames } from "../../local/seed.ts";
import { freshGroupRow } from "../../shared/domain/guard.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import { saveGroupRow } from "../../shared/store/group-rows.ts";
import { writeFirstPolicy, writePolicy } from "../../shared/store/policy.ts";
import { schemas } from "../../shared/store/tables.ts";
import { terminalOf } from "../kit/command-line.ts";

const REGIONS = ["cn-beijing", "cn-shanghai", "cn-shenzhen"] as const;
const seeded = seedAccount(seededRandom("uninstall in several regions"));
const markedBy = (installation: string, port: number) => ({
  direction: "ingress" as const,
  ipProtocol: "TCP" as const,
  portRange: `${port}/${port}`,
  sourceCidrIp: "203.0.113.7",
  description: `safeport/1 ${installation} e-0123456789abcdef until=2026-11-05T09:00:00Z k=01234567 test`,
});
const groups = REGIONS.map((regionId, at) => ({
  groupId: `sg-far${at}`,
  name: `far-${at}`,
  regionId,
  rules: [markedBy("far", 9300), markedBy("other", 9301)],
}));

let cloud: Cloud;
let account: Account;
beforeAll(async () => {
  const wide = { ...seeded, regions: REGIONS, groups: [...seeded.groups, ...groups] };
  cloud = await startCloud({ engine: "userspace", range: "127.142.0.0/16", account: { ...wide, instances: [] } });
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "far", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  const env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  account = accountOf(terminalOf({ cloud, env }).surroundings);
});
afterAll(() => cloud?.stop());

const found = async () => (await ownRules(account)).map((it) => it.replace(/^.* in /, "")).sort();

it("finds the rules of earlier versions' regions and of the groups that are kept track of, and of no other installation", async () => {
  const tables = stateOf(account);
  // As where an earlier run has removed the tables.
  expect(await found()).toEqual([]);
  await tables.createTables(schemas);
  await writeFirstPolicy(tables, JSON.stringify({ regions: ["cn-beijing"] }));
  expect(await found()).toEqual(["sg-far0"]);
  const changed = { by: "ann", confirmedBy: null, at: 1, reason: "" };
  await writePolicy(tables, { ...changed, version: 2, text: JSON.stringify({ regions: ["cn-hangzhou"] }) });
  expect(await found()).toEqual(["sg-far0"]);
  await saveGroupRow(tables, freshGroupRow({ region: "cn-shanghai", groupId: "sg-far1" as GroupId }));
  expect(await found()).toEqual(["sg-far0", "sg-far1"]);
  // A version that nobody can read may have named any region.
  await writePolicy(tables, { ...changed, version: 3, text: "{" });
  expect(await found()).toEqual(["sg-far0", "sg-far1", "sg-far2"]);
}, 30_000);
