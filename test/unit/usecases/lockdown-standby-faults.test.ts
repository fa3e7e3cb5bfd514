// The second way of a lockdown where it meets other scopes, strangers, break-glass, a cloud that refuses, and processes that die.
import { afterEach, expect, test } from "vitest";
import { ecsAddressLists } from "../../../shared/adapters/alibaba/ecs-address-lists.ts";
import { ecsRpcClient } from "../../../shared/adapters/alibaba/rpc-client.ts";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import { standbyHolder } from "../../../shared/domain/standby.ts";
import { listStandbySets, saveStandbySet } from "../../../shared/store/standby-sets.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { endLease } from "../../../shared/usecases/lease/end-lease.ts";
import { extendLease } from "../../../shared/usecases/lease/extend-lease.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { releaseDrops } from "../../../shared/usecases/ledger/release-drops.ts";
import { prepareStandby } from "../../../shared/usecases/lockdown/prepare-standby.ts";
import { startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { setMode } from "../../../shared/usecases/policy/set-mode.ts";
import {
  filled,
  lets,
  lift,
  lock,
  OPERATOR,
  openPorts,
  STANDBY_POLICY,
  standbyWorld,
  VISITOR,
  writingCalls,
} from "../../kit/standby-world.ts";
import { region, type World, worldSeed } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const LOCKED = ["web 80", "other 8080"];

/** Somebody else's hand on the lists. */
const stranger = () => {
  const rpc = ecsRpcClient({
    ...{ clock: world.clock, endpoint: () => world.ecs.endpoint, protocol: "http" },
    credentials: () => ({ accessKeyId: "ak-other", accessKeySecret: "sk-other" }),
  });
  const lists = ecsAddressLists(rpc, [region]);
  const ids = world.ecs.lists().map(({ listId }) => listId);
  return { lists, ids };
};

test("a lockdown of fewer groups than a list closes leaves the list alone", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web"]);
  expect([openPorts(world), filled(world)]).toEqual([
    ["web 80", "app 8080", "other 8080"],
    [0, 0],
  ]);
  await lift(world, lockdownId);
  expect(openPorts(world)).toEqual(ALL);
});

test("a lockdown of more groups closes the others by drops of their own", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app", "other"]);
  expect(openPorts(world)).toEqual(["web 80"]);
  expect(writingCalls(world).filter((name) => name === "ModifyPrefixList")).toHaveLength(2);
  await lift(world, lockdownId);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test("lists are emptied when the last of two lockdowns is lifted", async () => {
  world = await standbyWorld();
  const first = await lock(world, ["web", "app"]);
  const second = await lock(world, ["web", "app", "other"]);
  await lift(world, first.lockdownId);
  expect(openPorts(world)).toEqual(["web 80"]);
  await world.ticks(3);
  expect(openPorts(world)).toEqual(["web 80"]);
  await lift(world, second.lockdownId);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test.each([
  ["a moment", 0, 4],
  ["minutes", 10, 61],
])(
  "whoever fills the lists for a lockdown %s after its end, and dies, leaves none filled when the next is lifted",
  async (_when, after, within) => {
    world = await standbyWorld();
    const { tables } = world.process();
    const first = await lock(world, ["web", "app"]);
    const second = await lock(world, ["web", "app", "other"]);
    // The lists are looked at once more after they were filled.
    await world.ticks(4);
    await lift(world, first.lockdownId);
    await world.ticks(after);
    const [set] = (await world.run(listStandbySets(tables))).sets;
    if (set === undefined) throw new Error("there is no set");
    await world.run(saveStandbySet(tables, { ...set, holders: [...set.holders, first.lockdownId] }));
    await lift(world, second.lockdownId);
    await world.ticks(within);
    expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  },
);

test("it ends by its time", { timeout: 60_000 }, async () => {
  world = await standbyWorld();
  await lock(world, ["web", "app"], world.process(), { periodMs: 300_000 });
  await world.ticks(4);
  expect(openPorts(world)).toEqual(LOCKED);
  await world.ticks(3);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test("a list that somebody empties in an incident is filled again, and people are told", async () => {
  world = await standbyWorld();
  await lock(world, ["web", "app"]);
  const { lists, ids } = stranger();
  for (const listId of ids) {
    const remove = (await world.run(lists.read({ region, listId }, "open"))) ?? [];
    await world.run(lists.change({ region, listId }, { add: [], remove }, "open"));
  }
  expect(openPorts(world)).toEqual(ALL);
  await world.ticks(2);
  expect(openPorts(world)).toEqual(LOCKED);
  expect((await world.recorded()).filter((line) => line.startsWith("somebody else changed"))).toHaveLength(1);
});

test("a list that somebody fills in peace is emptied again", async () => {
  world = await standbyWorld();
  const { lists, ids } = stranger();
  await world.run(lists.change({ region, listId: ids[0] ?? "" }, { add: ["198.51.100.0/24"], remove: [] }, "open"));
  await world.ticks(61);
  expect(filled(world)).toEqual([0, 0]);
  expect((await world.recorded()).filter((line) => line.startsWith("somebody else changed"))).toHaveLength(1);
});

test("where lists cannot be filled the groups are closed by drops of their own, and everything goes with the lift", async () => {
  world = await standbyWorld();
  const refused = { kind: "reject", status: 403, code: "Forbidden.RAM" } as const;
  world.faults([{ service: "ecs", operation: "ModifyPrefixList", times: 100, fault: refused }]);
  const { lockdownId, groups } = await lock(world, ["web", "app"]);
  expect(groups.every(({ isClosed }) => isClosed)).toBe(true);
  expect([openPorts(world), filled(world)]).toEqual([LOCKED, [0, 0]]);
  world.faults([]);
  await world.ticks(2);
  expect(openPorts(world)).toEqual(LOCKED);
  await lift(world, lockdownId);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test.each(["drop-after", "drop-before"] as const)(
  "a reply that is lost (%s) leaves no door open and none shut",
  async (kind) => {
    world = await standbyWorld();
    world.faults([{ service: "ecs", operation: "ModifyPrefixList", times: 1, fault: { kind } }]);
    const { lockdownId } = await lock(world, ["web", "app"]);
    expect(openPorts(world)).toEqual(LOCKED);
    world.faults([{ service: "ecs", operation: "ModifyPrefixList", times: 1, fault: { kind } }]);
    await lift(world, lockdownId);
    await world.ticks(2);
    expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  },
);

test("what a lost call does after the lift is found and put right", async () => {
  world = await standbyWorld();
  world.faults([
    { service: "ecs", operation: "ModifyPrefixList", times: 1, fault: { kind: "late-effect", ms: 40_000 } },
  ]);
  const { lockdownId } = await lock(world, ["web", "app"]);
  world.faults([]);
  await lift(world, lockdownId);
  await world.ticks(4);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test("a mode that halts everything fills no list, and keeps none filled that is over", async () => {
  world = await standbyWorld();
  const root = { ...world.caller("root", ["admin"]) };
  const { lockdownId } = await lock(world, ["web", "app"]);
  await world.run(setMode(world.process(), root, { mode: "halt", reason: "a test" }, { dryRun: false }));
  await lift(world, lockdownId);
  await world.ticks(1);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  await lock(world, ["web", "app"]);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

test("break-glass passes a filled list for its own source alone; blocks close it again, and the list from the lift on", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  const ask = {
    port: "8443",
    sources: [VISITOR],
    breakGlass: true,
    reason: "it has to be looked at",
    periodMs: 600_000,
  };
  const { lease } = await world.open(ask, "carol");
  expect(lease.status.state).toBe("open");
  const seen = () => [lets(world, "web", 8443), lets(world, "web", 8443, "198.51.100.10"), lets(world, "web", 8444)];
  // Of the drops that take in the port: one on a list, or blocks in its place.
  const standing = () => {
    const rules = world.ecs.groups().find(({ groupId }) => groupId === "sg-web")?.rules ?? [];
    const drops = rules.filter(({ policy, ipProtocol, portRange }) => {
      const [from = 0, to = 0] = portRange.split("/").map(Number);
      return policy === "Drop" && ipProtocol === "TCP" && from <= 8443 && 8443 <= to;
    });
    return {
      onList: drops.filter((it) => it.sourcePrefixListId !== "").length,
      blocks: drops.filter((it) => it.sourcePrefixListId === "").length,
    };
  };
  expect(seen()).toEqual([true, false, false]);
  expect(standing()).toEqual({ onList: 0, blocks: 32 });
  await world.ticks(3);
  expect(seen()).toEqual([true, false, false]);
  await world.run(endLease(world.process(), world.caller("carol"), lease.request.leaseId, { dryRun: false }));
  await world.ticks(3);
  expect([seen(), lets(world, "web", 22, OPERATOR)]).toEqual([[false, false, false], true]);
  // Over blocks until the lift: no drop is put on a list that is filled.
  expect(standing()).toEqual({ onList: 0, blocks: 1 });
  await lift(world, lockdownId);
  expect(standing()).toEqual({ onList: 0, blocks: 0 });
  await world.ticks(3);
  expect([openPorts(world), standing()]).toEqual([ALL, { onList: 1, blocks: 0 }]);
  const before = writingCalls(world).length;
  const again = await lock(world, ["web", "app"]);
  expect(writingCalls(world).slice(before)).toEqual(["ModifyPrefixList", "ModifyPrefixList"]);
  await lift(world, again.lockdownId);
});

test("break-glass passes also where somebody was just about to have a drop stand on the list, before it was filled", async () => {
  world = await standbyWorld();
  const { web, policy } = world;
  const calm = world.process();
  const [set] = (await world.run(listStandbySets(calm.tables))).sets;
  await world.run(releaseDrops(calm, web, standbyHolder(set?.name ?? ""), "so that it has to stand anew"));
  await world.ticks(1);
  const urgent = {
    port: "8443",
    sources: [VISITOR],
    breakGlass: true,
    reason: "it has to be looked at",
    periodMs: 600_000,
  };
  const begin = async (): Promise<boolean> => {
    const { clock } = calm;
    await startLockdown(calm, {
      ...{
        scope: { kind: "groups", groups: ["web", "app"] },
        cause: "ann",
        principal: "ann",
        reason: "an attack",
        policy,
      },
      ...{ periodMs: 3_600_000, waivedBy: null, decidedBy: "", arrivedAt: clock.monotonicMs() },
      deadlineAt: clock.monotonicMs() + 30_000,
    });
    const create = { mode: "create", idempotencyKey: null, dryRun: false } as const;
    return (await openLease(calm, world.caller("carol"), world.ask(urgent), create)).lease.status.state === "open";
  };
  let isOpen: Promise<boolean> | null = null;
  const late = world.process(async ({ name }, act) => {
    const answer = await act();
    if (name === "range ledger") {
      isOpen ??= begin();
      await isOpen;
    }
    return answer;
  });
  await world.run(prepareStandby(late, policy, late.clock.monotonicMs() + 45_000));
  await world.ticks(3);
  expect([await isOpen, lets(world, "web", 8443), lets(world, "web", 8444)]).toEqual([true, true, false]);
});

test("break-glass on a core port, which no list stops, leaves the group to its lists, also when it is over", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  const before = writingCalls(world).length;
  const ask = {
    port: "443",
    sources: [VISITOR],
    breakGlass: true,
    reason: "it has to be looked at",
    periodMs: 600_000,
  };
  const { lease } = await world.open(ask, "carol");
  expect([lease.status.state, lets(world, "web", 443)]).toEqual(["open", true]);
  await world.ticks(14);
  expect([lets(world, "web", 443), openPorts(world)]).toEqual([false, LOCKED]);
  expect(writingCalls(world).slice(before)).toEqual(["AuthorizeSecurityGroup", "RevokeSecurityGroup"]);
  await lift(world, lockdownId);
  expect(openPorts(world)).toEqual(ALL);
});

test("a lease on a core port is extended behind a filled list of another group of its host, though no row tells whose the lockdown is", async () => {
  const instance = { instanceId: "i-app-1", name: "app-1", address: "127.10.0.21", listening: [] };
  world = await standbyWorld({
    seed: {
      ...worldSeed,
      groups: ["web", "app", "other"].map((name) => ({ groupId: `sg-${name}`, name, rules: [] })),
      instances: [{ ...instance, groupIds: ["sg-app", "sg-other"] }],
    },
  });
  const { lease } = await world.open({ port: "443", group: "other" }, "carol");
  const { lockdownId } = await lock(world, ["web", "app"]);
  const [, scope = "", sequence] = lockdownId.split("-");
  const app = world.process();
  await world.run(app.tables.update("lockdown", [scope, Number(sequence)], { body: "{" }, { kind: "present" }));
  const extended = extendLease(app, world.caller("carol"), lease.request.leaseId, 600_000, { dryRun: false });
  expect(await world.run(extended)).toMatchObject({ extended: true, lease: { status: { state: "open" } } });
});

test("no lease opens behind a filled list of another group of its host", async () => {
  world = await standbyWorld();
  await lock(world, ["web", "app"]);
  await expect(world.open({ port: "8443", group: "web" })).rejects.toMatchObject({ code: "GROUP_LOCKED_DOWN" });
});

test("lists of another wording are let go of when the policy changes in an incident, and what it opens is open", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  const { lockdown, ...rest } = STANDBY_POLICY;
  const document = { defaultTarget: "web", ...rest, lockdown: { ...lockdown, core: ["80", "8443"] } };
  world.policy = policyOf(policySchema.parse(document), 2, region);
  await world.ticks(6);
  expect(openPorts(world)).toEqual(["web 80", "web 8443", "other 8080"]);
  await lift(world, lockdownId);
  await world.ticks(3);
  expect(openPorts(world)).toEqual(ALL);
});

test("rules go before lists when the policy wants none any more", async () => {
  world = await standbyWorld();
  const { lockdown, ...rest } = STANDBY_POLICY;
  const document = { defaultTarget: "web", ...rest, lockdown: { ...lockdown, prefixLists: [] } };
  world.policy = policyOf(policySchema.parse(document), 2, region);
  await world.ticks(62);
  expect([world.ecs.lists(), openPorts(world)]).toEqual([[], ALL]);
  expect(world.ecs.groups().flatMap(({ rules }) => rules.filter((it) => it.policy === "Drop"))).toEqual([]);
});

test("whoever lets go of the lists at a lift, and dies before the first is emptied, has the next tick empty them", async () => {
  world = await standbyWorld();
  const { lockdownId } = await lock(world, ["web", "app"]);
  const dying = world.process((call, act) => {
    if (call.name === "ecs ModifyPrefixList") throw new Error("dies here");
    return act();
  });
  await expect(lift(world, lockdownId, dying)).rejects.toThrow("dies here");
  const [set] = (await world.run(listStandbySets(world.process().tables))).sets;
  expect([set?.holders, openPorts(world)]).toEqual([[], LOCKED]);
  await world.ticks(1);
  expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
});

/** Every how manyth call is tried; `CRASH_POINTS=all` tries each. */
const STEP = process.env["CRASH_POINTS"] === "all" ? 1 : 23;

/** A process that dies at its `n`th call. */
const mortal = (n: number): { readonly app: App; readonly calls: () => number } => {
  let calls = 0;
  const app = world.process((_, act) => {
    calls += 1;
    if (calls >= n) throw new Error("dies here");
    return act();
  });
  return { app, calls: () => calls };
};

test("whoever dies at whichever call, the next ticks close everything, and open everything again", async () => {
  world = await standbyWorld();
  for (let n = 1; ; n += STEP) {
    const closing = mortal(n);
    await lock(world, ["web", "app"], closing.app).catch(() => undefined);
    const { lockdownId } = await lock(world, ["web", "app"]);
    await world.ticks(2);
    expect([n, openPorts(world)]).toEqual([n, LOCKED]);
    const opening = mortal(n);
    await lift(world, lockdownId, opening.app).catch(() => undefined);
    await world.ticks(3);
    if (openPorts(world).length < ALL.length) await lift(world, lockdownId);
    expect([n, openPorts(world), filled(world)]).toEqual([n, ALL, [0, 0]]);
    if (closing.calls() < n && opening.calls() < n) break;
  }
}, 120_000);
