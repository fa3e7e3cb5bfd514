// The table `history` is away: what has ended is closed once all the same, and leaves the ledger when the history can be told of it.
import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import { listHistory } from "../../../shared/store/history.ts";
import { listEntries } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { World } from "../../kit/world.ts";

let world: World;
beforeEach(async () => {
  world = await World.start({ inMemory: true });
});
afterEach(() => world.stop());

const REVOKE = "ecs RevokeSecurityGroup";

/** A process without that table, and the names of its calls. */
function without(): { readonly app: App; readonly names: string[] } {
  const names: string[] = [];
  const process = world.process((call, act) => {
    names.push(call.name);
    return act();
  });
  const writeAll: App["tables"]["writeAll"] = (writes) =>
    writes.some(({ table }) => table === "history")
      ? Promise.reject(new StoreFailure("unavailable", "away"))
      : process.tables.writeAll(writes);
  return { app: { ...process, tables: { ...process.tables, writeAll } }, names };
}

test("a rule that is gone is not revoked again at every look, other leases end meanwhile, and all is told once it is back", async () => {
  const first = await world.open({ periodMs: 300_000 });
  const second = await world.open({ port: "3306", periodMs: 600_000 });
  await world.advance(301_000);
  const { app, names } = without();
  const revokes = () => names.filter((name) => name === REVOKE).length;
  const looks = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await expect(world.sweep(app)).rejects.toThrow("away");
      await world.advance(1_000);
    }
  };
  await looks(10);
  expect([world.openPorts(), revokes()]).toEqual([["3306/3306"], 1]);
  await world.advance(300_000);
  await looks(10);
  expect([world.openPorts(), revokes()]).toEqual([[], 2]);
  const { tables } = app;
  const { entries } = await world.run(listEntries(tables, world.web));
  expect(entries.map(({ standing }) => standing.kind)).toEqual(["none", "none"]);

  await world.ticks(2);
  expect((await world.run(listEntries(tables, world.web))).entries).toEqual([]);
  const told = await world.run(Promise.all(entries.map((it) => listHistory(tables, world.web, it.entryId, 10))));
  expect(told.map((lines) => lines.flatMap(({ kind, leases }) => [kind, ...leases])).sort()).toEqual(
    [first, second].map(({ lease }) => ["closed", lease.request.leaseId]).sort(),
  );
  expect(await world.rows("intent")).toEqual([]);
  expect(world.openPorts()).toEqual([]);
});
