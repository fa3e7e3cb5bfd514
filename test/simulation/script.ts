// What a seed has happen, hour by hour, drawn before the run: so that parts of it can be left out and the rest stays what it is.
import { Dice } from "../kit/schedule.ts";
import type { Move } from "./feature.ts";
import { drawnFeatures, type FeatureName, features, isFeatureName } from "./features.ts";
import { FAIR, type Weather, weatherOf } from "./weather.ts";
import { drawMove, moves as ordinary } from "./workload.ts";

interface ScriptMove {
  /** Counted from 0 over all hours; those of features come after the ordinary ones. */
  readonly n: number;
  readonly feature: FeatureName | null;
  /** How far into the hour it begins. */
  readonly at: number;
  readonly move: Move;
  readonly dice: Dice;
}

export interface ScriptHour {
  readonly weather: Partial<Weather>;
  /** The program is told to do less for some time. */
  readonly isShutDown: boolean;
  /** What people begin to do. */
  readonly moves: readonly ScriptMove[];
}

/** What of a script is played; all of it where a part is absent. */
export interface Part {
  readonly hours?: number;
  /** Numbers of the moves. */
  readonly moves?: readonly number[];
  /** Names of the weather's fields, and `shutdown`. */
  readonly faults?: readonly string[];
  readonly features?: readonly FeatureName[];
}

/** Among the faults: that the program is told to do less. */
export const SHUT_DOWN = "shutdown";

const HOUR_MS = 3_600_000;
/** Moves of one feature in an hour, at most. */
const FEATURE_MOVES_MAX = 3;

/** The script of a seed. What a feature adds changes nothing of the rest. */
export function scriptOf(seed: string, hours?: number): readonly ScriptHour[] {
  const dice = new Dice(`script of ${seed}`);
  const length = Math.ceil(hours ?? dice.between(3, 12));
  let n = 0;
  const begun = (move: Move, at: number, name: string, feature: FeatureName | null): ScriptMove => ({
    ...{ n: n++, at, move, feature },
    dice: new Dice(`${name} of ${seed}`),
  });
  const plain = Array.from({ length }, () => ({
    weather: weatherOf(dice),
    isShutDown: dice.happens(0.15),
    moves: Array.from({ length: dice.between(0, 8) }, () => {
      const at = dice.between(0, HOUR_MS);
      const move = drawMove(dice, ordinary);
      return begun(move, at, `move ${dice.fraction()}`, null);
    }),
  }));
  const active = drawnFeatures(seed).filter((name) => features[name].moves.length > 0);
  const more = active.map((name) => {
    const own = new Dice(`${name} of ${seed}`);
    return Array.from({ length }, () =>
      Array.from({ length: own.between(0, FEATURE_MOVES_MAX) }, () => {
        const at = own.between(0, HOUR_MS);
        const move = drawMove(own, features[name].moves);
        return begun(move, at, `${name} ${own.fraction()}`, name);
      }),
    );
  });
  return plain.map((hour, at) => ({ ...hour, moves: [...hour.moves, ...more.flatMap((hours) => hours[at] ?? [])] }));
}

/** The part of a script, with nothing left of what is not in it. */
export function partOf(script: readonly ScriptHour[], part: Part): readonly ScriptHour[] {
  return script.slice(0, part.hours ?? script.length).map(({ weather, isShutDown, moves }) => ({
    isShutDown: isShutDown && (part.faults?.includes(SHUT_DOWN) ?? true),
    weather: Object.fromEntries(Object.entries(weather).filter(([fault]) => part.faults?.includes(fault) ?? true)),
    moves: moves.filter(
      ({ n, feature }) =>
        (part.moves?.includes(n) ?? true) && (feature === null || (part.features?.includes(feature) ?? true)),
    ),
  }));
}

const isFault = (text: string): boolean => text === SHUT_DOWN || Object.hasOwn(FAIR, text);

/** As `--part` takes it: `2:0,4:late,death:alarms` is two hours, the first and fifth move, two kinds of faults and a feature. */
export const formatPart = ({ hours, moves, faults, features: names }: Part): string =>
  [hours ?? "", moves?.join(",") ?? "*", faults?.join(",") ?? "*", names?.join(",") ?? "*"].join(":");

/** Throws RangeError on what is no part. One that says nothing of features has none. */
export function parsePart(text: string): Part {
  const [, hours, moves, faults, named = ""] = /^(\d*):(\*|[\d,]*):(\*|[A-Za-z,]*)(?::(\*|[a-z,]*))?$/.exec(text) ?? [];
  const listed = (list: string): readonly string[] => list.split(",").filter((it) => it !== "");
  const names = listed(named === "*" ? "" : named);
  if (hours === undefined || moves === undefined || faults === undefined)
    throw new RangeError("--part takes <hours>:<moves>:<faults>:<features>, such as 2:0,4:late,death:alarms");
  const kinds = listed(faults === "*" ? "" : faults);
  const unknown = [...kinds.filter((it) => !isFault(it)), ...names.filter((it) => !isFeatureName(it))];
  if (unknown.length > 0) throw new RangeError(`--part names what is neither fault nor feature: ${unknown.join(", ")}`);
  return {
    ...(hours === "" ? {} : { hours: Number(hours) }),
    ...(moves === "*" ? {} : { moves: listed(moves).map(Number) }),
    ...(faults === "*" ? {} : { faults: kinds }),
    ...(named === "*" ? {} : { features: names as readonly FeatureName[] }),
  };
}
