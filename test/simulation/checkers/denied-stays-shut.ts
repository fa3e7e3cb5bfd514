// What the policy denies takes no new rule, whoever was granted one before: what stands goes on to its end.
import { wordsOpenedBy } from "../observed.ts";
import type { Checker } from "./checker.ts";

/** Whoever was frozen with the policy of before has lost its lock by then. */
const KNOWN_MS = 3 * 60_000;

export const deniedStaysShut: Checker = {
  name: "denied-stays-shut",
  watch(world) {
    world.watchers.made.push((call) => {
      if (call.who !== "safeport") return;
      const since = world.policies.deniedSince.get(call.groupId) ?? Number.POSITIVE_INFINITY;
      // What a lockdown or recycling has closed is given back.
      if (call.at < since + KNOWN_MS || world.lockdowns.mayBeOn(call.groupId)) return;
      const standing = new Set(call.before.map((rule) => rule.ruleId));
      if (!call.after.some((rule) => !standing.has(rule.ruleId))) return;
      for (const words of wordsOpenedBy(call).filter((it) => !world.recycling.isToGiveBack(call.groupId, it)))
        world.violated("denied-stays-shut", `${call.groupId} is denied by the policy, and ${words} is opened`);
    });
  },
};
