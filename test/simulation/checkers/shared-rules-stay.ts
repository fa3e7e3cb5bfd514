// Invariant 7: a shared rule stays while any holder is live; a rule that was there before is never removed by an expiry.
import { SKEW_MAX_MS, wordsOf } from "../observed.ts";
import type { Checker } from "./checker.ts";

export const sharedRulesStay: Checker = {
  name: "shared-rules-stay",
  watch(world) {
    world.watchers.made.push((call) => {
      if (call.who !== "safeport" || call.operation !== "RevokeSecurityGroup") return;
      if (world.lockdowns.mayBeOn(call.groupId)) return;
      const after = new Set(call.after.map((rule) => rule.ruleId));
      const standing = new Set(call.after.map(wordsOf));
      for (const rule of call.before) {
        const words = wordsOf(rule);
        // What somebody has changed in place is no longer the rule that was granted; a second one of the kind may go.
        if (after.has(rule.ruleId) || standing.has(words)) continue;
        const live = world.grants.find(
          (grant) =>
            grant.groupId === call.groupId &&
            grant.rule === words &&
            grant.openedAt !== null &&
            grant.endedAt === null &&
            // The end by the clock of a machine that is ahead.
            grant.promised - SKEW_MAX_MS > call.at,
        );
        if (live)
          world.violated(
            "shared-rules-stay",
            `${call.groupId} ${words} is revoked ${live.promised - call.at} ms before the end of ${live.leaseId} of ${live.principal}`,
          );
      }
    });
  },
};
