// Invariant 1: no rule that safeport opened is open past its end plus the promised bound while the cloud answers.

import { LIFTED_WITHIN_MS } from "../known-lockdowns.ts";
import { wordsOf } from "../observed.ts";
import { TWO_NIGHTS_MS } from "../recycling.ts";
import { GROUPS } from "../sim-account.ts";
import type { SimWorld } from "../sim-world.ts";
import type { Checker } from "./checker.ts";

/** By the timer alone. */
const PROMISED_MS = 75_000;
/** After trouble: the lock of whoever died lapses, and the next tick comes. */
const AFTER_TROUBLE_MS = 75_000 + 30_000 + 60_000;

export const endsInTime: Checker = {
  name: "ends-in-time",
  watch(world) {
    const told = new Set<string>();
    world.watchers.minute.push(() => {
      const now = world.now();
      for (const group of GROUPS)
        for (const rule of world.rules(group)) {
          const { groupId } = group;
          const born = world.born.get(rule.ruleId);
          // Drops have checkers of their own, and so has what recycling gives back.
          if (rule.policy === "Drop" || world.recycling.isRecyclable(groupId, wordsOf(rule))) continue;
          if (world.recycling.isToGiveBack(groupId, wordsOf(rule))) continue;
          if (born?.who !== "safeport" || told.has(rule.ruleId) || world.unknown.has(rule.ruleId)) continue;
          // Somebody may have changed it since: it goes at the end of what it was opened for.
          const { words } = born;
          if (world.baseline.get(groupId)?.has(words) || world.pipeline.has(words)) continue;
          // What was allocated and is taken back stands on, or is rolled back as drift; so does what somebody adopted that others had made of it.
          if ([words, wordsOf(rule)].some((it) => world.allocations.wasAsked(groupId, it))) continue;
          const ends = world.grants
            .filter((grant) => grant.groupId === groupId && grant.rule === words)
            .map((grant) => Math.min(grant.until, grant.endedAt ?? Number.POSITIVE_INFINITY));
          // A drop that somebody has made an accept of goes when its lockdown is lifted, or the night finds that its quarantine is over.
          const isPiece = world.lockdowns.isPiece(groupId, words);
          const isOfLockdown = words.startsWith("ingress drop ") || isPiece;
          // What stays of a wide rule stands until that is given back, which a mode, a policy or a row that cannot be read may hold up.
          const heldUp = isPiece ? Math.max(world.troubledAt(), deniedUntil(world, groupId)) : 0;
          const lifted = isOfLockdown ? Math.max(world.lockdowns.lastOnAt(groupId), heldUp) + LIFTED_WITHIN_MS : 0;
          const quarantined = world.recycling.quarantinedBy(groupId, words);
          const found = quarantined === undefined ? 0 : quarantined.droppedUntil + TWO_NIGHTS_MS;
          const end = Math.max(lifted, found, world.hours.endOf(groupId, words), ...ends);
          if (now <= Math.max(end + PROMISED_MS, world.disturbedAt + AFTER_TROUBLE_MS)) continue;
          told.add(rule.ruleId);
          world.violated(
            "ends-in-time",
            `${groupId} ${words} ${rule.ruleId} (now ${wordsOf(rule)}) stands ${now - end} ms past its end`,
          );
        }
    });
  },
};

function deniedUntil({ policies: { deniedSince, deniedUntil: until } }: SimWorld, groupId: string): number {
  return deniedSince.has(groupId) ? Number.POSITIVE_INFINITY : (until.get(groupId) ?? 0);
}
