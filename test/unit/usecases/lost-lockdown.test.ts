// The row of a lockdown is lost, or cannot be read, while it is on: a person's word and the OK of its alarm end what the ledger still has of it.
import { afterEach, describe, expect, test } from "vitest";
import type { Alarm } from "../../../shared/domain/alarm.ts";
import { parseLockdownId } from "../../../shared/domain/lockdown.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { getLockdown } from "../../../shared/store/lockdowns.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { actOnAlarm } from "../../../shared/usecases/lockdown/act-on-alarm.ts";
import { liftLockdown } from "../../../shared/usecases/lockdown/lift-lockdown.ts";
import { listLockdowns, getLockdown as showLockdown } from "../../../shared/usecases/lockdown/list-lockdowns.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, ruleOf, Scene } from "../../interleavings/scene.ts";
import { filled, lift as liftIn, lock, openPorts, standbyWorld } from "../../kit/standby-world.ts";
import type { World } from "../../kit/world.ts";
import { DOCUMENT, letsIn, lift, minutes, NARROW_DOCUMENT, rulesIn, start, terms } from "./lockdown-scene.ts";

let world: World;
afterEach(() => world?.stop());

const ALARMS = [{ do: "lockdown", scope: { groups: ["app"] } }];
/** Groups that are closed by drops, and by their accepts, as there is no room for drops. */
const WAYS = { drops: { ...DOCUMENT, alarms: ALARMS }, suspend: { ...NARROW_DOCUMENT, alarms: ALARMS } };
const MYSQL = ruleOf(3306, "0.0.0.0/0");

const inScene = (
  way: keyof typeof WAYS,
  play: (scene: Scene, app: App, before: readonly string[]) => Promise<void>,
) => {
  const scene = new Scene("lost lockdown", { document: WAYS[way], isDelivering: false });
  return scene.schedule.run(
    prepare(scene).then(async () => {
      const mallory = scene.person("mallory");
      await mallory.firewall.authorize(APP, [{ spec: MYSQL, description: "hers" }], mallory.token(), "open");
      await play(scene, scene.quietApp(), rulesIn(scene, APP));
    }),
  );
};

const keyOf = (lockdownId: string): [string, number] => {
  const name = parseLockdownId(lockdownId);
  return [name?.scope ?? "", name?.sequence ?? 0];
};
/** What may have become of a row. */
const LOSSES: Readonly<Record<string, (app: Pick<App, "tables">, lockdownId: string) => Promise<unknown>>> = {
  gone: ({ tables }, id) => tables.delete("lockdown", keyOf(id), { kind: "none" }),
  damaged: ({ tables }, id) => tables.update("lockdown", keyOf(id), { body: "[" }, { kind: "present" }),
  "damaged to its version": ({ tables }, id) =>
    tables.update("lockdown", keyOf(id), { body: "{}", rev: "x" }, { kind: "present" }),
};
const CASES = (Object.keys(WAYS) as (keyof typeof WAYS)[]).flatMap((way) =>
  Object.entries(LOSSES).map(([what, lose]) => [what, way, lose] as const),
);
const isOpen = (scene: Scene): boolean => letsIn(scene, APP, 3306, "198.51.100.9/32");

const alarmOf = (app: App, state: Alarm["state"], rule = "flood"): Alarm => ({
  ...{ rule, ruleId: rule, namespace: "acs_ecs", metric: "bps", level: "CRITICAL", state, dimensions: {} },
  at: app.clock.now(),
});
const hear = async (scene: Scene, app: App, state: Alarm["state"], rule?: string) => {
  const row = await recordAlarm(app, alarmOf(app, state, rule), scene.policy);
  const alarmId = row?.alarmId ?? "";
  const done = await actOnAlarm(app, alarmId, terms(scene, app));
  return { done, lockdownId: (await getAlarm(app.tables, alarmId))?.lockdownId ?? "" };
};

describe("a person's word", () => {
  test.each(CASES)("ends it where its row is %s: by %s", (_, way, lose) =>
    inScene(way, async (scene, app, before) => {
      const { lockdownId, until } = await start(scene, app);
      await lose(app, lockdownId);
      const shown = await showLockdown(app, lockdownId);
      expect([shown.until, shown.state, shown.groups.map((it) => [it.group.groupId, it.way])]).toEqual([
        until,
        "active",
        [["sg-app", way]],
      ]);
      expect(isOpen(scene)).toBe(false);
      const { state, endedBy } = await lift(scene, app, lockdownId);
      expect([state, endedBy, rulesIn(scene, APP)]).toEqual(["lifted", "ann", before]);
      await minutes(scene, 4);
      expect(rulesIn(scene, APP)).toEqual(before);
      const { lockdowns, unreadable } = await listLockdowns(app, { limit: 10, cursor: null });
      expect([lockdowns.map((it) => [it.lockdownId, it.state]), unreadable]).toEqual([[[lockdownId, "lifted"]], []]);
    }),
  );

  test("mutes the alarms that have it on", () =>
    inScene("drops", async (scene, app) => {
      const { lockdownId } = await hear(scene, app, "ALERT");
      await LOSSES["gone"]?.(app, lockdownId);
      await lift(scene, app, lockdownId);
      await scene.schedule.sleep(5000);
      const again = await hear(scene, app, "ALERT");
      expect([again.done, isOpen(scene)]).toEqual([expect.stringMatching(/a person has lifted/), true]);
    }));

  test("of a lockdown of which nothing is left is told that there is none", () =>
    inScene("drops", async (scene, app) => {
      const { lockdownId } = await start(scene, app);
      await lift(scene, app, lockdownId);
      for (const lose of [LOSSES["damaged"], LOSSES["gone"]]) {
        await lose?.(app, lockdownId);
        await expect(lift(scene, app, lockdownId)).rejects.toMatchObject({ code: "LOCKDOWN_UNKNOWN" });
        await expect(showLockdown(app, lockdownId)).rejects.toMatchObject({ code: "LOCKDOWN_UNKNOWN" });
      }
      await expect(lift(scene, app, "ld-0123456789ab-1")).rejects.toMatchObject({ code: "LOCKDOWN_UNKNOWN" });
      await expect(lift(scene, app, "nothing")).rejects.toMatchObject({ code: "LOCKDOWN_UNKNOWN" });
    }));

  test("is gone on with by whoever comes next, wherever the process dies", async () => {
    for (let dies = 1; dies < 40; dies += 1) {
      let isDead = true;
      await inScene("suspend", async (scene, app, before) => {
        const { lockdownId } = await start(scene, app);
        await LOSSES["damaged"]?.(app, lockdownId);
        const { caller, app: mortal } = scene.newProcess();
        let writes = 0;
        caller.fate = ({ name }) => {
          if (!/^(put|write|delete|update|authorize|revoke)/.test(name)) return "answered";
          writes += 1;
          return writes >= dies ? "dies before" : "answered";
        };
        const options = { ...terms(scene, mortal), by: "ann", isPerson: true };
        await Promise.race([liftLockdown(mortal, lockdownId, options), caller.died]);
        isDead = caller.isDead;
        await minutes(scene, 2);
        // Who died before it was decided has left it on: they say so once more.
        if ((await getLockdown(app.tables, lockdownId).catch(() => null)) === null) await lift(scene, app, lockdownId);
        await minutes(scene, 2);
        expect([dies, rulesIn(scene, APP)]).toEqual([dies, before]);
        expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
      });
      if (!isDead) return;
    }
    throw new Error("it has more writes than were tried");
  }, 60_000);
});

describe("the OK of its alarm", () => {
  test.each(CASES)("ends it where its row is %s: by %s", (_, way, lose) =>
    inScene(way, async (scene, app, before) => {
      const { lockdownId } = await hear(scene, app, "ALERT");
      expect(isOpen(scene)).toBe(false);
      await lose(app, lockdownId);
      await scene.schedule.sleep(5000);
      expect((await hear(scene, app, "OK")).done).toBe(`${lockdownId} is lifted`);
      await minutes(scene, 1);
      expect(rulesIn(scene, APP)).toEqual(before);
    }),
  );

  test.each(Object.entries(LOSSES))("leaves it on for another alarm that has it on, its row %s", (_, lose) =>
    inScene("suspend", async (scene, app, before) => {
      const { lockdownId } = await hear(scene, app, "ALERT");
      const other = await hear(scene, app, "ALERT", "another");
      expect(other.lockdownId).toBe(lockdownId);
      await lose(app, lockdownId);
      await scene.schedule.sleep(5000);
      expect((await hear(scene, app, "OK")).done).toMatch(new RegExp(`^${lockdownId} goes on for al-`));
      expect(isOpen(scene)).toBe(false);
      expect((await hear(scene, app, "OK", "another")).done).toBe(`${lockdownId} is lifted`);
      await minutes(scene, 1);
      expect(rulesIn(scene, APP)).toEqual(before);
    }),
  );

  test("leaves it on for another alarm that has it on, of which there is no data by then", () =>
    inScene("drops", async (scene, app) => {
      const { lockdownId } = await hear(scene, app, "ALERT");
      await hear(scene, app, "ALERT", "another");
      await LOSSES["gone"]?.(app, lockdownId);
      await scene.schedule.sleep(5000);
      await hear(scene, app, "INSUFFICIENT_DATA", "another");
      expect((await hear(scene, app, "OK")).done).toMatch(new RegExp(`^${lockdownId} goes on for al-`));
      expect(isOpen(scene)).toBe(false);
      expect((await hear(scene, app, "OK", "another")).done).toBe(`${lockdownId} is lifted`);
    }));

  test.each(CASES)(
    "keeps closed what a person who had joined it has closed once more, its row %s: by %s",
    (_, way, lose) =>
      inScene(way, async (scene, app, before) => {
        const { lockdownId } = await hear(scene, app, "ALERT");
        expect((await start(scene, app)).lockdownId).toBe(lockdownId);
        await lose(app, lockdownId);
        const again = await start(scene, app);
        await scene.schedule.sleep(5000);
        await hear(scene, app, "OK");
        await minutes(scene, 2);
        expect(isOpen(scene)).toBe(false);
        await lift(scene, app, again.lockdownId);
        await minutes(scene, 4);
        expect(rulesIn(scene, APP)).toEqual(before);
      }),
  );

  test.each(Object.keys(WAYS) as (keyof typeof WAYS)[])(
    "ends the one before as well, which it had on when nobody could read its row: by %s",
    (way) =>
      inScene(way, async (scene, app, before) => {
        const { lockdownId } = await hear(scene, app, "ALERT");
        const row = await app.tables.get("lockdown", keyOf(lockdownId));
        await LOSSES["damaged"]?.(app, lockdownId);
        await scene.schedule.sleep(60_000);
        expect((await hear(scene, app, "ALERT")).lockdownId).not.toBe(lockdownId);
        await scene.schedule.sleep(60_000);
        await hear(scene, app, "OK");
        await minutes(scene, 1);
        expect(isOpen(scene)).toBe(false);
        await app.tables.put("lockdown", keyOf(lockdownId), row?.columns ?? {}, { kind: "none" });
        await minutes(scene, 3);
        expect(rulesIn(scene, APP)).toEqual(before);
        expect((await getLockdown(app.tables, lockdownId))?.state).toBe("lifted");
      }),
  );

  test("goes on where the alarm alerts again before anybody has looked, and ends with its next OK", () =>
    inScene("drops", async (scene, app, before) => {
      const { lockdownId } = await hear(scene, app, "ALERT");
      const row = await app.tables.get("lockdown", keyOf(lockdownId));
      await LOSSES["damaged"]?.(app, lockdownId);
      await scene.schedule.sleep(60_000);
      await hear(scene, app, "ALERT");
      await scene.schedule.sleep(60_000);
      await hear(scene, app, "OK");
      await app.tables.put("lockdown", keyOf(lockdownId), row?.columns ?? {}, { kind: "none" });
      await scene.schedule.sleep(1000);
      await hear(scene, app, "ALERT");
      await minutes(scene, 3);
      expect(isOpen(scene)).toBe(false);
      await hear(scene, app, "OK");
      await minutes(scene, 3);
      expect(rulesIn(scene, APP)).toEqual(before);
    }));

  test("leaves it on for the person who began it", () =>
    inScene("drops", async (scene, app) => {
      const { lockdownId } = await start(scene, app);
      expect((await hear(scene, app, "ALERT")).lockdownId).toBe(lockdownId);
      await LOSSES["gone"]?.(app, lockdownId);
      await scene.schedule.sleep(5000);
      expect([(await hear(scene, app, "OK")).done, isOpen(scene)]).toEqual([`${lockdownId} goes on for ann`, false]);
    }));

  test("is heard though the last lockdown of its scope cannot be read, and nothing of that is left", () =>
    inScene("drops", async (scene, app) => {
      const { lockdownId } = await start(scene, app);
      await lift(scene, app, lockdownId);
      await LOSSES["damaged"]?.(app, lockdownId);
      const row = await recordAlarm(app, alarmOf(app, "ALERT"), scene.policy);
      await scene.schedule.sleep(5000);
      expect((await hear(scene, app, "OK")).done).toBe(`${lockdownId} was over already`);
      expect((await getAlarm(app.tables, row?.alarmId ?? ""))?.isHandled).toBe(true);
    }));
});

describe("a lockdown by lists", () => {
  const ALL = ["web 80", "web 22", "web 8443", "app 8080", "other 8080"];
  const LOCKED = ["web 80", "other 8080"];

  test.each(Object.entries(LOSSES))(
    "is lifted by a person where its row is %s, and its lists are emptied",
    async (_, lose) => {
      world = await standbyWorld();
      const { lockdownId } = await lock(world, ["web", "app"]);
      await world.run(lose(world.process(), lockdownId));
      expect(openPorts(world)).toEqual(LOCKED);
      expect((await liftIn(world, lockdownId)).state).toBe("lifted");
      expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
      await world.ticks(3);
      expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
    },
  );

  test("ends at its time though nobody repairs its row, holds up no tick, and people are told once", async () => {
    world = await standbyWorld();
    const { lockdownId } = await lock(world, ["web", "app"], world.process(), { periodMs: 10 * 60_000 });
    await world.ticks(1);
    const before = (await world.rows("delivery")).length;
    await world.run(LOSSES["damaged"]?.(world.process(), lockdownId) ?? Promise.resolve());
    await world.ticks(7);
    expect([openPorts(world), (await world.rows("delivery")).length - before]).toEqual([LOCKED, 1]);
    await world.ticks(5);
    expect([openPorts(world), filled(world)]).toEqual([ALL, [0, 0]]);
  });
});
