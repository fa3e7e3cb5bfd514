// When drops and suspensions of ours kept out what a rule lets in: lockdowns, and quarantines of the rule itself. Pure.

import { formatUtc } from "../domain/instant.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { Lockdown } from "../domain/lockdown.ts";
import type { RecyclingItem } from "../domain/recycling-item.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { mayOverlap, trafficAtMost } from "../domain/traffic.ts";
import type { ShutTime } from "./known-time.ts";
import { isHolding } from "./picture.ts";

export interface ShutAsk {
  readonly rule: RuleSpec;
  /** The rule's item, where it has one. */
  readonly item: RecyclingItem | null;
  /** The rule's group and every other one of the hosts that it acts on. */
  readonly groupIds: ReadonlySet<string>;
  readonly lockdowns: readonly Lockdown[];
  /** The ledger of the rule's group. */
  readonly entries: readonly Entry[];
  readonly now: number;
}

/**
 * A lockdown counts for every rule of its groups: which ports were core then nobody has to know now. The quarantine that the rule is in is
 * left to the watch over it.
 */
export function shutTimes({ rule, item, groupIds, lockdowns, entries, now }: ShutAsk): readonly ShutTime[] {
  const times: ShutTime[] = [];
  for (const { lockdownId, startedAt, endedAt, groups } of lockdowns)
    if (groups.some((it) => groupIds.has(it.group.groupId) && (it.wasClosed === true || it.drops + it.suspends > 0)))
      times.push({
        from: startedAt,
        until: endedAt ?? now,
        why: `the lockdown ${lockdownId} from ${formatUtc(startedAt)}`,
      });
  // Whose row is lost has its drops in the ledger. A standby's are on lists that are empty but in a lockdown.
  for (const { spec, holders } of entries)
    for (const { kind, holderId, openedAt } of holders.filter((it) => isHolding(it, now)))
      if (
        kind !== "lease" &&
        kind !== "standby" &&
        holderId !== item?.itemId &&
        openedAt !== null &&
        takesFrom(spec, rule)
      )
        times.push({
          from: openedAt,
          until: now,
          why: `a drop of the ${kind} ${holderId} from ${formatUtc(openedAt)}`,
        });
  const history = item?.history ?? [];
  for (const [index, { to, at }] of history.entries()) {
    const next = history[index + 1];
    if (to === "quarantined" && next !== undefined)
      times.push({ from: at, until: next.at, why: `its quarantine from ${formatUtc(at)}` });
  }
  return times;
}

const takesFrom = (drop: RuleSpec, rule: RuleSpec): boolean =>
  drop.policy === "drop" &&
  drop.direction === rule.direction &&
  drop.priority <= rule.priority &&
  mayOverlap(trafficAtMost(drop), trafficAtMost(rule));
