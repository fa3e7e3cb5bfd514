// GetFunction of version 2023-03-30, as the SDK of that version signs it (ACS3) and by bytes.
import { expect, it } from "vitest";
import { anEcho, itEmbedded } from "./target.ts";

const NOBODY = "safeport-conformance-nobody";

it("tells a function's name, handler and environment", async () => {
  const { name, describe, rawDescribe } = await anEcho();
  const told = { functionName: name, handler: "index.handler", environmentVariables: expect.any(Object) };
  expect(await describe()).toMatchObject(told);
  expect(await rawDescribe()).toMatchObject({ status: 200, body: told });
});

it("refuses an unknown function with 404", async () => {
  const { describe, rawDescribe } = await anEcho();
  await expect(describe(NOBODY)).rejects.toMatchObject({ statusCode: 404, code: "FunctionNotFound" });
  expect(await rawDescribe(NOBODY)).toMatchObject({ status: 404, body: { Code: "FunctionNotFound" } });
});

itEmbedded("tells the environment of the last deployment", async () => {
  const { describe, deployAgain } = await anEcho();
  deployAgain({ OWNER: "two" });
  expect(await describe()).toMatchObject({ environmentVariables: { OWNER: "two" } });
});
