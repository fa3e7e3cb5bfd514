// CreatePolicyVersion: five versions at most, of which one counts.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam, documentOf } from "./target.ts";

const rotate = { RotateStrategy: "DeleteOldestNonDefaultVersionWhenLimitExceeded" };

it("makes a version that counts only when it is said to", async () => {
  const { call, createPolicy, policy, tag } = await aRam();
  await createPolicy("ecs:Describe*");
  const version = { PolicyName: tag, PolicyDocument: documentOf("ecs:*") };
  expect(await call("CreatePolicyVersion", version)).toMatchObject({
    PolicyVersion: { VersionId: "v2", IsDefaultVersion: false },
  });
  expect(await call("GetPolicy", policy)).toMatchObject({ DefaultPolicyVersion: { VersionId: "v1" } });
  await call("CreatePolicyVersion", { ...version, SetAsDefault: "true" });
  expect(await call("GetPolicy", policy)).toMatchObject({
    DefaultPolicyVersion: { VersionId: "v3", PolicyDocument: expect.stringContaining("ecs:*") },
  });
});

it("refuses a sixth version, unless the oldest that does not count may go, by bytes", async () => {
  const { createPolicy, policy, raw, tag } = await aRam();
  await createPolicy();
  const version = { PolicyName: tag, PolicyDocument: documentOf("ecs:*"), SetAsDefault: "true" };
  for (let n = 0; n < 4; n += 1) expect((await raw("CreatePolicyVersion", version)).status).toBe(200);
  expect(outcomeOf(await raw("CreatePolicyVersion", version))).toBe("409 LimitExceeded.Policy.Version");
  expect((await raw("CreatePolicyVersion", { ...version, ...rotate })).body).toMatchObject({
    PolicyVersion: { VersionId: "v6", IsDefaultVersion: true },
  });
  expect((await raw("GetPolicy", policy)).body).toMatchObject({ DefaultPolicyVersion: { VersionId: "v6" } });
});

it("refuses a policy that is not there", async () => {
  const { raw } = await aRam();
  const gone = { PolicyName: NOBODY, PolicyDocument: documentOf("ecs:*") };
  expect(outcomeOf(await raw("CreatePolicyVersion", gone))).toBe("404 EntityNotExist.Policy");
});
