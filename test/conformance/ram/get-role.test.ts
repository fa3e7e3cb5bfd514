// GetRole: what a role is.
import { expect, it } from "vitest";
import { NOBODY, outcomeOf } from "../rpc/target.ts";
import { aRam } from "./target.ts";

it("tells of a role, by SDK and by bytes", async () => {
  const { call, createRole, raw, role } = await aRam();
  await createRole();
  const told = { Role: { ...role, Arn: expect.stringContaining(":role/") } };
  expect(await call("GetRole", role)).toMatchObject(told);
  expect((await raw("GetRole", role)).body).toMatchObject(told);
});

it("knows no other", async () => {
  const { raw } = await aRam();
  expect(outcomeOf(await raw("GetRole", { RoleName: NOBODY }))).toBe("404 EntityNotExist.Role");
});
