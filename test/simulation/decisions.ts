// Feature: people decide about drift. They accept what nobody granted, also after it was rolled back, or that something granted is gone; they
// have back what others removed or changed; and they let go of what was rolled back too often, because somebody did not give up.
import { formatCidr } from "../../shared/domain/cidr.ts";
import { type DriftItem, isOpenDrift, type KeptRule } from "../../shared/domain/drift-item.ts";
import { listDrift } from "../../shared/store/drift-items.ts";
import type { App } from "../../shared/usecases/app.ts";
import { type DriftWord, decideDrift } from "../../shared/usecases/drift/decide-drift.ts";
import { shownDriftId } from "../../shared/usecases/drift/drift-id.ts";
import { operatorsWords } from "./alarms.ts";
import { lookNow, retire } from "./allocations.ts";
import type { Feature, Move } from "./feature.ts";
import { wordsFor, wordsOf } from "./observed.ts";
import { ENFORCED } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { pause, ruleFor } from "./workload.ts";

const VERBS = ["adopt", "adopt", "restore", "release"] as const;
type Verb = (typeof VERBS)[number];

const WORD: DriftWord = { owner: "shop", reason: "it is needed", ticket: "", sensitiveConfirmed: true };

/** What a person may do with an item as it is; the program refuses all else. */
function isFor(verb: Verb, item: DriftItem): boolean {
  const { state, kind } = item;
  const isOpen = isOpenDrift(item);
  if (verb === "release") return state === "held";
  if (verb === "adopt") return isOpen || state === "rolledBack";
  return kind === "added" ? state === "rolledBack" || state === "rollingBack" : isOpen;
}

/** The words of a plain accept; undefined for what else there is. */
function plainWords({ spec: { direction, policy, protocol, ports, peer, dest } }: KeptRule): string | undefined {
  if (direction !== "ingress" || policy !== "accept" || protocol !== "tcp" || dest !== null) return undefined;
  if (ports.kind !== "range" || ports.range.from !== ports.range.to || peer.kind !== "cidr") return undefined;
  return wordsFor(ports.range.from, formatCidr(peer.cidr));
}

/**
 * True where nobody else knows better what is to become of the rule: no decision has the way of operators taken away. What was put in the place of
 * a rule with open hours, or stands beside them, has none that are known here.
 */
function isOurs(world: SimWorld, { kind, group: { groupId } }: DriftItem, kept: KeptRule | null): boolean {
  if (kept === null) return true;
  const words = plainWords(kept);
  if (words === undefined || words === operatorsWords || world.pipeline.has(words)) return false;
  if (kind !== "removed" && world.hours.wasAsked(groupId, words)) return false;
  if (world.untouchable.get(groupId)?.has(words)) return false;
  return !world.recycling.rules.some((it) => it.groupId === groupId && wordsOf(it.rule) === words);
}

/** Somebody decides about an item that they see in the list, perhaps asks the same again, and perhaps takes back later what they have accepted. */
const deciding: Move = async (world, dice) => {
  const verb = dice.pick(VERBS);
  const { items } = await listDrift(world.tables, { limit: 200 });
  const drawn = items.filter((item) => {
    const { found, wanted, kind } = item;
    if (kind === "guard" || !isFor(verb, item)) return false;
    return [found, wanted].every((kept) => isOurs(world, item, kept));
  });
  if (drawn.length === 0) return;
  const item = dice.pick(drawn);
  await decide(world, item, verb);
  if (dice.happens(0.2)) await decide(world, item, verb);
  const { group, kind, found } = item;
  const words = found && plainWords(found);
  if (verb === "release" || kind === "removed" || !found || !words || dice.happens(0.6)) return;
  if (!world.allocations.wasAsked(group.groupId, words)) return;
  await pause(world, dice, 60 * 60_000);
  await retire(world, group, found.spec, words);
};

async function decide(world: SimWorld, item: DriftItem, verb: Verb): Promise<void> {
  const { group, kind, found, wanted } = item;
  const { groupId } = group;
  /** True when it was decided by this: what was decided before may be over by now. */
  const send = async (): Promise<boolean> => {
    let isDecided = false;
    await world.platform.start(`${verb} ${item.driftId}`, async (app: App) => {
      const caller = world.asker("olga", "admin");
      const { plan } = await decideDrift(app, caller, shownDriftId(item), verb, WORD, { dryRun: false });
      isDecided ||= plan.length > 0;
      await lookNow(app, group, caller);
    });
    return isDecided;
  };
  if (verb === "release" || (verb === "restore" && kind !== "added")) {
    await send();
    return;
  }
  // One word, of the one rule and of the other.
  let sent: Promise<boolean> | null = null;
  const say = (): Promise<boolean> => {
    sent ??= send();
    return sent;
  };
  const [stands, gone] = [found, wanted].map((kept) => kept && plainWords(kept));
  const wasGranted = gone && (world.baseline.get(groupId)?.delete(gone) || world.allocations.wasAsked(groupId, gone));
  await Promise.all([
    gone && world.hours.wasAsked(groupId, gone) && world.hours.retire(groupId, gone, say),
    gone && wasGranted && world.allocations.retire(groupId, gone, say),
    stands && world.allocations.give(groupId, stands, say),
    say(),
  ]);
}

/** Somebody opens again and again what is rolled back each time, until the program leaves that to people. */
const insisting: Move = async (world, dice) => {
  const mallory = world.person("mallory");
  const [port, source] = [dice.between(6600, 6603), "198.51.100.0/24"];
  const words = wordsFor(port, source);
  const rule = { spec: ruleFor(port, source), description: "once more" };
  for (let n = dice.between(4, 9); n > 0; n--) {
    if (!world.rules(ENFORCED).some((it) => wordsOf(it) === words))
      await mallory.firewall.authorize(ENFORCED, [rule], mallory.token(), "open").catch(() => undefined);
    await world.schedule.sleep(dice.between(5, 90) * 1000);
  }
};

/** Nobody leaves it at that: what is held is let go of, and goes; also what a lockdown had closed until now. */
async function letGo(world: SimWorld): Promise<void> {
  for (let n = 0; n < 9; n++) {
    const { items } = await listDrift(world.tables, { limit: 200 });
    for (const item of items) if (isFor("release", item)) await decide(world, item, "release");
    await world.schedule.sleep(10 * 60_000);
  }
}

export const decisions: Feature = {
  chance: 0.3,
  policy: {},
  ends: (world) => void letGo(world),
  moves: [
    [2, deciding],
    [1, insisting],
  ],
};
