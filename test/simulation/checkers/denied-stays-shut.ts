// What the policy denies takes no new rule, whoever was granted one before: what stands goes on to its end. Whom it grants nothing opens
// nothing, but by what was granted before.
import { type ObservedCall, wordsOpenedBy } from "../observed.ts";
import type { SimWorld } from "../sim-world.ts";
import type { Checker } from "./checker.ts";

/** Whoever was frozen with the policy of before has lost its lock by then. */
const KNOWN_MS = 3 * 60_000;

export const deniedStaysShut: Checker = {
  name: "denied-stays-shut",
  watch(world) {
    world.watchers.made.push((call) => {
      // What a lockdown or recycling has closed is given back.
      if (call.who !== "safeport" || world.lockdowns.mayBeOn(call.groupId)) return;
      const standing = new Set(call.before.map((rule) => rule.ruleId));
      if (!call.after.some((rule) => !standing.has(rule.ruleId))) return;
      const since = world.policies.deniedSince.get(call.groupId) ?? Number.POSITIVE_INFINITY;
      for (const words of wordsOpenedBy(call)) {
        if (world.recycling.isToGiveBack(call.groupId, words)) continue;
        if (call.at >= since + KNOWN_MS)
          world.violated("denied-stays-shut", `${call.groupId} is denied by the policy, and ${words} is opened`);
        if (!world.hours.mayBeOpenedNow(call.groupId, words) && isBarred(world, call, words))
          world.violated("denied-stays-shut", `${call.groupId} ${words} is opened, and the policy grants it to nobody`);
      }
    });
  },
};

/** True where the policy grants the address nothing, and nobody could have been granted it before. What begins later is judged then. */
function isBarred({ policies, grants }: SimWorld, { groupId, at }: ObservedCall, words: string): boolean {
  const asked = grants.filter((grant) => grant.groupId === groupId && grant.rule === words);
  return [...policies.barredSince].some(
    ([address, since]) =>
      words.includes(` ${address} `) &&
      at >= since + KNOWN_MS &&
      asked.length > 0 &&
      asked.every(({ askedAt, startsAt }) => (startsAt ?? askedAt) >= since + KNOWN_MS),
  );
}
