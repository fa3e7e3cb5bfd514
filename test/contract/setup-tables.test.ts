// How long setup has rows kept: as long as records where somebody keeps those longer, and never less than somebody has set.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type StatePlace, tableSteps } from "../../cli/setup/state-tables.ts";
import { seededRandom } from "../../local/random.ts";
import { startTablestore, type Tablestore } from "../../local/services/tablestore/server.ts";
import { systemClock } from "../../shared/adapters/system/clock.ts";
import type { TableSchema } from "../../shared/ports/tables.ts";
import { schemas } from "../../shared/store/tables.ts";

const DAY_S = 86_400;
const NAMES = ["record", "drift", "history", "recycling"];

let service: Tablestore;
beforeAll(async () => {
  service = await startTablestore({
    clock: systemClock,
    random: seededRandom("setup-tables"),
    instances: ["safeport"],
    credentials: () => ({ secret: "secret" }),
  });
});
afterAll(() => service.stop());

const credentials = { accessKeyId: "ak", accessKeySecret: "secret" };
const endpointsOf = ({ url }: Tablestore) =>
  ({ tablestore: url, tablestoreInstance: "safeport" }) as StatePlace["endpoints"];

/** The steps, for tables of which some are kept for other times than the program's own. */
function steps(times: Readonly<Record<string, number>> = {}) {
  const wanted = schemas
    .filter(({ name }) => NAMES.includes(name))
    .map((it): TableSchema => ({ ...it, timeToLiveS: times[it.name] ?? it.timeToLiveS }));
  return tableSteps({ endpoints: endpointsOf(service), credentials, clock: systemClock }, wanted);
}

/** What differs, by the days that setup would set; made so. */
async function mended(): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {};
  for (const step of steps()) {
    const look = await step.look();
    if (look.state === "ready") continue;
    found[step.id] = Number(/set (-?\d+) s/.exec(look.what)?.[1]) / DAY_S;
    await step.make();
  }
  return found;
}

/** Somebody sets how long a table is kept. */
async function set(name: string, timeToLiveS: number): Promise<void> {
  await steps({ [name]: timeToLiveS })
    .find(({ id }) => id === `table ${name}`)
    ?.make();
}

test("drift and history are kept as long as records, and what somebody keeps longer is not shortened", async () => {
  for (const step of steps()) await step.make();
  expect(await mended()).toEqual({});
  await set("record", 300 * DAY_S);
  expect(await mended()).toEqual({});
  await set("record", 1000 * DAY_S);
  expect(await mended()).toEqual({ "table drift": 1000, "table history": 1000 });
  expect(await mended()).toEqual({});
  await set("drift", 1200 * DAY_S);
  await set("recycling", 1200 * DAY_S);
  expect(await mended()).toEqual({ "table recycling": 400 });
  await set("record", -1);
  expect(await mended()).toEqual({ "table drift": -1 / DAY_S, "table history": -1 / DAY_S });
  expect(await mended()).toEqual({});
});

test("tables are made, looked at and taken away no faster than the service lets them be", async () => {
  let nowMs = Date.now();
  const clock = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const paced = await startTablestore({
    ...{ clock, random: seededRandom("paced"), instances: ["safeport"], credentials: () => ({ secret: "secret" }) },
    pace: { tableReadyAfterMs: 5_000, tableOperationsPerS: 10 },
  });
  try {
    const all = tableSteps({ endpoints: endpointsOf(paced), credentials, clock }, schemas);
    for (const step of all) await step.make();
    const looks = [];
    for (const step of all) looks.push((await step.look()).state);
    expect(looks).toEqual(schemas.map(() => "ready"));
    for (const step of all) await step.remove?.();
    nowMs += 1_000;
    expect((await all[0]?.look())?.state).toBe("missing");
  } finally {
    await paced.stop();
  }
});
