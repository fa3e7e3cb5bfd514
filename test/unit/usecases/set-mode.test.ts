// The mode where two people set it at once.
import { expect, test } from "vitest";
import type { Role } from "../../../shared/domain/permission.ts";
import { readMode } from "../../../shared/store/mode.ts";
import { listRecords } from "../../../shared/store/records.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import { appWorld } from "./app-world.ts";

/** Olga asks for close-only, and in the moment after she has read the mode the admin sets this one. */
async function overtaken(mode: "normal" | "halt", before: "normal" | "close-only") {
  const world = await appWorld();
  const { app, caller } = world;
  const set = (by: string, role: Role, it: Parameters<typeof setMode>[2]["mode"], through = app) =>
    setMode(through, caller(by, role), { mode: it, reason: `by ${by}` }, { dryRun: false });
  if (before !== "normal") await set("root", "admin", before);
  let isFirst = true;
  const tables: typeof app.tables = {
    ...app.tables,
    get: async (table, key) => {
      const row = await app.tables.get(table, key);
      if (isFirst) {
        isFirst = false;
        await set("root", "admin", mode);
      }
      return row;
    },
  };
  const asked = set("olga", "operator", before === "normal" ? "close-only" : "halt", { ...app, tables });
  return { world, asked };
}

test("an operator makes nothing freer that an admin has made stricter in the same moment", async () => {
  const { world, asked } = await overtaken("halt", "normal");
  await expect(asked).rejects.toMatchObject({ code: "ROLE_MISSING" });
  expect(await readMode(world.tables)).toMatchObject({ mode: "halt", by: "root" });
  const { records } = await listRecords(world.tables, { limit: 10, before: null });
  const lines = records.map(({ actor, lines: [line] }) => `${actor}: ${line?.slice(0, 30)}`);
  expect(lines[0]).toBe("olga: mode close-only was not set: i");
});

test("what is still stricter than what somebody else has set meanwhile is set", async () => {
  const { world, asked } = await overtaken("normal", "close-only");
  expect((await asked).plan).toEqual([expect.stringContaining("mode normal → halt")]);
  expect(await readMode(world.tables)).toMatchObject({ mode: "halt", by: "olga" });
});
