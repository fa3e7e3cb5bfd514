// InvokeFunction of version 2023-03-30, as the SDK of that version signs it (ACS3) and by bytes.
import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { anEcho, itEmbedded } from "./target.ts";

const NOBODY = "safeport-conformance-nobody";
const anId = (): string => `t${randomBytes(8).toString("hex")}`;

it("answers what the function answers", async () => {
  const { call, raw } = await anEcho();
  expect(await call("hello")).toMatchObject({ status: 200, text: "hello" });
  expect(await raw("hello")).toMatchObject({ status: 200, body: { text: "hello" } });
  expect((await raw("")).headers["x-fc-request-id"]).toMatch(/^[0-9a-f-]{20,}$/i);
});

it("tells the function's error by a header, with status 200", async () => {
  const { call, raw } = await anEcho();
  const failed = await call("throw");
  expect([failed.status, failed.headers["x-fc-error-type"]]).toEqual([200, "HandledInvocationError"]);
  expect(JSON.parse(failed.text)).toMatchObject({ errorMessage: "no", errorType: "TypeError" });
  expect((await raw("throw")).headers["x-fc-error-type"]).toBe("HandledInvocationError");
});

it("accepts an asynchronous call with 202, and its task id once", async () => {
  const { call, raw } = await anEcho();
  const id = anId();
  const headers = { "x-fc-invocation-type": "Async", "x-fc-async-task-id": id };
  expect((await call("later", headers)).status).toBe(202);
  expect((await raw("later", headers)).status).toBe(409);
  await expect(call("later", headers)).rejects.toMatchObject({ statusCode: 409 });
  expect((await raw("later", { ...headers, "x-fc-async-task-id": anId() })).status).toBe(202);
});

it("refuses an unknown function with 404 and a wrong signature", async () => {
  const { call, raw, rawWrong } = await anEcho();
  await expect(call("x", {}, NOBODY)).rejects.toMatchObject({ statusCode: 404, code: "FunctionNotFound" });
  expect(await raw("x", {}, NOBODY)).toMatchObject({ status: 404, body: { Code: "FunctionNotFound" } });
  const refused = await rawWrong("x");
  expect([refused.status, refused.body["Code"]]).toEqual([400, "SignatureDoesNotMatch"]);
});

it("refuses an asynchronous payload of more than 128 KB", async () => {
  const { raw } = await anEcho();
  const refused = await raw("b".repeat(131_073), { "x-fc-invocation-type": "Async" });
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.status).toBeLessThan(500);
});

itEmbedded("takes a body that was changed on its way for a wrong signature", async () => {
  const { raw } = await anEcho();
  const changed = await raw("hello", { "x-acs-content-sha256": "0".repeat(64) });
  expect(changed.body["Code"]).toBe("SignatureDoesNotMatch");
});
