// A move that dies at any of its calls leaves the holder let in by the old address, by both or by the new one, and the next ticks finish it.
import { afterEach, expect, test } from "vitest";
import { listLeases } from "../../shared/store/leases.ts";
import { followLease } from "../../shared/usecases/follow-lease.ts";
import { type ProgramCall, World } from "../kit/world.ts";

/** Every how manyth call is tried; `CRASH_POINTS=all` tries each. */
const STEP = process.env["CRASH_POINTS"] === "all" ? 1 : 13;
const [OLD, NEW] = ["203.0.113.7", "198.51.100.9"];

let world: World;
afterEach(() => world.stop());

const sources = (): string => {
  const rules = world.rules().filter((rule) => rule.portRange === "22/22");
  return rules.map((rule) => rule.source.replace("/32", "")).join();
};

type Death = (call: ProgramCall, act: () => Promise<unknown>) => Promise<unknown>;
const deaths: Readonly<Record<string, Death>> = {
  "dies before the call": async () => undefined,
  "dies after its effect": (_, act) => act().catch(() => undefined),
  "dies half-way through a batch": (call, act) => (call.half ?? act)().catch(() => undefined),
};

test.each(Object.entries(deaths))("%s", async (_name, death) => {
  const wrong: string[] = [];
  for (let at = 0; ; at += STEP) {
    world = await World.start();
    const { lease } = await world.open();
    let turn = 0;
    let dead = false;
    let name = "";
    const say = (text: string) => wrong.push(`call ${at} (${name}): ${text}`);
    const app = world.process(async (call, act) => {
      if (dead) throw new Error("died");
      if (turn++ === at) {
        [dead, name] = [true, call.name];
        await death(call, act);
        throw new Error("died");
      }
      const answer = await act();
      if (sources() === "") say("nobody is let in");
      return answer;
    });
    const asked = { to: NEW, from: null };
    await world
      .run(followLease(app, world.caller(), lease.request.leaseId, asked, { dryRun: false }))
      .catch(() => undefined);
    const isOver = turn <= at;
    for (let tick = 0; tick < 5; tick++) {
      if (sources() === "") say("nobody is let in");
      await world.ticks(1);
    }
    const { leases } = await listLeases(world.process().tables, { limit: 10, before: null });
    const open = leases.filter((it) => it.status.state === "open").map((it) => it.request.leaseId);
    const next = leases.find((it) => it.request.follows !== null);
    if (open.length !== 1) say(`${open.length} leases are open`);
    if (next !== undefined && !open.includes(next.request.leaseId)) say(`the new lease is ${next.status.state}`);
    if (sources() !== (next === undefined ? OLD : NEW)) say(`${sources()} are let in`);
    await world.advance(lease.status.until - world.clock.now());
    await world.ticks(3);
    if (sources() !== "") say(`past the end ${sources()} are let in`);
    const left = [...(await world.rows("ledger")), ...(await world.rows("intent"))];
    if (left.length > 0) say(`at last there are ${left}`);
    if ((await world.rows("due")).some((row) => row.includes(lease.request.leaseId))) say("rows are left due");
    await world.stop();
    if (isOver) break;
  }
  expect(wrong).toEqual([]);
});
