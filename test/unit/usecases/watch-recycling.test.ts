// The watch over quarantines: what it asks, of whom, and how much of it in a day.
import { afterEach, describe, expect, it } from "vitest";
import { type Day, dayAfter, dayOf, type PortUse, unknownDay } from "../../../shared/domain/evidence.ts";
import type { GroupId } from "../../../shared/domain/ids.ts";
import { CloudFailure } from "../../../shared/ports/firewall.ts";
import { MEMBERS_MAX, type TrafficAsk, type TrafficReading } from "../../../shared/ports/traffic.ts";
import { readWatchSpent, saveCollection } from "../../../shared/store/collection.ts";
import { addEvidence } from "../../../shared/store/evidence.ts";
import { weekOf } from "../../../shared/store/memberships.ts";
import { listUnderway } from "../../../shared/store/recycling.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { resumeRules } from "../../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../../shared/usecases/ledger/suspend-rules.ts";
import {
  DROP,
  IDLE,
  idleSpec,
  RecyclingWorld,
  type RecyclingWorldOptions,
  touched,
} from "../../kit/recycling-world.ts";
import { region, worldSeed } from "../../kit/world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const MINUTE = 60_000;

/** A flow log that knows of nobody and costs two questions each time. */
class Source {
  readonly asked: { readonly members: readonly string[]; readonly max: number }[] = [];

  app(): App {
    const read = async (ask: TrafficAsk, max: number): Promise<TrafficReading> => {
      this.asked.push({ members: ask.members ?? [], max });
      return { kind: "complete", members: [], cost: { queries: 2, bytes: 1000, rows: 0 } };
    };
    const flowLog = { reach: async () => null, read };
    return { ...one.world.process(), traffic: async () => ({ flowLog }) };
  }
}

const quarantined = async (
  collect: Readonly<Record<string, unknown>> = {},
  more: RecyclingWorldOptions = {},
): Promise<void> => {
  const recycling = { groups: ["web"], steps: { quarantine: "auto", delete: "auto" }, collect };
  one = await RecyclingWorld.start({ recycling, ...more });
  await one.quarantined();
};

/** A drop that is authorized, and that the cloud lets nobody read back for a while: `asked` is from when it may have stood. */
const unread = async (before = async (): Promise<void> => undefined): Promise<{ readonly asked: number }> => {
  const recycling = { groups: ["web"], steps: { quarantine: "auto", delete: "auto" } };
  one = await RecyclingWorld.start({ recycling });
  await one.recycle();
  await one.pass(8);
  await before();
  const { world } = one;
  const asked = world.clock.now();
  let isDropped = false;
  const throttled = world.process(async (call, act) => {
    if (isDropped && call.name === "ecs DescribeSecurityGroupAttribute")
      throw new CloudFailure("throttled", "DescribeSecurityGroupAttribute");
    const answer = await act();
    isDropped ||= one.rules().includes(DROP);
    return answer;
  });
  await one.recycle(throttled);
  expect(isDropped).toBe(true);
  expect(await one.state()).toBe("noticed");
  await world.advance(4 * MINUTE);
  await one.watch();
  expect((await one.item())?.quarantine?.at).toBeGreaterThan(asked + 3 * MINUTE);
  return { asked };
};

const watched = async (): Promise<readonly string[]> =>
  (await one.world.run(listUnderway(one.world.process().tables))).map(({ itemId }) => itemId);

describe("the watch over quarantines", () => {
  it("reads the items that it watches, and not the whole table", async () => {
    await quarantined();
    const { world } = one;
    world.callNames.length = 0;
    const next = await one.watch();
    expect(next).toBeGreaterThan(world.clock.now());
    expect(world.callNames).toContain("range attention");
    expect(world.callNames).not.toContain("range recycling");
  });

  it("holds up no other group for evidence that cannot be read, and neither does the nightly job", async () => {
    await quarantined();
    const { world } = one;
    const { tables, inventory } = world.process();
    const spoil = async (groupId: string): Promise<void> => {
      const [host] = await world.run(inventory.members({ ...world.web, groupId: groupId as GroupId }, "open"));
      await world.run(
        tables.put("evidence", [host?.eniId ?? "", one.today, "tcp", 1], { body: "{", rev: 1 }, { kind: "none" }),
      );
    };
    await spoil("sg-app");
    const { failed, groups } = await one.recycle();
    expect([failed, groups]).toEqual([[{ group: "sg-app", why: "STATE_UNREADABLE" }], 3]);
    await spoil("sg-web");
    expect(await one.watch()).toBeGreaterThan(world.clock.now());
  });

  it("looks again within the minute where it could not ask who is in a group", async () => {
    await quarantined();
    const { world } = one;
    await world.advance(11 * MINUTE);
    const spent = world.process(async (call, act) => {
      if (call.name === "ecs DescribeNetworkInterfaces")
        throw new CloudFailure("throttled", "DescribeNetworkInterfaces");
      return act();
    });
    expect(await one.watch(spent)).toBeLessThanOrEqual(world.clock.now() + MINUTE);
  });

  it("looks no more at what is over, and at nothing when nothing is under way", async () => {
    one = await RecyclingWorld.start();
    expect(await one.watch()).toBeNull();
    await one.quarantined();
    expect(await watched()).toContain(one.itemId);
    await one.restore();
    await one.watch();
    expect(await watched(), "what has just been decided may not be stored yet").toContain(one.itemId);
    await one.world.advance(11 * MINUTE);
    await one.watch();
    expect(await watched()).not.toContain(one.itemId);
  });

  it("lifts what a later policy has operators come in by, and reads no group for what it has not", async () => {
    await quarantined();
    const { world } = one;
    const readings = () => world.callNames.filter((name) => name === "ecs DescribeSecurityGroupAttribute").length;
    const lookWith = async (port: string) => {
      const before = readings();
      world.policy = { ...world.policy, operatorPath: [{ protocol: "tcp", port, sources: ["10.1.2.3"] }] };
      await one.watch();
      return [await one.state(), readings() - before];
    };
    expect(await lookWith("7891")).toEqual(["quarantined", 0]);
    expect(await lookWith("7890")).toEqual(["restored", expect.any(Number)]);
    expect(one.rules()).toEqual([IDLE]);
    const why = "it would cut the operator path tcp 7890 from 10.1.2.3";
    expect((await one.item())?.history.at(-1)).toMatchObject({ to: "restored", why });
  });

  it("keeps what it cannot read on its list", async () => {
    await quarantined();
    const { world, itemId } = one;
    const damage = world.process().tables.update("recycling", ["sg-web", itemId], { body: "{" }, { kind: "present" });
    await world.run(damage);
    await world.advance(11 * MINUTE);
    expect(await one.watch()).toBeGreaterThan(world.clock.now());
    expect(await watched()).toContain(itemId);
  });

  it("is told again by the nightly job of what it has lost", async () => {
    await quarantined();
    const { world } = one;
    await world.run(world.process().tables.delete("attention", ["recycling", one.itemId], { kind: "none" }));
    expect(await watched()).not.toContain(one.itemId);
    await one.recycle();
    expect(await watched()).toContain(one.itemId);
  });

  it("asks half of a day's questions and no more, and goes on the next day", async () => {
    await quarantined({ queriesPerDay: 20 });
    const source = new Source();
    const app = source.app();
    for (let looks = 0; looks < 9; looks++) {
      await one.watch(app);
      await one.world.advance(10 * MINUTE);
    }
    expect(source.asked).toHaveLength(5);
    expect(source.asked[0]?.members).toEqual([expect.stringMatching(/^eni-/)]);
    expect((await one.world.run(readWatchSpent(app.tables, region)))?.queries).toBe(10);
    await one.world.advance(24 * 60 * MINUTE);
    await one.watch(app);
    expect(source.asked).toHaveLength(6);
  });

  it("asks for a whole region at once where there are many hosts", async () => {
    const instances = Array.from({ length: MEMBERS_MAX + 1 }, (_, n) => ({
      ...{
        instanceId: `i-web-${n}`,
        name: `web-${n}`,
        address: `127.10.1.${n + 1}`,
        groupIds: ["sg-web"],
        listening: [],
      },
    }));
    await quarantined({}, { seed: { ...worldSeed, instances } });
    const source = new Source();
    await one.watch(source.app());
    expect(source.asked.map(({ members }) => members)).toEqual([[]]);
  });

  it("asks less where the collection has used them up", async () => {
    await quarantined({ queriesPerDay: 20 });
    const source = new Source();
    const app = source.app();
    const spent = { day: one.today, queries: 17, bytes: 0 };
    const done = { firstUntil: 0, againUntil: 0, tries: 0, trouble: null, readAt: 0 };
    await one.world.run(saveCollection(app.tables, region, "flowLog", { ...done, spent }));
    for (let looks = 0; looks < 4; looks++) await one.watch(app);
    expect(source.asked.map(({ max }) => max)).toEqual([3, 1]);
  });
});

describe("who used the rule before", () => {
  /** A session of three days before the quarantine, of which the log tells when the drop stands already. */
  const late = async (): Promise<void> => {
    const day = dayAfter(one.today, -3);
    await tell(day, [touched("real", day, ["10.1.2.3"])]);
  };
  const tell = async (day: Day, ports: readonly PortUse[]): Promise<void> => {
    const { world } = one;
    const [member] = await world.run(world.process().inventory.members(world.web, "open"));
    // Outside the window of the verdict would be no other: what the watch knows is what is asked.
    const told = { ...unknownDay(member?.eniId ?? "", day), ports };
    await world.run(addEvidence(world.process().tables, region, told));
  };
  const refused = (peer: string, lastAt?: number): App => {
    const app = one.world.process();
    const read = async (ask: TrafficAsk): Promise<TrafficReading> => ({
      kind: "complete",
      members: (ask.members ?? []).map((member) => ({
        ...{ member, seen: 0n, skipped: 0n },
        ports: [touched("refused", dayOf(ask.from), [peer])].map((port) => at(port, lastAt ?? ask.until - 1)),
      })),
      cost: { queries: 2, bytes: 0, rows: 1 },
    });
    return { ...app, traffic: async () => ({ flowLog: { reach: async () => null, read } }) };
  };
  const at = (port: PortUse, lastAt: number): PortUse => ({
    ...port,
    refused: { ...port.refused, list: port.refused.list.map((peer) => ({ ...peer, lastAt })) },
  });

  it("is asked again at each look, as records come late", async () => {
    await quarantined();
    await late();
    await one.world.advance(10 * MINUTE);
    await one.watch(refused("10.9.9.9"));
    expect(await one.state(), "a stranger").toBe("quarantined");
    await one.watch(refused("10.1.2.3"));
    expect([await one.state(), (await one.item())?.history.at(-1)?.why]).toEqual([
      "restored",
      "10.1.2.3, who used it before, was refused",
    ]);
  });

  it.each([
    ["a host's day", "evidence", (eniId: string) => [eniId, one.today, "tcp", 1]],
    ["who has left the group", "evidence", () => ["~sg-web", weekOf(one.today), "eni-gone", 0]],
    ["what the watch has asked today", "schedule", () => [`watch/${region}`]],
    ["how far the log was read", "schedule", () => [`evidence/${region}/flowLog`]],
  ] as const)("is let in while it cannot be read: %s", async (_, table, keyOf) => {
    one = await RecyclingWorld.start();
    // Longer ago than the window: the quarantine itself knows who it was.
    await tell(dayAfter(one.today, -15), [touched("real", dayAfter(one.today, -15), ["10.1.2.3"])]);
    await one.quarantined();
    const { world } = one;
    const { tables, inventory } = world.process();
    const [host] = await world.run(inventory.members(world.web, "open"));
    await world.run(tables.put(table, keyOf(host?.eniId ?? ""), { body: "{", rev: 1 }, { kind: "none" }));
    await world.advance(10 * MINUTE);
    await one.watch(refused("10.1.2.3"));
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("is not let in again where somebody removed the rule meanwhile: that was meant", async () => {
    await quarantined();
    await late();
    await one.world.advance(10 * MINUTE);
    await one.removeBeside("accept");
    await one.watch(refused("10.1.2.3"));
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    expect((await one.item())?.history.at(-1)).toMatchObject({ by: "somebody else" });
  });

  it("is not let in after a lockdown either that was to close the rule when somebody removed it", async () => {
    await quarantined();
    await late();
    const { world } = one;
    const lockdown = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "", until: null } as const;
    await world.run(suspendRules(world.process(), world.web, lockdown, [idleSpec]));
    await one.removeBeside("accept");
    await world.ticks(3);
    await one.watch(refused("10.1.2.3"));
    await world.run(resumeRules(world.process(), world.web, lockdown.itemId));
    await world.ticks(3);
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    expect((await one.item())?.history.at(-1)).toMatchObject({ by: "somebody else" });
  });

  it("is not let in either where whoever finds that out dies, at whichever call, and the next look goes on", async () => {
    await quarantined();
    await late();
    await one.world.advance(10 * MINUTE);
    await one.removeBeside("accept");
    const { traffic } = refused("10.1.2.3");
    for (let alive = 1; ; alive++) {
      let calls = 0;
      const mortal = one.world.process((_, act) => {
        calls += 1;
        if (calls > alive) throw new Error("died");
        return act();
      });
      const isThrough = await one.watch({ ...mortal, traffic }).then(
        () => true,
        () => false,
      );
      expect(one.rules(), `dies after ${alive} calls`).not.toContain(IDLE);
      await one.world.advance(2 * MINUTE);
      if (isThrough) break;
    }
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  });

  it("has a removed rule back when somebody asks for just that, though nobody has seen its removal", async () => {
    await quarantined();
    await one.removeBeside("accept");
    await one.restore();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("lifts the quarantine where it was refused while nobody could read back the drop", async () => {
    const { asked } = await unread();
    await late();
    await one.watch(refused("10.1.2.3", asked));
    expect(await one.state(), "refused before we did anything").toBe("quarantined");
    await one.watch(refused("10.1.2.3", asked + MINUTE));
    expect(await one.state()).toBe("restored");
  });

  it("lifts it by the nightly job where the watch was not told of that", async () => {
    // Longer ago than the window of the verdict: the rule is idle, and who used it is known.
    const { asked } = await unread(() => {
      const day = dayAfter(one.today, -15);
      return tell(day, [touched("real", day, ["10.1.2.3"])]);
    });
    const [refusal] = [touched("refused", dayOf(asked), ["10.1.2.3"])].map((port) => at(port, asked + MINUTE));
    await tell(dayOf(asked), refusal ? [refusal] : []);
    await one.recycle();
    expect(await one.state()).toBe("restored");
  });
});
