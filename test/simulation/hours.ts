// Feature: rules that stand in open hours alone, some of them just what others have leases of. Hours change and are taken back, and
// begin and end meanwhile.
import type { OpenHours } from "../../shared/domain/allocation.ts";
import type { Dice } from "../kit/schedule.ts";
import { allocate, retire } from "./allocations.ts";
import type { Feature, Move } from "./feature.ts";
import { wordsFor } from "./observed.ts";
import { GROUPS } from "./sim-account.ts";
import { pause, ruleFor } from "./workload.ts";

const MINUTE_MS = 60_000;
/** The last one is one that leases are asked for as well. */
const PORTS = [6201, 6202, 2202];
const SOURCES = ["203.0.113.7/32", "198.51.100.9/32"];

const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 16);

/** One or two windows of each day, the first of which begins soon or has begun. */
function drawHours(now: number, dice: Dice): OpenHours {
  const from = now + dice.between(-10, 40) * MINUTE_MS;
  const to = from + dice.between(11, 60) * MINUTE_MS;
  const again = to + dice.between(1, 90) * MINUTE_MS;
  const days = [1, 2, 3, 4, 5, 6, 7];
  const windows = [
    { days, from: timeOf(from), to: timeOf(to) },
    { days, from: timeOf(again), to: timeOf(again + dice.between(2, 60) * MINUTE_MS) },
  ];
  return { zone: "UTC", windows: windows.slice(0, dice.between(1, 2)) };
}

/** Somebody has a rule stand in open hours, perhaps in others later on, and perhaps takes it back. */
const keepingHours: Move = async (world, dice) => {
  const group = dice.pick(GROUPS);
  const [port, source] = [dice.pick(PORTS), dice.pick(SOURCES)];
  const give = (): Promise<void> =>
    allocate(world, group, { port, source, owner: "shop", openHours: drawHours(world.now(), dice) });
  await give();
  if (dice.happens(0.3)) {
    await pause(world, dice, 40 * MINUTE_MS);
    await give();
  }
  if (dice.happens(0.6)) return;
  await pause(world, dice, 90 * MINUTE_MS);
  await retire(world, group, ruleFor(port, source), wordsFor(port, source), world.hours);
};

export const hours: Feature = { chance: 0.15, policy: {}, moves: [[2, keepingHours]] };
