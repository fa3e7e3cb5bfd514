// DeleteRole: only a role that has no policy.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

it("deletes a role, which then is not there", async () => {
  const { call, createRole, raw, role } = await aRam();
  await createRole();
  await call("DeleteRole", role);
  expect(outcomeOf(await raw("GetRole", role))).toBe("404 EntityNotExist.Role");
});

it("refuses a role with a policy, and one that is not there, by bytes", async () => {
  const { attach, createPolicy, createRole, raw, role } = await aRam();
  await createRole();
  await createPolicy();
  await attach();
  expect(outcomeOf(await raw("DeleteRole", role))).toBe("409 DeleteConflict.Role.Policy");
  expect(outcomeOf(await raw("DeleteRole", { RoleName: NOBODY }))).toBe("404 EntityNotExist.Role");
});
