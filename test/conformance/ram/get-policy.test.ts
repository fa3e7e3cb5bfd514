// GetPolicy: the version that counts.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam, documentOf } from "./target.ts";

it("tells the document of the version that counts, by SDK and by bytes", async () => {
  const { call, createPolicy, policy, raw } = await aRam();
  await createPolicy("ecs:Describe*");
  const body = await call("GetPolicy", policy);
  expect(body).toMatchObject({
    Policy: { ...policy, DefaultVersion: "v1" },
    DefaultPolicyVersion: { VersionId: "v1", IsDefaultVersion: true },
  });
  const { PolicyDocument } = body["DefaultPolicyVersion"] as { PolicyDocument: string };
  expect(JSON.parse(PolicyDocument)).toEqual(JSON.parse(documentOf("ecs:Describe*")));
  expect((await raw("GetPolicy", policy)).body["Policy"]).toMatchObject(policy);
});

it("knows no other", async () => {
  const { raw } = await aRam();
  const gone = { PolicyName: NOBODY, PolicyType: "Custom" };
  expect(outcomeOf(await raw("GetPolicy", gone))).toBe("404 EntityNotExist.Policy");
});
