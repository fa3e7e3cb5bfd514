// Drift whose events are lost, late, doubled or out of order: that costs time, and never a rule that stays open or a wrong word.
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import type { App } from "../../shared/usecases/app.ts";
import { GuardedWorld, openDatabase } from "../kit/guarded-world.ts";
import { fromCidr, somePorts } from "../kit/rules.ts";

const openCache = { ...openDatabase, ports: somePorts("6379/6379") };
const MINUTE_MS = 60_000;

let guarded: GuardedWorld;
beforeEach(async () => {
  guarded = await GuardedWorld.start();
  // What the confirmation has booked is over: from here on only what the test does brings looks about.
  await guarded.world.ticks(2);
});
afterEach(() => guarded.world.stop());

const revokes = () => guarded.world.callNames.filter((name) => name === "ecs RevokeSecurityGroup").length;

describe("the event of a foreign opening", () => {
  test("is lost: the hourly full pass closes the rule", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    await guarded.events();
    await world.advance(30 * MINUTE_MS);
    await world.sweep();
    expect(world.openPorts()).toEqual(["3306/3306"]);
    await world.advance(30 * MINUTE_MS);
    await world.sweep();
    expect(world.openPorts()).toEqual([]);
    const [item] = await guarded.drift();
    expect(item).toMatchObject({ state: "rolledBack", attribution: null, verdict: { kind: "drift" } });
  });

  test("is lost, and the full pass closes the rule without reading that back: it is finished although the group is at rest", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    await guarded.events();
    await world.advance(60 * MINUTE_MS);
    const app = world.process();
    let isRevoked = false;
    const { firewall } = app;
    const failing: App = {
      ...app,
      firewall: {
        ...firewall,
        revoke: async (...asked) => {
          isRevoked = true;
          return firewall.revoke(...asked);
        },
        readGroup: async (...asked) => {
          if (isRevoked) throw new CloudFailure("throttled", "DescribeSecurityGroupAttribute");
          return firewall.readGroup(...asked);
        },
      },
    };
    await world.sweep(failing);
    const states = async () => (await guarded.drift()).map((item) => item.state);
    expect([isRevoked, world.openPorts(), await states()]).toEqual([true, [], ["rollingBack"]]);
    await world.ticks(3);
    expect([await states(), await world.rows("intent")]).toEqual([["rolledBack"], []]);
  });

  test("is lost: a rule that a look has found waits for its event as long as the policy says, and no longer", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    await guarded.authorize(openCache);
    const [, ofCache] = await guarded.events();
    await guarded.deliver(ofCache);
    expect(world.openPorts()).toEqual(["3306/3306"]);
    expect((await guarded.drift()).map((item) => item.state).sort()).toEqual(["rolledBack", "waiting"]);
    await world.advance(14 * MINUTE_MS);
    await world.sweep();
    expect(world.openPorts()).toEqual(["3306/3306"]);
    await world.ticks(2);
    expect(world.openPorts()).toEqual([]);
    const lines = (await world.recorded()).join("\n");
    expect(lines).toContain("nobody is known to have written it");
  });

  test("comes five times: one rollback, one item", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    const before = revokes();
    await guarded.deliver(record);
    // What is known already costs no call of the cloud's.
    const calls = world.callNames.length;
    for (let n = 0; n < 4; n++) expect(await guarded.deliver(record)).toMatchObject({ looked: [], left: [] });
    expect(world.callNames.slice(calls).filter((name) => name.startsWith("ecs"))).toEqual([]);
    expect(world.openPorts()).toEqual([]);
    expect(revokes() - before).toBe(1);
    expect(await guarded.drift()).toHaveLength(1);
    expect((await world.recorded()).filter((line) => line.includes("rolledBack"))).toHaveLength(1);
  });

  /** A process that is frozen before it stores the event, so that somebody looks in vain meanwhile; then it fails at the one or the other. */
  const frozen = (app: App, diesAt: "its row" | "the lock"): App => {
    const { tables } = app;
    let isStored = false;
    const dies = (at: typeof diesAt): void => {
      if (isStored && diesAt === at) throw new Error("dies");
    };
    const put: typeof tables.put = async (table, key, columns, condition) => {
      if (table !== "sighting" || isStored) return tables.put(table, key, columns, condition);
      await guarded.world.advance(5000);
      await guarded.world.sweep();
      isStored = String(key[1]).startsWith("!");
      return tables.put(table, key, columns, condition);
    };
    return {
      ...app,
      tables: {
        ...tables,
        put,
        get: async (table, key) => {
          if (table === "lock") dies("the lock");
          return tables.get(table, key);
        },
        writeAll: async (writes) => {
          dies("its row");
          return tables.writeAll(writes);
        },
      },
    };
  };

  test("is stored when somebody has looked for it in vain, by a process that dies then: the next tick looks again", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await expect(guarded.deliver(record, frozen(world.process(), "the lock"))).rejects.toThrow("dies");
    await world.ticks(1);
    expect(world.openPorts()).toEqual([]);
  });

  test("is stored so by a process that dies before it can say so: it is looked for when it is delivered again", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await expect(guarded.deliver(record, frozen(world.process(), "its row"))).rejects.toThrow("dies");
    await world.ticks(1);
    expect(world.openPorts()).toEqual(["3306/3306"]);
    await guarded.deliver(record);
    await world.ticks(1);
    expect(world.openPorts()).toEqual([]);
  });

  test("comes five times at once: the deliveries share the work", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    const before = revokes();
    const reports = await Promise.all(Array.from({ length: 5 }, () => guarded.deliver(record)));
    expect(reports.flatMap((report) => report.looked)).toEqual(["sg-web"]);
    expect(world.openPorts()).toEqual([]);
    expect(revokes() - before).toBe(1);
    expect(await guarded.drift()).toHaveLength(1);
  });

  test("comes 12 minutes late: the rule is closed then, and the record names who and when", async () => {
    const { world } = guarded;
    const openedAt = world.clock.now();
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    await world.advance(12 * MINUTE_MS);
    await guarded.deliver(record);
    expect(world.openPorts()).toEqual([]);
    const [item] = await guarded.drift();
    expect(item).toMatchObject({ state: "rolledBack", attribution: { actor: "other" } });
    expect(Math.abs((item?.attribution?.at ?? 0) - openedAt)).toBeLessThan(2000);
  });

  test("comes after the rule was closed without it: it changes nothing more", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    await guarded.authorize(openCache);
    const [ofDatabase, ofCache] = await guarded.events();
    await guarded.deliver(ofCache);
    await world.advance(15 * MINUTE_MS);
    await world.ticks(1);
    expect(world.openPorts()).toEqual([]);
    const before = revokes();
    await guarded.deliver(ofDatabase);
    expect(revokes()).toBe(before);
    expect(world.rules()).toHaveLength(2);
  });
});

describe("where our clock is ten minutes behind the cloud's", () => {
  /** The program by that clock, which learns so from an answer of the cloud's, where it gets one. */
  function behind(hasAnswers: boolean): App {
    const { world } = guarded;
    const app = world.process();
    const { clock } = world;
    let isKnown = false;
    return {
      ...app,
      clock: {
        now: () => clock.now() - 10 * MINUTE_MS,
        monotonicMs: () => clock.monotonicMs(),
        sleep: (ms, signal) => clock.sleep(ms, signal),
      },
      firewall: {
        ...app.firewall,
        readGroup: async (...asked) => {
          if (!hasAnswers) throw new CloudFailure("unknown", "DescribeSecurityGroupAttribute");
          const reading = await app.firewall.readGroup(...asked);
          isKnown = true;
          return reading;
        },
        skewMs: () => (isKnown ? -10 * MINUTE_MS : 0),
      },
    };
  }

  test("an event is not taken for one of the future, and the rule closes", async () => {
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    expect(await guarded.deliver(record, behind(true))).toMatchObject({ looked: ["sg-web"], ignored: null });
    expect(guarded.world.openPorts()).toEqual([]);
    expect(await guarded.drift()).toMatchObject([{ state: "rolledBack", attribution: { actor: "other" } }]);
  });

  test("nobody asks the cloud for its time for an event that is not of this account, or of a region that the policy leaves out", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    const calls = world.callNames.length;
    const asked = () => world.callNames.slice(calls).filter((name) => name.startsWith("ecs"));
    for (const changes of [{ recipientAccountId: "1" }, { acsRegion: "us-west-1" }])
      expect(await guarded.deliver({ ...(record as object), ...changes }, behind(true))).toMatchObject({ looked: [] });
    expect(asked()).toEqual([]);
  });

  test("and the cloud does not answer, the event is left out with a record, and the full pass closes the rule", async () => {
    const { world } = guarded;
    await guarded.authorize(openDatabase);
    const [record] = await guarded.events();
    expect(await guarded.deliver(record, behind(false))).toMatchObject({ looked: [], left: [] });
    expect((await world.recorded()).join("\n")).toContain("is from the future");
    await world.advance(60 * MINUTE_MS);
    await world.sweep();
    expect(world.openPorts()).toEqual([]);
  });
});

describe("events out of order", () => {
  test("opened, closed and opened again by somebody: whatever the order of the events, it ends closed", async () => {
    const { world } = guarded;
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 2, 0],
      [2, 0, 1],
    ]) {
      await guarded.events();
      await guarded.authorize(openDatabase);
      const opened = (await guarded.rules()).find((rule) => ruleKey(rule) === ruleKey(openDatabase));
      if (!opened?.id) throw new Error("it is not open");
      await guarded.revoke(opened.id);
      await world.advance(2000);
      await guarded.authorize({ ...openDatabase, peer: fromCidr(`198.51.100.${10 + order.indexOf(0)}/32`) });
      const records = await guarded.events();
      expect(records).toHaveLength(3);
      for (const index of order) await guarded.deliver(records[index]);
      await world.ticks(1);
      expect(world.openPorts()).toEqual([]);
    }
  });

  test("the removal of a granted rule and its return by the same person, told backwards, change nothing", async () => {
    const { world } = guarded;
    const before = await guarded.rules();
    const [http] = before;
    if (!http?.id) throw new Error("no rule");
    await guarded.revoke(http.id);
    await guarded.authorize(http, http.description);
    const records = await guarded.events();
    for (const record of [...records].reverse()) await guarded.deliver(record);
    await world.ticks(2);
    const contentOf = (rules: typeof before) => rules.map((rule) => `${ruleKey(rule)} ${rule.description}`).sort();
    expect(contentOf(await guarded.rules())).toEqual(contentOf(before));
    expect(
      (await guarded.drift()).filter((item) => item.state === "rollingBack" || item.state === "rolledBack"),
    ).toEqual([]);
  });
});
