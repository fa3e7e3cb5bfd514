// Where no lockdown may be on, no drop of ours is left, and what was closed for one is back.
import type { EcsRule } from "../../../local/services/ecs/model.ts";
import { LIFTED_WITHIN_MS, LISTS_WITHIN_MS } from "../known-lockdowns.ts";
import { wordsOf } from "../observed.ts";
import { isOf, type UnreadableRow } from "../unreadable-rows.ts";
import type { Checker } from "./checker.ts";
import { isOfLockdown } from "./lockdown-drop.ts";

/**
 * A row without which nobody can lift a drop: its lockdown's, its own, or that of an alarm that was over already when it could not be read any
 * more, and nobody had acted on that. What is told of an alarm later is written in place of what cannot be read.
 */
export function holdsUpLifting(row: UnreadableRow, groupId: string, entryId: string | null): boolean {
  const { table, key, says } = row;
  if (table === "alarm") return says.includes('"state":"OK"') && says.includes('"isHandled":false');
  return table === "lockdown" ? isOf(row, groupId) : key === `ledger ${groupId} ${entryId}`;
}

/** The entry that a drop's own mark names, and when it ends by that, whatever the rows say; 0 for one that has none. */
function markOf({ description }: EcsRule): { readonly entryId: string | null; readonly until: number } {
  const [, entryId, until] = /^safeport\/1 \S+ (\S+) until=(\S+)/.exec(description) ?? [];
  return { entryId: entryId ?? null, until: until === undefined ? 0 : Date.parse(until) };
}

export const lockdownLeavesNothing: Checker = {
  name: "lockdown-leaves-nothing",
  watch(world) {
    const told = new Set<string>();
    world.watchers.minute.push(() => {
      const now = world.now();
      for (const { groupId, rules } of world.ecs.groups()) {
        if (now <= Math.max(world.lockdowns.lastOnAt(groupId), world.disturbedAt) + LIFTED_WITHIN_MS) continue;
        for (const rule of rules) {
          // A list that a stranger has filled is emptied when its event comes, and else within the hour.
          if (world.isStandby(rule) || (rule.sourcePrefixListId !== "" && now <= world.meddledAt + LISTS_WITHIN_MS))
            continue;
          if (!isOfLockdown(world, groupId, rule) || world.born.get(rule.ruleId)?.who !== "safeport") continue;
          // Nobody can lift what cannot be read: until then its drops stand to the end in their marks, and no longer.
          const { entryId, until } = markOf(rule);
          const unreadableUntil = world.unreadable.until((row) => holdsUpLifting(row, groupId, entryId));
          const endsAt = Math.min(unreadableUntil, until);
          if (told.has(rule.ruleId) || now <= endsAt + LIFTED_WITHIN_MS) continue;
          told.add(rule.ruleId);
          world.violated("lockdown-leaves-nothing", `${groupId} still has ${wordsOf(rule)} ${rule.ruleId}`);
        }
        if (now <= world.troubledAt() + LIFTED_WITHIN_MS) continue;
        const standing = new Set(rules.map(wordsOf));
        for (const [words, { isMoved }] of world.lockdowns.closed.get(groupId) ?? []) {
          if (isMoved) continue;
          const isOthers = world.untouchable.get(groupId)?.has(words) || world.baseline.get(groupId)?.has(words);
          if (standing.has(words) || !isOthers || told.has(`${groupId} ${words}`)) continue;
          if (world.recycling.isClosed(groupId, words)) continue;
          told.add(`${groupId} ${words}`);
          world.violated("lockdown-leaves-nothing", `${groupId} has not got ${words} back`);
        }
      }
    });
  },
};
