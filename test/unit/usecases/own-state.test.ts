// Two installations that were given the same tables: the second does nothing with them, and the first is not disturbed.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoreFailure } from "../../../shared/ports/tables.ts";
import { noteImport } from "../../../shared/store/due.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { refuseStateOfOthers } from "../../../shared/usecases/operation/own-state.ts";
import { lookAtGroup } from "../../../shared/usecases/pass/look-at-group.ts";
import { World } from "../../kit/world.ts";

/** The row that says whose tables they are. */
const OWNER = [0, 0, "installation", ""];

let world: World;
beforeEach(async () => {
  world = await World.start({ inMemory: true });
});
afterEach(() => world.stop());

/** A process of another installation, with another secret, on these tables. */
function other(): App {
  const app = world.process();
  return { ...app, settings: { ...app.settings, installation: "two", markSecret: "f".repeat(32) } };
}
const descriptions = () => world.ecs.groups().flatMap(({ rules }) => rules.map((rule) => rule.description));

describe("another installation on the same tables", () => {
  it("ends, changes and marks nothing", async () => {
    const { lease } = await world.open();
    const before = descriptions();
    await world.advance(lease.status.until - world.clock.now() + 1000);
    const rows = await world.rows("due");
    const app = other();
    await expect(world.sweep(app)).rejects.toMatchObject({ code: "STATE_OF_ANOTHER" });
    expect([descriptions(), await world.rows("due")]).toEqual([before, rows]);
    await world.sweep();
    expect(world.openPorts()).toEqual([]);
  });

  it("opens nothing", async () => {
    const { lease } = await world.open();
    const options = { cause: "test", actor: "test", policy: world.policy, priority: "open", rows: [] } as const;
    const deadlineAt = world.clock.monotonicMs() + 10_000;
    const look = lookAtGroup(other(), world.web, { ...options, deadlineAt });
    await expect(world.run(look)).rejects.toMatchObject({ code: "STATE_OF_ANOTHER" });
    await expect(world.run(refuseStateOfOthers(other()))).rejects.toMatchObject({ code: "STATE_OF_ANOTHER" });
    await expect(world.run(refuseStateOfOthers(world.process()))).resolves.toBeUndefined();
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("open");
  });

  it("is known from what it left there before tables were claimed", async () => {
    const { tables } = world.process();
    await tables.delete("due", OWNER, { kind: "none" });
    await expect(world.sweep(other())).rejects.toMatchObject({ code: "STATE_OF_ANOTHER" });
    await world.sweep();
    expect((await tables.get("due", OWNER))?.columns).toEqual({ owner: "test" });
  });
});

describe("a part of a state, left by an import that was cut", () => {
  it("is acted on by nobody, and is a state as soon as the import has come to its end", async () => {
    const { lease } = await world.open();
    await world.advance(lease.status.until - world.clock.now() + 1000);
    const [before, app] = [descriptions(), world.process()];
    await noteImport(app.tables, "test", { sha256: "0", done: 3 });
    const rows = await world.rows("due");
    await expect(world.sweep(app)).rejects.toMatchObject({ code: "STATE_HALF_IMPORTED" });
    await expect(world.run(refuseStateOfOthers(world.process()))).rejects.toMatchObject({
      code: "STATE_HALF_IMPORTED",
    });
    // As before the rows that say whose state it is.
    await app.tables.delete("due", [0, 0, "installation", "test"], { kind: "none" });
    await expect(world.sweep(app)).rejects.toMatchObject({ code: "STATE_HALF_IMPORTED" });
    expect([descriptions(), (await world.rows("due")).length]).toEqual([before, rows.length - 1]);
    await noteImport(app.tables, "test", null);
    await world.sweep();
    expect(world.openPorts()).toEqual([]);
  });
});

describe("tables", () => {
  it("are claimed by one of two that come at once", async () => {
    const { tables } = world.process();
    await tables.delete("due", OWNER, { kind: "none" });
    await tables.delete("due", [0, 0, "installation", "test"], { kind: "none" });
    const tries = [world.process(), other()].map((app) => world.sweep(app));
    const ends = await Promise.allSettled(tries);
    expect(ends.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(ends.find((it) => it.status === "rejected")).toMatchObject({ reason: { code: "STATE_OF_ANOTHER" } });
  });

  it("that cannot be read keep nobody from what needs none", async () => {
    const app = world.process(async (call, act) => {
      if (call.name === "range due") throw new StoreFailure("unavailable", "gone");
      return act();
    });
    await expect(world.run(refuseStateOfOthers(app))).resolves.toBeUndefined();
  });
});
