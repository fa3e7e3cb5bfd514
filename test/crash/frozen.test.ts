// An instance that is frozen at any cloud call of its work and thawed minutes later, when others have gone on without it.
import { afterEach, describe, expect, test } from "vitest";
import type { Lease } from "../../shared/domain/lease-record.ts";
import { listLeases } from "../../shared/store/leases.ts";
import type { App } from "../../shared/usecases/app.ts";
import { endLease } from "../../shared/usecases/lease/end-lease.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { World } from "../kit/world.ts";

let world: World;
afterEach(() => world.stop());

const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
const isOurs = (rule: { description: string }) => rule.description.startsWith("safeport/1 test ");

interface Work {
  readonly prepare: () => Promise<Lease | null>;
  readonly act: (app: App, lease: Lease | null) => Promise<unknown>;
}

const openOne = async (): Promise<Lease> =>
  (await world.run(openLease(world.process(), world.caller(), world.ask(), options))).lease;

const works: Readonly<Record<string, Work>> = {
  open: { prepare: async () => null, act: (app) => openLease(app, world.caller(), world.ask(), options) },
  expire: {
    prepare: async () => {
      const lease = await openOne();
      await world.advance(lease.status.until - world.clock.now());
      return lease;
    },
    act: (app) => world.sweep(app),
  },
  "end early": {
    prepare: openOne,
    act: (app, lease) =>
      endLease(app, world.caller(), lease?.request.leaseId as Lease["request"]["leaseId"], { dryRun: false }),
  },
};

/** Freezes the work at its call number `at`, lets `minutes` pass, thaws it. Answers the calls the work made, and what is wrong. */
async function frozen(work: Work, at: number, minutes: number): Promise<{ calls: number; wrong: string[] }> {
  const wrong: string[] = [];
  let calls = 0;
  let name = "";
  let thaw: () => void = () => undefined;
  let freeze: () => void = () => undefined;
  const isFrozen = new Promise<void>((resolve) => {
    freeze = resolve;
  });
  const isThawed = new Promise<void>((resolve) => {
    thaw = resolve;
  });
  const lease = await work.prepare();
  const app = world.process(async (call, act) => {
    if (calls++ !== at) return act();
    name = call.name;
    freeze();
    await isThawed;
    return act();
  });
  const acting = work.act(app, lease).then(
    () => undefined,
    () => undefined,
  );
  await world.run(Promise.race([isFrozen, acting]));
  await world.ticks(minutes);
  const meanwhile = world.rules().filter(isOurs).length;
  if (meanwhile > 1) wrong.push(`${meanwhile} rules of ours while it was frozen`);
  thaw();
  await world.run(acting);
  const [thawed] = (await listLeases(world.process().tables, { limit: 1, before: null })).leases;
  if (thawed?.status.state === "closed" && world.rules().some(isOurs)) {
    // A write that was already on its way: the next tick has to undo it.
    await world.ticks(1);
    if (world.rules().some(isOurs)) wrong.push("a tick after the thaw a closed lease's rule stands");
  }
  await world.ticks(14);
  const [last] = (await listLeases(world.process().tables, { limit: 1, before: null })).leases;
  if (last && !["closed", "failed", "lapsed", "cancelled"].includes(last.status.state))
    wrong.push(`at last the lease is ${last.status.state}`);
  if (world.rules().length !== 2) wrong.push(`at last the group has ${world.rules().map((rule) => rule.portRange)}`);
  for (const table of ["ledger", "intent"] as const) {
    const rows = await world.rows(table);
    if (rows.length > 0) wrong.push(`at last ${table} has ${rows}`);
  }
  const due = (await world.rows("due")).filter((row) => !/installation|full-pass|job/.test(row));
  if (due.length > 0) wrong.push(`at last due has ${due}`);
  return { calls, wrong: wrong.map((text) => `call ${at} (${name}): ${text}`) };
}

/** Every how manyth call is tried; `CRASH_POINTS=all` tries each. */
const STEP = process.env["CRASH_POINTS"] === "all" ? 1 : 2;

describe.each(Object.entries(works))("%s, frozen at its calls", (_name, work) => {
  test.each([2, 15])("for %i minutes", async (minutes) => {
    const wrong: string[] = [];
    for (let at = 0; ; at += STEP) {
      world = await World.start();
      const run = await frozen(work, at, minutes);
      await world.stop();
      wrong.push(...run.wrong);
      if (run.calls <= at) break;
    }
    expect(wrong).toEqual([]);
  });
});
