// Feature: the policy changes while the program is at work. What it denies opens no more, and ends all the same.
import type { Feature, Move } from "./feature.ts";
import { NAMES, OBSERVED, UNGUARDED } from "./sim-account.ts";

/** A group takes no rule from the program for some time. */
const denying: Move = async (world, dice) => {
  const { groupId } = dice.pick([OBSERVED, UNGUARDED]);
  const name = dice.happens(0.5) ? groupId : (NAMES[groupId] ?? groupId);
  world.policies.deny(groupId, name);
  await world.schedule.sleep(dice.between(60_000, 40 * 60_000));
  world.policies.allow(groupId, name);
};

export const policies: Feature = { chance: 0.3, policy: {}, moves: [[1, denying]] };
