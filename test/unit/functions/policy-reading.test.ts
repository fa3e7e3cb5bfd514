// The policy in force: checked by its schema once for each build, and afterwards only by the note of that.
import { beforeEach, describe, expect, test } from "vitest";
import { type PolicyReader, policyReader } from "../../../functions/policy-reading.ts";
import { checkedPolicyText } from "../../../shared/config/policy-schema.ts";
import type { Log } from "../../../shared/ports/log.ts";
import type { Columns, Tables } from "../../../shared/ports/tables.ts";
import { writeFirstPolicy } from "../../../shared/store/policy.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const KEY = ["policy", 1] as const;
let tables: Tables;
let told: string[];
const log: Log = { write: (_level, words) => told.push(words) };

/** As a fresh process of a build has it. */
const reader = (schema: string | null, secret = "s".repeat(32)): PolicyReader =>
  policyReader({ tables, log, region: "cn-hangzhou", secret, schema });

const columns = async (): Promise<Columns> => (await tables.get("policy", KEY))?.columns ?? {};

/** Changes the row by hand, to a document that no schema would take. */
const spoil = (spoilt: Columns) => tables.update("policy", KEY, spoilt, { kind: "present" });
const SPOILT = checkedPolicyText({}).replace('"periodMax":28800', '"periodMax":-1');

beforeEach(async () => {
  tables = memoryTables(schemas);
  told = [];
  await writeFirstPolicy(tables, checkedPolicyText({ regions: ["cn-beijing"], operators: ["10.0.0.0/8"] }));
});

describe("policy of a row", () => {
  test("is the same whether it is checked or was noted as checked", async () => {
    const first = reader("build-1");
    const checked = await first.readPolicy();
    await first.settle();
    expect(await columns()).toMatchObject({ mark: expect.stringMatching(/^[0-9a-f]{64}$/), filled: "" });
    expect(await reader("build-1").readPolicy()).toStrictEqual(checked);
    expect(checked.regions).toEqual(["cn-beijing"]);
  });

  test("is not checked again by the same build, and is by another", async () => {
    const first = reader("build-1");
    await first.readPolicy();
    await first.settle();
    const { mark } = await columns();
    // Nothing is written where the note holds.
    tables.update = () => Promise.reject(new Error("written"));
    const again = reader("build-1");
    await again.readPolicy();
    await again.settle();
    expect(told).toEqual([]);
    const next = reader("build-2");
    await next.readPolicy();
    await next.settle();
    expect(told).toEqual(["that the policy was checked was not noted"]);
    expect((await columns())["mark"]).toBe(mark);
  });

  test("is checked whatever a note says that is of another document, key or build", async () => {
    const first = reader("build-1");
    await first.readPolicy();
    await first.settle();
    const { mark } = await columns();
    await spoil({ text: SPOILT });
    await expect(reader("build-1").readPolicy()).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
    await spoil({ filled: SPOILT });
    await expect(reader("build-1").readPolicy()).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
    for (const forged of ["", "x", String(mark).toUpperCase(), "0".repeat(64)]) {
      await spoil({ mark: forged });
      await expect(reader("build-1").readPolicy()).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
    }
    await spoil({ mark: String(mark) });
    await expect(reader("build-1", "t".repeat(32)).readPolicy()).rejects.toMatchObject({ code: "POLICY_UNREADABLE" });
    // The last good one there is: none, so that leases still end by the shipped one.
    expect((await reader("build-1").readPolicyOrDefault()).version).toBe(0);
  });

  test("is what its own text says, and not what was noted of another version's", async () => {
    const first = reader("build-1");
    await first.readPolicy();
    await first.settle();
    const { text, mark } = await columns();
    const next = checkedPolicyText({ regions: ["cn-shanghai"] });
    await tables.put(
      "policy",
      ["policy", 2],
      { text: next, mark: String(mark), filled: String(text) },
      { kind: "absent" },
    );
    expect((await reader("build-1").readPolicy()).regions).toEqual(["cn-shanghai"]);
    await tables.put(
      "policy",
      ["policy", 3],
      { text: String(text), mark: String(mark), filled: "" },
      { kind: "absent" },
    );
    expect((await reader("build-1").readPolicy()).regions).toEqual(["cn-beijing"]);
  });

  test("has what a later build adds, also when it is not checked again", async () => {
    // As an earlier version would have stored it.
    await spoil({ text: '{"regions":["cn-beijing"]}' });
    const first = reader("build-2");
    const checked = await first.readPolicy();
    await first.settle();
    expect((await columns())["filled"]).toBe(checkedPolicyText({ regions: ["cn-beijing"] }));
    expect(await reader("build-2").readPolicy()).toStrictEqual(checked);
  });

  test("is checked by every process of a build without a name, and nothing is noted", async () => {
    const first = reader(null);
    await first.readPolicy();
    await first.settle();
    expect(await columns()).not.toHaveProperty("mark");
  });
});
