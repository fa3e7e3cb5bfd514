// A pass opens what is booked in its group, whoever's it is, and judges each by all hosts that it acts on: whoever began the pass may have
// asked about one host alone.
import { expect, test } from "vitest";
import type { GroupId, GroupRef } from "../../../shared/domain/ids.ts";
import { CloudFailure, type Member } from "../../../shared/ports/firewall.ts";
import { listEntries, saveEntry } from "../../../shared/store/ledger.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { aRule, fromCidr } from "../../kit/rules.ts";
import { type AppWorld, anAsk, appWorld, GROUP } from "./app-world.ts";
import { dyingAt } from "./dying-app.ts";

const OTHER: GroupRef = { ...GROUP, groupId: "sg-app" as GroupId };
const [ANN, BEN] = ["203.0.113.7/32", "198.51.100.9/32"];
/** Writes of an opening until its lease is in the ledger; its pass comes after them. */
const BOOKING_WRITES = 4;
const SHADOWED = { code: "LEASE_SHADOWED", detail: { group: OTHER.groupId } };

interface Scene {
  readonly world: AppWorld;
  readonly app: App;
  /** Of all hosts. */
  readonly ann: (app?: App) => ReturnType<typeof openLease>;
  /** Of one. */
  readonly ben: (instance: string, app?: App) => ReturnType<typeof openLease>;
}

const host = (n: number, groups: readonly GroupRef[]): Member => ({
  ...{ eniId: `eni-${n}`, instanceId: `i-${n}`, instanceName: `web-${n}`, address: `192.168.0.${n}`, ipv6: [] },
  ...{ groupIds: groups.map(({ groupId }) => groupId), serviceManaged: false },
});

/** Two hosts, of which the second is in another group as well, that refuses `source`. */
async function scene(source: string): Promise<Scene> {
  const world = await appWorld();
  const members = [host(1, [GROUP]), host(2, [GROUP, OTHER])];
  const drop = aRule({ policy: "drop", priority: 1, peer: fromCidr(source) });
  const { firewall, inventory } = world.app;
  const app: App = {
    ...world.app,
    firewall: {
      ...firewall,
      readGroup: async (ref, priority) => {
        const reading = await firewall.readGroup(ref, priority);
        return ref.groupId === OTHER.groupId ? { ...reading, rules: [drop] } : reading;
      },
    },
    inventory: {
      ...inventory,
      members: async () => members,
      instance: async (_region, instanceId) => members.filter((it) => it.instanceId === instanceId),
    },
  };
  const keyed = (idempotencyKey: string) => ({ mode: "create", idempotencyKey, dryRun: false }) as const;
  return {
    ...{ world, app },
    ann: (own = app) => openLease(own, world.caller("ann"), anAsk({ sources: [ANN] }), keyed("a")),
    ben: (instance, own = app) => openLease(own, world.caller("ben"), anAsk({ sources: [BEN], instance }), keyed("b")),
  };
}

const opened = ({ world }: Scene) => world.rules.map(({ peer }) => peer);

test("another lease that waits in the group is judged by all of its hosts", async () => {
  const it = await scene(ANN);
  await expect(it.ann(dyingAt(it.app, BOOKING_WRITES))).rejects.toThrow("died");
  expect((await it.ben("i-1")).lease.status.state).toBe("open");
  expect(opened(it)).toEqual([fromCidr(BEN)]);
  await expect(it.ann()).rejects.toMatchObject(SHADOWED);
});

test("so is one that is booked while the pass is at work", async () => {
  const it = await scene(ANN);
  const { world, app } = it;
  let isBooked = false;
  const authorize: App["firewall"]["authorize"] = async (...words) => {
    await app.firewall.authorize(...words);
    if (isBooked) return;
    isBooked = true;
    // Its process finds the lock taken, and does not live to wait for it.
    const sleep = () => Promise.reject(new Error("died"));
    await expect(it.ann({ ...app, clock: { ...app.clock, sleep } })).rejects.toThrow("died");
    // Somebody has changed the row that the pass is about: it reads the ledger once more.
    const [entry] = (await listEntries(world.tables, GROUP)).entries.filter(({ spec }) => spec.dest !== null);
    if (entry) await saveEntry(world.tables, entry);
  };
  const { lease } = await it.ben("i-1", { ...app, firewall: { ...app.firewall, authorize } });
  expect([lease.status.state, isBooked]).toEqual(["open", true]);
  expect(opened(it)).toEqual([fromCidr(BEN)]);
  await expect(it.ann()).rejects.toMatchObject(SHADOWED);
});

test("a lease of one host is judged by that host, though who is in the group could not be read for the answer", async () => {
  const it = await scene(BEN);
  const { app } = it;
  await expect(it.ben("i-2", dyingAt(app, BOOKING_WRITES))).rejects.toThrow("died");
  let reads = 0;
  const members: App["inventory"]["members"] = async (...words) => {
    if (reads++ === 0) throw new CloudFailure("throttled", "DescribeNetworkInterfaces");
    return app.inventory.members(...words);
  };
  const again = it.ben("i-2", { ...app, inventory: { ...app.inventory, members } });
  await expect(again).rejects.toMatchObject(SHADOWED);
  expect(opened(it)).toEqual([]);
});

test("a lease of one host asks for no other", async () => {
  const it = await scene(ANN);
  const { app } = it;
  const members = () => Promise.reject(new Error("nobody has to know them"));
  const { lease } = await it.ben("i-1", { ...app, inventory: { ...app.inventory, members } });
  expect(lease.status.state).toBe("open");
});

test("no rule of a lease is opened of which another one may not be", async () => {
  const { world, app } = await scene(ANN);
  const options = { mode: "create", idempotencyKey: null, dryRun: false } as const;
  const both = openLease(app, world.caller(), anAsk({ sources: [BEN, ANN] }), options);
  await expect(both).rejects.toMatchObject(SHADOWED);
  expect(world.changes).toEqual([]);
});
