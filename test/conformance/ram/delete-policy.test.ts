// DeletePolicy: only a policy that nobody has.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

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
