// Feature: rules that nobody uses leave by the queue, in minutes where the policy counts days; some are used after all, and people object.
import type { EcsRule } from "../../local/services/ecs/model.ts";
import type { RuleId } from "../../shared/domain/ids.ts";
import type { Policy } from "../../shared/domain/policy.ts";
import type { RecyclingItem } from "../../shared/domain/recycling-item.ts";
import { dueJob, dueWrite } from "../../shared/store/due.ts";
import { listRecyclingItems } from "../../shared/store/recycling.ts";
import type { App } from "../../shared/usecases/app.ts";
import {
  approveItem,
  exemptItem,
  type RecyclingAnswer,
  restoreItem,
} from "../../shared/usecases/recycling/decide-recycling.ts";
import { Dice } from "../kit/schedule.ts";
import { isIn, policiesOf } from "./data-plane.ts";
import type { Feature, Move } from "./feature.ts";
import { QUARANTINE_MS, type Recyclable } from "./known-recycling.ts";
import { wordsOf } from "./observed.ts";
import { ENFORCED, OBSERVED, REGION, UNGUARDED } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { leaseOf, pause, ruleFor } from "./workload.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** For how long one that was given back is left alone. */
export const LEFT_ALONE_MS = 3 * HOUR_MS;
/** What only a night finds is found by then. */
export const TWO_NIGHTS_MS = 65 * MINUTE_MS;
const DEADLINE_MS = 45_000;

const SOURCE = "10.9.0.0/16";
const OLD = "2026-10-01T08:00:00Z";
const unused = (port: number): Partial<EcsRule> => ({
  portRange: `${port}/${port}`,
  sourceCidrIp: SOURCE,
  description: `service ${port}`,
  createTime: OLD,
});
/** Whoever comes to a rule: always, yesterday for the last time, the day before and now and then from now on, or then for the last time. */
type Habit = "steady" | "yesterday" | "returns" | "gone";
const HABITS: readonly Habit[] = ["steady", "yesterday", "returns", "returns", "gone", "gone"];
const PORTS: Readonly<Record<string, readonly number[]>> = {
  [ENFORCED.groupId]: [5001, 5002, 5003],
  [UNGUARDED.groupId]: [5011, 5012, 5013],
  [OBSERVED.groupId]: [5021, 5022],
};
const HOSTS: Readonly<Record<string, string>> = {
  [ENFORCED.groupId]: "i-web-1",
  [UNGUARDED.groupId]: "i-app-1",
  [OBSERVED.groupId]: "i-obs-1",
};
const SCANNER = "10.9.66.6";

const portOf = (rule: EcsRule): number => Number(rule.portRange.split("/")[0]);
const clientOf = (rule: EcsRule): string => `10.9.1.${portOf(rule) - 5000}`;

const eniOf = (world: SimWorld, groupId: string) =>
  world.ecs.enis().find(({ instanceId }) => instanceId === HOSTS[groupId]);

/** Somebody connects to the port of a rule, and the log has it. */
function connect(world: SimWorld, { groupId, rule }: Recyclable, peer: string, kind: "real" | "shaken"): boolean {
  const eni = eniOf(world, groupId);
  if (eni === undefined) throw new RangeError(`${groupId} has no host`);
  const port = portOf(rule);
  const isLet = isIn(policiesOf(world), peer, eni.privateIp, port);
  world.flowLog?.add({ at: world.now(), eniId: eni.eniId, port, peer, kind: isLet ? kind : "refused" });
  world.tell(`${peer} ${isLet ? "reaches" : "is refused at"} ${groupId}:${port}`);
  return isLet;
}

function visit(world: SimWorld, known: Recyclable): void {
  const isLet = connect(world, known, clientOf(known.rule), "real");
  known.visits.push({ at: world.now(), isIn: isLet, isLogged: true });
}

/** What the log has of the days before. */
function past(world: SimWorld, { groupId, rule, visits }: Recyclable, habit: Habit): void {
  const eniId = eniOf(world, groupId)?.eniId ?? "";
  const today = Math.floor(world.now() / DAY_MS) * DAY_MS;
  const at = habit === "returns" || habit === "gone" ? today - 36 * HOUR_MS : today - 3 * HOUR_MS;
  world.flowLog?.add({ at, eniId, port: portOf(rule), peer: clientOf(rule), kind: "real" });
  visits.push({ at, isIn: true, isLogged: true });
}

async function come(world: SimWorld, known: Recyclable, habit: Habit, dice: Dice): Promise<void> {
  const [least, most] = habit === "steady" ? [5, 25] : [20, 180];
  if (habit === "gone" || habit === "yesterday") return;
  while (!world.platform.isOver) {
    await world.schedule.sleep(dice.between(least, most) * MINUTE_MS);
    if (world.platform.isOver) return;
    visit(world, known);
  }
}

/** Each half hour the log is collected, and a night comes. */
async function pass(world: SimWorld): Promise<void> {
  const { flowLog, tables } = world;
  const now = world.now();
  const minute = Math.floor(now / MINUTE_MS) % 30;
  if (minute % 10 === 0 && flowLog?.endWindow(world.weather.lostEvent))
    for (const { visits } of world.recycling.rules) for (const it of visits) it.isLogged = flowLog.isKept(it.at);
  if (minute === 1) await tables.writeAll([dueWrite(dueJob("evidence", REGION, now))]);
  if (minute === 3) await tables.writeAll([dueWrite(dueJob("recycling", null, now))]);
}

function begins(world: SimWorld): void {
  const dice = new Dice(`clients of ${world.seed}`);
  for (const group of [ENFORCED, UNGUARDED, OBSERVED])
    for (const port of PORTS[group.groupId] ?? []) {
      const rule = world.rules(group).find((it) => portOf(it) === port);
      if (rule === undefined) throw new RangeError(`nothing is open at ${port}`);
      const known = world.recycling.add(group.groupId, rule, group !== OBSERVED, []);
      const habit = dice.pick(HABITS);
      past(world, known, habit);
      void come(world, known, habit, new Dice(`client ${port} of ${world.seed}`));
    }
  for (const { eniId } of world.ecs.enis()) world.flowLog?.capture(eniId);
  world.watchers.minute.push(() => void pass(world));
}

/** The owner of the account does without it from now on: whatever is quarantined then is given back. */
const switchOff = (world: SimWorld): void =>
  world.policies.change("recycles nothing", ({ recycling }) => ({ recycling: { ...recycling, groups: [] } }));

const inMinutes = (policy: Policy, seed: string): Policy => {
  const dice = new Dice(`recycling of ${seed}`);
  const step = (chance: number) => (dice.happens(chance) ? ("auto" as const) : ("ask" as const));
  return {
    ...policy,
    recycling: {
      ...policy.recycling,
      ...{ windowDays: 1, noticeMs: 10 * MINUTE_MS, quarantineMs: QUARANTINE_MS, requeueAfterMs: LEFT_ALONE_MS },
      steps: { quarantine: step(0.8), delete: step(0.8) },
    },
  };
};

/** Somebody decides about an item that they see in the list. */
async function decide(
  world: SimWorld,
  dice: Dice,
  among: (item: RecyclingItem) => boolean,
  act: (app: App, item: RecyclingItem) => Promise<RecyclingAnswer>,
): Promise<{ readonly known: Recyclable; readonly answer: RecyclingAnswer | null } | null> {
  const { items } = await listRecyclingItems(world.tables, { limit: 100 });
  const drawn = items.filter(among);
  if (drawn.length === 0) return null;
  const item = dice.pick(drawn);
  const known = world.recycling.rules.find(
    ({ groupId, rule }) => groupId === item.group.groupId && item.kept.description === rule.description,
  );
  if (known === undefined) return null;
  let answer: RecyclingAnswer | null = null;
  await world.platform.start(
    `decide ${item.itemId}`,
    async (app) => {
      answer = await act(app, item);
    },
    4,
  );
  return { known, answer };
}

const options = (app: App) => ({ dryRun: false, deadlineAt: app.clock.monotonicMs() + DEADLINE_MS });

/** A person wants a rule left alone, for some hours or until it is unused once more. */
const objecting: Move = async (world, dice) => {
  const isExempt = dice.happens(0.4);
  const olga = () => world.asker("olga", "operator");
  const among = ({ state }: RecyclingItem): boolean => isExempt || state !== "restored";
  const decided = await decide(world, dice, among, (app, { itemId, group, kept }) => {
    for (const it of world.recycling.rules)
      if (it.groupId === group.groupId && it.rule.description === kept.description) it.isAskedBack = true;
    const until = app.clock.now() + LEFT_ALONE_MS;
    return isExempt
      ? exemptItem(app, olga(), itemId, { owner: "olga", reason: "needed", until }, options(app))
      : restoreItem(app, olga(), itemId, { reason: "needed" }, options(app));
  });
  const answer = decided?.answer ?? null;
  if (decided && answer?.settled) decided.known.leftAloneAt = world.now();
};

/** A person approves of the next step. */
const approving: Move = async (world, dice) => {
  const olga = () => world.asker("olga", "operator");
  await decide(
    world,
    dice,
    ({ state }) => state === "noticed" || state === "quarantined",
    (app, { itemId, state }) => {
      const step = state === "noticed" ? "quarantine" : "delete";
      return approveItem(app, olga(), itemId, { step }, options(app));
    },
  );
};

/** Somebody looks what is open. */
const scanning: Move = async (world) => {
  for (const known of world.recycling.rules) connect(world, known, SCANNER, "shaken");
};

/** Somebody is granted a lease on the port of a rule that may be quarantined: it has to give way. */
const leasingThere: Move = (world, dice) => {
  const { groupId, rule } = dice.pick(world.recycling.rules.filter(({ isNamed }) => isNamed));
  const group = groupId === ENFORCED.groupId ? ENFORCED : UNGUARDED;
  const wish = { group, sources: ["10.9.7.7"] as const, port: `${portOf(rule)}`, rides: false, instance: null };
  const periodMs = dice.pick([90, 600, 2400]) * 1000;
  return leaseOf(world, dice, { ...wish, principal: dice.pick(["ann", "ben"]), periodMs });
};

/** Somebody removes a rule themselves, where nobody guards the group, and perhaps makes it once more. */
const removing: Move = async (world, dice) => {
  const dave = world.person("dave");
  const { groupId, rule, words } = dice.pick(world.recycling.rules.filter((it) => it.groupId !== ENFORCED.groupId));
  const group = groupId === OBSERVED.groupId ? OBSERVED : UNGUARDED;
  const stands = world.rules(group).find((it) => wordsOf(it) === words);
  if (stands === undefined) return;
  await dave.firewall.revoke(group, [stands.ruleId as RuleId], dave.token(), "end").catch(() => undefined);
  if (dice.happens(0.5)) return;
  await pause(world, dice, 60 * MINUTE_MS);
  if (world.rules(group).some((it) => wordsOf(it) === words)) return;
  const again = { spec: ruleFor(portOf(rule), SOURCE), description: rule.description };
  await dave.firewall.authorize(group, [again], dave.token(), "open").catch(() => undefined);
};

/** The switch is off for some time. */
const switching: Move = async (world, dice) => {
  const { groups } = world.policy.recycling;
  if (groups.length === 0) return;
  switchOff(world);
  await world.schedule.sleep(dice.between(1, 50) * MINUTE_MS);
  if (world.isCalm) return;
  world.policies.change("recycles again", ({ recycling }) => ({ recycling: { ...recycling, groups } }));
};

export const recycling: Feature = {
  chance: 0.25,
  policy: {
    recycling: {
      groups: ["web", "app"],
      neverClose: [
        { ports: "1-4999", reason: "other people's business" },
        { ports: "5100-65535", reason: "other people's business" },
      ],
      collect: { slice: 1800, settle: 60, every: 86_400 },
    },
  },
  rules: Object.fromEntries(Object.entries(PORTS).map(([groupId, ports]) => [groupId, ports.map(unused)])),
  hasFlowLog: true,
  terms: inMinutes,
  begins,
  ends: switchOff,
  moves: [
    [3, objecting],
    [2, approving],
    [1, scanning],
    [2, leasingThere],
    [1, removing],
    [1, switching],
  ],
};
