// Feature: people have rules allocated for good, some of them just what others have leases of, change who owns them and take them back.
import type { OpenHours } from "../../shared/domain/allocation.ts";
import type { GroupRef } from "../../shared/domain/ids.ts";
import type { RuleSpec } from "../../shared/domain/rule.ts";
import { entryIdOf, ruleKey } from "../../shared/domain/rule-key.ts";
import type { App, Caller } from "../../shared/usecases/app.ts";
import { type AllocationAsk, allocateRule } from "../../shared/usecases/ledger/allocate-rule.ts";
import { retireEntry } from "../../shared/usecases/ledger/retire-entry.ts";
import { lookAtGroup } from "../../shared/usecases/pass/look-at-group.ts";
import type { Feature, Move } from "./feature.ts";
import type { KnownAllocations } from "./known-allocations.ts";
import { wordsFor } from "./observed.ts";
import { GROUPS } from "./sim-account.ts";
import type { SimWorld } from "./sim-world.ts";
import { pause, ruleFor } from "./workload.ts";

/** The first is one that leases are asked for as well. */
const PORTS = [2201, 6101, 6102];
const SOURCES = ["203.0.113.7/32", "10.50.0.0/16"];
const OWNERS = ["shop", "billing"];

/** As the route does it: the group is looked at before the answer, which says so when that came to nothing. */
export async function lookNow(app: App, group: GroupRef, { principal, policy }: Caller): Promise<void> {
  await lookAtGroup(app, group, {
    ...{ cause: `ledger by ${principal}`, actor: principal, policy, priority: "drift", rows: [], drift: true },
    deadlineAt: app.clock.monotonicMs() + app.settings.answerWithinMs,
  }).catch(() => null);
}

/** Somebody has a rule stand for good, perhaps in another owner's name later on, and perhaps takes it back. */
const allocating: Move = async (world, dice) => {
  const group = dice.pick(GROUPS);
  const [port, source] = [dice.pick(PORTS), dice.pick(SOURCES)];
  await allocate(world, group, { port, source, owner: dice.pick(OWNERS), openHours: null });
  if (dice.happens(0.3)) {
    await pause(world, dice, 20 * 60_000);
    await allocate(world, group, { port, source, owner: dice.pick(OWNERS), openHours: null });
  }
  if (dice.happens(0.5)) return;
  await pause(world, dice, 60 * 60_000);
  await retire(world, group, ruleFor(port, source), wordsFor(port, source));
};

interface Wanted {
  readonly port: number;
  readonly source: string;
  readonly owner: string;
  /** Null: always. */
  readonly openHours: OpenHours | null;
}

/** Somebody has a rule stand, for good or in open hours. */
export function allocate(world: SimWorld, group: GroupRef, { port, source, owner, openHours }: Wanted): Promise<void> {
  const ask: AllocationAsk = {
    ...{ group: group.groupId, protocol: "tcp", port: `${port}`, sources: [source], priority: 1 },
    ...{ openHours, allowedSources: [], sensitiveConfirmed: false, owner, backup: "", application: "" },
    ...{ policy: "accept", direction: "ingress", reason: "a partner's way in", ticket: "" },
  };
  const act = async (app: App): Promise<void> => {
    const caller = world.asker("olga", "admin");
    await allocateRule(app, caller, ask, { dryRun: false });
    await lookNow(app, group, caller);
  };
  const send = (): Promise<boolean> => world.platform.start("allocate", act);
  const words = wordsFor(port, source);
  return openHours === null
    ? world.allocations.give(group.groupId, words, send)
    : world.hours.giveIn(openHours, group.groupId, words, send);
}

/** Somebody takes back what was allocated for good, also by the baseline, or in open hours. */
export function retire(
  world: SimWorld,
  group: GroupRef,
  spec: RuleSpec,
  words: string,
  known: KnownAllocations = world.allocations,
): Promise<void> {
  world.baseline.get(group.groupId)?.delete(words);
  const entryId = entryIdOf(group.groupId, ruleKey(spec));
  const act = async (app: App): Promise<void> => {
    const caller = world.asker("olga", "admin");
    await retireEntry(app, caller, group.groupId, entryId, { dryRun: false });
    await lookNow(app, group, caller);
  };
  return known.retire(group.groupId, words, () => world.platform.start("retire", act));
}

export const allocations: Feature = { chance: 0.15, policy: {}, moves: [[1, allocating]] };
