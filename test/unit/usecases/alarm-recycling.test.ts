// Alarms about the use of ports: what has no traffic enters recycling early, and what was closed lately is given back.
import { afterEach, describe, expect, it } from "vitest";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { actOnAlarm } from "../../../shared/usecases/act-on-alarm.ts";
import { allJobs } from "../../../shared/usecases/jobs.ts";
import { recordAlarm } from "../../../shared/usecases/record-alarm.ts";
import { sweep } from "../../../shared/usecases/sweep.ts";
import { DROP, IDLE, RecyclingWorld, type RecyclingWorldOptions, touched } from "../../kit/recycling-world.ts";

let one: RecyclingWorld;
afterEach(() => one.world.stop());

const VISITOR = "10.1.2.3";
const AUTO = { groups: ["web"], steps: { quarantine: "auto", delete: "auto" } } as const;

const start = async (options: RecyclingWorldOptions = {}): Promise<void> => {
  one = await RecyclingWorld.start({
    policy: {
      alarms: [
        { rule: "no traffic", do: "optimise" },
        { rule: "refusals", do: "restore-recent" },
      ],
    },
    ...options,
  });
};

/** An alarm as it is posted, and the minute after it. */
const hear = async (rule: string, dimensions: Record<string, string> = { instanceId: "i-web-1" }): Promise<void> => {
  const { world } = one;
  const app = world.process();
  const alarm = { rule, ruleId: rule, namespace: "acs_ecs", metric: "packets", level: "WARN", state: "ALERT" } as const;
  const row = await world.run(recordAlarm(app, { ...alarm, dimensions, at: world.clock.now() }, world.policy));
  const arrivedAt = world.clock.monotonicMs();
  const terms = { policy: world.policy, arrivedAt, deadlineAt: arrivedAt + 30_000 };
  await world.run(actOnAlarm(app, row?.alarmId ?? "", terms));
  expect((await world.run(getAlarm(app.tables, row?.alarmId ?? "")))?.isHandled).toBe(true);
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  await world.run(sweep(app, { policy: world.policy, cause: "tick", deadlineAt, jobs: allJobs }));
};

describe("an alarm that nothing comes in for 72 hours", () => {
  const early = { window: 45, ...AUTO } as const;

  it.each([
    ["the rules of its instance", { instanceId: "i-web-1" }],
    ["all rules where it names none", {}],
  ])("has %s judged by that time, and what was used before it enters the queue", async (_which, dimensions) => {
    await start({ recycling: early });
    await one.pass(1, [touched("real", one.today, [VISITOR])]);
    await one.pass(4);
    await one.recycle();
    expect(await one.state()).toBe(null);
    await hear("no traffic", dimensions);
    expect([await one.state(), (await one.item())?.windowDays, one.rules()]).toEqual(["noticed", 3, [IDLE]]);
    // The nightly run goes on by the same window, and quarantines it in its time.
    await one.pass(8);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  });

  it("changes nothing where the evidence tells of use, or is missing", async () => {
    await start({ recycling: early });
    await one.pass(2);
    await one.pass(1, [touched("real", one.today, [VISITOR])]);
    await hear("no traffic");
    expect(await one.state()).toBe(null);
    await one.pass(4, [], { isKnown: false });
    await hear("no traffic");
    expect(await one.state()).toBe(null);
  });

  it("is taken back by use, however early it was queued", async () => {
    await start({ recycling: early });
    await hear("no traffic");
    expect(await one.state()).toBe("noticed");
    await one.pass(1, [touched("real", one.today, [VISITOR])]);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("is about another instance's groups alone", async () => {
    await start({ recycling: early });
    await hear("no traffic", { instanceId: "i-app-1" });
    expect(await one.state()).toBe(null);
  });
});

describe("an alarm that refusals are up", () => {
  it("gives back what was quarantined lately on its instance, and holds it", async () => {
    await start();
    await one.quarantined();
    expect(one.rules()).toEqual([IDLE, DROP]);
    await hear("refusals");
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
    await one.pass(1);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("gives back what was deleted lately, as it was", async () => {
    await start();
    await one.deleted();
    expect(one.rules()).toEqual([]);
    await hear("refusals");
    expect([await one.state(), one.rules()]).toEqual(["restored", [IDLE]]);
  });

  it("gives back nothing of another instance, and nothing that was closed long ago", async () => {
    await start();
    await one.deleted();
    await hear("refusals", { instanceId: "i-app-1" });
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    await one.pass(4);
    await hear("refusals");
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  });
});
