// Feature: a host of another group joins the enforced one for a time, as groups that grow and shrink by themselves have it. What is open in the one
// acts on it, and what the other refuses is refused to it.
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Feature, Move } from "./feature.ts";
import { wordsFor, wordsOf } from "./observed.ts";
import { ENFORCED, UNGUARDED } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { leaseOf, ruleFor } from "./workload.ts";

const MINUTE_MS = 60_000;
/** Who is in which group is known for ten minutes, by processes that may be frozen before they write it down. */
const KNOWN_MS = 15 * MINUTE_MS;

const guests = new WeakMap<SimWorld, number>();

/** The host is in both groups until all who want it there have done what they wanted. */
async function whileJoined(world: SimWorld, act: () => Promise<void>): Promise<void> {
  const count = (by: number): number => {
    const left = (guests.get(world) ?? 0) + by;
    guests.set(world, left);
    return left;
  };
  const call = (operation: string): Promise<void> =>
    world.callAs("erin", operation, { SecurityGroupId: ENFORCED.groupId, InstanceId: "i-app-1" });
  if (count(1) === 1) await call("JoinSecurityGroup");
  await act();
  if (count(-1) === 0) await call("LeaveSecurityGroup");
}

const joining: Move = (world, dice) => whileJoined(world, () => world.schedule.sleep(dice.between(0, 40 * MINUTE_MS)));

/** The host's own group refuses somebody who wants a lease of the other: at this host they would be refused all the same. */
const refusedNextDoor: Move = async (world, dice) => {
  const [port, source] = [dice.between(20_000, 29_999), "203.0.113.77"];
  const words = wordsFor(port, source).replace("accept", "drop");
  const untouchable = world.untouchable.get(UNGUARDED.groupId);
  if (untouchable === undefined || untouchable.has(words)) return;
  untouchable.add(words);
  const dave = world.person("dave");
  const drop = { spec: { ...ruleFor(port, source), policy: "drop" as const }, description: "not from there" };
  const lease = {
    ...{ group: ENFORCED, rides: false, port: `${port}`, instance: null },
    sources: [source] as const,
    ...{ principal: dice.pick(["ann", "cai"]), periodMs: dice.pick([300, 1200]) * 1000 },
  };
  await dave.firewall.authorize(UNGUARDED, [drop], dave.token(), "open").catch(() => undefined);
  await whileJoined(world, async () => {
    await world.schedule.sleep(KNOWN_MS);
    await leaseOf(world, dice, lease);
    const standing = world.rules(UNGUARDED).find((rule) => wordsOf(rule) === words);
    if (standing !== undefined)
      await dave.firewall.revoke(UNGUARDED, [standing.ruleId as RuleId], dave.token(), "end").catch(() => undefined);
    if (dice.happens(0.5)) await leaseOf(world, dice, lease);
  });
};

export const scaling: Feature = {
  chance: 0.3,
  policy: {},
  moves: [
    [2, joining],
    [1, refusedNextDoor],
  ],
};
