// UpdateRole: whom a role trusts from now on.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

const NewAssumeRolePolicyDocument = JSON.stringify({
  Version: "1",
  Statement: [{ Action: "sts:AssumeRole", Effect: "Allow", Principal: { Service: ["ecs.aliyuncs.com"] } }],
});

it("sets another trust policy, by SDK and by bytes", async () => {
  const { call, createRole, raw, role } = await aRam();
  await createRole();
  const told = { Role: { ...role, AssumeRolePolicyDocument: expect.stringContaining("ecs.aliyuncs.com") } };
  expect(await call("UpdateRole", { ...role, NewAssumeRolePolicyDocument })).toMatchObject(told);
  expect(await call("GetRole", role)).toMatchObject(told);
  expect((await raw("UpdateRole", { ...role, NewAssumeRolePolicyDocument })).body).toMatchObject(told);
});

it("knows no other role, and takes no document that is none", async () => {
  const { createRole, raw, role } = await aRam();
  await createRole();
  expect(outcomeOf(await raw("UpdateRole", { RoleName: NOBODY, NewAssumeRolePolicyDocument }))).toBe(
    "404 EntityNotExist.Role",
  );
  const none = { ...role, NewAssumeRolePolicyDocument: "no JSON" };
  expect(outcomeOf(await raw("UpdateRole", none))).toBe("400 InvalidParameter.NewAssumeRolePolicyDocument");
});
