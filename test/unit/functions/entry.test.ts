// What surrounds every function's work.
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { AppError } from "../../../shared/errors/app-error.ts";

const environment = {
  SAFEPORT_REGION: "cn-hangzhou",
  SAFEPORT_ACCOUNT_ID: "100000000000",
  SAFEPORT_INSTALLATION: "test",
  SAFEPORT_MARK_SECRET: "0123456789abcdef0123456789abcdef",
  SAFEPORT_TABLESTORE_INSTANCE: "safeport",
};
const context = {
  requestId: "r-1",
  credentials: { accessKeyId: "STS.a", accessKeySecret: "b", securityToken: "c" },
  function: { timeout: 30 },
};
const codes = (error: AppError, requestId: string) => ({ code: error.code, requestId });

beforeEach(() => {
  vi.resetModules();
  vi.unstubAllEnvs();
  for (const name of Object.keys(process.env)) if (/^(SAFEPORT|ALIBABA)_/.test(name)) vi.stubEnv(name, "");
});

async function entryWith(env: Record<string, string>) {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return (await import("../../../functions/entry.ts")).entry;
}

describe("entry", () => {
  test("hands the work its request id, its time and one composition per process", async () => {
    const entry = await entryWith(environment);
    const handler = entry("t", async (_event, { app, requestId, leftMs }) => ({ app, requestId, leftMs }), codes);
    const first = await handler({}, context);
    expect(first).toMatchObject({ requestId: "r-1", leftMs: 30_000 });
    const again = { ...context, credentials: { ...context.credentials, accessKeyId: "STS.new" } };
    expect((await handler({}, again)) as { app: unknown }).toHaveProperty("app", (first as { app: unknown }).app);
  });

  test("a missing configuration is a failure with a code, and works once it is there", async () => {
    const entry = await entryWith({});
    const handler = entry("t", async () => "worked", codes);
    expect(await handler({}, context)).toEqual({ code: "NOT_READY", requestId: "r-1" });
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    expect(await handler({}, context)).toBe("worked");
  });

  test("a function without role or keys says so", async () => {
    const entry = await entryWith(environment);
    const handler = entry("t", async () => "worked", codes);
    expect(await handler({}, { requestId: "r-2", credentials: {} })).toEqual({ code: "NOT_READY", requestId: "r-2" });
    expect(await handler({})).toEqual({ code: "NOT_READY", requestId: "unknown" });
  });

  test("whatever the work throws arrives as a failure with a code", async () => {
    const entry = await entryWith(environment);
    // The class of the modules that were just loaded anew.
    const { fail } = await import("../../../shared/errors/app-error.ts");
    for (const [thrown, code] of [
      [fail("EVENT_INVALID", { why: "x" }), "EVENT_INVALID"],
      [new Error("bug"), "INTERNAL"],
      ["text", "INTERNAL"],
    ] as const) {
      const handler = entry("t", () => Promise.reject(thrown), codes);
      expect(await handler({}, context)).toEqual({ code, requestId: "r-1" });
    }
  });

  test.each(["works", "fails"])("an invocation that %s ends only when what it owes others is settled", async (how) => {
    const entry = await entryWith(environment);
    const compose = await import("../../../functions/compose.ts");
    const told: string[] = [];
    const settle = async () => {
      await Promise.resolve();
      told.push("settled");
    };
    const composition = { ...compose.compose(context.credentials), settle };
    const composed = vi.spyOn(compose, "compose").mockReturnValue(composition);
    await entry(
      "t",
      () => (how === "works" ? Promise.resolve(1) : Promise.reject(new Error("bug"))),
      codes,
    )({}, context);
    composed.mockRestore();
    expect(told).toEqual(["settled"]);
  });
});
