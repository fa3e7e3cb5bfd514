// AttachPolicyToRole: from then on the role may do what its policies say, and nothing else.
import { expect, it } from "vitest";
import { ecsClient } from "../cloud/rpc-call.ts";
import { itEmbedded, NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

it("gives a role a policy, once", async () => {
  const { attach, call, createPolicy, createRole, policy, raw, role, tag } = await aRam();
  await createRole();
  await createPolicy();
  await attach();
  expect(await call("ListPoliciesForRole", role)).toMatchObject({ Policies: { Policy: [{ PolicyName: tag }] } });
  expect(outcomeOf(await raw("AttachPolicyToRole", { ...role, ...policy }))).toBe(
    "409 EntityAlreadyExists.Role.Policy",
  );
});

it("refuses a role or a policy that is not there, by bytes", async () => {
  const { createRole, raw, role } = await aRam();
  await createRole();
  const gone = { PolicyName: NOBODY, PolicyType: "Custom" };
  expect(outcomeOf(await raw("AttachPolicyToRole", { ...role, ...gone }))).toBe("404 EntityNotExist.Policy");
});

itEmbedded("RAM")("holds for a session of the role at once", async () => {
  const { attach, cloud, createPolicy, createRole, role } = await aRam();
  await createRole();
  const session = cloud.addPrincipal({ kind: "role", name: role.RoleName, session: "s" });
  await ecsClient(cloud, session)("DescribeSecurityGroups", {});
  await createPolicy("ecs:DescribeRegions");
  await attach();
  await ecsClient(cloud, session)("DescribeRegions", {});
  await expect(ecsClient(cloud, session)("DescribeSecurityGroups", {})).rejects.toMatchObject({
    code: "Forbidden.RAM",
  });
});
