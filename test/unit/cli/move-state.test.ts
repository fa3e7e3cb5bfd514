// The state to a file and back: whole, resumable at every cut, and into nothing that is somebody's.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportState, importState } from "../../../cli/state/move-state.ts";
import type { TableName, Tables } from "../../../shared/ports/tables.ts";
import { noteImport, readOwnership } from "../../../shared/store/due.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const owner = { installation: "test-1", markSecret: "m".repeat(40) };
const now = Date.UTC(2026, 10, 27);
const quiet = () => undefined;
const newFile = () => join(mkdtempSync(join(tmpdir(), "safeport-state-")), "state.jsonl");

async function filled(): Promise<Tables> {
  const tables = memoryTables();
  await tables.createTables(schemas);
  for (let index = 0; index < 1203; index++)
    await tables.put(
      "lease",
      [`l-${index}`],
      { state: "open", text: `端口 "${index}"`, version: index, ok: true },
      { kind: "none" },
    );
  await noteImport(tables, owner.installation, null);
  await tables.put("record", ["main", "1"], { text: "{}" }, { kind: "none" });
  await tables.put("sighting", ["sg", "old"], { text: "{}" }, { kind: "none" });
  await tables.put("due", [0, now, "lease", "l-1"], { group: "sg" }, { kind: "none" });
  await tables.put("due", [3, 2 ** 52, "job", ""], {}, { kind: "none" });
  await tables.put("intent", ["sg", "i-1"], { token: "t" }, { kind: "none" });
  await tables.put("policy", ["policy", 7], { text: "{}" }, { kind: "none" });
  await tables.put("lock", ["sg"], { fence: 3, expiresAt: now + 30_000, holder: "x" }, { kind: "none" });
  await tables.put("budget", ["r", "a"], { used: 3 }, { kind: "none" });
  return tables;
}

async function rowsOf(tables: Tables): Promise<Record<string, unknown>> {
  const all: Record<string, unknown> = {};
  for (const { name } of schemas) {
    if (name === "lock" || name === "budget") continue;
    all[name] = (await tables.range({ table: name, from: [], to: null, limit: 10_000 })).rows;
  }
  return all;
}

/** Tables that fail with every call from the nth on. */
function failingAt(tables: Tables, from: number): Tables {
  let calls = 0;
  const around =
    (method: keyof Tables) =>
    (...args: never[]) => {
      calls += 1;
      if (calls >= from) throw new Error("cut");
      return (tables[method] as (...all: never[]) => unknown)(...args);
    };
  return Object.fromEntries(
    Object.keys(tables).map((name) => [name, around(name as keyof Tables)]),
  ) as unknown as Tables;
}

describe("a state", () => {
  it("is the same after it went through a file, but for locks and budgets", async () => {
    const tables = await filled();
    const file = newFile();
    const report = await exportState(tables, { file, owner, now, progress: quiet });
    expect(report.rows).toBe(1210);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, "utf8")).not.toContain(owner.markSecret);
    const other = memoryTables();
    expect(await importState(other, { file, owner, force: false, progress: quiet })).toEqual(report);
    expect(await rowsOf(other)).toEqual(await rowsOf(tables));
    expect(await other.get("lock", ["sg"])).toBeNull();
    await expect(exportState(tables, { file, owner, now, progress: quiet })).rejects.toThrow("there already");
  });

  it("is whole again when either way was cut at any call, or in the middle of a line", async () => {
    const tables = await filled();
    const wanted = await rowsOf(tables);
    const cuts = [2, 4, 6, 9, 20, 33, 62];
    let halves = 0;
    for (const cut of cuts) {
      const file = newFile();
      await exportState(failingAt(tables, cut), { file, owner, now, progress: quiet }).catch(() => undefined);
      if (!existsSync(file)) {
        appendFileSync(`${file}.part`, '{"table":"lease","key":["l-');
        await exportState(tables, { file, owner, now, progress: quiet });
      }
      const other = memoryTables();
      await importState(failingAt(other, cut), { file, owner, force: false, progress: quiet }).catch(() => undefined);
      // What is there is no state to be moved on.
      const isHalf = cut > 2 && (await readOwnership(other)).importing !== null;
      if (isHalf) {
        halves += 1;
        const asked = exportState(other, { file: newFile(), owner, now, progress: quiet });
        await expect(asked).rejects.toMatchObject({ code: "STATE_HALF_IMPORTED" });
      }
      await importState(other, { file, owner, force: false, progress: quiet });
      expect(await rowsOf(other), `cut at call ${cut}`).toEqual(wanted);
    }
    expect(halves).toBeGreaterThan(1);
  });

  it("is as it is now where an export is run again that was cut before somebody changed it", async () => {
    const tables = await filled();
    const file = newFile();
    const cut = (line: string) => {
      if (line.startsWith("lease:")) throw new Error("cut");
    };
    await expect(exportState(tables, { file, owner, now, progress: cut })).rejects.toThrow("cut");
    expect(readFileSync(`${file}.part`, "utf8")).toContain('"l-0"');
    // What was open then is closed, and somebody has asked for more.
    await tables.put("lease", ["l-0"], { state: "closed" }, { kind: "none" });
    await tables.put("lease", ["l-00"], { state: "open" }, { kind: "none" });
    await exportState(tables, { file, owner, now, progress: quiet });
    const other = memoryTables();
    await importState(other, { file, owner, force: false, progress: quiet });
    expect(await rowsOf(other)).toEqual(await rowsOf(tables));
  });

  it("is not said to be exported where a row is damaged so that no import would take it, or anything behind it", async () => {
    const tables = await filled();
    const file = newFile();
    await tables.put("lease", ["l-5"], { until: 1.5 }, { kind: "none" });
    const words = "The row l-5 of the table lease holds what safeport never writes (columns.until)";
    await expect(exportState(tables, { file, owner, now, progress: quiet })).rejects.toThrow(words);
    expect(existsSync(file)).toBe(false);
  });

  it("is not taken from a file that was changed, cut, or is another installation's", async () => {
    const file = newFile();
    await exportState(await filled(), { file, owner, now, progress: quiet });
    const whole = readFileSync(file, "utf8");
    const into = (more: object = {}) =>
      importState(memoryTables(), { file, owner, force: false, progress: quiet, ...more });
    writeFileSync(file, whole.replace('"l-700"', '"l-7x0"'));
    await expect(into()).rejects.toThrow("checksum");
    writeFileSync(file, whole);
    truncateSync(file, whole.length - 60);
    await expect(into()).rejects.toThrow("not whole");
    writeFileSync(file, `${whole}{}\n`);
    await expect(into()).rejects.toThrow("after its end");
    writeFileSync(file, whole.replace('"table":"intent"', '"table":"intention"'));
    await expect(into()).rejects.toThrow("another version");
    writeFileSync(file, "hello\n");
    await expect(into()).rejects.toThrow("no state of safeport");
    writeFileSync(file, whole);
    await expect(into({ owner: { ...owner, markSecret: "n".repeat(40) } })).rejects.toThrow("SAFEPORT_MARK_SECRET");
    await expect(into({ owner: { ...owner, installation: "other" } })).rejects.toThrow("installation test-1");
  });

  it("replaces no other state, unless it is forced to", async () => {
    const file = newFile();
    const tables = await filled();
    await exportState(tables, { file, owner, now, progress: quiet });
    const other = memoryTables();
    await other.createTables(schemas);
    await other.put("ledger" satisfies TableName, ["sg", "e-9"], { mine: true }, { kind: "none" });
    await expect(importState(other, { file, owner, force: false, progress: quiet })).rejects.toThrow("ledger has rows");
    expect(await other.get("lease", ["l-1"])).toBeNull();
    await importState(other, { file, owner, force: true, progress: quiet });
    expect(await rowsOf(other)).toEqual(await rowsOf(tables));
    // An audit trail is never removed, and never mixed with another's.
    const audited = memoryTables();
    await audited.createTables(schemas);
    await audited.put("record", ["main", "1"], { text: "another" }, { kind: "none" });
    await expect(importState(audited, { file, owner, force: true, progress: quiet })).rejects.toThrow("audit trail");
    expect(await audited.get("record", ["main", "1"])).not.toBeNull();
  });
});

describe("an import that was cut", () => {
  /** Cut after its first rows are written: two pages of leases. */
  async function half(): Promise<{
    readonly file: string;
    readonly other: Tables;
    again(force?: boolean): Promise<unknown>;
  }> {
    const file = newFile();
    await exportState(await filled(), { file, owner, now, progress: quiet });
    const other = memoryTables();
    const cut = (line: string) => {
      if (line.startsWith("1004 of")) throw new Error("cut");
    };
    await expect(importState(other, { file, owner, force: false, progress: cut })).rejects.toThrow("cut");
    const again = (force = false) => importState(other, { file, owner, force, progress: quiet });
    return { file, other, again };
  }

  it.each<readonly [string, (tables: Tables) => Promise<unknown>]>([
    ["wrote a row", (it) => it.put("token", ["t-1"], { text: "{}" }, { kind: "none" })],
    ["wrote a row among those of the file", (it) => it.put("lease", ["l-10x"], { text: "{}" }, { kind: "none" })],
    ["changed a row", (it) => it.put("lease", ["l-1"], { text: "{}" }, { kind: "none" })],
    ["took a row away", (it) => it.delete("due", [0, now, "lease", "l-1"], { kind: "none" })],
  ])("is not gone on with where somebody %s meanwhile, but begun anew by force", async (_, write) => {
    const { other, again } = await half();
    await write(other);
    await expect(again()).rejects.toThrow("Somebody else has written there");
    await expect(exportState(other, { file: newFile(), owner, now, progress: quiet })).rejects.toMatchObject({
      code: "STATE_HALF_IMPORTED",
    });
    await again(true);
    expect(await rowsOf(other)).toEqual(await rowsOf(await filled()));
  });

  it("is begun anew also where that was cut, and never beside records of another", async () => {
    const { file, other, again } = await half();
    await other.put("token", ["t-1"], { text: "{}" }, { kind: "none" });
    for (const cut of [12, 16, 20, 30, 40])
      await importState(failingAt(other, cut), { file, owner, force: true, progress: quiet }).catch(() => undefined);
    await again(true);
    expect(await rowsOf(other)).toEqual(await rowsOf(await filled()));
    const mixed = await half();
    await mixed.other.put("record", ["main", "2"], { text: "{}" }, { kind: "none" });
    for (const force of [false, true]) await expect(mixed.again(force)).rejects.toThrow("audit trail");
  });

  it("is gone on with where rows have expired meanwhile", async () => {
    const { other, again } = await half();
    await other.delete("sighting", ["sg", "old"], { kind: "none" });
    await again();
    const wanted = await rowsOf(await filled());
    expect(await rowsOf(other)).toEqual({ ...wanted, sighting: [] });
  });
});
