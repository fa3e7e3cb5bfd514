// A move that dies at any of its calls leaves the holder let in by the old address, by both or by the new one, and the next ticks finish it.
import { afterEach, expect, test } from "vitest";
import { listLeases } from "../../shared/store/leases.ts";
import { followLease } from "../../shared/usecases/lease/follow-lease.ts";
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

test.each([3, 12])(
  "left to its job, it ends the old lease where the cloud refuses that at first and the job dies at write %i",
  async (at) => {
    world = await World.start();
    const { lease } = await world.open();
    // Dies once the new rule stands, before the old lease's end is begun.
    const dying = world.process(async (call, act) => {
      if (sources().includes(NEW) && call.name === "writeAll due") throw new Error("died");
      return act();
    });
    const asked = { to: NEW, from: null };
    const { leaseId } = lease.request;
    await world.run(followLease(dying, world.caller(), leaseId, asked, { dryRun: false })).catch(() => undefined);
    expect(sources().split(",").sort()).toEqual([NEW, OLD].sort());
    const fault = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
    world.faults([{ service: "ecs", operation: "RevokeSecurityGroup", fault }]);
    await world.advance(20_000);
    let turn = 0;
    const mortal = world.process(async (call, act) => {
      if (/^(writeAll|put|update|delete)/.test(call.name) && turn++ >= at) throw new Error("died");
      return act();
    });
    await world.sweep(mortal).catch(() => undefined);
    await world.ticks(2);
    // Both stand as long as the cloud refuses; the holder is never without one.
    expect(sources().split(",").sort()).toEqual([NEW, OLD].sort());
    world.faults([]);
    await world.ticks(3);
    expect(sources()).toBe(NEW);
    const [old, next] = [
      await world.lease(leaseId),
      (await listLeases(world.process().tables, { limit: 10, before: null })).leases.find(
        (it) => it.request.follows !== null,
      ),
    ];
    expect([old.status.state, old.status.note]).toEqual(["closed", expect.stringMatching(/took its place$/)]);
    expect(next?.status.state).toBe("open");
    expect((await world.rows("due")).filter((row) => row.includes(`follow/${leaseId}`))).toEqual([]);
  },
);
