// What of the tables of the domain seeds have come to.
import { canLockMove, LOCK_STATES } from "../../shared/domain/group-lock.ts";
import { canMove, LEASE_STATES } from "../../shared/domain/lease.ts";

const LEASE_MOVES = LEASE_STATES.flatMap((from) =>
  LEASE_STATES.filter((to) => canMove(from, to)).map((to) => `lease ${from} > ${to}`),
);
const LOCK_MOVES = LOCK_STATES.flatMap((from) =>
  LOCK_STATES.filter((to) => canLockMove(from, to)).map((to) => `lock ${from} > ${to}`),
);
const MOVES = [...LEASE_MOVES, ...LOCK_MOVES];
const STATES = [...LEASE_STATES.map((state) => `lease ${state}`), ...LOCK_STATES.map((state) => `lock ${state}`)];

/** Both ends of a move. */
function statesOf(move: string): readonly string[] {
  const [, of, from, to] = /^(\w+) (\w+) > (\w+)$/.exec(move) ?? [];
  return [`${of} ${from}`, `${of} ${to}`];
}

/** How many of the states and moves were seen, and which were not. */
export function coverageIn(seen: Iterable<string>): string {
  const moves = new Set(seen);
  const states = new Set([...moves].flatMap(statesOf));
  const told = (what: string, all: readonly string[], had: ReadonlySet<string>): string => {
    const unseen = all.filter((it) => !had.has(it));
    return `${what} seen: ${all.length - unseen.length} of ${all.length}, never ${unseen.join(", ") || "none"}`;
  };
  return `${told("states", STATES, states)}; ${told("moves", MOVES, moves)}`;
}
