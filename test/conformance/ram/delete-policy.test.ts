// DeletePolicy: only a policy that nobody has, and with all of its versions only where that is said.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam, documentOf } from "./target.ts";

it("deletes a policy, which then is not there", async () => {
  const { call, createPolicy, policy, raw, tag } = await aRam();
  await createPolicy();
  await call("DeletePolicy", { PolicyName: tag });
  expect(outcomeOf(await raw("GetPolicy", policy))).toBe("404 EntityNotExist.Policy");
});

it("refuses a policy that a role has, and one that is not there, by bytes", async () => {
  const { attach, createPolicy, createRole, raw, tag } = await aRam();
  await createRole();
  await createPolicy();
  await attach();
  expect(outcomeOf(await raw("DeletePolicy", { PolicyName: tag }))).toBe("409 DeleteConflict.Policy.Role");
  expect(outcomeOf(await raw("DeletePolicy", { PolicyName: NOBODY }))).toBe("404 EntityNotExist.Policy");
});

it("refuses a policy with further versions, unless they are to go along, by bytes", async () => {
  const { call, createPolicy, policy, raw, tag } = await aRam();
  await createPolicy();
  await call("CreatePolicyVersion", { PolicyName: tag, PolicyDocument: documentOf("ecs:*"), SetAsDefault: "true" });
  expect(outcomeOf(await raw("DeletePolicy", { PolicyName: tag }))).toBe("409 DeleteConflict.Policy.Version");
  await call("DeletePolicy", { PolicyName: tag, CascadingDelete: "true" });
  expect(outcomeOf(await raw("GetPolicy", policy))).toBe("404 EntityNotExist.Policy");
});
