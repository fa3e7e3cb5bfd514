// What the policy answers to an alarm where no group is locked down for it: people are told, or nothing follows.
import { expect, test } from "vitest";
import type { Alarm } from "../../../shared/domain/alarm.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { listLockdowns } from "../../../shared/store/lockdowns.ts";
import { readOutbox } from "../../../shared/store/outbox.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { actOnAlarm } from "../../../shared/usecases/lockdown/act-on-alarm.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { prepare } from "../../interleavings/run-seed.ts";
import { APP, Scene, WEB } from "../../interleavings/scene.ts";
import { DOCUMENT, rulesIn, terms } from "./lockdown-scene.ts";

const ALARMS = [
  { rule: "slow", levels: ["CRITICAL"], do: "notify" },
  { rule: "flood", do: "lockdown", scope: { groups: ["app"] } },
];

const inScene = (play: (scene: Scene, app: App) => Promise<void>): Promise<void> => {
  const scene = new Scene("act on alarm", { document: { ...DOCUMENT, alarms: ALARMS }, isDelivering: false });
  return scene.schedule.run(prepare(scene).then(() => play(scene, scene.quietApp())));
};

const hear = async (scene: Scene, app: App, told: Partial<Alarm>): Promise<string | null> => {
  const row = await recordAlarm(
    app,
    {
      ...{ rule: "slow", ruleId: "r-1", namespace: "acs_ecs", metric: "cpu", level: "CRITICAL", state: "ALERT" },
      ...{ dimensions: { instanceId: "i-web-1" }, at: app.clock.now(), ...told },
    },
    scene.policy,
  );
  if (row === null || row.isHandled) return null;
  const done = await actOnAlarm(app, row.alarmId, terms(scene, app));
  expect((await getAlarm(app.tables, row.alarmId))?.isHandled).toBe(true);
  return done;
};

const notices = async (app: App) => (await readOutbox(app.tables, 100)).pending.map(({ notice }) => notice);

test("a rule that says notify has operators told of the alarm, once for each telling, and changes no rule", () =>
  inScene(async (scene, app) => {
    const before = [rulesIn(scene, WEB), rulesIn(scene, APP)];
    const at = app.clock.now();
    expect(await hear(scene, app, { at })).toBe("people are told");
    expect(await hear(scene, app, { at }), "a retry").toBe(null);
    expect(await notices(app)).toEqual([
      expect.objectContaining({
        kind: "alarmReceived",
        to: [{ kind: "role", role: "operator" }],
        data: { rule: "slow", metric: "cpu", state: "ALERT", target: "instanceId=i-web-1" },
      }),
    ]);
    await scene.schedule.sleep(5000);
    expect(await hear(scene, app, { state: "OK", at: app.clock.now() })).toBe("it began nothing that is still on");
    expect(await notices(app)).toHaveLength(1);
    expect([rulesIn(scene, WEB), rulesIn(scene, APP), await listLockdowns(app.tables, 10)]).toEqual([...before, []]);
  }));

test.each<[string, Partial<Alarm>]>([
  ["of a level that the rule does not name", { level: "WARN" }],
  ["that no rule names", { rule: "another" }],
  ["without data", { state: "INSUFFICIENT_DATA" }],
])("nothing follows from an alarm %s", (_, told) =>
  inScene(async (scene, app) => {
    expect(await hear(scene, app, told)).not.toBe("people are told");
    expect(await notices(app)).toEqual([]);
  }),
);
