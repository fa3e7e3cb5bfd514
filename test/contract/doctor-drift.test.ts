// What doctor says of what is stored: drift that cannot be read, by whose row's end the group is compared as before; a canary that the mode
// keeps still; and a seal that nobody has signed.
import { afterAll, beforeAll, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf } from "../../cli/safeport/account.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { freshGroupRow } from "../../shared/domain/guard.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import { listOpenDrift, saveDrift } from "../../shared/store/drift-items.ts";
import { saveGroupRow } from "../../shared/store/group-rows.ts";
import { writeMode } from "../../shared/store/mode.ts";
import { writeFirstPolicy } from "../../shared/store/policy.ts";
import { addSeal } from "../../shared/store/seals.ts";
import { schemas } from "../../shared/store/tables.ts";
import { terminalOf, typed } from "../kit/command-line.ts";
import { anItem } from "../kit/drift-pictures.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ engine: "userspace", range: "127.193.0.0/16" });
});
afterAll(() => cloud?.stop());

/** The tables of a new installation, and what doctor finds of one thing there. */
async function looked() {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "drift", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  const env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  const tables = stateOf(accountOf(terminalOf({ cloud, env }).surroundings));
  await tables.createTables(schemas);
  const found = async (only: string) =>
    JSON.parse((await typed(`doctor --only ${only} --json`, { cloud, env })).out).findings;
  return { tables, found };
}

it("names drift that cannot be read, and is over with its row", async () => {
  const { tables, found: foundOf } = await looked();
  const found = () => foundOf("drift");
  const item = anItem({ rev: 0 });
  const key = [item.group.groupId, item.driftId];
  await saveDrift(tables, item, cloud.clock.now());
  expect(await found()).toMatchObject([{ state: "ok", found: expect.stringContaining("1 open") }]);
  await tables.put("drift", key, { body: "{", state: item.state, rev: 1 }, { kind: "none" });
  expect(await found()).toMatchObject([{ state: "fail", found: expect.stringContaining(key.join(" ")) }]);
  await tables.writeAll([{ kind: "delete", table: "drift", key }]);
  expect(await found()).toMatchObject([{ state: "ok", found: expect.stringContaining("0 open") }]);
  expect(await listOpenDrift(tables, item.group, cloud.clock.now())).toEqual({ items: [], unreadable: [] });
});

it("finds no fault with a canary that the mode keeps still", async () => {
  const { tables, found } = await looked();
  const canary = { group: "sg-canary", region: "cn-hangzhou" };
  await writeFirstPolicy(tables, JSON.stringify({ drift: { canary } }));
  const group = { region: canary.region, groupId: canary.group as GroupId };
  await saveGroupRow(tables, { ...freshGroupRow(group), heardAt: cloud.clock.now() - 5 * 3_600_000 });
  const incident = { mode: "close-only", since: cloud.clock.now() - 4 * 3_600_000, by: "ann", reason: "" } as const;
  await writeMode(tables, incident, { kind: "none" });
  expect(await found("events")).toMatchObject([{ state: "ok", found: expect.stringContaining("300 minutes ago") }]);
});

it("takes no seal for one that nobody has signed", async () => {
  const { tables, found } = await looked();
  const body = { number: 1, at: cloud.clock.now(), previous: "", from: "", to: "", records: [] };
  await addSeal(tables, 1, { body: JSON.stringify(body), signature: "" });
  expect(await found("records")).toMatchObject([{ state: "fail", found: "seal 1 is not as it was signed" }]);
});
