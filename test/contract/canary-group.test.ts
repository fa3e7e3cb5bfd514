// The group that setup makes for the canary, by the official request to the embedded ECS.
import { afterEach, expect, test } from "vitest";
import { makeCanaryGroup } from "../../cli/setup/canary.ts";
import { policySchema } from "../../shared/config/document-schema.ts";
import { policyOf } from "../../shared/config/policy-values.ts";
import { readSettings } from "../../shared/config/settings.ts";
import { tendCanary } from "../../shared/usecases/drift/tend-canary.ts";
import { callByOther } from "../kit/other-calls.ts";
import { region, World } from "../kit/world.ts";

let world: World | undefined;
afterEach(async () => world?.stop());

test("is made once, empty and tagged, and is what the canary takes", async () => {
  // Between setup and the first look at the canary lies more time than between these two calls.
  world = await World.start({ realTime: true, switches: { readAfterWriteMs: 0 } });
  const configuration = readSettings({
    SAFEPORT_REGION: region,
    SAFEPORT_ACCOUNT_ID: "100000000000",
    SAFEPORT_INSTALLATION: "test",
    SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
    SAFEPORT_TABLESTORE_INSTANCE: "safeport",
    SAFEPORT_ECS_ENDPOINT: `http://${world.ecs.endpoint}`,
  });
  const credentials = { accessKeyId: "ak", accessKeySecret: "sk" };
  const order = { configuration, credentials, vpcId: "vpc-1" };
  const groupId = await makeCanaryGroup(order);
  expect(groupId).toMatch(/^sg-/);
  expect(await makeCanaryGroup(order)).toBe(groupId);
  const policy = policyOf(policySchema.parse({ drift: { canary: { group: groupId } } }), 1, region);
  expect(await tendCanary(world.process(), policy)).toBe("ok");
  // Somebody deletes it, and has it made anew a moment later.
  await callByOther(world, "DeleteSecurityGroup", { SecurityGroupId: groupId });
  const anew = await makeCanaryGroup(order);
  expect(world.ecs.groups().map((group) => group.groupId)).toContain(anew);
});
