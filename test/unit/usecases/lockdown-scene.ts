// What tests of lockdowns say of a scene: who is let in, a start, a lift, ticks of the clock, and processes that die or are overtaken.
import type { GroupRef } from "../../../shared/domain/ids.ts";
import { ruleKey } from "../../../shared/domain/rule-key.ts";
import { letsThrough } from "../../../shared/domain/verdict.ts";
import type { App } from "../../../shared/usecases/app.ts";
import { liftLockdown } from "../../../shared/usecases/lockdown/lift-lockdown.ts";
import { startLockdown } from "../../../shared/usecases/lockdown/start-lockdown.ts";
import { allJobs } from "../../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../../shared/usecases/operation/sweep.ts";
import type { Scene } from "../../interleavings/scene.ts";
import { aSpec, fromCidr, somePorts } from "../../kit/rules.ts";

export const OPERATOR = "203.0.113.50/32";

/** A policy of lockdowns with one operator's way in. */
export const DOCUMENT = {
  lockdown: { core: ["80", "443"], groups: ["*"] },
  operatorPath: [{ port: "22", sources: ["203.0.113.50"] }],
};

/** Interfaces with too little room for the drops around one operator, and enough for narrower accepts. */
export const NARROW_DOCUMENT = { ...DOCUMENT, limits: { rulesPerInterface: 20, rulesKeptFree: 0 } };

/** True when the rules of the group let the source reach the TCP port. */
export const letsIn = (scene: Scene, { groupId }: GroupRef, port: number, source: string): boolean =>
  letsThrough(aSpec({ ports: somePorts(`${port}/${port}`), peer: fromCidr(source) }), scene.account.rules(groupId));

/** Key and description of each rule, sorted. */
export const rulesIn = (scene: Scene, { groupId }: GroupRef): readonly string[] =>
  scene.account
    .rules(groupId)
    .map((rule) => `${ruleKey(rule)} ${rule.description}`)
    .sort();

export const terms = (scene: Scene, { clock }: App) => ({
  ...{ policy: scene.policy, arrivedAt: clock.monotonicMs(), deadlineAt: clock.monotonicMs() + 30_000 },
});

/** Somebody locks groups down; for an hour unless said otherwise. */
export const start = (
  scene: Scene,
  app: App,
  {
    groups = ["app"],
    cause = "ann",
    periodMs = 3_600_000,
  }: { groups?: readonly string[]; cause?: string; periodMs?: number } = {},
) =>
  startLockdown(app, {
    ...{ scope: { kind: "groups", groups }, cause, principal: cause, reason: "an attack" },
    ...{ periodMs, waivedBy: null, decidedBy: "", ...terms(scene, app) },
  });

export const lift = (scene: Scene, app: App, lockdownId: string) =>
  liftLockdown(app, lockdownId, { ...terms(scene, app), by: "ann", isPerson: true });

/** Time passes, and a sweep comes. */
export const tick = async (scene: Scene, ms: number, app = scene.quietApp()): Promise<void> => {
  await scene.schedule.sleep(ms);
  const deadlineAt = app.clock.monotonicMs() + 45_000;
  await sweep(app, { policy: scene.policy, cause: "tick", deadlineAt, jobs: allJobs });
};

export const minutes = async (scene: Scene, count: number): Promise<void> => {
  for (let minute = 0; minute < count; minute++) await tick(scene, 60_000);
};

/** The app of a process that dies at its `dies`-th write to the cloud or the tables; `before` looks on before each of them. */
export const dyingAt = (app: App, dies: number, before: (call: number) => void = () => undefined): App => {
  let calls = 0;
  const count = <Given extends readonly unknown[], Out>(work: (...given: Given) => Promise<Out>) => {
    return async (...given: Given): Promise<Out> => {
      calls += 1;
      before(calls);
      if (calls >= dies) throw new Error("dies here");
      return work(...given);
    };
  };
  const { firewall, tables } = app;
  return {
    ...app,
    firewall: { ...firewall, authorize: count(firewall.authorize), revoke: count(firewall.revoke) },
    tables: { ...tables, put: count(tables.put), writeAll: count(tables.writeAll) },
  };
};

/** The app of a process that something happens to once, just before it writes several rows. */
export const overtakenBy = (app: App, happens: () => Promise<unknown>): App => {
  let isOver = false;
  const { tables } = app;
  const writeAll: App["tables"]["writeAll"] = async (...given) => {
    if (!isOver) {
      isOver = true;
      await happens();
    }
    return tables.writeAll(...given);
  };
  return { ...app, tables: { ...tables, writeAll } };
};
