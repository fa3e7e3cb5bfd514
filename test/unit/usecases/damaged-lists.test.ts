// The row of one set of lists is damaged: every other set is filled, emptied and judged as before, and what nobody knows opens nothing.
import { afterEach, describe, expect, test } from "vitest";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import type { LockdownGroup } from "../../../shared/domain/lockdown.ts";
import type { SightedCall } from "../../../shared/ports/trail.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import { listStandbySets } from "../../../shared/store/standby-sets.ts";
import { lookAtList } from "../../../shared/usecases/drift/look-at-list.ts";
import { openLease } from "../../../shared/usecases/lease/open-lease.ts";
import { previewPolicy } from "../../../shared/usecases/policy/preview-policy.ts";
import { aSpec } from "../../kit/rules.ts";
import { filled, lets, lift, lock, openPorts, STANDBY_POLICY, standbyWorld, VISITOR } from "../../kit/standby-world.ts";
import { region, type World } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
const LOCKED = ["web 80", "other 8080"];

/** A set of each group. */
const TWO_SETS = {
  ...STANDBY_POLICY,
  lockdown: { ...STANDBY_POLICY.lockdown, prefixLists: [{ groups: ["web"] }, { groups: ["app"] }] },
};
const policyWith = (document: object) => policyOf(policySchema.parse({ defaultTarget: "web", ...document }), 2, region);

/** The set of the one group is damaged for as long as `meanwhile` takes. */
async function damagedSetOf(groupId: string, meanwhile: () => Promise<void>): Promise<void> {
  const { tables } = world.process();
  const { sets } = await world.run(listStandbySets(tables));
  const set = sets.find(({ members }) => members.some((id) => id === groupId));
  if (!set) throw new Error("there is no set");
  const key = ["~lists", set.name];
  const body = (await world.run(tables.get("preparation", key)))?.columns["body"] ?? "";
  await world.run(tables.update("preparation", key, { body: "[" }, { kind: "present" }));
  await meanwhile();
  await world.run(tables.update("preparation", key, { body }, { kind: "present" }));
}

const lockdownRow = async (lockdownId: string): Promise<readonly LockdownGroup[]> =>
  (await world.run(getLockdown(world.process().tables, lockdownId)))?.groups ?? [];

/** The list of ours that a rule of the group names. */
const listOf = (groupId: string): string =>
  world.ecs
    .groups()
    .find((it) => it.groupId === groupId)
    ?.rules.find(({ sourcePrefixListId }) => sourcePrefixListId !== "")?.sourcePrefixListId ?? "";

test("it keeps no other from being emptied, and its groups are not told to be open", async () => {
  world = await standbyWorld({ policy: TWO_SETS });
  const { lockdownId } = await lock(world, ["web", "app"]);
  expect(openPorts(world)).toEqual(LOCKED);
  await damagedSetOf("sg-app", async () => {
    const lifting = await lift(world, lockdownId);
    expect([lifting.state, openPorts(world)]).toEqual(["lifting", ALL.filter((it) => it !== "app 8080")]);
  });
  expect((await lift(world, lockdownId)).state).toBe("lifted");
  expect([openPorts(world), filled(world).every((blocks) => blocks === 0)]).toEqual([ALL, true]);
});

test("it keeps no other from being prepared", async () => {
  world = await standbyWorld({
    policy: { ...TWO_SETS, lockdown: { ...TWO_SETS.lockdown, prefixLists: [{ groups: ["web"] }] } },
  });
  await damagedSetOf("sg-web", async () => {
    world.policy = policyWith(TWO_SETS);
    await world.ticks(70);
    const { sets, unreadable } = await world.run(listStandbySets(world.process().tables));
    expect([sets.map(({ members, shown }) => [members, shown]), unreadable.length]).toEqual([
      [[["sg-app"], "empty"]],
      1,
    ]);
    expect(await world.rows("delivery"), "people are told of it once").toHaveLength(1);
  });
});

describe("a lease", () => {
  const other = { port: "8443", sources: [VISITOR] };

  test("opens where another set is, is refused where the damaged one may close, and ends there as it would", async () => {
    world = await standbyWorld({ policy: TWO_SETS });
    const { lease } = await world.open({ ...other, group: "app" });
    expect([lease.status.state, lets(world, "app", 8443)]).toEqual(["open", true]);
    await damagedSetOf("sg-app", async () => {
      expect((await world.open({ ...other, group: "web" })).lease.status.state).toBe("open");
      await expect(world.open({ ...other, port: "8444", group: "app" })).rejects.toMatchObject({
        code: "LEASE_SHADOWED",
      });
      await world.pastEnd(lease);
      expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
    });
    const again = await world.open({ ...other, port: "8444", group: "app" });
    expect(again.lease.status.state).toBe("open");
  });

  test("is not kept out by drops on a customer's own list, of which nothing is known either way", async () => {
    world = await standbyWorld({ policy: TWO_SETS });
    const { lists: own, firewall } = world.process(undefined, "ak-other");
    const terms = { name: "theirs", family: 4, blocksMax: 2 } as const;
    const listId = await world.run((await own()).create(region, terms, "token-1", "open"));
    const drop = aSpec({ peer: { kind: "prefixList", prefixListId: listId }, policy: "drop", priority: 1 });
    const rule = { spec: drop, description: "theirs" };
    await world.run(firewall.authorize({ region, groupId: "sg-web" as GroupId }, [rule], "token-2", "open"));
    await damagedSetOf("sg-app", async () => {
      expect((await world.open({ ...other, group: "web" })).lease.status.state).toBe("open");
    });
  });

  test("of break-glass passes the lists of another set in a lockdown, and none that nobody can read", async () => {
    world = await standbyWorld({ policy: TWO_SETS });
    const { lockdownId } = await lock(world, ["web", "app"]);
    const glass = { ...other, breakGlass: true, reason: "it has to be looked at", periodMs: 600_000 };
    await damagedSetOf("sg-app", async () => {
      expect((await world.open({ ...glass, group: "web" }, "carol")).lease.status.state).toBe("open");
      await expect(world.open({ ...glass, group: "app" }, "carol")).rejects.toMatchObject({ code: "LEASE_SHADOWED" });
      await world.ticks(3);
      expect([lets(world, "web", 8443), lets(world, "app", 8443), openPorts(world)]).toEqual([
        true,
        false,
        ["web 80", "web 8443", "other 8080"],
      ]);
    });
    await world.ticks(12);
    await lift(world, lockdownId);
    await world.ticks(3);
    expect(openPorts(world)).toEqual(ALL);
  });
});

describe("a policy that changes in an incident", () => {
  const [WEB_AND_OTHER, APP_AND_OTHER] = [
    ["web", "other"],
    ["app", "other"],
  ];

  test.each([
    ["gives a group back whose own set can be read", APP_AND_OTHER, ["web 80", "web 22", "web 8443", "other 8080"]],
    ["keeps the group closed whose set cannot be read, until it can", WEB_AND_OTHER, LOCKED],
  ])("%s", async (_, groups, during) => {
    world = await standbyWorld({ policy: TWO_SETS });
    const { lockdownId } = await lock(world, ["web", "app"]);
    await damagedSetOf("sg-app", async () => {
      world.policy = policyWith({ ...TWO_SETS, lockdown: { ...TWO_SETS.lockdown, groups } });
      await world.ticks(4);
      expect(openPorts(world)).toEqual(during);
      expect((await lockdownRow(lockdownId)).map(({ way }) => way === "none")).toEqual([during !== LOCKED, false]);
    });
    await world.ticks(4);
    const after = during === LOCKED ? ["web 80", "app 8080", "other 8080"] : during;
    expect([openPorts(world), (await lockdownRow(lockdownId)).filter(({ way }) => way === "none").length]).toEqual([
      after,
      1,
    ]);
    await lift(world, lockdownId);
    await world.ticks(3);
    expect(openPorts(world)).toEqual(ALL);
  });

  test("lets go of another set's lists of the former wording, and of those that cannot be read when they can", async () => {
    world = await standbyWorld({ policy: TWO_SETS });
    const { lockdownId } = await lock(world, ["web", "app"]);
    await damagedSetOf("sg-app", async () => {
      world.policy = policyWith({ ...TWO_SETS, lockdown: { ...TWO_SETS.lockdown, core: ["80", "8080", "8443"] } });
      await world.ticks(6);
      expect(openPorts(world)).toEqual(["web 80", "web 8443", "other 8080"]);
    });
    await world.ticks(6);
    expect(openPorts(world)).toEqual(["web 80", "web 8443", "app 8080", "other 8080"]);
    await lift(world, lockdownId);
    await world.ticks(3);
    expect(openPorts(world)).toEqual(ALL);
  });
});

test("what another policy would open is told all the same", async () => {
  world = await standbyWorld({ policy: { ...TWO_SETS, groups: { guards: { app: "observe", web: "observe" } } } });
  const dying = world.process((call, act) => {
    if (call.name === "ecs AuthorizeSecurityGroup") throw new Error("dies here");
    return act();
  });
  const asked = openLease(dying, world.caller(), world.ask({ port: "8443", sources: [VISITOR], group: "web" }), {
    ...{ mode: "create", idempotencyKey: null, dryRun: false },
  });
  await expect(world.run(asked)).rejects.toThrow("dies here");
  await damagedSetOf("sg-app", async () => {
    const app = world.process();
    const deadlineAt = app.clock.monotonicMs() + 30_000;
    const { looked } = await world.run(previewPolicy(app, { before: world.policy, after: world.policy }, deadlineAt));
    expect(looked).toBe(2);
  });
});

test("an event of a list that may be of it has the lists looked at, and counts as news of whoever's rules name it", async () => {
  world = await standbyWorld({ policy: TWO_SETS });
  await damagedSetOf("sg-app", async () => {
    const app = world.process();
    const look = async (eventId: string, listId: string) => {
      const told = {
        ...{ kind: "list", eventId, region, operation: "ModifyPrefixList", requestId: "r-1", address: "192.0.2.1" },
        ...{ at: world.clock.now(), receivedAt: world.clock.now(), confirmed: false },
        actor: { kind: "ram-user", name: "mallory", accountId: "1", principalId: "p", sessionName: null },
      } as unknown as SightedCall;
      return world.run(lookAtList(app, world.policy, told, { region, kind: "prefix", listId }));
    };
    expect((await look("event-1", listOf("sg-web"))).groups).toEqual([]);
    expect((await look("event-2", listOf("sg-app"))).groups).toEqual(["sg-app"]);
    expect((await world.rows("due")).filter((row) => row.includes("lockdown-lists/look"))).toHaveLength(1);
  });
});
