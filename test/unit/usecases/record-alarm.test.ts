// Alarms that are told in the same second, as the clocks of those who tell of them know no less.
import { expect, test } from "vitest";
import { type Alarm, type AlarmState, alarmIdOf } from "../../../shared/domain/alarm.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { actOnAlarm } from "../../../shared/usecases/lockdown/act-on-alarm.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { Scene, WEB } from "../../interleavings/scene.ts";
import { DOCUMENT, lift, minutes, terms } from "./lockdown-scene.ts";

const AT = Date.UTC(2026, 10, 20, 8, 0, 0);
const document = { ...DOCUMENT, alarms: [{ do: "lockdown", scope: { groups: ["web"] } }] };

const alarmOf = (state: AlarmState, at = AT): Alarm => ({
  ...{
    rule: "ddos",
    ruleId: "ddos",
    namespace: "acs_ecs",
    metric: "bps",
    level: "CRITICAL",
    state,
    dimensions: {},
    at,
  },
});

const inScene = async (play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("same second", { document, isDelivering: false });
  await scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};
const isLocked = (scene: Scene): boolean => scene.account.rules(WEB.groupId).some((rule) => rule.policy === "drop");

/** Tells each of them; answers for each whether it said anything new, and whether the group is locked down afterwards. */
const tellAll = async (scene: Scene, app: App, alarms: readonly Alarm[]): Promise<readonly (readonly boolean[])[]> => {
  const seen: boolean[][] = [];
  for (const alarm of alarms) {
    const row = await recordAlarm(app, alarm, scene.policy);
    if (row) await actOnAlarm(app, row.alarmId, terms(scene, app));
    seen.push([row !== null, isLocked(scene)]);
  }
  return seen;
};

test("what is told last of one second counts, and a retry of what was told before it in that second does not", () =>
  inScene(async (scene, app) => {
    const told = await tellAll(scene, app, [
      alarmOf("ALERT"),
      alarmOf("OK"),
      alarmOf("ALERT"),
      alarmOf("OK"),
      alarmOf("ALERT", AT + 1000),
      alarmOf("OK"),
    ]);
    expect(told).toEqual([
      [true, true],
      [true, false],
      [false, false],
      [false, false],
      [true, true],
      [false, true],
    ]);
  }));

test("an alert of the second in which it was over locks down again", () =>
  inScene(async (scene, app) => {
    const told = await tellAll(scene, app, [
      alarmOf("ALERT", AT - 60_000),
      alarmOf("OK"),
      alarmOf("ALERT"),
      alarmOf("OK"),
    ]);
    expect(told).toEqual([
      [true, true],
      [true, false],
      [true, true],
      [false, true],
    ]);
  }));

test("what is over while its alert of the same second is still acted on is lifted", () =>
  inScene(async (scene, app) => {
    const row = await recordAlarm(app, alarmOf("ALERT"), scene.policy);
    let isOver = false;
    const racing: App = {
      ...app,
      firewall: {
        ...app.firewall,
        authorize: async (...given) => {
          if (!isOver) await recordAlarm(app, alarmOf("OK"), scene.policy);
          isOver = true;
          return app.firewall.authorize(...given);
        },
      },
    };
    await actOnAlarm(racing, row?.alarmId ?? "", terms(scene, racing));
    expect([isOver, isLocked(scene)]).toEqual([true, false]);
    expect(await getAlarm(app.tables, row?.alarmId ?? "")).toMatchObject({ isHandled: true, lockdownId: null });
  }));

test("an OK that nobody has acted on yet ends a person's word, too", () =>
  inScene(async (scene, app) => {
    await tellAll(scene, app, [alarmOf("ALERT")]);
    const { lockdownId } = (await getAlarm(app.tables, alarmIdOf(alarmOf("ALERT")))) ?? {};
    await lift(scene, app, lockdownId ?? "");
    expect(await tellAll(scene, app, [alarmOf("ALERT", AT + 1000)])).toEqual([[true, false]]);
    // Whoever was to act on it died, and before the job came the next attack began.
    await recordAlarm(app, alarmOf("OK", AT + 2000), scene.policy);
    expect(await tellAll(scene, app, [alarmOf("ALERT", AT + 3000)])).toEqual([[true, true]]);
  }));

test("a person's word outlasts an alarm that has no data when it is said", () =>
  inScene(async (scene, app) => {
    await tellAll(scene, app, [alarmOf("ALERT"), alarmOf("INSUFFICIENT_DATA", AT + 1000)]);
    const { lockdownId } = (await getAlarm(app.tables, alarmIdOf(alarmOf("ALERT")))) ?? {};
    await lift(scene, app, lockdownId ?? "");
    expect(await tellAll(scene, app, [alarmOf("ALERT", AT + 2000), alarmOf("OK", AT + 3000)])).toEqual([
      [true, false],
      [true, false],
    ]);
    expect(await tellAll(scene, app, [alarmOf("ALERT", AT + 4000)])).toEqual([[true, true]]);
  }));

/** The app of a process that stands still for two minutes, in which ticks come, right before it stores an alarm. */
const slowToStore = (scene: Scene, app: App): App => {
  const put: App["tables"]["put"] = async (...given) => {
    if (given[0] === "alarm") await minutes(scene, 2);
    return app.tables.put(...given);
  };
  return { ...app, tables: { ...app.tables, put } };
};

test("what is stored so late that the job has looked for it in vain is acted on within the minute", () =>
  inScene(async (scene, app) => {
    // Whoever has stored it cannot act on it any more: the time for an answer is over.
    const row = await recordAlarm(slowToStore(scene, app), alarmOf("ALERT"), scene.policy);
    expect([row?.isHandled, isLocked(scene)]).toEqual([false, false]);
    await minutes(scene, 1);
    expect(isLocked(scene)).toBe(true);
  }));

test("a retry is acted on where whoever stored the alarm died before that, and by the job where it dies as well", () =>
  inScene(async (scene, app) => {
    const slow = slowToStore(scene, app);
    const put: App["tables"]["put"] = async (...given) => {
      await slow.tables.put(...given);
      throw new Error("dies here");
    };
    const dying = { ...app, tables: { ...app.tables, put } };
    await expect(recordAlarm(dying, alarmOf("ALERT"), scene.policy)).rejects.toThrow("dies here");
    await minutes(scene, 2);
    expect(isLocked(scene)).toBe(false);
    const row = await recordAlarm(app, alarmOf("ALERT"), scene.policy);
    expect(row).toMatchObject({ isHandled: false, rev: 1 });
    await minutes(scene, 2);
    expect(isLocked(scene)).toBe(true);
    expect(await recordAlarm(app, alarmOf("ALERT"), scene.policy)).toBe(null);
  }));

/** Nobody can read what is stored of the alarm. */
const damage = ({ tables }: App) =>
  tables.update("alarm", [alarmIdOf(alarmOf("ALERT"))], { body: "{}" }, { kind: "present" });

test("an alert is acted on though what was told of its alarm before cannot be read, and its end as well", () =>
  inScene(async (scene, app) => {
    await tellAll(scene, app, [alarmOf("ALERT"), alarmOf("OK")]);
    await damage(app);
    expect(await tellAll(scene, app, [alarmOf("ALERT", AT + 60_000)])).toEqual([[true, true]]);
    await damage(app);
    expect(await tellAll(scene, app, [alarmOf("OK", AT + 120_000)])).toEqual([[true, false]]);
  }));

test("a person lifts a lockdown though nobody can read the alarm that has it on", () =>
  inScene(async (scene, app) => {
    await tellAll(scene, app, [alarmOf("ALERT")]);
    const { lockdownId } = (await getAlarm(app.tables, alarmIdOf(alarmOf("ALERT")))) ?? {};
    await damage(app);
    await lift(scene, app, lockdownId ?? "");
    expect(isLocked(scene)).toBe(false);
  }));

test.each<[AlarmState, readonly AlarmState[]]>([
  ["ALERT", []],
  ["OK", ["ALERT"]],
])(
  "people are told once of %s that cannot be read; no tick fails for it, and it is acted on once it can",
  (state, before) =>
    inScene(async (scene, app) => {
      await tellAll(
        scene,
        app,
        before.map((it) => alarmOf(it)),
      );
      const wasLocked = isLocked(scene);
      const { alarmId = "" } = (await recordAlarm(app, alarmOf(state, AT + 60_000), scene.policy)) ?? {};
      const { body = "" } = (await app.tables.get("alarm", [alarmId]))?.columns ?? {};
      await damage(app);
      for (let tries = 0; tries < 3; tries++) expect(await actOnAlarm(app, alarmId, terms(scene, app))).toBeNull();
      const { pending } = await readOutbox(app.tables, 100);
      const words = pending.flatMap(({ notice }) => (notice?.kind === "healthAlarm" ? [notice.data] : []));
      expect(words).toEqual([
        { what: expect.stringContaining(`the row of the alarm ${alarmId} cannot be read`), since: null },
      ]);
      await minutes(scene, 3);
      expect(isLocked(scene)).toBe(wasLocked);
      await app.tables.update("alarm", [alarmId], { body }, { kind: "present" });
      await minutes(scene, 2);
      expect(isLocked(scene)).toBe(!wasLocked);
    }),
);
