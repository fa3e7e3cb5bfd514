// One seed: people change the groups in the midst of passes and of trouble, then all is quiet, and everything has to be right.
import { isFinal } from "../../shared/domain/lease.ts";
import { parseMark } from "../../shared/domain/mark.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { ruleKey } from "../../shared/domain/rule-key.ts";
import { sensitiveOf } from "../../shared/plan/baseline-diff.ts";
import { effectiveGuard } from "../../shared/plan/effective-guard.ts";
import { listDrift } from "../../shared/store/drift-items.ts";
import { getGroupRow } from "../../shared/store/group-rows.ts";
import { getLease } from "../../shared/store/leases.ts";
import { listEntries } from "../../shared/store/ledger.ts";
import { confirmBaseline, previewBaseline } from "../../shared/usecases/ledger/confirm-baseline.ts";
import { allJobs } from "../../shared/usecases/operation/jobs.ts";
import { sweep } from "../../shared/usecases/operation/sweep.ts";
import { lookAtGroup } from "../../shared/usecases/pass/look-at-group.ts";
import { isLookAtTicket } from "../kit/look-at-ticket.ts";
import { granted, ofApp, riddenInApp, type Story, stories } from "./people.ts";
import { APP, Scene, WEB } from "./scene.ts";

/** What one seed came to. */
export interface SeedReport {
  readonly wrong: readonly string[];
  readonly trace: readonly string[];
  readonly calls: number;
  readonly changes: number;
  /** True when the ledger disagreed with its baseline at the end, so that the group was observed. */
  readonly fellBack: boolean;
}

const MINUTE_MS = 60_000;
const FROM_RULES = { from: "rules", template: "" } as const;

/** Runs one seed; the same seed runs the same way. */
export async function runSeed(seed: string, isTraced = false, cast: readonly Story[] = stories): Promise<SeedReport> {
  const scene = new Scene(seed, { isTraced });
  const fellBack = await scene.schedule.run(play(scene, cast)).catch((error: Error) => {
    scene.wrong.push(error.stack ?? error.message);
    return false;
  });
  const { wrong, trace, calls } = scene;
  return { wrong, trace, calls, changes: scene.changes.length, fellBack };
}

async function play(scene: Scene, all: readonly Story[]): Promise<boolean> {
  const { dice } = scene;
  await prepare(scene);
  scene.setTrouble(
    dice.happens(0.2)
      ? {}
      : {
          freeze: dice.pick([0, 0.001, 0.004]),
          death: dice.pick([0, 0.001, 0.004]),
          lostBefore: dice.pick([0, 0.005]),
          lostAfter: dice.pick([0, 0.01]),
          late: dice.pick([0, 0.03]),
          throttled: dice.pick([0, 0.01]),
          stale: dice.pick([0, 0.05]),
        },
  );
  const cast = all.filter(() => dice.happens(0.5));
  const acts = Promise.all(cast.map((story) => story(scene)));
  for (let n = dice.between(1, 4); n > 0; n--) {
    await scene.pause();
    scene.look("tick");
    if (dice.happens(0.3)) scene.look("tick");
  }
  await acts;
  await scene.schedule.sleep(dice.between(0, 30_000));
  scene.setTrouble({});
  // Everything that was still on its way arrives, unknown writers have had their time, and leases their end.
  await minutes(scene, 14);
  await scene.rest();
  await minutes(scene, 2);
  await checkAll(scene);
  await minutes(scene, 30);
  await scene.rest();
  return checkEnd(scene);
}

/** Rules of the customer's in both groups, and the baseline of `web` confirmed. */
export async function prepare(scene: Scene): Promise<void> {
  const owner = scene.person("owner");
  const app = scene.quietApp();
  const write = (ref: typeof WEB, specs: readonly RuleSpec[]) =>
    owner.firewall.authorize(
      ref,
      specs.map((spec) => ({ spec, description: "granted" })),
      owner.token(),
      "open",
    );
  await write(WEB, Object.values(granted));
  await write(APP, [ofApp, riddenInApp]);
  const admin = scene.asker("root");
  await sweep(app, {
    policy: scene.policy,
    cause: "first",
    deadlineAt: app.clock.monotonicMs() + 45_000,
    jobs: allJobs,
  });
  const { diff } = await previewBaseline(app, admin, "web", FROM_RULES);
  const sensitive = sensitiveOf(diff).map(({ key }) => key);
  const word = { ...FROM_RULES, digest: diff.digest, owner: "ops", reason: "as it was", sensitive };
  await confirmBaseline(app, admin, "web", word, { dryRun: false });
  // What the owner wrote is no news to anybody any more, and a pass has seen what was confirmed.
  await minutes(scene, 2);
  await scene.rest();
}

async function minutes(scene: Scene, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    await scene.schedule.sleep(MINUTE_MS);
    scene.look("tick");
  }
}

/** What people left, and leases that are still to be open. */
async function checkAll(scene: Scene): Promise<void> {
  const app = scene.quietApp();
  const ofGuard = (await hasFallenBack(scene)) ? [] : scene.expectations;
  for (const expectation of [...scene.always, ...ofGuard]) {
    const said = await expectation();
    if (said !== null) scene.wrong.push(said);
  }
  for (const { leaseId, group, spec, rides } of scene.leases) {
    const lease = await getLease(app.tables, leaseId);
    if (lease?.status.state !== "open") continue;
    const rule = scene.rule(group, spec);
    if (!rule) scene.wrong.push(`the lease ${leaseId} is open, and ${ruleKey(spec)} does not stand`);
    else if (!rides && parseMark(rule.description)?.until !== lease.status.until)
      scene.wrong.push(`the lease ${leaseId} is open, and its rule says "${rule.description}"`);
  }
}

/** True when the group is only observed although the policy has it enforced. */
export async function hasFallenBack(scene: Scene): Promise<boolean> {
  const { tables } = scene;
  const [row, { entries }] = await Promise.all([getGroupRow(tables, WEB), listEntries(tables, WEB)]);
  const [facts] = scene.account.facts();
  if (!facts) return true;
  const { level, acts } = effectiveGuard({ policy: scene.policy, facts, row, entries });
  return acts !== level;
}

/** At the very end: leases are over, nothing is left to do, and nothing is kept for ever. */
async function checkEnd(scene: Scene): Promise<boolean> {
  const { tables, wrong } = scene;
  const fellBack = await hasFallenBack(scene);
  for (const { leaseId } of scene.leases) {
    const lease = await getLease(tables, leaseId);
    if (!lease || !isFinal(lease.status.state)) wrong.push(`at the end the lease ${leaseId} is ${lease?.status.state}`);
  }
  for (const { groupId } of [WEB, APP])
    for (const rule of scene.account.rules(groupId))
      if (parseMark(rule.description)) wrong.push(`at the end a lease's rule stands: ${ruleKey(rule)}`);
  for (const [key, it] of Object.entries(granted)) {
    const isTouched = key === "terraform";
    const count = scene.account.rules(WEB.groupId).filter((rule) => ruleKey(rule) === ruleKey(it)).length;
    if (!isTouched && !fellBack && count !== 1) wrong.push(`at the end ${ruleKey(it)} stands ${count} times`);
  }
  if (fellBack) return true;
  const { items } = await listDrift(tables, { groupId: WEB.groupId, limit: 1000 });
  for (const item of items)
    if (["waiting", "held", "rollingBack"].includes(item.state))
      wrong.push(`at the end ${item.driftId} (${item.kind} ${item.key}) is ${item.state}`);
  wrong.push(...(await leftOver(scene)));
  return false;
}

/** What is still to be done, or kept for ever, although all is over; open hours leave one look for each group that has some. */
export async function leftOver(scene: Scene, hasHours = false): Promise<readonly string[]> {
  const { tables } = scene;
  const wrong: string[] = [];
  const { reverts } = await getGroupRow(tables, WEB);
  if (new Set(reverts.map((it) => it.driftId)).size !== reverts.length) wrong.push("a rollback is counted twice");
  const before = scene.changes.length;
  const app = scene.quietApp();
  for (const group of [WEB, APP])
    await lookAtGroup(app, group, {
      ...{ cause: "at the end", actor: "safeport", policy: scene.policy, priority: "drift", rows: [] },
      ...{ deadlineAt: app.clock.monotonicMs() + 45_000, drift: true },
    });
  if (scene.changes.length > before) wrong.push(`at the end a pass makes ${scene.changes.length - before} changes`);
  for (const table of ["intent", "due"] as const) {
    const { rows } = await tables.range({ table, from: [table === "due" ? 0 : ""], to: null, limit: 1000 });
    const owed = rows.filter(({ key }) => table !== "due" || !isLookAtTicket(key, app.clock.now()));
    const left = owed.map((row) => row.key.join("/")).filter((key) => !/installation|full-pass|job/.test(key));
    if (left.length > (hasHours && table === "due" ? 1 : 0)) wrong.push(`at the end ${table} has ${left.join(" ")}`);
  }
  return wrong;
}
