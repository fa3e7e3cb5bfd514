// The second way of a lockdown: who may switch it on, what it does about IPv6, and events that tell of its lists.
import { afterEach, describe, expect, test } from "vitest";
import { verdict } from "../../../local/dataplane/verdict.ts";
import { topologyOf } from "../../../local/services/ecs/topology-of.ts";
import { policySchema } from "../../../shared/config/document-schema.ts";
import { policyOf } from "../../../shared/config/policy-values.ts";
import type { SightedCall } from "../../../shared/ports/trail.ts";
import { lookAtList } from "../../../shared/usecases/drift/look-at-list.ts";
import { previewLists } from "../../../shared/usecases/policy/preview-lists.ts";
import { filled, lets, lift, lock, STANDBY_POLICY, standbyWorld, writingCalls } from "../../kit/standby-world.ts";
import { region, World, worldSeed } from "../../kit/world.ts";

let world: World;
afterEach(() => world?.stop());

const policyWith = (change: object) =>
  policyOf(policySchema.parse({ defaultTarget: "web", ...STANDBY_POLICY, ...change }), 2, region);

describe("lists are switched on", () => {
  test("not where no probe has passed", async () => {
    world = await World.start({ inMemory: true });
    const app = world.process();
    await expect(previewLists(app, policyWith({}), true)).rejects.toMatchObject({
      ...{ code: "LOCKDOWN_LISTS_UNPROBED", detail: { regions: region } },
    });
    expect(await world.run(previewLists(app, policyWith({}), false))).toMatchObject({ writingCalls: 2 });
  });

  test("not where an interface has no room for their drops", async () => {
    world = await World.start({ inMemory: true, lockdownLists: true });
    const limits = { rulesPerInterface: 50, rulesKeptFree: 20 };
    const ask = previewLists(world.process(), policyWith({ limits }), true);
    await expect(world.run(ask)).rejects.toMatchObject({ code: "LOCKDOWN_LISTS_TOO_WIDE", detail: { max: 30 } });
    const far = { operatorPath: [{ port: "22", sources: manySources(20) }] };
    await expect(world.run(previewLists(world.process(), policyWith(far), true))).rejects.toMatchObject({
      ...{ code: "LOCKDOWN_LISTS_TOO_WIDE", detail: { weight: "too many" } },
    });
  });
});

/** Addresses far from each other, so that what lies between them is many blocks. */
const manySources = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${11 + index * 7}.85.170.85`);

test("a lease opens behind drops on empty lists, whatever its port", async () => {
  world = await standbyWorld();
  const { lease } = await world.open({ port: "3306", group: "web" });
  expect(lease.status.state).toBe("open");
  expect(lets(world, "web", 3306, "203.0.113.7")).toBe(true);
});

test("hosts with IPv6 addresses are closed by lists of both families", async () => {
  const six = "2001:db8::11";
  const seed = {
    ...worldSeed,
    groups: [
      {
        ...{ groupId: "sg-web", name: "web" },
        rules: [
          { portRange: "8000/9000", ipv6SourceCidrIp: "::/0" },
          { portRange: "80/80", ipv6SourceCidrIp: "::/0" },
        ],
      },
      { groupId: "sg-app", name: "app", rules: [] },
    ],
    instances: [
      {
        ...{ instanceId: "i-web-1", name: "web-1", address: "127.10.0.11", ipv6: [six] },
        ...{ groupIds: ["sg-web"], listening: [] },
      },
    ],
  };
  world = await standbyWorld({ seed });
  const reaches = (destPort: number) =>
    verdict(
      topologyOf(world.ecs),
      { sourceAddress: "2001:db8:1::9", destAddress: six, protocol: "TCP", sourcePort: 40_000, destPort },
      { destCidrIp: "honoured" },
    ).accept;
  expect([reaches(80), reaches(8080), ...filled(world)]).toEqual([true, true, 0, 0, 0]);
  const started = await lock(world, ["web", "app"]);
  expect(started.groups.every(({ isClosed }) => isClosed)).toBe(true);
  expect(new Set(writingCalls(world))).toEqual(new Set(["ModifyPrefixList"]));
  expect([reaches(80), reaches(8080)]).toEqual([true, false]);
  await lift(world, started.lockdownId);
  expect([reaches(80), reaches(8080), ...filled(world)]).toEqual([true, true, 0, 0, 0]);
});

test("an event that tells of one of the lists has it looked at, and is no news of anybody's rules", async () => {
  world = await standbyWorld();
  const app = world.process();
  const [list] = world.ecs.lists();
  const told = { kind: "list", eventId: "event-1", region, operation: "ModifyPrefixList" } as unknown as SightedCall;
  const ref = { region, kind: "prefix", listId: list?.listId ?? "" } as const;
  expect(await world.run(lookAtList(app, world.policy, told, ref))).toEqual({ groups: [], why: null });
  const due = () => world.rows("due");
  expect((await due()).filter((row) => row.includes("lockdown-lists/look"))).toHaveLength(1);
  await world.ticks(1);
  expect((await due()).filter((row) => row.includes("lockdown-lists/look"))).toEqual([]);
});
