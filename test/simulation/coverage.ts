// What of the states and moves of the domain seeds have come to.
import type { DriftState } from "../../shared/domain/drift-item.ts";
import { canLockMove, LOCK_STATES } from "../../shared/domain/group-lock.ts";
import { canMove, LEASE_STATES } from "../../shared/domain/lease.ts";
import type { LockdownState } from "../../shared/domain/lockdown.ts";
import { mayMove, RECYCLING_STATES, type RecyclingState } from "../../shared/domain/recycling-item.ts";

/** The domain has no table of them. One that is lifted has closed something after that, and is lifted once more. */
const LOCKDOWN_MOVES: Readonly<Record<LockdownState, readonly LockdownState[]>> = {
  active: ["lifting"],
  lifting: ["lifted"],
  lifted: ["lifting"],
};
const LOCKDOWN_STATES = Object.keys(LOCKDOWN_MOVES) as readonly LockdownState[];

/** Nor has it one of drift: what has become of a difference follows from what the next reading shows. */
const DRIFT_STATES = Object.keys({
  ...{ waiting: true, reported: true, held: true, rollingBack: true },
  ...{ rolledBack: true, adopted: true, restored: true, gone: true },
} satisfies Record<DriftState, true>);

export const canLockdownMove = (from: LockdownState, to: LockdownState): boolean => LOCKDOWN_MOVES[from].includes(to);

/** Whoever decides it. */
export const canItemMove = (from: RecyclingState, to: RecyclingState): boolean =>
  mayMove(from, to, "program") || mayMove(from, to, "person");

const movesOf = <T extends string>(of: string, states: readonly T[], can: (from: T, to: T) => boolean): string[] =>
  states.flatMap((from) => states.filter((to) => can(from, to)).map((to) => `${of} ${from} > ${to}`));

/** An exemption that is prolonged is no move between two states. */
const canItemLeave = (from: RecyclingState, to: RecyclingState): boolean => from !== to && canItemMove(from, to);

const MOVES = [
  ...movesOf("lease", LEASE_STATES, canMove),
  ...movesOf("lock", LOCK_STATES, canLockMove),
  ...movesOf("item", RECYCLING_STATES, canItemLeave),
  ...movesOf("lockdown", LOCKDOWN_STATES, canLockdownMove),
];

const STATES = [
  ...LEASE_STATES.map((state) => `lease ${state}`),
  ...LOCK_STATES.map((state) => `lock ${state}`),
  ...RECYCLING_STATES.map((state) => `item ${state}`),
  ...LOCKDOWN_STATES.map((state) => `lockdown ${state}`),
  ...DRIFT_STATES.map((state) => `drift ${state}`),
];

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
