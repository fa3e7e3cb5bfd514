// Invariant 3: what is opened is never wider, in hosts, ports, protocol, sources and time, than what was granted.
import { wordsOf } from "../observed.ts";
import type { Checker } from "./checker.ts";

/** How far a machine's clock may be off before the program opens nothing. */
const SKEW_MAX_MS = 5_000;
/** A reply that was lost may have its effect so much later. */
const LATE_EFFECT_MS = 60_000;

export const neverWider: Checker = {
  name: "never-wider",
  watch(world) {
    world.watchers.made.push((call) => {
      if (call.who !== "safeport") return;
      const before = new Map(call.before.map((rule) => [rule.ruleId, wordsOf(rule)]));
      for (const rule of call.after) {
        const words = wordsOf(rule);
        if (before.get(rule.ruleId) === words || rule.policy === "Drop") continue;
        if (world.allocated.get(call.groupId)?.has(words)) continue;
        // Given back after a lockdown.
        if (world.isToGiveBack(call.groupId, words)) continue;
        const asked = world.grants.filter((grant) => grant.groupId === call.groupId && grant.rule === words);
        if (asked.length === 0) world.violated("never-wider", `${call.groupId} ${words} was never granted`);
        else if (asked.every((grant) => grant.until + SKEW_MAX_MS + LATE_EFFECT_MS < call.at))
          world.violated("never-wider", `${call.groupId} ${words} is opened after its end`);
      }
    });
  },
};
