// The crash table of accepts that are suspended and given back: what we closed is back, and what its owner removed first is not.
import { describe, expect, test } from "vitest";
import { listIntents } from "../../shared/store/intents.ts";
import type { App } from "../../shared/usecases/app.ts";
import { resumeRules } from "../../shared/usecases/ledger/resume-rules.ts";
import { suspendRules } from "../../shared/usecases/ledger/suspend-rules.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { look } from "../interleavings/incidents.ts";
import { prepare } from "../interleavings/run-seed.ts";
import { APP, ruleOf, Scene } from "../interleavings/scene.ts";
import { damagedIntents } from "../kit/damaged-intents.ts";
import type { Fate } from "../kit/mortal-process.ts";

const [removed, left] = [ruleOf(7001, "10.7.0.0/16"), ruleOf(7002, "10.7.0.0/16")];
const incident = { kind: "lockdown", itemId: "ld-1", principal: "ann", reason: "an attack", until: null } as const;
const MINUTE_MS = 60_000;
const CALLS_MAX = 200;

const suspended = async (scene: Scene, app: App): Promise<void> => {
  await suspendRules(app, APP, incident, [removed, left]);
  await look(scene, app, APP, "incident");
};

async function minutes(scene: Scene, count: number): Promise<void> {
  for (let n = count; n > 0; n--) {
    await scene.schedule.sleep(MINUTE_MS);
    const app = scene.quietApp();
    const deadlineAt = app.clock.monotonicMs() + 45_000;
    await sweep(app, { policy: scene.policy, cause: "tick", deadlineAt, jobs: allJobs });
  }
}

/** What became of one run. */
interface Try {
  /** The disturbed call; null when the work has fewer. */
  readonly call: string | null;
  /** True where its owner found the rule and removed it. */
  readonly isRemoved: boolean;
  /** True where a process died that may have closed the rule just then. */
  readonly inDoubt: boolean;
  readonly isBack: boolean;
  readonly isOtherBack: boolean;
}

/** One of the rules is removed by its owner right before a call of the closing, or right after the process has died at it. */
async function run(at: number, fate: Fate): Promise<Try> {
  const scene = new Scene(`suspend ${at}`, { isDelivering: false });
  return scene.schedule.run(
    (async () => {
      await prepare(scene);
      const owner = scene.person("owner");
      const write = [removed, left].map((spec) => ({ spec, description: "theirs" }));
      await owner.firewall.authorize(APP, write, owner.token(), "open");
      await minutes(scene, 2);
      let isRemoved = false;
      const remove = (): void => {
        const rule = scene.rule(APP, removed);
        if (!rule) return;
        const change = { who: "owner", ref: APP, kind: "revoke", rules: [], ruleIds: [rule.id] } as const;
        scene.account.change({ ...change, token: owner.token() });
        isRemoved = true;
      };
      const { caller, app } = scene.newProcess();
      let [turn, call] = [0, null as string | null];
      caller.isSplitting = true;
      caller.fate = (it) => {
        if (turn++ !== at) return "answered";
        call = it.name;
        if (fate === "answered") remove();
        return fate;
      };
      const ended = suspended(scene, app).catch(() => undefined);
      await Promise.race([ended, caller.died]);
      const inDoubt = caller.isDead && (await listIntents(scene.tables, APP)).intents.length > 0;
      if (caller.isDead) {
        remove();
        await scene.schedule.sleep(5000);
        await suspended(scene, scene.quietApp());
      }
      await minutes(scene, 3);
      await resumeRules(scene.quietApp(), APP, incident.itemId);
      await minutes(scene, 3);
      const isBack = scene.rule(APP, removed) !== undefined;
      return { call, isRemoved, inDoubt, isBack, isOtherBack: scene.rule(APP, left) !== undefined };
    })(),
  );
}

describe("a rule that its owner removes while it is being closed", () => {
  test.each([
    ["nothing else happens", "answered"],
    ["the process dies before the call", "dies before"],
    ["the process dies after the call", "dies after"],
  ] as const)("is back only where we closed it: %s", async (_name, fate) => {
    const wrong: string[] = [];
    const seen = { removed: 0, doubt: 0, back: 0 };
    for (let at = 0; at < CALLS_MAX; at++) {
      const { call, isRemoved, inDoubt, isBack, isOtherBack } = await run(at, fate);
      if (call === null) break;
      seen.removed += Number(isRemoved && !inDoubt);
      seen.doubt += Number(isRemoved && inDoubt);
      seen.back += Number(isBack);
      if (!isOtherBack) wrong.push(`call ${at} (${call}): the other rule is not back`);
      // Whose doing it was is not known where a call of ours may have been on its way: then it is given back.
      if (!(isRemoved && inDoubt) && isBack === isRemoved)
        wrong.push(`call ${at} (${call}): removed ${isRemoved}, back ${isBack}`);
    }
    expect(wrong).toEqual([]);
    expect(seen.removed).toBeGreaterThan(3);
    expect(seen.back).toBeGreaterThan(3);
  });
});

/** A pass that is frozen for so long right before a call; `call` is null when it has ended before, and `looked` when it has. */
async function heldUp(
  scene: Scene,
  at: number,
  ms: number,
): Promise<{ readonly call: string | null; readonly looked: Promise<void> }> {
  const { caller, app } = scene.newProcess();
  let [turn, call] = [0, null as string | null];
  let isHeldUp: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    isHeldUp = resolve;
  });
  caller.fate = (it) => {
    if (turn++ === at) {
      call = it.name;
      caller.freeze(ms);
      isHeldUp();
    }
    return "answered";
  };
  const looked = look(scene, app, APP, "incident").then(isHeldUp, isHeldUp);
  await held;
  return { call, looked };
}

/**
 * Someone is frozen right before a ledger write that another pass outruns; that one's revoke is made, and it dies before the ledger has it.
 * `isDamaged`: its intent cannot be read until the first one has finished.
 */
async function runFrozen(
  at: number,
  isDamaged: boolean,
): Promise<{ readonly call: string | null; readonly isBack: boolean }> {
  const scene = new Scene(`suspend frozen ${at}`, { isDelivering: false });
  return scene.schedule.run(
    (async () => {
      await prepare(scene);
      const owner = scene.person("owner");
      await owner.firewall.authorize(APP, [{ spec: left, description: "theirs" }], owner.token(), "open");
      await minutes(scene, 2);
      await suspendRules(scene.quietApp(), APP, incident, [left]);
      const { call, looked } = await heldUp(scene, at, 90_000);
      if (call !== null) {
        await scene.schedule.sleep(40_000);
        const next = scene.newProcess();
        next.caller.fate = (it) => (it.name.startsWith("revoke ") ? "dies after" : "answered");
        await Promise.race([look(scene, next.app, APP, "incident").catch(() => undefined), next.caller.died]);
      }
      const mend = isDamaged ? await damagedIntents(scene.tables, APP) : null;
      await looked;
      await mend?.();
      await minutes(scene, 3);
      await resumeRules(scene.quietApp(), APP, incident.itemId);
      await minutes(scene, 3);
      return { call, isBack: scene.rule(APP, left) !== undefined };
    })(),
  );
}

test.each([
  ["", false],
  [", nor where nobody can read of it", true],
])(
  "what another pass has revoked is no owner's doing for one that was frozen past its lock%s",
  async (_, isDamaged) => {
    const wrong: string[] = [];
    let at = 0;
    for (; at < CALLS_MAX; at++) {
      const { call, isBack } = await runFrozen(at, isDamaged);
      if (call === null) break;
      if (!isBack) wrong.push(`frozen at call ${at} (${call}): the rule is not back`);
    }
    expect(wrong).toEqual([]);
    expect(at).toBeGreaterThan(10);
  },
);

/** Long after somebody has died who had closed the rule, it is to be given back, and that is written right before a call of the next pass. */
async function runLifted(at: number): Promise<{ readonly call: string | null; readonly isBack: boolean }> {
  const scene = new Scene(`suspend lifted ${at}`, { isDelivering: false });
  return scene.schedule.run(
    (async () => {
      await prepare(scene);
      const owner = scene.person("owner");
      await owner.firewall.authorize(APP, [{ spec: left, description: "theirs" }], owner.token(), "open");
      await minutes(scene, 2);
      const first = scene.newProcess();
      first.caller.fate = (it) => (it.name.startsWith("revoke ") ? "dies after" : "answered");
      await Promise.race([suspended(scene, first.app).catch(() => undefined), first.caller.died]);
      await scene.schedule.sleep(10 * MINUTE_MS);
      const { call, looked } = await heldUp(scene, at, 5_000);
      await resumeRules(scene.quietApp(), APP, incident.itemId);
      await looked;
      await minutes(scene, 3);
      return { call, isBack: scene.rule(APP, left) !== undefined };
    })(),
  );
}

test("what somebody has closed who died is given back, whenever that is decided in the next pass", async () => {
  const wrong: string[] = [];
  let at = 0;
  for (; at < CALLS_MAX; at++) {
    const { call, isBack } = await runLifted(at);
    if (call === null) break;
    if (!isBack) wrong.push(`lifted before call ${at} (${call}): the rule is not back`);
  }
  expect(wrong).toEqual([]);
  expect(at).toBeGreaterThan(5);
});
