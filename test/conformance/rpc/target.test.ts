// The account of the tests itself: what they made is theirs alone, and goes with them.
import { expect, it } from "vitest";
import { aRam } from "../ram/target.ts";
import { aTarget, NOBODY, outcomeOf, type RpcService } from "./target.ts";

it("changes nothing that the test did not make, by SDK or by bytes", async () => {
  const { call, createRole, raw, role } = await aRam();
  await expect(call("DeleteRole", { RoleName: "admin" })).rejects.toThrow("did not make admin");
  await expect(raw("AttachPolicyToRole", { RoleName: "admin", PolicyName: NOBODY })).rejects.toThrow("did not make");
  await expect(raw("CreateRole", { RoleName: "admin" })).rejects.toThrow("did not make admin");
  await expect(call("DeleteUser", { UserName: "admin" })).rejects.toThrow("do not call DeleteUser");
  expect(outcomeOf(await raw("DeleteRole", { RoleName: NOBODY }))).toBe("404 EntityNotExist.Role");
  await createRole();
  expect(outcomeOf(await raw("DeleteRole", role))).toBe("200 OK");
});

it("needs to know where a real account is", async () => {
  const ram: RpcService = { name: "ram", version: "2015-05-01", hostIn: () => "", makes: {}, changes: {} };
  process.env["RAM_CONFORMANCE"] = "real";
  try {
    await expect(aTarget(ram)).rejects.toThrow("RAM_CONFORMANCE=real needs ALIBABA_CLOUD_");
  } finally {
    delete process.env["RAM_CONFORMANCE"];
  }
});
