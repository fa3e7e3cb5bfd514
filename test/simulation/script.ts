// What a seed has happen, hour by hour, drawn before the run: so that parts of it can be left out and the rest stays what it is.
import { Dice } from "../kit/schedule.ts";
import type { Weather } from "./sim-world.ts";
import { drawMove, type Move } from "./workload.ts";

export interface ScriptHour {
  readonly weather: Partial<Weather>;
  /** The program is told to do less for some time. */
  readonly isShutDown: boolean;
  /** What people begin to do, and how far into the hour. */
  readonly moves: readonly { readonly at: number; readonly move: Move; readonly dice: Dice }[];
}

/** What of a script is played; all of it where a part is absent. */
export interface Part {
  readonly hours?: number;
  /** Numbers of the moves, counted from 0 over all hours. */
  readonly moves?: readonly number[];
  /** Names of the weather's fields. */
  readonly faults?: readonly string[];
}

const HOUR_MS = 3_600_000;

/** The script of a seed. */
export function scriptOf(seed: string, hours?: number): readonly ScriptHour[] {
  const dice = new Dice(`script of ${seed}`);
  const length = Math.ceil(hours ?? dice.between(3, 12));
  return Array.from({ length }, () => ({
    weather: weatherOf(dice),
    isShutDown: dice.happens(0.15),
    moves: Array.from({ length: dice.between(0, 8) }, () => ({
      ...{ at: dice.between(0, HOUR_MS), move: drawMove(dice) },
      dice: new Dice(`move ${dice.fraction()} of ${seed}`),
    })),
  }));
}

/** The part of a script, with nothing left of what is not in it. */
export function partOf(script: readonly ScriptHour[], part: Part): readonly ScriptHour[] {
  let n = -1;
  return script.slice(0, part.hours ?? script.length).map(({ weather, isShutDown, moves }) => ({
    isShutDown: isShutDown && part.moves === undefined,
    weather: Object.fromEntries(Object.entries(weather).filter(([fault]) => part.faults?.includes(fault) ?? true)),
    moves: moves.filter(() => {
      n += 1;
      return part.moves?.includes(n) ?? true;
    }),
  }));
}

/** As `--part` takes it: `2:0,4:late,death` is two hours, the first and fifth move, two kinds of faults. */
export const formatPart = ({ hours, moves, faults }: Part): string =>
  [hours ?? "", moves?.join(",") ?? "*", faults?.join(",") ?? "*"].join(":");

/** Throws RangeError on what is no part. */
export function parsePart(text: string): Part {
  const [, hours, moves, faults] = /^(\d*):(\*|[\d,]*):(\*|[A-Za-z,]*)$/.exec(text) ?? [];
  if (hours === undefined || moves === undefined || faults === undefined)
    throw new RangeError("--part takes <hours>:<moves>:<faults>, such as 2:0,4:late,death");
  const listed = (list: string): readonly string[] => list.split(",").filter((it) => it !== "");
  return {
    ...(hours === "" ? {} : { hours: Number(hours) }),
    ...(moves === "*" ? {} : { moves: listed(moves).map(Number) }),
    ...(faults === "*" ? {} : { faults: listed(faults) }),
  };
}

/** The weather of an hour: mostly fair, at times very foul. */
function weatherOf(dice: Dice): Partial<Weather> {
  if (dice.happens(0.4)) return {};
  return {
    freeze: dice.pick([0, 0, 0.001, 0.004]),
    death: dice.pick([0, 0, 0.001, 0.006, 0.02]),
    lostBefore: dice.pick([0, 0.005, 0.02]),
    lostAfter: dice.pick([0, 0.005, 0.02]),
    late: dice.pick([0, 0.03, 0.2]),
    throttled: dice.pick([0, 0.01, 0.1]),
    stale: dice.pick([0, 0.05]),
    missedTick: dice.pick([0, 0.1]),
    doubleTick: dice.pick([0, 0.2]),
    lostEvent: dice.pick([0, 0.1]),
    doubleEvent: dice.pick([0, 0.2]),
    lateEvent: dice.pick([0, 0.2]),
    hollow: dice.pick([0, 0, 0.1]),
    lostWakeup: dice.pick([0, 0.2]),
    storeAway: dice.pick([0, 0, 0.02]),
    cloudAway: dice.pick([0, 0, 0.02]),
  };
}
