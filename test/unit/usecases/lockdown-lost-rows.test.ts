// Rows are lost while groups are locked down, those that say when to look at something or those of the lockdowns: what was closed comes back at
// its time all the same, and not before.
import { afterEach, describe, expect, test } from "vitest";
import type { Alarm } from "../../../shared/domain/alarm.ts";
import { LOCKDOWN_JOB } from "../../../shared/domain/lockdown.ts";
import { type KeptTable, StoreFailure, type TableName } from "../../../shared/ports/tables.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import { listStandbySets, saveStandbySet } from "../../../shared/store/standby-sets.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { settleAllStandby } from "../../../shared/usecases/lockdown/prepare-standby.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { settleStandby } from "../../../shared/usecases/lockdown/settle-standby.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene, WEB } from "../../interleavings/scene.ts";
import { filled, lift, lock, openPorts, standbyWorld } from "../../kit/standby-world.ts";
import type { World } from "../../kit/world.ts";
import { letsIn, minutes, NARROW_DOCUMENT, start, tick } from "./lockdown-scene.ts";

let world: World;
afterEach(() => world?.stop());

const TEN_MINUTES = { periodMs: 600_000 };
const EVERYBODY = "198.51.100.9/32";
const MYSQL = ruleOf(3306, "0.0.0.0/0");
const DOCUMENT = { ...NARROW_DOCUMENT, alarms: [{ do: "lockdown", scope: { groups: ["app"] } }] };

/** The group is not guarded, and has no room for drops: its accepts are closed. */
const inScene = async (play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("lost due rows", { document: DOCUMENT, isDelivering: false });
  await scene.schedule.run(
    prepare(scene).then(async () => {
      const mallory = scene.person("mallory");
      await mallory.firewall.authorize(APP, [{ spec: MYSQL, description: "hers" }], mallory.token(), "open");
      await play(scene, scene.quietApp());
    }),
  );
};

async function lose({ tables }: Pick<App, "tables">, table: Exclude<TableName, KeptTable>): Promise<void> {
  const { rows } = await tables.range({ table, from: [table === "due" ? 0 : ""], to: null, limit: 5000 });
  for (const { key } of rows) await tables.delete(table, key, { kind: "none" });
}

const isOpen = (scene: Scene): boolean => letsIn(scene, APP, 3306, "198.51.100.9/32");

test("a lockdown ends at its time and gives back what it has closed", () =>
  inScene(async (scene, app) => {
    const { lockdownId } = await start(scene, app, { periodMs: 600_000 });
    expect(isOpen(scene)).toBe(false);
    await lose(scene, "due");
    await minutes(scene, 5);
    expect(isOpen(scene)).toBe(false);
    await minutes(scene, 8);
    expect([isOpen(scene), scene.rule(APP, MYSQL)?.description]).toEqual([true, "hers"]);
    expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
  }));

test("what a ledger has closed comes back though the lockdown's own row is lost as well", () =>
  inScene(async (scene, app) => {
    await start(scene, app, { periodMs: 600_000 });
    await lose(scene, "due");
    await lose(scene, "lockdown");
    await minutes(scene, 13);
    expect(scene.rule(APP, MYSQL)?.description).toBe("hers");
  }));

test.each(["{", "{}", "["])("a lockdown whose row is %s for a time is tended as soon as it can be read", (broken) =>
  inScene(async (scene, app) => {
    const { lockdownId } = await start(scene, app, { periodMs: 600_000 });
    const key = lockdownId
      .split("-")
      .map((part, index) => (index === 2 ? Number(part) : part))
      .slice(1);
    const whole = (await app.tables.get("lockdown", key))?.columns["body"] ?? "";
    await app.tables.update("lockdown", key, { body: broken }, { kind: "present" });
    await lose(scene, "due");
    await minutes(scene, 2).catch(() => undefined);
    await app.tables.update("lockdown", key, { body: whole }, { kind: "present" });
    await minutes(scene, 13);
    expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
  }),
);

test("an alarm that was stored, and not acted on yet, still locks down", () =>
  inScene(async (scene, app) => {
    const alarm: Alarm = {
      ...{ rule: "flood", ruleId: "flood", namespace: "acs_ecs", metric: "bps", level: "CRITICAL", state: "ALERT" },
      ...{ dimensions: {}, at: app.clock.now() },
    };
    const row = await recordAlarm(app, alarm, scene.policy);
    await lose(scene, "due");
    await minutes(scene, 2);
    expect((await getAlarm(app.tables, row?.alarmId ?? ""))?.isHandled).toBe(true);
    expect(isOpen(scene)).toBe(false);
  }));

test("a table of lockdowns that is away when the recovery begins holds up no group, and is read before it is over", () =>
  inScene(async (scene, app) => {
    const { lockdownId } = await start(scene, app, { periodMs: 600_000 });
    await lose(scene, "due");
    let isAway = true;
    const range: App["tables"]["range"] = (query) =>
      isAway && query.table === "lockdown"
        ? Promise.reject(new StoreFailure("unavailable", "away"))
        : app.tables.range(query);
    const without: App = { ...app, tables: { ...app.tables, range } };
    await expect(tick(scene, 60_000, without)).rejects.toThrow(StoreFailure);
    const { rows } = await app.tables.range({ table: "due", from: [0], to: null, limit: 100 });
    expect(rows.map(({ key }) => key.slice(2).join(" "))).toContain("group cn-hangzhou sg-app");
    isAway = false;
    await tick(scene, 60_000, without);
    await minutes(scene, 11);
    expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
  }));

test("whoever books lockdowns again and dies between two of them has the next tick book both", async () => {
  const isLockdown = (name: string): boolean => name.startsWith("write") && name.includes(`job/${LOCKDOWN_JOB}/`);
  for (const fate of ["dies before", "dies after"] as const)
    await inScene(async (scene, app) => {
      const ids = [await start(scene, app, TEN_MINUTES), await start(scene, app, { ...TEN_MINUTES, groups: ["web"] })];
      await lose(scene, "due");
      const { caller, app: mortal } = scene.newProcess();
      const writeAll: App["tables"]["writeAll"] = async (writes) => {
        for (const write of writes) await mortal.tables.writeAll([write]);
      };
      const booked: string[] = [];
      caller.fate = ({ name }) => {
        if (!isLockdown(name)) return "answered";
        booked.push(name);
        return fate;
      };
      await Promise.race([tick(scene, 60_000, { ...mortal, tables: { ...mortal.tables, writeAll } }), caller.died]);
      expect([caller.isDead, booked.length, booked[0]?.split(`job/${LOCKDOWN_JOB}/`).length]).toEqual([true, 1, 2]);
      await minutes(scene, 5);
      expect([isOpen(scene), letsIn(scene, WEB, 8443, EVERYBODY)]).toEqual([false, false]);
      await minutes(scene, 8);
      const states = await Promise.all(ids.map(async (it) => (await getLockdown(app.tables, it.lockdownId))?.state));
      expect([isOpen(scene), ...states]).toEqual([true, "lifted", "lifted"]);
    });
});

describe("a lockdown by lists", () => {
  const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
  const LOCKED = ["web 80", "other 8080"];
  const FULL = [2, 29];

  const locked = async (): Promise<string> => {
    world = await standbyWorld();
    const { lockdownId } = await lock(world, ["web", "app"], world.process(), { periodMs: 15 * 60_000 });
    await world.ticks(3);
    return lockdownId;
  };
  const seen = () => [openPorts(world), filled(world)];
  const stateOf = async (id: string) => (await world.run(getLockdown(world.process().tables, id)))?.state;

  test("is lifted at its end when every due row is lost, its lists kept filled until then", async () => {
    const lockdownId = await locked();
    await world.run(lose(world.process(), "due"));
    await world.ticks(10);
    expect(seen()).toEqual([LOCKED, FULL]);
    await world.ticks(5);
    expect([...seen(), await stateOf(lockdownId)]).toEqual([ALL, [0, 0], "lifted"]);
  });

  test("whose row cannot be read for a time is lifted when it can, and keeps no lease from its end meanwhile", async () => {
    const lockdownId = await locked();
    const { tables } = world.process();
    const [, scope = "", sequence] = lockdownId.split("-");
    const key = [scope, Number(sequence)];
    const body = (await world.run(tables.get("lockdown", key)))?.columns["body"] ?? "";
    await world.run(tables.update("lockdown", key, { body: "[" }, { kind: "present" }));
    const { lease } = await world.open({ port: "3306", group: "other", periodMs: 60_000 });
    await world.run(lose(world.process(), "due"));
    // The job fails, at each tick, and so does the tick at its end.
    for (let minute = 0; minute < 4; minute++) await world.ticks(1).catch(() => undefined);
    expect((await world.lease(lease.request.leaseId)).status.state).toBe("closed");
    expect(filled(world)).toEqual(FULL);
    await world.run(tables.update("lockdown", key, { body }, { kind: "present" }));
    await world.ticks(14);
    expect([...seen(), await stateOf(lockdownId)]).toEqual([ALL, [0, 0], "lifted"]);
  });

  test.each([["lockdown"], ["lockdown", "due"]] as const)(
    "ends at its time, and not before, though all rows are lost of: %s %s",
    async (...lost) => {
      await locked();
      for (const table of lost) await world.run(lose(world.process(), table));
      await world.ticks(9);
      expect(seen()).toEqual([LOCKED, FULL]);
      await world.ticks(6);
      expect(seen()).toEqual([ALL, [0, 0]]);
      expect(
        (await listStandbySets(world.process().tables)).sets.map(({ holders, shown }) => [holders, shown]),
      ).toEqual([[[], "empty"]]);
    },
  );

  test.each(["at its time, once they can", "by a person's word"])(
    "whose row is lost goes on while its members' ledgers cannot be read, and ends %s",
    async (how) => {
      const lockdownId = await locked();
      const { tables } = world.process();
      const { rows } = await tables.range({ table: "ledger", from: [""], to: null, limit: 5000 });
      const write = async (bodyOf: (body: string) => string): Promise<void> => {
        for (const { key, columns } of rows)
          await tables.update("ledger", key, { body: bodyOf(String(columns["body"])) }, { kind: "present" });
      };
      await write(() => "[");
      await world.run(lose(world.process(), "lockdown"));
      await world.run(settleAllStandby(world.process()));
      await world.ticks(7);
      expect(filled(world)).toEqual(FULL);
      if (how.startsWith("by")) await lift(world, lockdownId);
      else {
        await write((body) => body);
        await world.ticks(12);
        expect(openPorts(world)).toEqual(ALL);
      }
      expect(filled(world)).toEqual([0, 0]);
    },
  );

  test("of which nothing is left but a name among the lists' holders ends at once", async () => {
    world = await standbyWorld();
    const { tables } = world.process();
    const [set] = (await listStandbySets(tables)).sets;
    if (!set) throw new Error("there is no set");
    await saveStandbySet(tables, { ...set, holders: ["ld-0123456789ab-7"], shown: null });
    await world.run(lose(world.process(), "due"));
    await world.ticks(3);
    expect(seen()).toEqual([ALL, [0, 0]]);
    expect((await listStandbySets(tables)).sets.flatMap(({ holders }) => holders)).toEqual([]);
  });

  test("that is lifted ends again when whoever was frozen fills its lists anew", async () => {
    const lockdownId = await locked();
    const app = world.process();
    await world.ticks(20);
    expect([...seen(), await stateOf(lockdownId)]).toEqual([ALL, [0, 0], "lifted"]);
    const [set] = (await listStandbySets(app.tables)).sets;
    if (!set) throw new Error("there is no set");
    await saveStandbySet(app.tables, { ...set, holders: [lockdownId], shown: null });
    await world.run(settleStandby(app, set.name, { priority: "lockdown" }));
    expect(filled(world)).toEqual(FULL);
    await world.ticks(6);
    expect(seen()).toEqual([ALL, [0, 0]]);
  });

  test("that is lifted ends wherever whoever empties its lists dies, also between letting go of them and emptying them", async () => {
    const lockdownId = await locked();
    await world.ticks(20);
    let isCut = false;
    for (let dies = 1; ; dies += 1) {
      const app = world.process();
      const [set] = (await listStandbySets(app.tables)).sets;
      if (!set) throw new Error("there is no set");
      await saveStandbySet(app.tables, { ...set, holders: [lockdownId], shown: null });
      await world.run(settleStandby(app, set.name, { priority: "lockdown" }));
      expect([dies, filled(world)]).toEqual([dies, FULL]);
      let calls = 0;
      const mortal = world.process((_, act) => {
        calls += 1;
        if (calls < dies) return act();
        throw new Error("dies here");
      });
      await world.run(settleAllStandby(mortal)).catch(() => undefined);
      const [left] = (await listStandbySets(app.tables)).sets;
      isCut ||= left?.holders.length === 0 && filled(world).join() === FULL.join();
      await world.ticks(2);
      expect([dies, ...seen()]).toEqual([dies, ALL, [0, 0]]);
      if (calls < dies) break;
    }
    expect(isCut).toBe(true);
  });
});
