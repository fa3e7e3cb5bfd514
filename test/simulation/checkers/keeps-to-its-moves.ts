// The rows of leases and locks go only from state to state as the tables of the domain say, which the models are made of too.
import { canLockMove, lockStateAt } from "../../../shared/domain/group-lock.ts";
import { type LeaseState, mayFollow } from "../../../shared/domain/lease.ts";
import { lockOf } from "../../../shared/store/lock.ts";
import { SKEW_MAX_MS } from "../observed.ts";
import type { Checker } from "./checker.ts";

export const keepsToItsMoves: Checker = {
  name: "keeps-to-its-moves",
  watch(world) {
    const count = (move: string): void => {
      world.counts.moves.set(move, (world.counts.moves.get(move) ?? 0) + 1);
    };
    world.watchers.written.push(({ table, key, before, after }) => {
      if (table === "lease") {
        const from = before && (String(before.columns["state"]) as LeaseState);
        const to = String(after.columns["state"]) as LeaseState;
        if (from === null || from === to) return;
        count(`lease ${from} > ${to}`);
        if (!mayFollow(from, to))
          world.violated("keeps-to-its-moves", `the lease ${key.join(" ")} goes from ${from} to ${to}`);
      }
      if (table === "lock") {
        const [from, to] = [lockOf(before), lockOf(after)];
        if (to === null) return;
        const move = to.expiresAt === 0 ? "free" : "held";
        const now = world.now();
        count(`lock ${lockStateAt(from, now)} > ${move}`);
        const isLegal =
          // At the edge a lock has lapsed for one and is held for another.
          [now - SKEW_MAX_MS, now + SKEW_MAX_MS].some((at) => canLockMove(lockStateAt(from, at), move)) &&
          (from === null || to.fence === from.fence + (move === "held" ? 1 : 0));
        if (!isLegal)
          world.violated(
            "keeps-to-its-moves",
            `the lock ${key.join(" ")} goes from ${from?.fence} to ${move} ${to.fence}`,
          );
      }
    });
  },
};
