// Rows beside a walk over groups: each group gets its own row or none, whichever of the two has gaps.
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { freshGroupRow } from "../../shared/domain/guard.ts";
import type { GroupId } from "../../shared/domain/ids.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { type KeptRow, saveGroupRow } from "../../shared/store/group-rows.ts";
import { GroupRowsInOrder } from "../../shared/store/group-rows-in-order.ts";
import { schemas } from "../../shared/store/tables.ts";
import { memoryTables } from "../kit/memory-tables.ts";

const region = "cn-hangzhou";
const id = fc.stringMatching(/^sg-[a-z0-9]{1,3}$/) as fc.Arbitrary<GroupId>;

async function tablesWith(
  ids: readonly GroupId[],
  damaged: readonly GroupId[] = [],
): Promise<{ tables: Tables; ranges: () => number }> {
  const inner = memoryTables(schemas);
  for (const groupId of ids) {
    await saveGroupRow(inner, freshGroupRow({ region, groupId }));
    await saveGroupRow(inner, freshGroupRow({ region: "cn-hangzhou-2", groupId }));
  }
  for (const groupId of damaged) await inner.put("group", [region, groupId], { body: "{", rev: 1 }, { kind: "none" });
  let ranges = 0;
  const range: Tables["range"] = (query) => {
    ranges += 1;
    // Small pages, so that walks cross their edges.
    return inner.range({ ...query, limit: Math.min(query.limit, 3) });
  };
  return { tables: { ...inner, range }, ranges: () => ranges };
}

test("every group finds its own row, one without finds none, and a damaged one is none of either", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(id, { maxLength: 30 }),
      fc.uniqueArray(id, { maxLength: 30 }),
      fc.uniqueArray(id, { maxLength: 5 }),
      async (kept, asked, damaged) => {
        const { tables } = await tablesWith(kept, damaged);
        const rows = new GroupRowsInOrder(tables, region);
        const ids = [...new Set([...asked, ...kept.slice(0, 10), ...damaged])].sort();
        const found: (KeptRow | null)[] = [];
        for (let at = 0; at < ids.length; at += 4) found.push(...(await rows.next(ids.slice(at, at + 4))));
        expect(found.map((row) => (row === "unreadable" ? row : (row?.group.groupId ?? null)))).toEqual(
          ids.map((it) => (damaged.includes(it) ? "unreadable" : kept.includes(it) ? it : null)),
        );
      },
    ),
  );
});

test("a walk that begins far on reads nothing of what lies before", async () => {
  const ids = Array.from({ length: 90 }, (_, n) => `sg-${10 + n}` as GroupId);
  const { tables, ranges } = await tablesWith(ids);
  const rows = new GroupRowsInOrder(tables, region);
  expect(await rows.next(["sg-97" as GroupId])).toMatchObject([{ group: { groupId: "sg-97" } }]);
  expect(ranges()).toBe(1);
});
