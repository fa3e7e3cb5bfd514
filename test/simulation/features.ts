// Every feature, and which of them a seed has: seeds that have few of them meet combinations that one with all never would.
import { Dice } from "../kit/schedule.ts";
import { alarms, narrowInterfaces } from "./alarms.ts";
import { allocations } from "./allocations.ts";
import { approvals } from "./approvals.ts";
import { decisions } from "./decisions.ts";
import { deploys, notices } from "./deploys.ts";
import type { Feature } from "./feature.ts";
import { forgers } from "./forgers.ts";
import { hours } from "./hours.ts";
import { later } from "./later.ts";
import { lists } from "./lists.ts";
import { policies } from "./policies.ts";
import { recycling } from "./recycling.ts";
import { scaling } from "./scaling.ts";
import { followed, several } from "./several.ts";
import { storeTrouble } from "./store-trouble.ts";
import { terraform } from "./terraform.ts";
import { tightened } from "./tightened.ts";
import { wide } from "./wide.ts";

export const features = {
  approvals,
  alarms,
  narrow: narrowInterfaces,
  forgers,
  scaling,
  deploys,
  notices,
  later,
  policies,
  recycling,
  lists,
  store: storeTrouble,
  allocations,
  tightened,
  terraform,
  decisions,
  hours,
  several,
  followed,
  wide,
} as const satisfies Readonly<Record<string, Feature>>;
export type FeatureName = keyof typeof features;

const NAMES = Object.keys(features) as readonly FeatureName[];

export const isFeatureName = (text: string): text is FeatureName => Object.hasOwn(features, text);

/** The features of a seed. */
export function drawnFeatures(seed: string): readonly FeatureName[] {
  return NAMES.filter((name) => new Dice(`${name} in ${seed}`).happens(features[name].chance));
}
