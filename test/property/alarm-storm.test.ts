// A thousand alarms in ten seconds, by many instances at once, among processes that die: one lockdown, and no alarm lost.
import { expect, test } from "vitest";
import { type Alarm, alarmIdOf } from "../../shared/domain/alarm.ts";
import { getAlarm } from "../../shared/store/alarms.ts";
import { listLockdowns } from "../../shared/store/lockdowns.ts";
import { actOnAlarm } from "../../shared/usecases/lockdown/act-on-alarm.ts";
import { recordAlarm } from "../../shared/usecases/lockdown/record-alarm.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { prepare } from "../interleavings/run-seed.ts";
import { Scene, WEB } from "../interleavings/scene.ts";

const POSTS = 1000;
const RULES = 20;
const SECONDS_MS = 10_000;
const document = {
  alarms: [{ rule: null, do: "lockdown" }],
  lockdown: { core: ["80", "443"], groups: ["*"], withoutOperatorPath: "the test" },
};

test.each([0, 0.002])(
  "with processes that die at a call in %s of all",
  async (death) => {
    const scene = new Scene(`storm ${death}`, { document, isDelivering: false });
    await scene.schedule.run(play(scene, death));
    expect(scene.wrong).toEqual([]);
  },
  60_000,
);

async function play(scene: Scene, death: number): Promise<void> {
  await prepare(scene);
  scene.setTrouble({ death });
  const startedAt = scene.quietApp().clock.now();
  const latest = new Map<string, Alarm>();
  const posts = Array.from({ length: POSTS }, async (_, n) => {
    const state = "ALERT" as const;
    const alarm: Alarm = {
      ...{
        rule: `rule-${n % RULES}`,
        ruleId: "",
        namespace: "acs_ecs_dashboard",
        metric: "x",
        level: "CRITICAL",
        state,
      },
      dimensions: { instanceId: "i-0" },
      at: startedAt + Math.floor((n / POSTS) * SECONDS_MS),
    };
    const known = latest.get(alarmIdOf(alarm));
    if (!known || known.at < alarm.at) latest.set(alarmIdOf(alarm), alarm);
    await scene.schedule.sleep((n / POSTS) * SECONDS_MS);
    // As the platform has it: the sender tries again until it was answered.
    await scene.start(
      `post ${n}`,
      async (app) => {
        const row = await recordAlarm(app, alarm, scene.policy);
        if (row === null || row.isHandled) return;
        const arrivedAt = app.clock.monotonicMs();
        const terms = { policy: scene.policy, arrivedAt, deadlineAt: arrivedAt + 3500 };
        await actOnAlarm(app, row.alarmId, terms).catch(() => null);
      },
      20,
    );
  });
  await Promise.all(posts);
  await scene.rest();
  scene.setTrouble({});
  for (let minute = 0; minute < 3; minute++) {
    await scene.schedule.sleep(60_000);
    const app = scene.quietApp();
    await sweep(app, {
      policy: scene.policy,
      cause: "tick",
      deadlineAt: app.clock.monotonicMs() + 45_000,
      jobs: allJobs,
    });
  }
  const { tables } = scene;
  const lockdowns = await listLockdowns(tables, 100);
  expect(lockdowns.map((it) => [it.state, it.groups.every((group) => group.isClosed)])).toEqual([["active", true]]);
  expect(new Set(lockdowns[0]?.causes.map((it) => it.by))).toEqual(new Set(latest.keys()));
  for (const [alarmId, alarm] of latest) {
    const row = await getAlarm(tables, alarmId);
    expect([row?.alarm.at, row?.isHandled]).toEqual([alarm.at, true]);
  }
  expect(scene.account.rules(WEB.groupId).filter((rule) => rule.policy === "drop")).toHaveLength(4);
}
