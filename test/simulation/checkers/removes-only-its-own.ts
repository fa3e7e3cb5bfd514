// Invariant 2: safeport removes and changes nothing that is not its own, but by rollback in a confirmed enforced group, and then it has kept
// the full rule first.
import { wordsOf } from "../observed.ts";
import { ENFORCED } from "../sim-account.ts";
import type { Checker } from "./checker.ts";

export const removesOnlyItsOwn: Checker = {
  name: "removes-only-its-own",
  watch(world) {
    world.watchers.made.push((call) => {
      if (call.who !== "safeport" || call.before === call.after) return;
      const after = new Map(call.after.map((rule) => [rule.ruleId, rule]));
      for (const rule of call.before) {
        const left = after.get(rule.ruleId);
        if (left === rule || (left && JSON.stringify(left) === JSON.stringify(rule))) continue;
        // For a lockdown; that it is given back is looked after elsewhere.
        if (left === undefined && world.lockdowns.mayBeOn(call.groupId)) continue;
        // For want of use; that nobody is harmed by it, too.
        if (left === undefined && world.recycling.isRecyclable(call.groupId, wordsOf(rule))) continue;
        const what = `${call.operation} of ${call.groupId} ${rule.ruleId} ${wordsOf(rule)} by ${call.process?.name}`;
        if (world.untouchable.get(call.groupId)?.has(wordsOf(rule)))
          world.violated("removes-only-its-own", `${what}, which is not its business`);
        const writer = world.born.get(rule.ruleId)?.who ?? "somebody before";
        if (writer === "safeport") continue;
        if (call.groupId !== ENFORCED.groupId) {
          world.violated("removes-only-its-own", `${what}, which ${writer} wrote in a group that is not enforced`);
          continue;
        }
        const ids = world.idsOf(rule.ruleId);
        void world.tables
          .range({ table: "drift", from: [call.groupId], to: [call.groupId, "~"], limit: 5000 })
          .then(({ rows }) => {
            const isKept = rows.some(({ columns }) => ids.some((id) => JSON.stringify(columns).includes(id)));
            if (!isKept) world.violated("removes-only-its-own", `${what}, which ${writer} wrote, and it is not kept`);
          });
      }
    });
  },
};
