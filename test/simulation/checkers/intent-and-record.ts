// Invariant 4: every change has an intent before it and an outcome record after it.
import type { SimWorld } from "../sim-world.ts";
import type { Checker } from "./checker.ts";

const changedIn = new WeakMap<SimWorld, ReadonlySet<string>>();

export const intentAndRecord: Checker = {
  name: "intent-and-record",
  watch(world) {
    const changed = new Set<string>();
    world.watchers.sent.push((call) => {
      // The row of its set says beforehand what a list is to hold.
      if (call.groupId === "") return;
      void world.tables
        .range({ table: "intent", from: [call.groupId], to: [call.groupId, "~"], limit: 100_000 })
        .then(({ rows }) => {
          const said = [...rows.map(({ columns }) => JSON.stringify(columns)), ...world.unreadableIntents];
          if (!said.some((text) => text.includes(call.token)))
            world.violated("intent-and-record", `${call.operation} of ${call.groupId} ${call.token} has no intent`);
        });
    });
    world.watchers.made.push((call) => {
      if (call.who === "safeport" && call.before !== call.after) changed.add(call.groupId);
    });
    changedIn.set(world, changed);
  },
  async atEnd(world) {
    const { rows } = await world.tables.range({ table: "record", from: [""], to: null, limit: 100_000 });
    const told = new Set(rows.map(({ columns }) => columns["group"]));
    for (const groupId of changedIn.get(world) ?? [])
      if (!told.has(groupId)) world.violated("intent-and-record", `no record tells of the changes to ${groupId}`);
  },
};
