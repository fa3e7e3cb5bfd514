// A lease is said to be open only when its rule stands and lets in whom it names.
import { isIn, policiesOf } from "../data-plane.ts";
import { LISTS_WITHIN_MS } from "../known-lockdowns.ts";
import { rulesIn, SKEW_MAX_MS, wordsOf } from "../observed.ts";
import type { Checker } from "./checker.ts";

export const openMeansOpen: Checker = {
  name: "open-means-open",
  watch(world) {
    // A lease whose rule somebody else has removed or changed goes on to its end, or until that is surely known.
    const meddled = new Set<string>();
    world.watchers.made.push((call) => {
      if (call.who === "safeport") return;
      const after = new Set(call.after.map(wordsOf));
      for (const words of call.before.map(wordsOf)) if (!after.has(words)) meddled.add(`${call.groupId} ${words}`);
    });
    world.watchers.opened.push(({ groupId, rule, leaseId, promised }) => {
      // An answer that was long on its way may come when all is over, also by a clock that is ahead.
      if (promised - SKEW_MAX_MS <= world.now()) return;
      // Closed for a lockdown, it is open again afterwards.
      if (world.lockdowns.mayBeOn(groupId)) return;
      const stands = rulesIn(world.ecs.groups(), groupId).find((it) => wordsOf(it) === rule);
      if (stands !== undefined) {
        // A list that a stranger has filled refuses people until its event comes, or all lists are looked at.
        if (world.now() <= world.meddledAt + LISTS_WITHIN_MS) return;
        const port = Number(stands.portRange.split("/")[0]);
        const source = stands.sourceCidrIp.split("/")[0] ?? "";
        // Of a lockdown in another group of a host an answer may not know that began while it was on its way.
        const hosts = world.ecs
          .enis()
          .filter(({ groupIds }) => groupIds.includes(groupId) && !groupIds.some((id) => world.lockdowns.mayBeOn(id)));
        for (const { privateIp } of hosts) {
          const isMeant = stands.destCidrIp === "" || stands.destCidrIp.replace("/32", "") === privateIp;
          if (isMeant && !isIn(policiesOf(world), source, privateIp, port))
            world.violated(
              "open-means-open",
              `${leaseId} is said to be open, and ${source} is refused at ${privateIp}:${port}`,
            );
        }
        return;
      }
      if (meddled.has(`${groupId} ${rule}`)) return;
      world.violated("open-means-open", `${leaseId} is said to be open, and ${groupId} lacks ${rule}`);
    });
  },
};
