// CreatePolicy: a policy of the account's own, in its first version.
import { expect, it } from "vitest";
import { outcomeOf } from "../rpc/target.ts";
import { aRam, documentOf } from "./target.ts";

it("makes a policy whose first version counts", async () => {
  const { createPolicy, tag } = await aRam();
  expect(await createPolicy()).toMatchObject({
    Policy: { PolicyName: tag, PolicyType: "Custom", DefaultVersion: "v1" },
  });
});

it("refuses a name that is taken or none, and a document that is no policy, by bytes", async () => {
  const { createPolicy, raw, tag } = await aRam();
  await createPolicy();
  const PolicyDocument = documentOf("ecs:*");
  expect(outcomeOf(await raw("CreatePolicy", { PolicyName: tag, PolicyDocument }))).toBe(
    "409 EntityAlreadyExists.Policy",
  );
  expect(outcomeOf(await raw("CreatePolicy", { PolicyName: `${tag}/x`, PolicyDocument }))).toBe(
    "400 InvalidParameter.PolicyName",
  );
  for (const wrong of ["no JSON", "{}", '{"Version":"1","Statement":[{"Effect":"Perhaps"}]}'])
    expect(outcomeOf(await raw("CreatePolicy", { PolicyName: `${tag}-2`, PolicyDocument: wrong }))).toBe(
      "400 InvalidParameter.PolicyDocument",
    );
});
