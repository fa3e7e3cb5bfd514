// Setting up an installation, once and again.
import { describe, expect, test } from "vitest";
import { readPolicy } from "../../../shared/store/policy.ts";
import { changeToken, readToken, type TokenRow } from "../../../shared/store/tokens.ts";
import { setUp } from "../../../shared/usecases/operation/set-up.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const token: TokenRow = {
  ...{ tokenId: "t1", salt: "01", secretHash: "00", principal: "admin", roles: ["admin"], scope: null, note: "" },
  ...{ createdAt: 0, createdBy: "setup", expiresAt: 1, revokedAt: null, replacedBy: null },
};

describe("setup", () => {
  test("leaves tables, a policy and tokens behind", async () => {
    const tables = memoryTables();
    const report = await setUp(tables, { installation: "test", policyText: '{"a":1}', tokens: [token] });
    expect(report).toMatchObject({ policy: "written", tokens: 1 });
    expect(await readPolicy(tables)).toMatchObject({ version: 1, text: '{"a":1}' });
    expect(await readToken(tables, "t1")).toMatchObject(token);
  });

  test("repeated, it keeps the policy in force and renews tokens", async () => {
    const tables = memoryTables();
    await setUp(tables, { installation: "test", policyText: '{"a":1}', tokens: [token] });
    const report = await setUp(tables, {
      installation: "test",
      policyText: '{"a":2}',
      tokens: [{ ...token, expiresAt: 2 }],
    });
    expect(report.policy).toBe("kept");
    expect((await readPolicy(tables))?.text).toBe('{"a":1}');
    expect((await readToken(tables, "t1"))?.expiresAt).toBe(2);
  });

  test("does not bring a revoked token back", async () => {
    const tables = memoryTables();
    await setUp(tables, { installation: "test", policyText: "{}", tokens: [token] });
    const kept = await readToken(tables, "t1");
    if (kept) await changeToken(tables, kept, { revokedAt: 5 });
    await setUp(tables, { installation: "test", policyText: "{}", tokens: [{ ...token, expiresAt: 9 }] });
    expect(await readToken(tables, "t1")).toMatchObject({ revokedAt: 5, expiresAt: 1 });
  });
});
