// The decision about one entry with one lease, as the model makes it. `decide.test.ts` holds it to the plan that the program makes.
import type { LeaseState } from "../../shared/domain/lease.ts";

/** The ledger's entry, with its one holder. */
export interface Hold {
  readonly ended: boolean;
  readonly opened: boolean;
  /** True when a rule is booked to it. */
  readonly standing: boolean;
}

export interface Scene {
  readonly hold: Hold;
  /** By the clock of whoever decides. */
  readonly isPast: boolean;
  /** The reading shows the rule, with the entry's mark. */
  readonly isSeen: boolean;
  /** An authorize of the entry may still take effect. */
  readonly mayStillOpen: boolean;
  /** This pass has revoked the rule. */
  readonly isRevoked: boolean;
}

export interface Decision {
  readonly hold: Hold;
  readonly call: "authorize" | "revoke" | null;
  /** Where the lease stands. */
  readonly lease: LeaseState;
  /** Nothing of the entry stands or can still appear. */
  readonly isSettled: boolean;
}

/** Live holds are opened and seen, ended ones are revoked and waited for. */
export function decide({ hold, isPast, isSeen, mayStillOpen, isRevoked }: Scene): Decision {
  const isLive = !hold.ended && !isPast;
  if (isLive && isSeen)
    return { hold: { ended: false, opened: true, standing: true }, call: null, lease: "open", isSettled: false };
  if (isLive && !hold.standing) {
    const lease = hold.opened ? "open" : "opening";
    return { hold, call: "authorize", lease, isSettled: false };
  }
  // A live one whose rule is gone has ended as well; the program looks a second time before it believes that.
  const ended = { ...hold, ended: true };
  const isThere = isSeen || (hold.standing && !isRevoked);
  if (isThere) return { hold: { ...ended, standing: true }, call: "revoke", lease: "closing", isSettled: false };
  const isSettled = !mayStillOpen;
  const over = hold.opened ? "closed" : "lapsed";
  return { hold: { ...ended, standing: false }, call: null, lease: isSettled ? over : "closing", isSettled };
}
