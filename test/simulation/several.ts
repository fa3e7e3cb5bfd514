// Features: leases of several addresses, all or none of which are let in; and people whose address changes, whom their leases follow.
import type { Feature, Move } from "./feature.ts";
import { GROUPS } from "./sim-account.ts";
import { leaseOf } from "./workload.ts";

/** Addresses that leases of one source are asked for as well. */
const SOURCES = ["203.0.113.7", "203.0.113.8", "198.51.100.9"];
const PORTS = ["22", "2201", "2202", "2203"];
const PERIODS = [60, 90, 300, 1200, 3600];

/** Somebody asks for a lease of two or three addresses. */
const leasingForSeveral: Move = (world, dice) => {
  const left = dice.happens(0.3) ? null : dice.pick(SOURCES);
  const [first = "", ...others] = SOURCES.filter((it) => it !== left);
  return leaseOf(world, dice, {
    ...{ group: dice.pick(GROUPS), rides: false, sources: [first, ...others], port: dice.pick(PORTS) },
    ...{ principal: dice.pick(["ann", "ben", "cai"]), periodMs: dice.pick(PERIODS) * 1000, instance: null },
  });
};

/** Somebody has a lease, and then another address. */
const moving: Move = (world, dice) => {
  const [source, movesTo] = dice.happens(0.5) ? ["203.0.113.7", "198.51.100.9"] : ["203.0.113.17", "203.0.113.18"];
  return leaseOf(world, dice, {
    ...{ group: dice.pick(GROUPS), rides: false, sources: [source], port: dice.pick(PORTS), movesTo },
    ...{ principal: dice.pick(["ann", "ben", "cai"]), periodMs: dice.pick(PERIODS) * 1000, instance: null },
  });
};

export const several: Feature = { chance: 0.2, policy: {}, moves: [[3, leasingForSeveral]] };
export const followed: Feature = { chance: 0.2, policy: {}, moves: [[3, moving]] };
