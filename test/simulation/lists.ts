// Feature: the groups of a lockdown are closed by filling prefix lists, which strangers change, too; lists are switched off and on again.
import { BOTH, moves as lockdowns, policy, rules } from "./alarms.ts";
import type { Feature, Move } from "./feature.ts";
import { REGION } from "./sim-account.ts";
import { pause } from "./workload.ts";

const MINUTE_MS = 60_000;

/** Somebody puts a block on one of the lists, or takes all of them away. */
const meddle: Move = async (world, dice) => {
  const mallory = world.person("mallory").lists;
  const all = world.ecs.lists();
  const list = all.length > 0 ? dice.pick(all) : undefined;
  if (list === undefined) return;
  const held = list.entries.map(({ value }) => value);
  const change = dice.happens(0.5)
    ? { add: [dice.pick(["198.51.100.0/24", "0.0.0.0/1", "10.0.0.0/8"])], remove: [] }
    : { add: [], remove: held };
  if (change.add.length + change.remove.length === 0) return;
  await pause(world, dice);
  world.meddledAt = Number.POSITIVE_INFINITY;
  await mallory.change({ region: REGION, listId: list.listId }, change, "open").catch(() => undefined);
  world.meddledAt = world.now();
};

/** The setting is taken out of the functions, and put back. */
const switchOff: Move = async (world, dice) => {
  await pause(world, dice);
  world.tell("lists are off");
  world.hasLists = false;
  await world.schedule.sleep(dice.between(MINUTE_MS, 100 * MINUTE_MS));
  world.tell("lists are on");
  world.hasLists = true;
};

export const lists: Feature = {
  chance: 0.15,
  policy: { ...policy, lockdown: { ...policy.lockdown, prefixLists: [{ groups: BOTH.groups }] } },
  moves: [...lockdowns, [1, meddle], [1, switchOff]],
  rules,
};
