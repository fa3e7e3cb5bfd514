// Invariant 3: what is opened is never wider, in hosts, ports, protocol, sources and time, than what was granted.
import { LATE_EFFECT_MS, SKEW_MAX_MS, wordsOpenedBy } from "../observed.ts";
import { ENFORCED } from "../sim-account.ts";
import type { Checker } from "./checker.ts";

export const neverWider: Checker = {
  name: "never-wider",
  watch(world) {
    world.watchers.made.push((call) => {
      if (call.who !== "safeport") return;
      for (const words of wordsOpenedBy(call)) {
        if (world.baseline.get(call.groupId)?.has(words)) continue;
        // Adopted from whom the policy trusts, and restored.
        if (call.groupId === ENFORCED.groupId && world.pipeline.has(words)) continue;
        if (world.allocations.mayBeOpened(call.groupId, words)) continue;
        // Given back after a lockdown, or out of the recycling queue.
        if (world.lockdowns.isToGiveBack(call.groupId, words)) continue;
        if (world.lockdowns.isPiece(call.groupId, words) && world.lockdowns.mayBeOn(call.groupId)) continue;
        // What was allocated stands on where drift is not rolled back, and is given back like other people's rules.
        const wasAsked = world.allocations.wasAsked(call.groupId, words);
        if (wasAsked && world.lockdowns.toGiveBack(call.groupId, words) !== undefined) continue;
        if (world.recycling.isToGiveBack(call.groupId, words)) continue;
        if (world.hours.mayBeOpenedNow(call.groupId, words)) continue;
        const asked = world.grants.filter((grant) => grant.groupId === call.groupId && grant.rule === words);
        if (asked.length === 0) {
          const why = world.hours.wasAsked(call.groupId, words) ? "is opened outside its hours" : "was never granted";
          world.violated("never-wider", `${call.groupId} ${words} ${why}`);
        } else if (asked.every((grant) => grant.until + SKEW_MAX_MS + LATE_EFFECT_MS < call.at))
          world.violated("never-wider", `${call.groupId} ${words} is opened after its end`);
        else if (asked.every((grant) => (grant.startsAt ?? 0) - SKEW_MAX_MS > call.at))
          world.violated("never-wider", `${call.groupId} ${words} is opened before its time`);
      }
    });
  },
};
