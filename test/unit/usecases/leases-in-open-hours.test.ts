// Leases on a rule that is granted for open hours, while it is open, and hours that begin after a death.
import { expect, test } from "vitest";
import type { OpenHours } from "../../../shared/domain/allocation.ts";
import { listDrift } from "../../../shared/store/drift-items.ts";
import { dueDrift, dueWrite, readDue } from "../../../shared/store/due.ts";
import { listLeases } from "../../../shared/store/leases.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { type AllocationAsk, allocateRule } from "../../../shared/usecases/ledger/allocate-rule.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";

const CREATE = { mode: "create", idempotencyKey: null, dryRun: false } as const;

/** A minute passes, and a sweep comes. */
const tick = (world: AppWorld) => {
  world.advance(60_000);
  const deadlineAt = world.app.clock.monotonicMs() + 45_000;
  return sweep(world.app, { policy: world.policy, cause: "tick", deadlineAt, jobs: null });
};

/** What leases of ten minutes ask for is granted from seven to five o'clock: it is open, and the readings of the group are counted. */
async function openWorld(
  windows: OpenHours["windows"] = [{ days: [4], from: "07:00", to: "17:00" }],
): Promise<{ readonly world: AppWorld; readonly reads: () => number }> {
  const world = await appWorld();
  let reads = 0;
  const { readGroup } = world.app.firewall;
  const firewall = {
    ...world.app.firewall,
    readGroup: (...asked: Parameters<typeof readGroup>) => {
      reads += 1;
      return readGroup(...asked);
    },
  };
  const openHours = { zone: "UTC", windows };
  const ask: AllocationAsk = {
    ...{ group: "web", protocol: "tcp", port: "22", sources: ["203.0.113.7"] },
    ...{ policy: "accept", direction: "ingress", sensitiveConfirmed: false },
    ...{ priority: 100, owner: "ops", application: "", reason: "batch", ticket: "", allowedSources: [], openHours },
  };
  await allocateRule(world.app, world.caller("root", "admin"), ask, { dryRun: false });
  await tick(world);
  return { world: Object.assign(world, { app: { ...world.app, firewall } }), reads: () => reads };
}

const leasesOf = async ({ tables }: AppWorld) =>
  (await listLeases(tables, { limit: 10, before: null })).leases.map(({ status }) => status);

test("a lease that ends before the hours do is over then, and the rule stays", async () => {
  const { world } = await openWorld();
  await openLease(world.app, world.caller(), anAsk(), CREATE);
  world.advance(600_000);
  expect(await tick(world)).toMatchObject({ closed: [{ ruleIds: ["sgr-1"] }], left: 0 });
  expect(await leasesOf(world)).toMatchObject([{ state: "closed", note: "the rule stays for its open hours" }]);
  expect(world.rules).toHaveLength(1);
});

test("a rule that somebody removes in its hours is missed once, and is there again for whoever asks for it", async () => {
  const { world, reads } = await openWorld();
  world.rules = [];
  await world.tables.writeAll([dueWrite(dueDrift(GROUP, world.app.clock.now(), 1))]);
  await tick(world);
  await tick(world);
  const before = reads();
  await tick(world);
  const { due } = await readDue(world.tables, 0, world.app.clock.now() + 3_600_000, 100);
  expect([due, reads() - before, world.rules]).toEqual([[], 0, []]);
  const { lease } = await openLease(world.app, world.caller(), anAsk(), CREATE);
  expect([lease.status.state, world.rules.length]).toEqual(["open", 1]);
});

test("hours have their rule though whoever closed it at the end of those before died before that was written down", async () => {
  const hours = [
    { days: [4], from: "07:00", to: "08:30" },
    { days: [4], from: "08:40", to: "17:00" },
  ];
  const { world } = await openWorld(hours);
  world.advance(30 * 60_000);
  const { app } = world;
  let isDead = false;
  const unlessDead =
    <Given extends readonly unknown[], Out>(work: (...given: Given) => Promise<Out>) =>
    async (...given: Given): Promise<Out> => {
      if (isDead) throw new Error("dies here");
      return work(...given);
    };
  const { tables, firewall } = app;
  Object.assign(world, {
    app: {
      ...app,
      tables: {
        ...tables,
        put: unlessDead(tables.put.bind(tables)),
        update: unlessDead(tables.update.bind(tables)),
        delete: unlessDead(tables.delete.bind(tables)),
        writeAll: unlessDead(tables.writeAll.bind(tables)),
      },
      firewall: {
        ...firewall,
        revoke: async (...given: Parameters<typeof firewall.revoke>) => {
          const answer = await firewall.revoke(...given);
          isDead = true;
          return answer;
        },
      },
    } satisfies AppWorld["app"],
  });
  await tick(world).catch(() => null);
  expect([isDead, world.rules]).toEqual([true, []]);
  Object.assign(world, { app });
  world.advance(9 * 60_000);
  await tick(world);
  expect(world.rules).toHaveLength(1);
  const { items } = await listDrift(world.tables, { limit: 10 });
  expect(items).toEqual([]);
});
