// Rows go only from state to state as the tables of the domain say, and those of lockdowns as `coverage.ts` does; from the tables of leases and
// locks the models are made too.
import { canLockMove, lockStateAt } from "../../../shared/domain/group-lock.ts";
import { mayFollow } from "../../../shared/domain/lease.ts";
import type { Row, TableName } from "../../../shared/ports/tables.ts";
import { lockOf } from "../../../shared/store/lock.ts";
import { canItemMove, canLockdownMove } from "../coverage.ts";
import { SKEW_MAX_MS } from "../observed.ts";
import type { Checker } from "./checker.ts";

interface Stated {
  readonly thing: string;
  /** Null where there is no row, or nobody can read it. */
  readonly stateOf: (row: Row | null) => string | null;
  readonly mayMove: (from: never, to: never) => boolean;
}

const inColumn = (row: Row | null): string | null => row && String(row.columns["state"]);

function inBody(row: Row | null): string | null {
  try {
    return JSON.parse(String(row?.columns["body"]))?.state ?? null;
  } catch {
    return null;
  }
}

/** What says its state in its row. Of drift any state may follow any, as it is what the last reading has shown. */
const STATED: Partial<Record<TableName, Stated>> = {
  lease: { thing: "lease", stateOf: inColumn, mayMove: mayFollow },
  recycling: { thing: "item", stateOf: inColumn, mayMove: canItemMove },
  lockdown: { thing: "lockdown", stateOf: inBody, mayMove: canLockdownMove },
  drift: { thing: "drift", stateOf: inColumn, mayMove: () => true },
};

export const keepsToItsMoves: Checker = {
  name: "keeps-to-its-moves",
  watch(world) {
    const count = (move: string): void => {
      world.counts.moves.set(move, (world.counts.moves.get(move) ?? 0) + 1);
    };
    world.watchers.written.push(({ table, key, before, after }) => {
      const stated = STATED[table];
      if (stated) {
        const { thing, stateOf, mayMove } = stated;
        const [from, to] = [stateOf(before), stateOf(after)];
        if (from === null || to === null || from === to) return;
        count(`${thing} ${from} > ${to}`);
        if (!mayMove(from as never, to as never))
          world.violated("keeps-to-its-moves", `the ${thing} ${key.join(" ")} goes from ${from} to ${to}`);
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
