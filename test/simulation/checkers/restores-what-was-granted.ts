// The mission's second sentence: in an enforced group, at the end, stands what was granted and what is other people's business, and nothing else.
import { isFallenBack } from "../fallen-back.ts";
import { wordsOf } from "../observed.ts";
import { ENFORCED } from "../sim-account.ts";
import type { Checker } from "./checker.ts";

export const restoresWhatWasGranted: Checker = {
  name: "restores-what-was-granted",
  watch() {
    // Nothing is to be seen before the end.
  },
  async atEnd(world) {
    if (await isFallenBack(world, ENFORCED)) return;
    const rules = world
      .rules(ENFORCED)
      .filter((rule) => !world.isStandby(rule))
      .map(wordsOf);
    const { groupId } = ENFORCED;
    const [baseline, others] = [world.baseline, world.untouchable].map((it) => it.get(groupId));
    for (const words of baseline ?? [])
      if (!rules.includes(words) && !world.recycling.isClosed(groupId, words))
        world.violated("restores-what-was-granted", `${words} was granted and is not there`);
    for (const words of rules)
      if (
        !baseline?.has(words) &&
        !others?.has(words) &&
        !world.pipeline.has(words) &&
        !world.allocations.mayStand(groupId, words) &&
        !world.hours.mayBeOpenedNow(groupId, words)
      )
        world.violated("restores-what-was-granted", `${words} was never granted and still stands`);
  },
};
