// Which values a switch takes, for tools that set one by its name.

import { isDeepStrictEqual } from "node:util";
import { defaultTrailSwitches, otherTrailReadings } from "./services/actiontrail/switches.ts";
import { defaultSwitches, type EcsSwitches, otherReadings } from "./services/ecs/switches.ts";

const throttleAnswers: readonly EcsSwitches["throttleAnswer"][] = ([400, 403, 429, 503] as const).flatMap((status) =>
  [false, true].map((retryAfterHeader) => ({ status, retryAfterHeader })),
);

/** Whose values are texts of a certain form and no words. */
const FREE = ["eventFunctionSession"];

const readings: ReadonlyMap<string, readonly unknown[]> = new Map<string, readonly unknown[]>([
  ...Object.entries(defaultSwitches).map(([name, value]) => readingsFrom(otherReadings, name, value)),
  ...Object.entries(defaultTrailSwitches)
    .filter(([name]) => !FREE.includes(name))
    .map(([name, value]) => readingsFrom(otherTrailReadings, name, value)),
  ["throttleAnswer", throttleAnswers],
  ["alarmTimestamp", ["milliseconds", "seconds"]],
  ["eventInstanceState", ["ecs:Instance:StateChange", "ecs:CloudMonitor:Instance:StateChange"]],
]);

function readingsFrom(others: object, name: string, value: unknown): readonly [string, readonly unknown[]] {
  const rest: unknown = Object.entries(others).find(([each]) => each === name)?.[1];
  return [name, [value, ...(Array.isArray(rest) ? rest : [])]];
}

/** What the switch of that name may be set to, in words, where `value` is nothing of it; `present` is what it is now. */
export function wantedInstead(name: string, present: unknown, value: unknown): string | undefined {
  if (typeof present === "number")
    return typeof value === "number" && Number.isFinite(value) && value >= 0 ? undefined : "It is a number from 0 on.";
  const known = readings.get(name);
  if (known === undefined)
    return typeof value === typeof present ? undefined : `Its value looks like ${JSON.stringify(present)}.`;
  if (known.some((each) => isDeepStrictEqual(each, value))) return undefined;
  return `It is one of ${known.map((each) => JSON.stringify(each)).join(", ")}.`;
}
