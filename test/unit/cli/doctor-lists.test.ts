// What doctor says of the lists by which lockdowns close groups, where they are gone, are not filled in an incident, or take too much room.
import { afterEach, expect, test } from "vitest";
import { listFindings } from "../../../cli/safeport/doctor-lists.ts";
import type { Finding } from "../../../cli/safeport/finding.ts";
import { ownLists } from "../../../cli/safeport/own-rules.ts";
import { cloudCalls } from "../../../cli/setup/cloud-call.ts";
import { readSettings } from "../../../shared/config/settings.ts";
import { listProbeWord } from "../../../shared/domain/list-probe.ts";
import { writePolicy } from "../../../shared/store/policy.ts";
import { listStandbySets } from "../../../shared/store/standby-sets.ts";
import { lock, STANDBY_POLICY, standbyWorld } from "../../kit/standby-world.ts";
import { region, type World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

/** The account as its operator reaches it, with a key of their own. */
const account = () => {
  const { settings } = world.process();
  const accountId = "100000000000";
  const configuration = readSettings({
    ...{ SAFEPORT_REGION: region, SAFEPORT_ACCOUNT_ID: accountId, SAFEPORT_INSTALLATION: settings.installation },
    ...{ SAFEPORT_MARK_SECRET: settings.markSecret, SAFEPORT_TABLESTORE_INSTANCE: "safeport" },
    ...{ SAFEPORT_ECS_ENDPOINT: `http://${world.ecs.endpoint}`, SAFEPORT_TABLESTORE_ENDPOINT: world.tablestoreUrl },
    SAFEPORT_LOCKDOWN_LISTS: listProbeWord(accountId, region, "20261127"),
  });
  const credentials = { accessKeyId: "ak-other", accessKeySecret: "sk-other" };
  return { configuration, credentials, clock: world.clock };
};
const ask = (action: string, parameters: Readonly<Record<string, unknown>>) => {
  const calls = cloudCalls(account());
  return calls.ask(calls.ecs, action, parameters);
};
const found = async (): Promise<readonly Pick<Finding, "state" | "found">[]> =>
  (await listFindings(account())).map(({ state, found: what, remedy }) => ({
    state,
    found: remedy === "" && state !== "ok" ? `${what}, and no remedy` : what,
  }));
const withRoomFor = (rulesPerInterface: number) => ({
  ...STANDBY_POLICY,
  limits: { rulesPerInterface, rulesKeptFree: 0 },
});
const ids = () => world.ecs.lists().map(({ listId }) => listId);

test("a list that somebody has taken away is gone, and the drops on it with it", async () => {
  world = await standbyWorld({ inMemory: false });
  expect(await found()).toEqual([{ state: "ok", found: "1 sets, as they should be" }]);
  const [gone = ""] = ids();
  for (const { groupId, rules } of world.ecs.groups()) {
    const onIt = rules.filter(({ sourcePrefixListId }) => sourcePrefixListId === gone).map(({ ruleId }) => ruleId);
    if (onIt.length > 0) await ask("RevokeSecurityGroup", { SecurityGroupId: groupId, SecurityGroupRuleId: onIt });
  }
  await ask("DeletePrefixList", { PrefixListId: gone });
  expect([...(await found())].sort((a, b) => (a.found < b.found ? 1 : -1))).toEqual([
    { state: "fail", found: expect.stringMatching(new RegExp(`^${gone} of the set [0-9a-f]{12} is gone$`)) },
    { state: "fail", found: expect.stringContaining("drops on lists are missing in sg-web") },
    { state: "fail", found: expect.stringContaining("drops on lists are missing in sg-app") },
  ]);
});

test("a list that is not filled while a lockdown counts on it is named with the lockdown", async () => {
  world = await standbyWorld({ inMemory: false });
  const { lockdownId } = await lock(world, ["web", "app"]);
  expect(await found()).toEqual([{ state: "ok", found: "1 sets, as they should be" }]);
  const list = world.ecs.lists().find(({ entries }) => entries.length === 2);
  await ask("ModifyPrefixList", {
    PrefixListId: list?.listId,
    RemoveEntry: list?.entries.slice(0, 1).map(({ value }) => ({ Cidr: value })),
  });
  expect(await found()).toEqual([
    { state: "fail", found: `${list?.listId} is not filled, and ${lockdownId} count on it` },
  ]);
});

test("an interface whose rules count for more than it takes is named with both numbers", async () => {
  world = await standbyWorld({
    inMemory: false,
    policy: withRoomFor(100),
  });
  expect(await found()).toEqual([{ state: "ok", found: "1 sets, as they should be" }]);
  await world.run(
    writePolicy(world.process().tables, {
      ...{ version: 2, text: JSON.stringify(withRoomFor(40)), by: "root", confirmedBy: null, reason: "" },
      at: world.clock.now(),
    }),
  );
  expect(await found()).toEqual([
    { state: "fail", found: expect.stringMatching(/^the rules of eni-\S+ count for 4\d of 40, drops on lists/) },
  ]);
});

test("a set whose row cannot be read is told, keeps its lists from being told to be spare, and is made anew as doctor says", async () => {
  world = await standbyWorld({ inMemory: false });
  const { tables } = world.process();
  const [set] = (await world.run(listStandbySets(tables))).sets;
  const key = ["~lists", set?.name ?? ""];
  await world.run(tables.update("preparation", key, { body: "[" }, { kind: "present" }));
  expect(await found()).toEqual([
    { state: "fail", found: `the row of the set ${set?.name} cannot be read: its lists are left as they are` },
  ]);
  await world.run(tables.delete("preparation", key, { kind: "none" }));
  await world.ticks(61);
  expect(await found()).toEqual([{ state: "ok", found: "1 sets, as they should be" }]);
  expect((await world.run(listStandbySets(tables))).sets.map(({ lists }) => lists.map(({ listId }) => listId))).toEqual(
    [set?.lists.map(({ listId }) => listId)],
  );
});

test("where lists are off and may not be asked for, a set whose row cannot be read says that there may be some", async () => {
  world = await standbyWorld({ inMemory: false });
  const { configuration, ...place } = account();
  const off = { ...place, configuration: { ...configuration, lockdownLists: [] } };
  const { tables } = world.process();
  const [set] = (await world.run(listStandbySets(tables))).sets;
  const key = ["~lists", set?.name ?? ""];
  await world.run(tables.update("preparation", key, { body: "[" }, { kind: "present" }));
  const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  world.faults([{ service: "ecs", operation: "DescribePrefixLists", times: 100, fault: refused }]);
  await expect(ownLists(off)).rejects.toMatchObject({ cloudCode: "Forbidden.RAM" });
  await world.run(tables.delete("preparation", key, { kind: "none" }));
  expect(await ownLists(off)).toEqual([]);
});
