// Invariant 8: a pass that has lost its lock starts no further call. Nor does whoever changes what the lists of a set hold.
import type { SimWorld } from "../sim-world.ts";
import type { Checker } from "./checker.ts";

/** The lock's name of the set that a list is of, which the list's own name begins with. */
function setNamed({ ecs }: SimWorld, listId: string): string {
  const name = ecs.lists().find((it) => it.listId === listId)?.name ?? "";
  return `lists:${name.split("-").at(-2)}`;
}

export const holdsItsLock: Checker = {
  name: "holds-its-lock",
  watch(world) {
    world.watchers.sent.push((call) => {
      // To make or remove a list is no change of what is let in.
      if (call.groupId === "" && call.operation !== "ModifyPrefixList") return;
      const name = call.listId === null ? call.groupId : setNamed(world, call.listId);
      const held = call.process.locks.get(name);
      const what = `${call.process.name} sends ${call.operation} of ${name}`;
      if (held === undefined) return world.violated("holds-its-lock", `${what} and was never given its lock`);
      // The lock's end is by the clock of the machine that took it.
      if (call.at + call.process.skewMs > held.expiresAt)
        world.violated(
          "holds-its-lock",
          `${what} ${call.at + call.process.skewMs - held.expiresAt} ms after its lock's end`,
        );
      void world.tables.get("lock", [name]).then((row) => {
        const fence = Number(row?.columns["fence"]);
        if (fence !== held.fence)
          world.violated("holds-its-lock", `${what} with lock ${held.fence}, and the lock is ${fence}`);
      });
    });
  },
};
