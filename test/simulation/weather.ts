// What goes wrong in an hour of an account.
import { NO_TROUBLE, type Trouble } from "../kit/mortal-process.ts";
import type { Dice } from "../kit/schedule.ts";

/** Trouble beside that of single calls: chances per minute, or per event. */
export interface Weather extends Trouble {
  missedTick: number;
  doubleTick: number;
  lostEvent: number;
  doubleEvent: number;
  lateEvent: number;
  lostWakeup: number;
  /** A message to people does not come to them. */
  lostNotice: number;
  /** A machine's clock is set anew. */
  jump: number;
  /** An authorize is answered with success and adds nothing. */
  hollow: number;
  /** The store, or the cloud, is away for some minutes. */
  storeAway: number;
  cloudAway: number;
}

export const FAIR: Weather = {
  ...NO_TROUBLE,
  missedTick: 0,
  doubleTick: 0,
  lostEvent: 0,
  doubleEvent: 0,
  lateEvent: 0,
  lostWakeup: 0,
  lostNotice: 0,
  jump: 0,
  hollow: 0,
  storeAway: 0,
  cloudAway: 0,
};

/** The weather of an hour: mostly fair, at times very foul. */
export function weatherOf(dice: Dice): Partial<Weather> {
  if (dice.happens(0.4)) return {};
  return {
    lostNotice: 0.5,
    jump: 0.5,
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
