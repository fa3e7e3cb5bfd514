// Feature: alarms that lock groups down and are over again, in any order, repeated and side by side; and people who do both by hand.
import { readAlarmPost } from "../../shared/events/alarm-post.ts";
import type { App } from "../../shared/usecases/app.ts";
import { actOnAlarm } from "../../shared/usecases/lockdown/act-on-alarm.ts";
import { liftLockdown } from "../../shared/usecases/lockdown/lift-lockdown.ts";
import { listLockdowns } from "../../shared/usecases/lockdown/list-lockdowns.ts";
import { recordAlarm } from "../../shared/usecases/lockdown/record-alarm.ts";
import { startLockdown } from "../../shared/usecases/lockdown/start-lockdown.ts";
import type { Feature, Move } from "./feature.ts";
import { LockdownStory } from "./lockdown-story.ts";
import { wordsFor } from "./observed.ts";
import { ENFORCED, UNGUARDED } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { pause } from "./workload.ts";

const PERIOD_MS = 15 * 60_000;
/** CloudMonitor waits so long for an answer; what is not done by then is done by the job. */
const ANSWER_MS = 3500;
const DEADLINE_MS = 45_000;
export const BOTH = { kind: "groups", groups: ["web", "app"] } as const;
/** The scope of `flood`, and of lockdowns by hand. */
const WIDE = "groups";
/** The scope of `ddos`, which names an instance. */
const NARROW = "i-web-1";

/** What is known of the scopes, by name. */
function storyOf(world: SimWorld, scope: string): LockdownStory {
  const known = world.lockdowns.stories.get(scope);
  const groups = scope === WIDE ? [ENFORCED.groupId, UNGUARDED.groupId] : [ENFORCED.groupId];
  const story = known ?? new LockdownStory(groups, PERIOD_MS, () => world.now());
  world.lockdowns.stories.set(scope, story);
  return story;
}

interface Source {
  readonly rule: string;
  readonly metric: string;
  readonly scope: string;
}

const SOURCES: readonly Source[] = [
  { rule: "flood", metric: "packets", scope: WIDE },
  { rule: "flood", metric: "connections", scope: WIDE },
  { rule: "ddos", metric: "traffic", scope: NARROW },
];

/** As the function behind the webhook does: once it is stored, what fails is the job's business. */
async function take(world: SimWorld, app: App, post: URLSearchParams): Promise<void> {
  const { policy } = world;
  const arrivedAt = app.clock.monotonicMs();
  const alarm = readAlarmPost(Buffer.from(`${post}`), "application/x-www-form-urlencoded", app.clock.now());
  const row = await recordAlarm(app, alarm, policy);
  if (row === null || row.isHandled) return;
  await actOnAlarm(app, row.alarmId, { policy, arrivedAt, deadlineAt: arrivedAt + ANSWER_MS }).catch(() => null);
}

function post(world: SimWorld, { rule, metric, scope }: Source, state: "ALERT" | "OK", at: number): Promise<void> {
  const body = new URLSearchParams({
    ...{ alertName: rule, rawMetricName: metric, namespace: "acs_ecs_dashboard", triggerLevel: "CRITICAL" },
    ...{ alertState: state, timestamp: `${at}`, dimensions: scope === NARROW ? `{instanceId=${NARROW}}` : "{}" },
  });
  return storyOf(world, scope).tell(metric, state === "ALERT" ? "on" : "over", at, () =>
    world.platform.start(`${state} ${rule}`, (app) => take(world, app, body), 4),
  );
}

/** An alarm comes and goes: told twice, told late, told in the wrong order. */
const attack: Move = async (world, dice) => {
  const source = dice.pick(SOURCES);
  const at = world.now();
  await post(world, source, "ALERT", at);
  for (let more = dice.between(0, 2); more > 0; more--) {
    await pause(world, dice);
    // The same once more, or that it goes on.
    await post(world, source, "ALERT", dice.happens(0.4) ? at : world.now());
  }
  if (dice.happens(0.2)) return;
  await world.schedule.sleep(dice.between(0, 10 * 60_000));
  const over = world.now();
  const posts = [() => post(world, source, "OK", over)];
  if (dice.happens(0.3)) posts.push(() => post(world, source, "OK", over));
  // One that was on its way for long, from before it was over.
  if (dice.happens(0.3)) posts.splice(dice.between(0, 1), 0, () => post(world, source, "ALERT", over - 1));
  if (dice.happens(0.5)) await Promise.all(posts.map((it) => it()));
  else for (const it of posts) await it();
};

/** Somebody locks the groups down by hand. */
const byHand: Move = (world, dice) => {
  const person = dice.pick(["olga", "otto"]);
  const story = storyOf(world, WIDE);
  const act = (app: App): Promise<unknown> =>
    startLockdown(app, {
      ...{
        scope: BOTH,
        policy: world.policy,
        cause: person,
        principal: person,
        reason: "to be sure",
        waivedBy: null,
        decidedBy: "roles: operator",
      },
      ...{ periodMs: PERIOD_MS, arrivedAt: app.clock.monotonicMs() },
      deadlineAt: app.clock.monotonicMs() + DEADLINE_MS,
    });
  return story.tell(person, "on", world.now(), () => world.platform.start("lock down", act, 4));
};

/** Somebody lifts whatever is on. */
const lift: Move = async (world, dice) => {
  await pause(world, dice);
  const story = storyOf(world, WIDE);
  const narrow = storyOf(world, NARROW);
  const act = async (app: App): Promise<void> => {
    const { lockdowns } = await listLockdowns(app, { limit: 20, cursor: null });
    for (const { lockdownId, state } of lockdowns)
      if (state !== "lifted")
        await liftLockdown(app, lockdownId, {
          ...{ policy: world.policy, by: "olga", isPerson: true },
          deadlineAt: app.clock.monotonicMs() + DEADLINE_MS,
        });
  };
  await story.lift(async () => {
    let isHeard = false;
    await narrow.lift(async () => {
      isHeard = await world.platform.start("lift", act, 4);
      return isHeard;
    });
    return isHeard;
  });
};

const OPERATORS = "10.200.0.0/16";
const OPERATORS_PORT = "2222";
/** The rule by which operators come in. */
export const operatorsWords = wordsFor(OPERATORS_PORT, OPERATORS);
const operatorsRule = {
  portRange: `${OPERATORS_PORT}/${OPERATORS_PORT}`,
  sourceCidrIp: OPERATORS,
  description: "operators",
};

/** What locks down, and who is let in all the same. */
export const policy = {
  operatorPath: [{ protocol: "tcp", port: OPERATORS_PORT, sources: [OPERATORS] }],
  lockdown: { core: ["80", "443"], period: PERIOD_MS / 1000, groups: ["web", "app"] },
  alarms: [
    { rule: "ddos", do: "lockdown" },
    { rule: "flood", do: "lockdown", scope: { groups: BOTH.groups } },
  ],
};

/** Attacks, and people who lock down and lift. */
export const moves = [
  [4, attack],
  [1, byHand],
  [1, lift],
] as const;

/** By which operators come in. */
export const rules = { [ENFORCED.groupId]: [operatorsRule], [UNGUARDED.groupId]: [operatorsRule] };

export const alarms: Feature = { chance: 0.2, policy, moves, rules };

/** Interfaces that have no room for the drops of a lockdown, at least at times: accepts are closed and given back instead. */
export const narrowInterfaces: Feature = {
  chance: 0.4,
  policy: { limits: { rulesPerInterface: 24, rulesKeptFree: 0 } },
  moves: [],
};
