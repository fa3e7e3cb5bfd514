// Drift that cannot be read: doctor names it, and once its row is gone the group is compared as before.
import { afterAll, beforeAll, expect, it } from "vitest";
import { environmentOf } from "../../cli/dev/deployment.ts";
import { accountOf } from "../../cli/safeport/account.ts";
import { stateOf } from "../../cli/setup/installation-steps.ts";
import { type Cloud, startCloud } from "../../local/cloud.ts";
import { seedUser, seedUserNames } from "../../local/seed.ts";
import { listOpenDrift, saveDrift } from "../../shared/store/drift-items.ts";
import { schemas } from "../../shared/store/tables.ts";
import { terminalOf, typed } from "../kit/command-line.ts";
import { anItem } from "../kit/drift-pictures.ts";

let cloud: Cloud;
beforeAll(async () => {
  cloud = await startCloud({ engine: "userspace", range: "127.193.0.0/16" });
});
afterAll(() => cloud?.stop());

it("is named by doctor, and is over with its row", async () => {
  const { accessKeyId, accessKeySecret } = seedUser(cloud.account, seedUserNames.admin);
  const secrets = { installation: "drift", markSecret: "m".repeat(64), alarmSecret: "a".repeat(48) };
  const env = {
    ...environmentOf(cloud, { ...secrets, tokens: {} as never }),
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
  };
  const tables = stateOf(accountOf(terminalOf({ cloud, env }).surroundings));
  await tables.createTables(schemas);
  const found = async () => {
    const { findings } = JSON.parse((await typed("doctor --json", { cloud, env })).out);
    return findings.filter(({ check }: { check: string }) => check === "drift");
  };
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
