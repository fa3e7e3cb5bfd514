// From which day on something may still be told of who used a rule before its quarantine.
import { expect, test } from "vitest";
import { dayAfter, dayOf } from "../../../shared/domain/evidence.ts";
import type { TrafficSourceKind } from "../../../shared/domain/recycling-policy.ts";
import { saveCollection } from "../../../shared/store/collection.ts";
import { firstOpenDay } from "../../../shared/usecases/recycling/earlier-peers.ts";
import { appWorld, GROUP, START } from "./app-world.ts";

const DAY = 86_400_000;

test("what a source has read for the last time is closed, and of one that is not read any more everything", async () => {
  const { app, policy } = await appWorld();
  const { recycling } = policy;
  const daysBack = async (of = recycling) => (START - Date.parse(await firstOpenDay(app, GROUP, of, START))) / DAY;
  const read = (source: TrafficSourceKind, days: number) =>
    saveCollection(app.tables, GROUP.region, source, {
      ...{ firstUntil: START, againUntil: START - days * DAY, tries: 0, trouble: null, readAt: START },
      spent: { day: dayOf(START), queries: 0, bytes: 0 },
    });
  const floor = (START - Date.parse(dayAfter(dayOf(START), -recycling.windowDays - 1))) / DAY;
  expect(await daysBack()).toBe(floor);
  await read("flowLog", 2);
  await read("host", 30);
  await read("balancer", 40);
  expect(Math.floor(await daysBack())).toBe(2);
  expect(Math.floor(await daysBack({ ...recycling, sources: ["flowLog", "host"] }))).toBe(30);
  await app.tables.put("schedule", [`evidence/${GROUP.region}/flowLog`], { body: "{" }, { kind: "none" });
  expect(await daysBack(), "nobody knows how far").toBe(floor);
});
