// What keeps the protocols safe, each with the least bad luck in which the model is broken without it.
import type { LockTerms } from "./lock-model.ts";
import type { Planted, Terms } from "./protocol.ts";
import type { SuspensionTerms } from "./suspension-model.ts";

type Luck = Omit<Terms, "without">;

const luck = (changes: Partial<Luck>): Luck => ({ crashes: 0, losses: 0, freezes: 0, isEndedEarly: false, ...changes });

/** All of the bad luck that a run has, within which nothing may break: of those, the suite goes through the first. */
export const LUCK: readonly Luck[] = [
  luck({ isEndedEarly: true }),
  luck({ crashes: 1 }),
  luck({ losses: 1 }),
  luck({ freezes: 1 }),
  luck({ losses: 1, isEndedEarly: true }),
  luck({ crashes: 1, isEndedEarly: true }),
  luck({ crashes: 1, losses: 1 }),
  luck({ crashes: 1, freezes: 1 }),
  luck({ losses: 1, freezes: 1 }),
];

export const PLANTED: readonly (readonly [Planted, Luck])[] = [
  ["the intent", luck({ losses: 1 })],
  ["the wait for late effects", luck({ losses: 1 })],
  ["the reading back of an end", luck({ losses: 1 })],
  ["due rows before the lease", luck({ crashes: 1 })],
  ["the look at the lease's row before opening", luck({ isEndedEarly: true })],
];

/** Found only where a process is frozen: too large for every run. */
export const PLANTED_DEEP: readonly (readonly [Planted, Luck])[] = [
  ["the seal of a lease that is over", luck({ freezes: 1 })],
];

export const LOCK_PLANTED: readonly LockTerms[] = [
  { marginTicks: 1 },
  { marginTicks: 2, without: "the lock" },
  { marginTicks: 2, without: "its fence when it is taken" },
  { marginTicks: 2, without: "its fence when it is let go" },
  { marginTicks: 2, without: "the look before a call" },
];

const theirs = (changes: Partial<SuspensionTerms>): SuspensionTerms => ({
  ...{ whose: "theirs", edit: null, crashes: 0, losses: 0 },
  ...changes,
});
const leased = (changes: Partial<SuspensionTerms>): SuspensionTerms => theirs({ whose: "a lease's", ...changes });

/** What may happen to an accept that lockdowns close, within which nothing may break: of those, the suite goes through the first. */
export const SUSPENSION_LUCK: readonly SuspensionTerms[] = [
  theirs({ edit: "removes" }),
  theirs({ edit: "moves" }),
  theirs({ edit: "opens" }),
  leased({}),
  theirs({ crashes: 1 }),
  theirs({ losses: 1 }),
  leased({ crashes: 1 }),
  leased({ losses: 1 }),
  theirs({ edit: "removes", crashes: 1 }),
  theirs({ edit: "removes", losses: 1 }),
  theirs({ edit: "moves", losses: 1 }),
  theirs({ edit: "opens", losses: 1 }),
  theirs({ crashes: 1, losses: 1 }),
];

export const SUSPENSION_PLANTED: readonly SuspensionTerms[] = [
  theirs({ edit: "removes", without: "the note of what was closed" }),
  theirs({ crashes: 1, without: "the intent before a revoke" }),
  theirs({ crashes: 1, without: "the row before a revoke" }),
  theirs({ without: "the other lockdown" }),
];
