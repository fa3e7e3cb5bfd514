// The account's trail, asked again and again: whatever happens to the clock and to a region, what comes is delivered.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { pollTrail } from "../../../cli/machine/poll-trail.ts";
import { trailRegions } from "../../../cli/machine/trail-regions.ts";
import { writePolicy } from "../../../shared/store/policy.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";

const folder = mkdtempSync(join(tmpdir(), "safeport-trail-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const START = Date.UTC(2026, 10, 27, 8);
const HOUR_MS = 3_600_000;

/** A poll of these regions, whose rounds are begun by `next`; the cloud answers spans that do not run backwards. */
async function polling(name: string, regions: readonly string[]) {
  const trail: { readonly region: string; readonly id: string; readonly at: number }[] = [];
  const it = { now: START, away: "", delivered: [] as unknown[], warned: [] as string[] };
  let wake = (): void => undefined;
  let sleeps = 0;
  const untilAsleep = async (times: number): Promise<void> => {
    while (sleeps < times) await new Promise(setImmediate);
  };
  const stop = pollTrail({
    clock: {
      now: () => it.now,
      monotonicMs: () => it.now,
      sleep: () =>
        new Promise((resolve) => {
          wake = resolve;
          sleeps += 1;
        }),
    },
    ...{ accountId: "1", everyMs: 250, file: join(folder, name), regions: async () => regions },
    lookUp: async (region, { StartTime, EndTime }) => {
      const [from, until] = [Date.parse(String(StartTime)), Date.parse(String(EndTime))];
      if (region === it.away) throw new Error("nobody answers");
      if (from > until) throw new Error("InvalidQueryParameter");
      const found = trail.filter((event) => event.region === region && event.at >= from && event.at <= until);
      return { Events: found.map(({ id }) => ({ eventId: id, serviceName: "Ecs" })) };
    },
    deliver: (events) => void it.delivered.push(...events.map(({ eventId }) => eventId)),
    warn: (text) => void it.warned.push(text),
    onUnwritable: () => undefined,
  });
  await untilAsleep(1);
  return Object.assign(it, {
    happens: (region: string, id: string) => void trail.push({ region, id, at: it.now }),
    next: async () => {
      const times = sleeps + 1;
      wake();
      await untilAsleep(times);
    },
    stop: () => {
      wake();
      return stop();
    },
  });
}

test("a clock that was hours ahead and is set back keeps nothing from being read", async () => {
  const poll = await polling("ahead", ["cn-hangzhou"]);
  poll.now += 8 * HOUR_MS;
  await poll.next();
  poll.now -= 8 * HOUR_MS - 60_000;
  poll.happens("cn-hangzhou", "e-1");
  poll.now += 15_000;
  await poll.next();
  expect([poll.delivered, poll.warned]).toEqual([["e-1"], []]);
  await poll.stop();
});

test("a region that does not answer keeps nothing back of the others, and is read from where it was", async () => {
  const poll = await polling("away", ["cn-beijing", "cn-hangzhou"]);
  poll.away = "cn-beijing";
  poll.happens("cn-hangzhou", "e-1");
  poll.happens("cn-beijing", "e-2");
  await poll.next();
  expect([poll.delivered, poll.warned]).toEqual([
    ["e-1"],
    ["the trail of cn-beijing could not be read: nobody answers"],
  ]);
  poll.now += HOUR_MS;
  await poll.next();
  poll.away = "";
  await poll.next();
  expect(poll.delivered).toEqual(["e-1", "e-2"]);
  await poll.stop();
});

test("the regions are those of the last good policy, where a newest one is of another version of safeport", async () => {
  const tables = memoryTables(schemas);
  const regions = () => trailRegions(tables, "cn-hangzhou");
  const put = (version: number, document: object) =>
    writePolicy(tables, { version, text: JSON.stringify(document), by: "ann", confirmedBy: null, at: 0, reason: "" });
  expect(await regions()).toEqual(["cn-hangzhou"]);
  await put(1, { regions: ["cn-beijing"] });
  await put(2, { regions: ["cn-shanghai"], unheardOf: true });
  expect(await regions()).toEqual(["cn-beijing"]);
});
