// ListPoliciesForRole: which policies a role has.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

it("lists none and then those that the role has, by SDK and by bytes", async () => {
  const { attach, call, createPolicy, createRole, policy, raw, role } = await aRam();
  await createRole();
  expect(await call("ListPoliciesForRole", role)).toMatchObject({ Policies: { Policy: [] } });
  await createPolicy();
  await attach();
  const { body } = await raw("ListPoliciesForRole", role);
  expect(body).toMatchObject({ Policies: { Policy: [policy] } });
});

it("knows no other role", async () => {
  const { raw } = await aRam();
  expect(outcomeOf(await raw("ListPoliciesForRole", { RoleName: NOBODY }))).toBe("404 EntityNotExist.Role");
});
