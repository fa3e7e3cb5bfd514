// Rows of lockdowns that somebody has damaged.
import { expect, test } from "vitest";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

test.each(["null", "[]", "{}", "7", '"text"', '{"groups":{}}', "no JSON", ""])("%j is told as such", async (body) => {
  const tables = memoryTables(schemas);
  await tables.put("lockdown", ["0123456789ab", 1], { body, rev: 1 }, { kind: "absent" });
  await expect(getLockdown(tables, "ld-0123456789ab-1")).rejects.toMatchObject({ code: "STATE_UNREADABLE" });
});
