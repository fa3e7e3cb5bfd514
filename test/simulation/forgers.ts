// Feature: somebody who writes events of their own onto the bus, and who has seen the program's tokens. None of it may keep open what nobody
// granted, or close what was.

import type { TrailData } from "./event-bus.ts";
import type { Feature, Move } from "./feature.ts";
import { ENFORCED, GROUPS } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { ruleFor } from "./workload.ts";

const copyOf = (data: TrailData): TrailData => JSON.parse(JSON.stringify(data)) as TrailData;

interface Identity {
  readonly type: string;
  readonly principalId: string;
  readonly userName: string;
}

/** Trusted by the policy: what it opens is adopted. */
const TRUSTED: Identity = { type: "ram-user", principalId: "20003", userName: "terraform" };
const DAVE: Identity = { type: "ram-user", principalId: "20005", userName: "dave" };

/** As the event of another person's call. */
const saidToBe = (data: TrailData, identity: Identity): TrailData => ({
  ...copyOf(data),
  userIdentity: { ...identity, accountId: data["recipientAccountId"] },
});

const isOf = (data: TrailData, name: string, groupId: string): boolean => {
  const { userName } = data["userIdentity"] as { readonly userName?: string };
  return userName === name && JSON.stringify(data).includes(groupId);
};

/** Opens what nobody granted; with a token that the program has used, where one is given. */
async function openJunk(world: SimWorld, port: number, token?: string): Promise<void> {
  const mallory = world.person("mallory");
  const spec = ruleFor(port, "198.51.100.0/24");
  await mallory.firewall
    .authorize(ENFORCED, [{ spec, description: "" }], token ?? mallory.token(), "open")
    .catch(() => undefined);
}

/** The event says that somebody trusted wrote it, under its own id or another; and the true event may be kept away. */
const inATrustedName: Move = async (world, dice) => {
  const isHeldBack = dice.happens(0.5);
  if (isHeldBack) world.bus.heldBack.add("mallory");
  await openJunk(world, dice.between(6400, 6450));
  await world.schedule.sleep(dice.between(8000, 15_000));
  world.bus.heldBack.delete("mallory");
  const seen = world.bus.heard.findLast((data) => isOf(data, "mallory", ENFORCED.groupId));
  if (seen === undefined) return;
  for (let n = dice.between(1, 4); n > 0; n--) {
    const forged = saidToBe(seen, TRUSTED);
    const eventId = dice.happens(0.3) ? seen["eventId"] : `made-up-${dice.between(0, 1e9)}`;
    world.bus.forge({ ...forged, eventId });
    await world.schedule.sleep(dice.between(0, 60_000));
  }
};

/** A call with a token that the program has used for a change of the same group. */
const withATokenOfOurs: Move = async (world, dice) => {
  const seen = world.bus.heard.findLast((data) => isOf(data, "safeport", ENFORCED.groupId));
  const token = /"ClientToken":"([^"]+)"/.exec(JSON.stringify(seen ?? {}))?.[1];
  if (token !== undefined) await openJunk(world, dice.between(6450, 6490), token);
};

/** The event of one of the program's own calls, said to be somebody's who takes the rule over. */
const takenOver: Move = async (world, dice) => {
  const group = dice.pick(GROUPS);
  const seen = world.bus.heard.findLast((data) => isOf(data, "safeport", group.groupId));
  if (seen === undefined) return;
  const forged = JSON.parse(
    JSON.stringify(saidToBe(seen, DAVE)).replaceAll(/"ClientToken":"[^"]*"/g, '"ClientToken":"d-1"'),
  );
  const later = new Date(Date.parse(String(seen["eventTime"])) + dice.between(0, 5000)).toISOString();
  world.bus.forge({ ...(forged as TrailData), eventId: `taken-${dice.between(0, 1e9)}`, eventTime: later });
};

/** An event of one of our groups in a region that it is not in, or of one that is not there at all. */
const elsewhere: Move = async (world, dice) => {
  const [seen] = world.bus.heard.slice(-1);
  if (seen === undefined) return;
  const isOther = dice.happens(0.5);
  const text = isOther
    ? JSON.stringify(seen).replaceAll("cn-hangzhou", "cn-shanghai")
    : JSON.stringify(seen).replaceAll("sg-", "sg-no-");
  world.bus.forge({ ...(JSON.parse(text) as TrailData), eventId: `elsewhere-${dice.between(0, 1e9)}` });
};

export const forgers: Feature = {
  chance: 0.3,
  policy: {},
  moves: [
    [3, inATrustedName],
    [1, withATokenOfOurs],
    [2, takenOver],
    [1, elsewhere],
  ],
};
