// Setting up an installation, once and again.
import { describe, expect, test } from "vitest";
import { readPolicy } from "../../../shared/store/policy.ts";
import { readToken } from "../../../shared/store/tokens.ts";
import { setUp } from "../../../shared/usecases/set-up.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const token = { tokenId: "t1", secretHash: "00", principal: "admin", roles: ["admin"], expiresAt: 1 };

describe("setup", () => {
  test("leaves tables, a policy and tokens behind", async () => {
    const tables = memoryTables();
    const report = await setUp(tables, { policyText: '{"a":1}', tokens: [token] });
    expect(report).toMatchObject({ policy: "written", tokens: 1 });
    expect(await readPolicy(tables)).toMatchObject({ version: 1, text: '{"a":1}' });
    expect(await readToken(tables, "t1")).toEqual(token);
  });

  test("repeated, it keeps the policy in force and renews tokens", async () => {
    const tables = memoryTables();
    await setUp(tables, { policyText: '{"a":1}', tokens: [token] });
    const report = await setUp(tables, { policyText: '{"a":2}', tokens: [{ ...token, expiresAt: 2 }] });
    expect(report.policy).toBe("kept");
    expect((await readPolicy(tables))?.text).toBe('{"a":1}');
    expect((await readToken(tables, "t1"))?.expiresAt).toBe(2);
  });
});
