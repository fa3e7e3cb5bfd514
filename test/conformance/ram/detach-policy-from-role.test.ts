// DetachPolicyFromRole: the role has the policy no more.
import { expect, it } from "vitest";
import { ecsClient } from "../cloud/rpc-call.ts";
import { itEmbedded, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

it("takes the policy from the role, and refuses what the role does not have, by SDK and by bytes", async () => {
  const { attach, call, createPolicy, createRole, policy, raw, role } = await aRam();
  await createRole();
  await createPolicy();
  await attach();
  await call("DetachPolicyFromRole", { ...role, ...policy });
  expect(await call("ListPoliciesForRole", role)).toMatchObject({ Policies: { Policy: [] } });
  expect(outcomeOf(await raw("DetachPolicyFromRole", { ...role, ...policy }))).toBe("404 EntityNotExist.Role.Policy");
});

itEmbedded("RAM")("leaves a role without any policy nothing that it may do", async () => {
  const { attach, call, cloud, createPolicy, createRole, policy, role } = await aRam();
  await createRole();
  const session = cloud.addPrincipal({ kind: "role", name: role.RoleName, session: "s" });
  await createPolicy("ecs:*");
  await attach();
  await call("DetachPolicyFromRole", { ...role, ...policy });
  await expect(ecsClient(cloud, session)("DescribeRegions", {})).rejects.toMatchObject({ code: "Forbidden.RAM" });
});
