// The crash table of recycling, and people and jobs at once: whatever dies or gets lost at each call, the normal ticks bring right, and no
// drop is left that no item stands for.
import { describe, expect, test } from "vitest";
import {
  DAY_MS,
  type Day,
  dayAfter,
  dayOf,
  daysBetween,
  type PortUse,
  unknownDay,
} from "../../shared/domain/evidence.ts";
import type { EntryId } from "../../shared/domain/ids.ts";
import { type RecyclingItem, recyclingIdOf } from "../../shared/domain/recycling-item.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import { AppError } from "../../shared/errors/app-error.ts";
import { CloudFailure } from "../../shared/ports/firewall.ts";
import { markInstalled } from "../../shared/store/due.ts";
import { addEvidence } from "../../shared/store/evidence.ts";
import { listLeases } from "../../shared/store/leases.ts";
import { getEntry } from "../../shared/store/ledger.ts";
import { getLockdown } from "../../shared/store/lockdowns.ts";
import { getRecyclingItem } from "../../shared/store/recycling.ts";
import type { App } from "../../shared/usecases/app.ts";
import { openLease } from "../../shared/usecases/lease/open-lease.ts";
import { liftLockdown } from "../../shared/usecases/lockdown/lift-lockdown.ts";
import { startLockdown } from "../../shared/usecases/lockdown/start-lockdown.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { approveItem, exemptItem, restoreItem } from "../../shared/usecases/recycling/decide-recycling.ts";
import { recycle } from "../../shared/usecases/recycling/recycle.ts";
import { suspendRule } from "../../shared/usecases/recycling/recycling-ledger.ts";
import { watchRecycling } from "../../shared/usecases/recycling/watch-recycling.ts";
import { APP, ruleOf, Scene } from "../interleavings/scene.ts";
import { WHOLE_DAY } from "../kit/evidence.ts";
import type { Fate, ProcessCall } from "../kit/mortal-process.ts";
import { touched } from "../kit/recycling-world.ts";

/** Every how manyth call is tried; `CRASH_POINTS=all` tries each. */
const STEP = process.env["CRASH_POINTS"] === "all" ? 1 : 7;
const CALLS_MAX = 400;
const SEEDS = process.env["CRASH_POINTS"] === "all" ? 500 : 40;
const VISITOR = "10.1.2.3";
const DESCRIPTION = "old tool, ask bob";
const idle = ruleOf(7890, "10.0.0.0/8", 10);
const drop = { ...idle, policy: "drop" } as const;
const itemId = recyclingIdOf(APP.groupId, entryIdOf(APP.groupId, ruleKey(idle)) as EntryId);
const document = {
  recycling: {
    ...{ window: 10, groups: ["app"], steps: { quarantine: "auto", delete: "auto" }, neverClose: [] },
  },
};

/** A scene whose rule has been idle for longer than the window, and evidence of every day. */
class Idle {
  readonly scene: Scene;
  #told: Day;

  constructor(seed: string, changes: Readonly<Record<string, unknown>> = {}, more: object = {}) {
    const recycling = { ...document.recycling, ...changes };
    this.scene = new Scene(seed, { isDelivering: false, document: { ...document, ...more, recycling } });
    this.#told = this.today;
  }

  get now(): number {
    return this.scene.quietApp().clock.now();
  }

  get today(): Day {
    return dayOf(this.now);
  }

  async begin(): Promise<void> {
    const { scene } = this;
    await markInstalled(scene.tables, "test", this.now);
    const bob = scene.person("bob");
    await bob.firewall.authorize(APP, [{ spec: idle, description: DESCRIPTION }], bob.token(), "open");
    await this.pass(1, [touched("real", this.today, [VISITOR])]);
    await this.pass(11);
  }

  async pass(days: number, ports: readonly PortUse[] = []): Promise<void> {
    const { scene } = this;
    await scene.schedule.sleep(days * DAY_MS);
    const last = dayAfter(this.today, -1);
    for (const day of daysBetween(this.#told, this.today)) await this.tell(day, day === last ? ports : []);
    this.#told = this.today;
  }

  tell(day: Day, ports: readonly PortUse[], seen = WHOLE_DAY): Promise<void> {
    const { region } = APP;
    return addEvidence(this.scene.tables, region, { ...unknownDay("eni-1", day), seen, ports, sources: ["flowLog"] });
  }

  /** Throws where the job would run again within the hour: a group was not read. */
  async recycle(app: App): Promise<void> {
    const { failed } = await recycle(app, {
      policy: this.scene.policy,
      deadlineAt: Number.POSITIVE_INFINITY,
      dryRun: false,
      from: null,
    });
    if (failed.length > 0) throw new Error("a group was not read");
  }

  watch(app: App): Promise<unknown> {
    return watchRecycling(app, { policy: this.scene.policy, deadlineAt: Number.POSITIVE_INFINITY });
  }

  restore(app: App): Promise<unknown> {
    return restoreItem(app, this.scene.asker("olga", "operator"), itemId, { reason: "needed" }, this.terms(app));
  }

  exempt(app: App): Promise<unknown> {
    const word = { owner: "bob", reason: "quarter end", until: app.clock.now() + 60 * DAY_MS };
    return exemptItem(app, this.scene.asker("olga", "operator"), itemId, word, this.terms(app));
  }

  approve(app: App, step: "quarantine" | "delete"): Promise<unknown> {
    return approveItem(app, this.scene.asker("ada", "approver"), itemId, { step }, this.terms(app));
  }

  /** Ann asks for a lease on the very port, and for the same one when she asks again. */
  lease(app: App): Promise<unknown> {
    const ask = {
      protocol: "tcp",
      port: "7890",
      sources: [VISITOR],
      group: APP.groupId,
      instance: null,
      region: null,
    } as const;
    const words = { periodMs: 600_000, reason: "once more", ticket: "", startAt: null, breakGlass: false };
    const options = { mode: "create", idempotencyKey: "ann-1", dryRun: false } as const;
    return openLease(app, this.scene.asker("ann", "requester"), { ...ask, ...words }, options);
  }

  private terms = (app: App) => ({ dryRun: false, deadlineAt: app.clock.monotonicMs() + 8_000 });

  async quarantined(): Promise<void> {
    await this.recycle(this.scene.quietApp());
    await this.pass(8);
    await this.recycle(this.scene.quietApp());
  }

  async deleted(): Promise<void> {
    await this.quarantined();
    await this.pass(16);
    await this.recycle(this.scene.quietApp());
  }

  /** Minutes pass with their ticks: what is due is done, the watch among it. */
  async ticks(count: number, over: (app: App) => App = (app) => app): Promise<void> {
    for (let n = 0; n < count; n++) {
      await this.scene.schedule.sleep(60_000);
      const app = over(this.scene.quietApp());
      const deadlineAt = app.clock.monotonicMs() + 45_000;
      await sweep(app, { policy: this.scene.policy, cause: "tick", deadlineAt, jobs: allJobs });
    }
  }

  item(): Promise<RecyclingItem | null> {
    return getRecyclingItem(this.scene.tables, itemId);
  }

  /** What stands otherwise than the item's state says. */
  async wrong(): Promise<readonly string[]> {
    const item = await this.item();
    const { scene } = this;
    const wrong: string[] = [];
    if (item?.step) wrong.push(`it is still on its way to ${item.step.to}`);
    const [accept, dropped] = [scene.rule(APP, idle), scene.rule(APP, drop)];
    if (item?.state === "deleted" && accept) wrong.push("it is deleted and the rule stands");
    if (item?.state !== "deleted" && !accept) wrong.push(`it is ${item?.state} and the rule is gone`);
    if (accept && accept.description !== DESCRIPTION) wrong.push(`the rule is described ${accept.description}`);
    if (item?.state === "quarantined" && !dropped) wrong.push("it is quarantined and no drop stands");
    if (item?.state !== "quarantined" && dropped) wrong.push(`it is ${item?.state} and a drop stands`);
    const { leases } = await listLeases(scene.tables, { limit: 10, before: null });
    for (const { request, status } of leases)
      if (status.state !== "open") wrong.push(`the lease ${request.leaseId} is ${status.state}`);
    return wrong;
  }
}

interface Scenario {
  readonly before: (one: Idle) => Promise<unknown>;
  readonly act: (one: Idle, app: App) => Promise<unknown>;
  /** A person asks again when no answer came; a job is run again by itself. */
  readonly again: boolean;
  readonly becomes: string;
  /** Where people are asked: the policy's own. */
  readonly recycling?: Readonly<Record<string, unknown>>;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  "queued and told of": {
    before: async () => undefined,
    act: (one, app) => one.recycle(app),
    again: true,
    becomes: "noticed",
  },
  quarantined: {
    before: async (one) => {
      await one.recycle(one.scene.quietApp());
      await one.pass(8);
    },
    act: (one, app) => one.recycle(app),
    again: true,
    becomes: "quarantined",
  },
  "lifted for a visitor": {
    before: async (one) => {
      await one.quarantined();
      await one.pass(1);
      await one.tell(one.today, [touched("refused", one.today, [VISITOR])], 0n);
    },
    act: (one, app) => one.watch(app),
    again: false,
    becomes: "restored",
  },
  "lifted for a lease": {
    before: (one) => one.quarantined(),
    act: (one, app) => one.lease(app),
    again: true,
    becomes: "restored",
  },
  deleted: {
    before: async (one) => {
      await one.quarantined();
      await one.pass(16);
    },
    act: (one, app) => one.recycle(app),
    again: true,
    becomes: "deleted",
  },
  "quarantined as a person wants it": {
    before: async (one) => {
      await one.recycle(one.scene.quietApp());
      await one.pass(8);
    },
    act: (one, app) => one.approve(app, "quarantine"),
    again: true,
    becomes: "quarantined",
    recycling: { steps: {} },
  },
  "deleted as a person wants it": {
    before: async (one) => {
      await one.recycle(one.scene.quietApp());
      await one.pass(8);
      await one.approve(one.scene.quietApp(), "quarantine");
      await one.pass(16);
    },
    act: (one, app) => one.approve(app, "delete"),
    again: true,
    becomes: "deleted",
    recycling: { steps: {} },
  },
  "restored after its deletion": {
    before: (one) => one.deleted(),
    act: (one, app) => one.restore(app),
    again: true,
    becomes: "restored",
  },
  "restored from its quarantine": {
    before: (one) => one.quarantined(),
    act: (one, app) => one.restore(app),
    again: true,
    becomes: "restored",
  },
  "exempt after its deletion": {
    before: (one) => one.deleted(),
    act: (one, app) => one.exempt(app),
    again: true,
    becomes: "exempt",
  },
  "exempt from its quarantine": {
    before: (one) => one.quarantined(),
    act: (one, app) => one.exempt(app),
    again: true,
    becomes: "exempt",
  },
};

const modes: Readonly<Record<string, (call: ProcessCall) => Fate>> = {
  "dies before the call": () => "dies before",
  "dies after its effect": () => "dies after",
  "the reply is lost": () => "lost after",
  "the effect comes after a lost reply": ({ service, isWrite }) => (service === "ecs" && isWrite ? "late" : "answered"),
};

/** Answers what is wrong, or null when the work has fewer calls than that. */
async function disturbed(
  scenario: Scenario,
  mode: (call: ProcessCall) => Fate,
  at: number,
): Promise<readonly string[] | null> {
  const one = new Idle(`recycling ${at}`, scenario.recycling);
  return one.scene.schedule.run(play(one, scenario, mode, at));
}

async function play(
  one: Idle,
  scenario: Scenario,
  mode: (call: ProcessCall) => Fate,
  at: number,
): Promise<readonly string[] | null> {
  await one.begin();
  await scenario.before(one);
  const { caller, app } = one.scene.newProcess();
  let turn = 0;
  let name: string | null = null;
  caller.fate = (call) => {
    if (turn++ !== at) return "answered";
    name = call.name;
    return mode(call);
  };
  const isDone = await Promise.race([
    scenario.act(one, app).then(
      () => true,
      () => false,
    ),
    caller.died.then(() => false),
  ]);
  if (name === null) return null;
  // Who asks again for what has come about is told that it has.
  const isOver = (error: unknown): boolean => error instanceof AppError && error.code === "RECYCLING_STATE";
  if (!isDone && scenario.again)
    await scenario.act(one, one.scene.quietApp()).catch((error: unknown) => {
      if (!isOver(error)) throw error;
    });
  await one.ticks(4);
  // A word that is stored and could not be acted on at once is acted on in the night.
  if (scenario.recycling) await one.recycle(one.scene.quietApp());
  const state = (await one.item())?.state;
  const found = [...(await one.wrong()), ...(state === scenario.becomes ? [] : [`it is ${state}`])];
  return found.map((text) => `call ${at} (${name}): ${text}`);
}

describe.each(Object.entries(scenarios))("a rule is %s", (_name, scenario) => {
  test.each(Object.entries(modes))("%s", async (_mode, mode) => {
    const wrong: string[] = [];
    for (let at = 0; at < CALLS_MAX; at += STEP) {
      const found = await disturbed(scenario, mode, at);
      if (found === null) break;
      wrong.push(...found);
    }
    expect(wrong).toEqual([]);
  });
});

/** The app, but the cloud takes no accept. */
const refusing = (app: App): App => {
  const authorize: App["firewall"]["authorize"] = async (group, rules, ...rest) => {
    if (rules.some(({ spec }) => spec.policy === "accept")) throw new CloudFailure("quota", "AuthorizeSecurityGroup");
    return app.firewall.authorize(group, rules, ...rest);
  };
  return { ...app, firewall: { ...app.firewall, authorize } };
};

/** A lockdown is lifted while the cloud does not take a rule back that a person has asked for. Answers null as `disturbed`. */
async function lifted(mode: (call: ProcessCall) => Fate, at: number): Promise<readonly string[] | null> {
  const lockdown = { core: ["80", "443"], groups: ["*"] };
  const one = new Idle(`lifted ${at}`, {}, { lockdown, operatorPath: [{ port: "22", sources: ["203.0.113.50"] }] });
  const { scene } = one;
  const play = async (): Promise<readonly string[] | null> => {
    await one.begin();
    await one.deleted();
    const [quiet, { policy }] = [scene.quietApp(), scene];
    const deadlineAt = quiet.clock.monotonicMs() + 30_000;
    const { lockdownId } = await startLockdown(quiet, {
      ...{ scope: { kind: "groups", groups: ["app"] }, cause: "ann", principal: "ann", reason: "an attack" },
      ...{ periodMs: DAY_MS, waivedBy: null, decidedBy: "", policy, arrivedAt: quiet.clock.monotonicMs(), deadlineAt },
    });
    await one.restore(refusing(quiet));
    const { caller, app } = scene.newProcess();
    let [turn, name] = [0, null as string | null];
    caller.fate = (call) => {
      if (turn++ !== at) return "answered";
      name = call.name;
      return mode(call);
    };
    const lift = (by: App) =>
      liftLockdown(refusing(by), lockdownId, {
        ...{ policy, by: "ann", isPerson: true, deadlineAt: by.clock.monotonicMs() + 30_000 },
      });
    const isDone = await Promise.race([
      lift(app).then(
        () => true,
        () => false,
      ),
      caller.died.then(() => false),
    ]);
    if (name === null) return null;
    if (!isDone) await lift(scene.quietApp());
    await one.ticks(4, refusing);
    const wrong: string[] = [];
    const { state } = (await getLockdown(scene.tables, lockdownId)) ?? {};
    if (state !== "lifted") wrong.push(`the lockdown is ${state}`);
    if (scene.account.rules(APP.groupId).some((rule) => rule.policy === "drop")) wrong.push("a drop is left");
    if (scene.rule(APP, idle)) wrong.push("the cloud has taken the rule");
    await one.ticks(4);
    wrong.push(...(await one.wrong()));
    const item = await one.item();
    if (item?.state !== "restored") wrong.push(`it is ${item?.state}`);
    return wrong.map((text) => `call ${at} (${name}): ${text}`);
  };
  return scene.schedule.run(play());
}

describe("a lockdown is lifted while the cloud does not take back what the recycling gives", () => {
  test.each(Object.entries(modes))("%s", async (_mode, mode) => {
    const wrong: string[] = [];
    let at = 0;
    for (; at < CALLS_MAX; at += STEP) {
      const found = await lifted(mode, at);
      if (found === null) break;
      wrong.push(...found);
    }
    expect(wrong).toEqual([]);
    expect(at).toBeGreaterThan(STEP);
  });
});

const states: Readonly<Record<string, (one: Idle) => Promise<unknown>>> = {
  quarantined: (one) => one.quarantined(),
  restored: (one) => one.quarantined().then(() => one.restore(one.scene.quietApp())),
  deleted: (one) => one.deleted(),
};

describe.each(Object.entries(states))("of a rule that is %s", (_name, become) => {
  // Its lock lapsed, others gave the step up or decided otherwise, and it died before it could see that.
  test("nothing is left closed by whoever stood still before closing it", async () => {
    const one = new Idle("stood still");
    const play = async (): Promise<readonly string[]> => {
      await one.begin();
      await become(one);
      const [app, item] = [one.scene.quietApp(), await one.item()];
      if (item === null) throw new Error("nothing is queued");
      await suspendRule(app, item);
      await one.ticks(25);
      const entry = await getEntry(app.tables, APP, item.entryId);
      return [
        ...(await one.wrong()),
        ...(entry?.suspension?.by ?? []).map(({ itemId: by }) => `${by} keeps it closed`),
      ];
    };
    expect(await one.scene.schedule.run(play())).toEqual([]);
  });
});

/** Jobs and people within half a second of each other, on processes that die, freeze and lose replies. */
async function atOnce(n: number): Promise<readonly string[]> {
  const one = new Idle(`at once ${n}`);
  return one.scene.schedule.run(playAtOnce(one, n));
}

async function playAtOnce(one: Idle, n: number): Promise<readonly string[]> {
  const { scene } = one;
  const { schedule, dice } = scene;
  await one.begin();
  const stages = [
    () => one.recycle(scene.quietApp()).then(() => one.pass(8)),
    () => one.quarantined(),
    () => one.quarantined().then(() => one.pass(16)),
    () => one.deleted(),
  ];
  await stages[n % 4]?.();
  scene.setTrouble({ death: 0.01, lostAfter: 0.01, late: 0.01, throttled: 0.01, freeze: 0.003 });
  const to = n % 3 === 0 ? "exempt" : "restored";
  const later = async (name: string, work: (app: App) => Promise<unknown>, tries = 6): Promise<boolean> => {
    await schedule.sleep(dice.between(0, 400));
    return scene.start(name, work, tries);
  };
  const person = later(to, (app) => (to === "exempt" ? one.exempt(app) : one.restore(app)));
  await Promise.all([
    person,
    later("recycle", (app) => one.recycle(app)),
    later("recycle again", (app) => one.recycle(app)),
    later("watch", (app) => one.watch(app)),
    ...(n % 5 === 0 ? [later("lease", (app) => one.lease(app))] : []),
    later("approve", (app) => one.approve(app, n % 2 === 0 ? "quarantine" : "delete"), 1),
  ]);
  scene.setTrouble({});
  await one.ticks(5);
  const state = (await one.item())?.state;
  // Whoever was answered is obeyed: nothing that was decided before or beside it takes the rule again.
  const isDisobeyed = (await person) && state !== to;
  return [...(await one.wrong()), ...(isDisobeyed ? [`a person said ${to}, and it is ${state}`] : [])];
}

test("people and jobs at once end in one state that everything agrees with", async () => {
  const wrong: string[] = [];
  for (let n = 0; n < SEEDS; n++) wrong.push(...(await atOnce(n)).map((text) => `seed ${n}: ${text}`));
  expect(wrong).toEqual([]);
});
