// Invariant 8: a pass that has lost its lock starts no further call.
import type { Checker } from "./checker.ts";

export const holdsItsLock: Checker = {
  name: "holds-its-lock",
  watch(world) {
    world.watchers.sent.push((call) => {
      const held = call.process.locks.get(call.groupId);
      const what = `${call.process.name} sends ${call.operation} of ${call.groupId}`;
      if (held === undefined) return world.violated("holds-its-lock", `${what} and was never given its lock`);
      // The lock's end is by the clock of the machine that took it.
      if (call.at + call.process.skewMs > held.expiresAt)
        world.violated(
          "holds-its-lock",
          `${what} ${call.at + call.process.skewMs - held.expiresAt} ms after its lock's end`,
        );
      void world.tables.get("lock", [call.groupId]).then((row) => {
        const fence = Number(row?.columns["fence"]);
        if (fence !== held.fence)
          world.violated("holds-its-lock", `${what} with lock ${held.fence}, and the lock is ${fence}`);
      });
    });
  },
};
