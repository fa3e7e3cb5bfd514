// Invariant 9: a lease that needs a second person never opens on the word of the requester, an expired approval, or an approval of a
// different change; nor when it was denied before anybody approved it.
import { type Grant, LATE_EFFECT_MS, SKEW_MAX_MS, wordsOpenedBy } from "../observed.ts";
import type { Checker } from "./checker.ts";

export const secondPerson: Checker = {
  name: "second-person",
  watch(world) {
    world.watchers.made.push((call) => {
      if (call.who !== "safeport") return;
      for (const words of wordsOpenedBy(call)) {
        const asked = world.grants.filter(
          (grant) =>
            grant.groupId === call.groupId &&
            grant.rule === words &&
            grant.until + LATE_EFFECT_MS + SKEW_MAX_MS >= call.at,
        );
        if (asked.length === 0 || asked.some((grant) => isGood(grant, call.at))) continue;
        const said = asked.flatMap((grant) => grant.second?.words ?? []).map((it) => `${it.person} ${it.decision}`);
        world.violated("second-person", `${call.groupId} ${words} is opened by ${said.join(", ") || "nobody's word"}`);
      }
    });
  },
};

/** True when it needs nobody, or somebody else has approved it in time and nobody had denied it. */
function isGood({ second }: Grant, at: number): boolean {
  if (second === null) return true;
  const isDenied = second.words.some((it) => it.decision === "deny" && it.heardAt !== null && it.heardAt < at);
  return (
    !isDenied &&
    second.words.some((it) => it.decision === "approve" && it.from <= at && it.from <= second.lapsesAt + SKEW_MAX_MS)
  );
}
