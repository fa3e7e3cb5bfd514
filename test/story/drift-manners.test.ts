// What keeps a rollback back: a rule rolled back again and again, a freeze window, too much at once, a reading not to be believed.
import { afterEach, describe, expect, test } from "vitest";
import type { DriftItem } from "../../shared/domain/drift-item.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { decideDrift } from "../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../shared/usecases/drift/drift-id.ts";
import { type GuardedOptions, GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";
import { worldSeed } from "../kit/world.ts";

let guarded: GuardedWorld;
afterEach(() => guarded.world.stop());

async function start(options: GuardedOptions = {}): Promise<void> {
  guarded = await GuardedWorld.start(options);
  await guarded.world.ticks(1);
}

const junk = (port: number): RuleSpec => ({ ...openDatabase, ports: somePorts(`${port}/${port}`) });
const heldBy = async () => (await guarded.drift()).map(({ state, heldBy: by }) => `${state} ${by}`);
const openItem = async (): Promise<DriftItem> => {
  const item = (await guarded.drift()).find(({ state }) => state === "held" || state === "reported");
  if (!item) throw new Error("no item is open");
  return item;
};

/** All events so far come at once: they share one pass. */
async function settleTogether(): Promise<void> {
  await Promise.all((await guarded.events()).map((record) => guarded.deliver(record)));
}

/** However the events come, what is too much for one pass is too much. */
const arrivals: readonly (readonly [string, () => Promise<void>])[] = [
  ["events at once", () => settleTogether()],
  ["events one after the other", () => guarded.settle()],
];

/** A group with `count` rules from 1000 on. */
const seedOf = (count: number) => ({
  ...worldSeed,
  groups: worldSeed.groups.map((group) => {
    const rules = Array.from({ length: count }, (_, n) => ({
      portRange: `${1000 + n}/${1000 + n}`,
      sourceCidrIp: "10.0.0.0/8",
    }));
    return group.groupId === "sg-web" ? { ...group, rules } : group;
  }),
});

describe("a rule that comes back and back", () => {
  test("is held after three rollbacks in ten minutes, until a person lets go of it", async () => {
    await start();
    const { world } = guarded;
    for (let n = 0; n < 4; n++) {
      // Each event is taken by a process of its own: what was counted is in the store.
      await guarded.authorize(openDatabase);
      await guarded.settle();
      expect(world.openPorts()).toEqual(n < 3 ? [] : ["3306/3306"]);
    }
    await world.ticks(12);
    expect(world.openPorts()).toEqual(["3306/3306"]);
    const item = await openItem();
    expect(item).toMatchObject({ state: "held", heldBy: "hold" });
    const word = { owner: "", reason: "the script is stopped", ticket: "", sensitiveConfirmed: false };
    await world.run(
      decideDrift(world.process(), guarded.admin, shownDriftId(item), "release", word, { dryRun: false }),
    );
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
  });

  test("is not held when its rollbacks lie further apart, and another rule is not held with it", async () => {
    await start();
    const { world } = guarded;
    for (let n = 0; n < 4; n++) {
      await guarded.authorize(openDatabase);
      await guarded.settle();
      await world.advance(4 * 60_000);
    }
    expect(world.openPorts()).toEqual([]);
    for (let n = 0; n < 4; n++) {
      await guarded.authorize(junk(6379));
      await guarded.settle();
    }
    await guarded.authorize(openDatabase);
    await guarded.settle();
    expect(world.openPorts()).toEqual(["6379/6379"]);
  });

  test("counts for a removed rule too: a fight over it ends with a person", async () => {
    await start();
    const { world } = guarded;
    for (let n = 0; n < 4; n++) {
      const http = (await guarded.rules()).find((rule) => rule.description === "http");
      if (!http?.id) throw new Error("it is not there");
      await guarded.revoke(http.id);
      await guarded.settle();
      expect(world.rules()).toHaveLength(n < 3 ? 2 : 1);
    }
    expect((await openItem()).state).toBe("held");
  });
});

describe("a freeze window", () => {
  test("lets nothing be rolled back while it is open, and all of it when it is over", async () => {
    // The world begins on a Friday at 08:00.
    const freeze = { zone: "UTC", windows: [{ days: [5], from: "08:00", to: "08:30" }] };
    await start({ policy: { drift: { freeze } } });
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    await guarded.settle();
    expect(await heldBy()).toEqual(["reported freeze"]);
    await world.advance(Date.UTC(2026, 10, 20, 8, 29, 50) - world.clock.now());
    await world.sweep();
    expect(world.openPorts()).toEqual(["3306/3306"]);
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    expect(await heldBy()).toEqual(["rolledBack null"]);
  });

  test("does not keep a lease open: its end comes in it", async () => {
    const freeze = { zone: "UTC", windows: [{ days: [5], from: "08:00", to: "12:00" }] };
    await start({ policy: { drift: { freeze } } });
    const { lease } = await guarded.world.open();
    await guarded.world.pastEnd(lease);
    expect(guarded.world.openPorts()).toEqual([]);
  });
});

describe("too much at once", () => {
  test.each(arrivals)("a large part of the baseline gone waits for a person: %s", async (_how, settle) => {
    await start({ seed: seedOf(12) });
    const rules = await guarded.rules();
    for (const rule of rules.slice(0, 7)) if (rule.id) await guarded.revoke(rule.id);
    await settle();
    await guarded.world.ticks(2);
    expect(guarded.world.rules()).toHaveLength(5);
    expect(new Set(await heldBy())).toEqual(new Set(["reported ceiling"]));
  });

  test.each(arrivals)("hides nothing that is open to everybody: %s", async (_how, settle) => {
    await start({ seed: seedOf(12) });
    const rules = await guarded.rules();
    for (const { id, description: _, createdAt: __, ...spec } of rules.slice(0, 7))
      if (id) await guarded.modify(id, { ...spec, priority: 9 }, "");
    await guarded.authorize(openDatabase);
    await settle();
    await guarded.world.ticks(2);
    expect(guarded.world.openPorts()).toEqual(rules.map((_, n) => `${1000 + n}/${1000 + n}`));
    // Where the cloud gives a changed rule another id, a rule gone and a new one are one edit as soon as its event says so.
    const items = (await heldBy()).filter((item) => item !== "gone null");
    expect(items.sort()).toEqual([...Array(7).fill("reported ceiling"), "rolledBack null"]);
  });

  test("new junk goes however much it is, a portion in each pass", async () => {
    await start({ policy: { limits: { changesPerPass: 3 } } });
    const { world } = guarded;
    for (let port = 4000; port < 4008; port++) await guarded.authorize(junk(port));
    await settleTogether();
    expect(world.openPorts()).toHaveLength(5);
    await world.ticks(3);
    expect(world.openPorts()).toEqual([]);
  });

  test("with the quota full of junk a removed rule still comes back", async () => {
    await start({ limits: { rulesPerGroup: 6, rulesPerEni: 6 } });
    const { world } = guarded;
    const [http] = await guarded.rules();
    if (!http?.id) throw new Error("no rule");
    await guarded.revoke(http.id);
    for (let port = 4000; port < 4005; port++) await guarded.authorize(junk(port));
    await expect(guarded.authorize(junk(4005))).rejects.toThrow("AuthorizationLimitExceed");
    await guarded.settle();
    expect(
      world
        .rules()
        .map((rule) => rule.portRange)
        .sort(),
    ).toEqual(["443/443", "80/80"]);
  });

  test("also where only junk can make the room, more of it than one pass may remove", async () => {
    await start({ limits: { rulesPerGroup: 6, rulesPerEni: 6 }, policy: { limits: { changesPerPass: 2 } } });
    const { world } = guarded;
    const [http] = await guarded.rules();
    if (!http?.id) throw new Error("no rule");
    await guarded.revoke(http.id);
    for (let port = 4000; port < 4005; port++) await guarded.authorize(junk(port));
    await guarded.settle();
    await world.ticks(5);
    expect(
      world
        .rules()
        .map((rule) => rule.portRange)
        .sort(),
    ).toEqual(["443/443", "80/80"]);
  });
});

describe("a reading that is not to be believed", () => {
  test.each(arrivals)(
    "a group without any rule where several should stand stays as it is: %s",
    async (_how, settle) => {
      await start();
      for (const rule of await guarded.rules()) if (rule.id) await guarded.revoke(rule.id);
      await settle();
      await guarded.world.ticks(20);
      expect(guarded.world.rules()).toEqual([]);
      expect(await heldBy()).toEqual(["reported reading", "reported reading"]);
    },
  );
});

describe("the operators' way in", () => {
  test("is never cut, and hides nothing else", async () => {
    const operatorPath = [{ protocol: "tcp", port: "22", sources: ["198.51.100.0/24"] }];
    await start({ policy: { operatorPath } });
    await guarded.authorize({ ...openDatabase, ports: somePorts("22/22"), peer: fromCidr("198.51.100.0/24") });
    await guarded.authorize(junk(6379));
    await guarded.settle();
    expect(guarded.world.openPorts()).toEqual(["22/22"]);
    expect((await heldBy()).sort()).toEqual(["reported operatorPath", "rolledBack null"]);
  });

  test("that somebody has cut is opened again: a drop of theirs is rolled back", async () => {
    const operatorPath = [{ protocol: "tcp", port: "80", sources: ["198.51.100.0/24"] }];
    await start({ policy: { operatorPath } });
    await guarded.authorize({ ...openDatabase, ports: somePorts("80/80"), policy: "drop" });
    await guarded.settle();
    expect(guarded.world.rules()).toHaveLength(2);
  });
});

test("an item that cannot be read stops rollbacks alone: people read of it, leases end, and all goes on once it can", async () => {
  await start();
  const { world } = guarded;
  const { tables } = world.process();
  await guarded.authorize(openDatabase);
  await guarded.settle();
  const [before] = await guarded.drift();
  // An item that is open still, in words that nobody understands.
  const key = ["sg-web", "dr-broken"] as const;
  await world.run(tables.put("drift", ["sg-web", "!dr-broken"], { rev: 1, at: 0 }, { kind: "none" }));
  await world.run(tables.put("drift", key, { body: "{", state: "reported", rev: 1 }, { kind: "none" }));
  const { lease } = await world.open({ periodMs: 60_000 });
  await guarded.authorize(junk(7000));
  await guarded.settle();
  const { rows } = await world.run(tables.range({ table: "outbox", from: [0, 0, ""], to: [9, 0, ""], limit: 100 }));
  expect(JSON.stringify(rows)).toContain("dr-broken");
  await world.ticks(2);
  expect(world.openPorts()).toEqual(["7000/7000"]);
  expect((await heldBy()).sort()).toEqual(["reported reading", "rolledBack null"]);
  expect(lease.status.until).toBeLessThan(world.clock.now());
  await world.run(tables.delete("drift", key, { kind: "none" }));
  await guarded.compare();
  expect(world.openPorts()).toEqual([]);
  expect(before?.state).toBe("rolledBack");
});
