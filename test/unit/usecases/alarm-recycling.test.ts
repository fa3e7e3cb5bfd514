// Alarms about the use of ports: what has no traffic enters recycling early, and what was closed lately is given back.
import { afterEach, describe, expect, it } from "vitest";
import type { KeyPart } from "../../../shared/ports/tables.ts";
import { getAlarm } from "../../../shared/store/alarms.ts";
import { saveRecyclingItem } from "../../../shared/store/recycling.ts";
import { actOnAlarm } from "../../../shared/usecases/lockdown/act-on-alarm.ts";
import { rebookLockdowns } from "../../../shared/usecases/lockdown/rebook-lockdowns.ts";
import { recordAlarm } from "../../../shared/usecases/lockdown/record-alarm.ts";
import { allJobs } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import { decideStep } from "../../../shared/usecases/recycling/move-recycling.ts";
import { suspendRule } from "../../../shared/usecases/recycling/recycling-ledger.ts";
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
  await post(rule, dimensions);
  const deadlineAt = world.clock.monotonicMs() + 45_000;
  await world.run(sweep(world.process(), { policy: world.policy, cause: "tick", deadlineAt, jobs: allJobs }));
};

const post = async (rule: string, dimensions: Record<string, string>): Promise<void> => {
  const { world } = one;
  const app = world.process();
  const alarm = { rule, ruleId: rule, namespace: "acs_ecs", metric: "packets", level: "WARN", state: "ALERT" } as const;
  const row = await world.run(recordAlarm(app, { ...alarm, dimensions, at: world.clock.now() }, world.policy));
  const arrivedAt = world.clock.monotonicMs();
  const terms = { policy: world.policy, arrivedAt, deadlineAt: arrivedAt + 30_000 };
  await world.run(actOnAlarm(app, row?.alarmId ?? "", terms));
  expect((await world.run(getAlarm(app.tables, row?.alarmId ?? "")))?.isHandled).toBe(true);
};

const dueKeys = async (): Promise<readonly (readonly KeyPart[])[]> => {
  const { tables } = one.world.process();
  return (await one.world.run(tables.range({ table: "due", from: [0], to: null, limit: 5000 }))).rows.map(
    ({ key }) => key,
  );
};

describe("an alarm that nothing comes in for 72 hours", () => {
  const early = { window: 45, ...AUTO } as const;

  /** Used four days ago and then no more. */
  const idleForDays = async (): Promise<void> => {
    await start({ recycling: early });
    await one.pass(1, [touched("real", one.today, [VISITOR])]);
    await one.pass(4);
    await one.recycle();
    expect(await one.state()).toBe(null);
  };
  /** And the alarm says so. */
  const queuedEarly = async (dimensions: Record<string, string> = { instanceId: "i-web-1" }): Promise<void> => {
    await idleForDays();
    await hear("no traffic", dimensions);
  };
  const port = { protocol: "tcp", port: "7890" };

  it.each([
    ["of its instance", { instanceId: "i-web-1" }],
    ["of its instance for its port", { instanceId: "i-web-1", ...port }],
    ["for its port, whatever the protocol", { port: "7890" }],
    ["for the ports that were used and are not, where it names none", {}],
  ])("has the rules %s judged by that time, and their owners told", async (_which, dimensions) => {
    await queuedEarly(dimensions);
    expect([await one.state(), (await one.item())?.windowDays, one.rules()]).toEqual(["noticed", 3, [IDLE]]);
  });

  it("has its rules judged though every due row is lost before anybody has judged them, and not for a day and more", async () => {
    await idleForDays();
    await post("no traffic", { instanceId: "i-web-1" });
    const app = one.world.process();
    const lose = async (): Promise<void> => {
      for (const key of await dueKeys()) await one.world.run(app.tables.delete("due", key, { kind: "none" }));
    };
    await lose();
    await one.world.ticks(3);
    expect(await one.state()).toBe("noticed");
    await one.world.advance(24 * 3_600_000);
    await lose();
    await one.world.run(rebookLockdowns(app, one.world.policy));
    expect((await dueKeys()).filter((key) => String(key[3]).startsWith("optimise"))).toEqual([]);
  });

  it.each([
    ["another port", { instanceId: "i-web-1", protocol: "tcp", port: "7891" }],
    ["another protocol", { instanceId: "i-web-1", protocol: "udp", port: "7890" }],
    ["another port anywhere", { port: "22" }],
    ["another host", { instanceId: "i-app-1", ...port }],
  ])("says nothing of rules for %s", async (_which, dimensions) => {
    await queuedEarly(dimensions);
    expect(await one.state()).toBe(null);
  });

  it("that names nothing says nothing of what was not used lately either: that is the nightly job's", async () => {
    await start({ recycling: early });
    await hear("no traffic", {});
    expect(await one.state()).toBe(null);
  });

  it("takes nothing by its few days: the quarantine waits for the policy's whole window", async () => {
    await queuedEarly();
    await one.live(28);
    expect([await one.state(), one.rules()]).toEqual(["noticed", [IDLE]]);
    const { waiting } = (await one.item()) ?? {};
    expect(waiting?.for).toBe("evidence");
    expect(waiting?.why.join()).toContain("of the whole window: used");
    expect(waiting?.why.join()).toContain(VISITOR);
    await one.live(21);
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
  });

  it("takes nothing of what is used once a month", async () => {
    await queuedEarly();
    for (let month = 0; month < 4; month += 1) {
      await one.live(22);
      expect(one.rules()).toEqual([IDLE]);
      await one.pass(1, [touched("real", one.today, [VISITOR])]);
      await one.recycle();
      expect(await one.state()).toBe("restored");
      await one.pass(4);
      await hear("no traffic");
    }
    expect((await one.item())?.history.map(({ to }) => to)).not.toContain("quarantined");
  });

  it("is quarantined early by a person who says that they know, and by no other", async () => {
    await queuedEarly();
    const told = await one.approve("quarantine", one.world.process(), { dryRun: true });
    expect(told.notes.join()).toContain("the evidence is short: of the whole window: used");
    await expect(one.approve("quarantine")).rejects.toMatchObject({ code: "RECYCLING_SHORT_EVIDENCE" });
    await one.approve("quarantine", one.world.process(), { onShortEvidence: true });
    await one.pass(8);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [IDLE, DROP]]);
    await one.pass(16);
    await one.recycle();
    expect(await one.state(), "its deletion is another step").toBe("quarantined");
    await one.approve("delete", one.world.process(), { onShortEvidence: true });
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
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

  it("opens nothing that somebody else removed, whether anybody has seen that or not", async () => {
    await start();
    await one.quarantined();
    await one.removeBeside("accept");
    await post("refusals", { instanceId: "i-web-1" });
    expect([await one.state(), one.rules()]).toEqual(["quarantined", [DROP]]);
    await one.recycle();
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
    await one.pass(1);
    await hear("refusals");
    expect([await one.state(), one.rules()]).toEqual(["deleted", []]);
  });

  it.each([
    ["had not begun", false],
    ["had closed nothing yet", true],
  ])("opens nothing that somebody else removed while its deletion %s", async (_how, isBegun) => {
    await start();
    await one.quarantined();
    const { world } = one;
    const step = { to: "deleted", by: "safeport", why: "nobody came", at: world.clock.now() } as const;
    const item = await world.run(decideStep(world.process(), await one.queued(), step));
    if (isBegun && item) {
      await world.run(saveRecyclingItem(world.process().tables, { ...item, step: { ...step, isBegun } }));
      await world.run(suspendRule(world.process(), item));
    }
    await one.removeBeside("accept");
    await one.watch();
    expect([await one.state(), (await one.queued()).history.at(-1)?.by]).toEqual(["deleted", "somebody else"]);
    await hear("refusals");
    expect([await one.state(), one.rules(), (await one.entry())?.suspension ?? null]).toEqual(["deleted", [], null]);
  });

  it("gives it back though another region cannot be asked about the instance", async () => {
    await start();
    await one.deleted();
    one.world.policy = { ...one.world.policy, regions: ["cn-away", ...one.world.policy.regions] };
    await post("refusals", { instanceId: "i-web-1" });
    expect(await one.state()).toBe("restored");
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
