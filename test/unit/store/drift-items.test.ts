// Items of drift: what is open is found without reading what is over, in every state that a crash or an earlier version leaves.
import { beforeEach, describe, expect, test } from "vitest";
import { type DriftItem, isOpenDrift } from "../../../shared/domain/drift-item.ts";
import type { KeyPart, Row, Tables } from "../../../shared/ports/tables.ts";
import { getDrift, listDrift, listOpenDrift, saveDrift } from "../../../shared/store/drift-items.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { anItem } from "../../kit/drift-pictures.ts";
import { memoryTables } from "../../kit/memory-tables.ts";
import { GROUP, HOUR, NOW } from "../../kit/plan-pictures.ts";

const item = (name: string, changes: Partial<DriftItem> = {}): DriftItem =>
  anItem({ driftId: `dr-${name}`, state: "reported", rev: 0, ...changes });
const ids = (items: readonly DriftItem[]): readonly string[] => items.map(({ driftId }) => driftId).sort();

let tables: Tables;
/** Rows that were read since it was last set to 0. */
let read = 0;
beforeEach(() => {
  const memory = memoryTables(schemas);
  tables = {
    ...memory,
    get: async (...asked) => {
      read += 1;
      return memory.get(...asked);
    },
    range: async (query) => {
      const answer = await memory.range(query);
      read += answer.rows.length;
      return answer;
    },
  };
});

const open = async (now = NOW) => ids((await listOpenDrift(tables, GROUP, now)).items);
const rows = async (): Promise<readonly Row[]> =>
  (await tables.range({ table: "drift", from: [GROUP.groupId], to: null, limit: 5000 })).rows;
const keys = async () => (await rows()).map(({ key }) => String(key[1]));

/** The tables of a process that dies before its `count`th write. */
function dying(count: number): Tables {
  let left = count;
  const write = async <T>(act: () => Promise<T>): Promise<T> => {
    if (--left < 0) throw new Error("died");
    return act();
  };
  return {
    ...tables,
    put: (...asked) => write(() => tables.put(...asked)),
    delete: (...asked) => write(() => tables.delete(...asked)),
  };
}

describe("open items", () => {
  test("are read alone, however many are over", async () => {
    for (let n = 0; n < 1200; n++)
      await saveDrift(tables, item(`over${String(n).padStart(5, "0")}`, { state: "gone" }), NOW);
    await saveDrift(tables, item("a"), NOW);
    await saveDrift(tables, item("b"), NOW);
    read = 0;
    expect(await open()).toEqual(["dr-a", "dr-b"]);
    // Two pointers, two items.
    expect(read).toBe(4);
  });

  test("leave when they are over and keep no pointer; in lists they stand once", async () => {
    const stored = await saveDrift(tables, item("a"), NOW);
    expect(await open()).toEqual(["dr-a"]);
    expect(ids((await listDrift(tables, { limit: 10 })).items)).toEqual(["dr-a"]);
    expect(ids((await listDrift(tables, { groupId: GROUP.groupId, limit: 10 })).items)).toEqual(["dr-a"]);
    await saveDrift(tables, { ...(stored as DriftItem), state: "rolledBack" }, NOW);
    expect(await open()).toEqual([]);
    expect(await keys()).toEqual(["dr-a"]);
  });

  test("of another region by the same id are not its own", async () => {
    await saveDrift(tables, item("a", { group: { ...GROUP, region: "cn-shanghai" } }), NOW);
    expect(await open()).toEqual([]);
  });

  test("are more than a page", async () => {
    for (let n = 0; n < 1100; n++) await saveDrift(tables, item(`${String(n).padStart(5, "0")}`), NOW);
    expect(await open()).toHaveLength(1100);
  });
});

describe("a row that cannot be read", () => {
  const broken = [
    ["no JSON", "{"],
    ["nothing", "null"],
    ["an item of no group", JSON.stringify({ driftId: "dr-a" })],
    ["an item without what was found", JSON.stringify({ ...item("a"), found: {}, wanted: null })],
  ] as const;

  test.each(broken)("as it is %s keeps no other from being read, and is named", async (_what, body) => {
    await saveDrift(tables, item("a"), NOW);
    await saveDrift(tables, item("b"), NOW);
    await tables.update("drift", [GROUP.groupId, "dr-a"], { body }, { kind: "none" });
    const found = await listOpenDrift(tables, GROUP, NOW + 2 * HOUR);
    expect([ids(found.items), found.unreadable]).toEqual([["dr-b"], ["dr-a"]]);
    // It is found again: nobody takes it for one that is over.
    expect((await listOpenDrift(tables, GROUP, NOW + 2 * HOUR)).unreadable).toEqual(["dr-a"]);
    const listed = await listDrift(tables, { limit: 10 });
    expect([ids(listed.items), listed.unreadable]).toEqual([["dr-b"], [`${GROUP.groupId} dr-a`]]);
  });
});

describe("a process that dies", () => {
  test.each([0, 1])("before write %i of opening loses no item, and the next has it once", async (count) => {
    await expect(saveDrift(dying(count), item("a"), NOW)).rejects.toThrow("died");
    expect(await open()).toEqual([]);
    await saveDrift(tables, item("a"), NOW + 1);
    expect(await open(NOW + 1)).toEqual(["dr-a"]);
    expect(await open(NOW + 2 * HOUR)).toEqual(["dr-a"]);
  });

  test.each([
    [0, ["dr-a"]],
    [1, []],
  ])("before write %i of closing leaves it open or over, and never both", async (count, left) => {
    const stored = (await saveDrift(tables, item("a"), NOW)) as DriftItem;
    await expect(saveDrift(dying(count), { ...stored, state: "gone" }, NOW)).rejects.toThrow("died");
    expect(await open()).toEqual(left);
    const now = (await getDrift(tables, GROUP, "dr-a")) as DriftItem;
    expect(isOpenDrift(now)).toBe(left.length > 0);
    // What led to nothing goes with the next look.
    expect((await keys()).filter((key) => key.startsWith("!dr"))).toEqual(left.map((id) => `!${id}`));
  });

  test("or freezes between pointer and item: the item is found when it comes; the pointer to none goes in the end", async () => {
    await expect(saveDrift(dying(1), item("a"), NOW)).rejects.toThrow("died");
    await expect(saveDrift(dying(1), item("b"), NOW)).rejects.toThrow("died");
    expect(await open(NOW + HOUR - 1)).toEqual([]);
    const { key, columns } = (await storedAs(item("a"))) as { key: readonly KeyPart[]; columns: Row["columns"] };
    await tables.put("drift", key, columns, { kind: "absent" });
    expect(await open(NOW + HOUR + 1)).toEqual(["dr-a"]);
    expect((await keys()).filter((it) => it.startsWith("!dr"))).toEqual(["!dr-a"]);
  });
});

async function storedAs(stored: DriftItem): Promise<Row> {
  const other = memoryTables(schemas);
  await saveDrift(other, stored, NOW);
  return (await other.get("drift", [GROUP.groupId, stored.driftId])) as Row;
}

test("a person who opens an item once more while a pass closes it has it found", async () => {
  const held = (await saveDrift(tables, item("a", { state: "held" }), NOW)) as DriftItem;
  // The pass closes it; before it takes the pointer away the person has written anew.
  const closing: Tables = {
    ...tables,
    delete: async (...asked) => {
      const closed = (await getDrift(tables, GROUP, "dr-a")) as DriftItem;
      await saveDrift(tables, { ...closed, state: "reported" }, NOW);
      return tables.delete(...asked);
    },
  };
  await saveDrift(closing, { ...held, state: "gone" }, NOW);
  expect(await open()).toEqual(["dr-a"]);
});

describe("a look that meets an item which is opened once more", () => {
  /** A closed item, whose pointer a writer has just renewed; `act` runs once the look has read the item. */
  async function lookWhile(act: () => Promise<unknown>): Promise<void> {
    const reading: Tables = {
      ...tables,
      get: async (...asked) => {
        const row = await tables.get(...asked);
        await act();
        return row;
      },
    };
    await listOpenDrift(reading, GROUP, NOW);
  }

  test("keeps its pointer, when the writer is between the two", async () => {
    const stored = (await saveDrift(tables, item("a", { state: "gone" }), NOW)) as DriftItem;
    await expect(saveDrift(dying(2), { ...stored, state: "reported" }, NOW)).rejects.toThrow("died");
    await lookWhile(() => saveDrift(tables, { ...stored, state: "reported" }, NOW));
    expect(await open()).toEqual(["dr-a"]);
  });

  test("keeps its pointer also where the one that it read is very old", async () => {
    const stored = (await saveDrift(tables, item("a", { state: "gone" }), NOW)) as DriftItem;
    await expect(saveDrift(dying(2), { ...stored, state: "reported" }, NOW - 2 * HOUR)).rejects.toThrow("died");
    await lookWhile(() => saveDrift(tables, { ...stored, state: "reported" }, NOW));
    expect(await open()).toEqual(["dr-a"]);
  });

  test("and a writer that is slower by two revisions takes no pointer's place", async () => {
    const slow = (await saveDrift(tables, item("a"), NOW)) as DriftItem;
    const closed = (await saveDrift(tables, { ...slow, state: "gone" }, NOW)) as DriftItem;
    const reopened = (await saveDrift(tables, { ...closed, state: "reported" }, NOW)) as DriftItem;
    expect(await saveDrift(tables, { ...slow, state: "held" }, NOW)).toBeNull();
    expect((await tables.get("drift", [GROUP.groupId, "!dr-a"]))?.columns["rev"]).toBe(reopened.rev);
  });
});
