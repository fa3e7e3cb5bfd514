// Rows that many ask for at once on Tablestore: few calls, and for each what it would have been told alone.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../../local/random.ts";
import { startTablestore, type Tablestore, type TablestoreFault } from "../../local/services/tablestore/server.ts";
import { tablestoreTables } from "../../shared/adapters/alibaba/tablestore-tables.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { missingSchema, suiteSchemas } from "./tables-suite.ts";

const schemas = [...suiteSchemas, missingSchema];
const MANY = 250;
const all = Array.from({ length: MANY }, (_, index) => `g${`${index}`.padStart(4, "0")}`);

let service: Tablestore;
let tables: Tables;
let faults: Record<string, TablestoreFault[]> = {};
let calls: string[] = [];

beforeAll(async () => {
  service = await startTablestore({
    clock: systemClock,
    random: seededRandom("together"),
    instances: ["safeport"],
    credentials: () => ({ secret: "secret" }),
    onCall: ({ operation }) => void calls.push(operation),
    intercept: ({ operation }) => faults[operation]?.shift(),
  });
});
beforeEach(async () => {
  await service.reset();
  faults = {};
  tables = tablestoreTables({
    endpoint: service.url,
    instance: "safeport",
    credentials: () => ({ accessKeyId: "ak", accessKeySecret: "secret" }),
    clock: systemClock,
    random: seededRandom("writes"),
    schemas,
  });
  await tables.createTables(suiteSchemas);
  calls = [];
});
afterAll(() => service.stop());

const put = (name: string, n: number) => tables.put("lock", [name], { n }, { kind: "absent" });
const putAll = () => Promise.all(all.map(put));
const lost: TablestoreFault = { kind: "drop-after" };

describe("rows written at once", () => {
  it("go in few calls, each under its own condition", async () => {
    await put("g0007", -1);
    calls = [];
    const outcomes = await putAll();
    expect(calls).toEqual(["BatchWriteRow", "BatchWriteRow"]);
    expect(all.filter((_, index) => outcomes[index] === "conflict")).toEqual(["g0007"]);
    expect((await tables.get("lock", ["g0007"]))?.columns).toEqual({ n: -1 });
    expect((await tables.get("lock", ["g0249"]))?.columns).toEqual({ n: 249 });
  });

  it("are one call from two on, and each learns its own outcome", async () => {
    await put("g0007", -1);
    calls = [];
    expect(await Promise.all(["g0006", "g0007"].map((name) => put(name, 1)))).toEqual(["written", "conflict"]);
    expect(calls).toEqual(["BatchWriteRow"]);
    faults = { BatchWriteRow: [lost] };
    expect(await Promise.all(["g0007", "g0008"].map((name) => put(name, 2)))).toEqual(["conflict", "written"]);
    calls = [];
    await put("g0009", 1);
    expect(calls).toEqual(["PutRow"]);
  });

  it("are put, updated, deleted and written without condition side by side", async () => {
    await putAll();
    const when = (value: number) => ({ kind: "equals", column: "n", value }) as const;
    calls = [];
    const outcomes = await Promise.all([
      tables.update("lock", ["g0001"], { more: "x" }, when(1)),
      tables.update("lock", ["g0002"], { more: "x" }, when(1)),
      tables.delete("lock", ["g0003"], when(3)),
      tables.delete("lock", ["g0004"], when(3)),
      tables.put("lock", ["g0005"], { n: 50 }, when(5)),
      tables.writeAll([
        { kind: "put", table: "ledger", key: ["g", "e"], columns: { n: 1 } },
        { kind: "delete", table: "lock", key: ["g0006"] },
      ]),
    ]);
    expect(calls).toEqual(["BatchWriteRow"]);
    expect(outcomes).toEqual(["written", "conflict", "written", "conflict", "written", undefined]);
    const found = await Promise.all(all.slice(1, 7).map((name) => tables.get("lock", [name])));
    expect(found.map((row) => row?.columns ?? null)).toEqual([
      { n: 1, more: "x" },
      { n: 2 },
      null,
      { n: 4 },
      { n: 50 },
      null,
    ]);
    expect((await tables.get("ledger", ["g", "e"]))?.columns).toEqual({ n: 1 });
  });

  it("count as written when the reply of their call is lost, each by its own id", async () => {
    await put("g0007", -1);
    faults = { BatchWriteRow: [lost, lost] };
    const outcomes = await putAll();
    expect(all.filter((_, index) => outcomes[index] !== "written")).toEqual(["g0007"]);
    expect((await tables.get("lock", ["g0008"]))?.columns).toEqual({ n: 8 });
  });

  it("are sent again when their call was cut before it took effect, or the service was busy", async () => {
    faults = {
      BatchWriteRow: [{ kind: "drop-before" }, { kind: "reject", status: 503, code: "OTSServerBusy", message: "busy" }],
    };
    expect(new Set(await putAll())).toEqual(new Set(["written"]));
  });

  it("do not suffer from one that is wrong", async () => {
    const wrong = tables.put("policy", ["x", 1], { n: 1 }, { kind: "none" });
    const outcomes = await Promise.allSettled([wrong, ...all.slice(0, 20).map(put)]);
    expect(outcomes[0]).toMatchObject({ status: "rejected", reason: { kind: "tableMissing" } });
    expect(outcomes.slice(1).every((it) => it.status === "fulfilled" && it.value === "written")).toBe(true);
  });

  it("let exactly one writer of a row win", async () => {
    const outcomes = await Promise.all(all.map((_, index) => put("race", index)));
    expect(outcomes.filter((it) => it === "written")).toHaveLength(1);
    expect((await tables.get("lock", ["race"]))?.columns).toEqual({ n: outcomes.indexOf("written") });
  });

  it("wait for others where a call carries as much as it can", async () => {
    const text = "x".repeat(500_000);
    const names = all.slice(0, 8);
    await Promise.all(names.map((name) => tables.put("lock", [name], { text }, { kind: "none" })));
    const found = await Promise.all(names.map((name) => tables.get("lock", [name])));
    expect(found.every((row) => row?.columns["text"] === text)).toBe(true);
  });
});

describe("rows read at once", () => {
  beforeEach(async () => {
    await putAll();
    calls = [];
  });
  const read = (names: readonly string[]) => Promise.all(names.map((name) => tables.get("lock", [name])));

  it("come in few calls, those that are not there as well", async () => {
    const found = await read([...all, "nobody", "g0001", "g0001"]);
    expect(calls).toEqual(["BatchGetRow", "BatchGetRow", "BatchGetRow"]);
    expect(found.slice(0, MANY).map((row) => row?.columns)).toEqual(all.map((_, n) => ({ n })));
    expect(found.slice(MANY).map((row) => row?.columns ?? null)).toEqual([null, { n: 1 }, { n: 1 }]);
  });

  it("are asked for again when the reply is lost, and each learns its own failure", async () => {
    faults = { BatchGetRow: [lost] };
    expect((await read(all.slice(0, 9))).map((row) => row?.columns)).toEqual(all.slice(0, 9).map((_, n) => ({ n })));
    const outcomes = await Promise.allSettled([
      tables.get("policy", ["x", 1]),
      ...all.slice(0, 9).map((name) => tables.get("lock", [name])),
    ]);
    expect(outcomes[0]).toMatchObject({ status: "rejected", reason: { kind: "tableMissing" } });
    expect(outcomes.slice(1).every((it) => it.status === "fulfilled")).toBe(true);
  });
});

describe("ranges read at once", () => {
  const rows = (groups: readonly string[], each: number) =>
    groups.flatMap((group) =>
      Array.from({ length: each }, (_, index) => ({
        ...({
          kind: "put",
          table: "ledger",
          key: [group, `e${`${index}`.padStart(3, "0")}`],
          columns: { of: group },
        } as const),
      })),
    );
  const range = (group: string, limit = 100) =>
    tables.range({ table: "ledger", from: [group], to: [`${group}\u0001`], limit });
  const keysOf = (answer: { readonly rows: readonly { readonly key: readonly unknown[] }[] }) =>
    answer.rows.map(({ key }) => key.join(" "));

  it("come in few calls where they lie together, each cut by its own limit", async () => {
    await tables.writeAll(rows(all, 5));
    calls = [];
    const answers = await Promise.all([...all.map((group) => range(group)), range("g0003", 2), range("nobody")]);
    expect(calls.length).toBeLessThanOrEqual(3);
    for (const [index, group] of all.entries())
      expect(keysOf(answers[index] ?? { rows: [] })).toEqual([0, 1, 2, 3, 4].map((n) => `${group} e00${n}`));
    expect(answers.slice(0, MANY).some(({ more }) => more)).toBe(false);
    expect(answers[MANY]).toMatchObject({ rows: [{ columns: { of: "g0003" } }, {}], more: true });
    expect(answers[MANY + 1]).toEqual({ rows: [], more: false });
  });

  it("are asked for one by one where they lie far apart", async () => {
    await tables.writeAll(rows(all, 20));
    const few = ["g0000", "g0100", "g0200", "g0249"];
    calls = [];
    const answers = await Promise.all(few.map((group) => range(group)));
    expect(calls).toHaveLength(1 + few.length - 1);
    expect(answers.map((it) => it.rows.length)).toEqual([20, 20, 20, 20]);
    expect(new Set(answers.flatMap((it) => it.rows.map(({ columns }) => columns["of"])))).toEqual(new Set(few));
  });

  it("are asked for again when the reply is lost, in whichever order they lie", async () => {
    await tables.writeAll(rows(all.slice(0, 10), 2));
    faults = { GetRange: [lost, lost] };
    const answers = await Promise.all([...all.slice(0, 10)].reverse().map((group) => range(group)));
    expect(answers.map((it) => it.rows[0]?.columns["of"])).toEqual([...all.slice(0, 10)].reverse());
  });
});
