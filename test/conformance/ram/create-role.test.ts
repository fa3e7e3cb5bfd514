// CreateRole: a role of the account, whose name nobody has.
import { expect, it } from "vitest";
import { outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

it("makes a role and tells its ARN and whom it trusts", async () => {
  const { createRole, role } = await aRam();
  expect(await createRole()).toMatchObject({
    Role: {
      ...role,
      Arn: expect.stringMatching(/^acs:ram::\d+:role\/conformance/),
      AssumeRolePolicyDocument: expect.stringContaining("fc.aliyuncs.com"),
    },
  });
});

it("refuses a name that is taken, no name and a document that is none, by bytes", async () => {
  const { createRole, raw, role, tag } = await aRam();
  await createRole();
  const AssumeRolePolicyDocument = "{}";
  expect(outcomeOf(await raw("CreateRole", { ...role, AssumeRolePolicyDocument }))).toBe(
    "409 EntityAlreadyExists.Role",
  );
  const named = { RoleName: `${tag} with spaces`, AssumeRolePolicyDocument };
  expect(outcomeOf(await raw("CreateRole", named))).toBe("400 InvalidParameter.RoleName");
  const document = { RoleName: `${tag}-2`, AssumeRolePolicyDocument: "no JSON" };
  expect(outcomeOf(await raw("CreateRole", document))).toBe("400 InvalidParameter.AssumeRolePolicyDocument");
});
