// The lock of a group under clocks, as a model: two processes that take it, look at it, call and let it go, in every order, while they are
// frozen for any time, die, and their clocks differ. The life of the lock is the program's own (`group-lock.ts`).
import { isWithinLock, lockStateAt, takenLock } from "../../shared/domain/group-lock.ts";
import type { Model, Step } from "./explore.ts";

/** Ticks; clocks differ by one at most. */
const LOCK_TICKS = 5;
/** A call is on its way, or its process frozen right before it, for so long at most: what the margin is for, beside the clocks. */
const FREEZE_TICKS = 1;
/** Nothing looks further into the past. */
const OLD = -2;
/** Any instant: the model counts from now. */
const NOW = 1000;

export interface LockTerms {
  readonly marginTicks: number;
  readonly without?:
    | "the lock"
    | "its fence when it is taken"
    | "its fence when it is let go"
    | "the look before a call";
}

interface Holder {
  readonly at: "idle" | "has read early" | "has read" | "holds" | "has looked" | "has called";
  /** How far its wall clock is ahead. */
  readonly skew: number;
  /** The row as it was read has changed since. */
  readonly isStale: boolean;
  readonly fence: number;
  /** Ticks since it set out to take it. */
  readonly age: number;
  /** Ticks until the end, by its own wall clock. */
  readonly expiresIn: number;
  /** Ticks since it looked at its lock. */
  readonly waited: number;
}

export interface LockedState {
  readonly row: { readonly fence: number; readonly expiresIn: number; readonly isFree: boolean } | null;
  readonly holders: readonly [Holder, Holder];
}

const SETS_OUT = { at: "has read", age: 0, expiresIn: LOCK_TICKS, waited: 0 } as const;
const IDLE = { at: "idle", isStale: false, fence: 0, age: 0, expiresIn: 0, waited: 0 } as const;

/** The model under its terms. */
export function lockModel({ marginTicks, without }: LockTerms): Model<LockedState> {
  function act(state: LockedState, who: 0 | 1): readonly Step<LockedState>[] {
    const me = state.holders[who];
    const step = (says: string, mine: Partial<Holder>, row = state.row): Step<LockedState> => {
      const changed = row !== state.row;
      const holders = state.holders.map((it, index) =>
        index === who ? { ...it, ...mine } : changed ? { ...it, isStale: true } : it,
      );
      return {
        name: `${"AB"[who]}: ${says}`,
        state: { ...state, row, holders: holders as unknown as LockedState["holders"] },
      };
    };
    const { row } = state;
    switch (me.at) {
      case "idle":
        return [
          step("reads the row early", { ...IDLE, at: "has read early" }),
          ...(isHeldFor(me) ? [] : [step("reads the row", { ...IDLE, ...SETS_OUT })]),
        ];
      // As long as nobody has written the row since, the reading tells as much as a new one; else it is found out with the write.
      case "has read early":
        return isHeldFor(me) ? [step("finds it held", IDLE)] : [step("sets out with it", SETS_OUT)];
      case "has read": {
        if (me.isStale && without !== "its fence when it is taken" && without !== "the lock")
          return [step("is too late", IDLE)];
        const taken = takenLock(row && { fence: row.fence, expiresAt: 0 }, NOW, me.expiresIn);
        if (taken === null) throw new Error("a lock that is free can be taken");
        const fence = row === null ? 1 : taken.fence;
        const expiresIn = Math.max(me.expiresIn + me.skew, OLD);
        return [step("takes it", { at: "holds", fence, isStale: false }, { fence, expiresIn, isFree: false })];
      }
      case "holds": {
        const expiresAt = NOW + me.expiresIn;
        const isHeld = isWithinLock({
          now: NOW,
          expiresAt,
          elapsedMs: me.age,
          lockMs: LOCK_TICKS,
          marginMs: marginTicks,
        });
        const looks = isHeld || without === "the look before a call";
        return [...letGo("lets it go"), ...(looks ? [step("looks at it", { at: "has looked", waited: 0 })] : [])];
      }
      case "has looked": {
        const isOwner = row !== null && row.fence === me.fence;
        const called = step("calls", { at: "has called", waited: 0 });
        return [isOwner ? called : { ...called, broken: "no call starts without the lock" }];
      }
      case "has called":
        return [step("goes on", { at: "holds" })];
    }
    function isHeldFor({ skew }: Holder): boolean {
      const read = row && { fence: row.fence, expiresAt: row.isFree ? 0 : NOW + row.expiresIn - skew };
      return lockStateAt(read, NOW) === "held" && without !== "the lock";
    }
    function letGo(says: string): readonly Step<LockedState>[] {
      if (row === null) return [];
      const isMine = row.fence === me.fence || without === "its fence when it is let go";
      return [
        isMine ? step(says, IDLE, { ...row, expiresIn: OLD, isFree: true }) : step("is too late to let it go", IDLE),
      ];
    }
  }

  function tick(state: LockedState): readonly Step<LockedState>[] {
    if (state.holders.some((it) => it.at === "has looked" && it.waited >= FREEZE_TICKS)) return [];
    const older = (it: Holder): Holder =>
      it.at === "idle" || it.at === "has read early"
        ? it
        : {
            ...it,
            age: Math.min(it.age + 1, LOCK_TICKS),
            expiresIn: Math.max(it.expiresIn - 1, OLD),
            waited: it.at === "has looked" ? it.waited + 1 : 0,
          };
    const [a, b] = state.holders;
    const row = state.row && { ...state.row, expiresIn: Math.max(state.row.expiresIn - 1, OLD) };
    return [{ name: "time goes by", state: { ...state, row, holders: [older(a), older(b)] } }];
  }

  /** Fences by their order alone. */
  function normal(state: LockedState): LockedState {
    const fences = [0, state.row?.fence ?? 0, ...state.holders.map((it) => it.fence)];
    const rank = (fence: number): number => new Set(fences.filter((it) => it < fence)).size;
    const [a, b] = state.holders.map((it) => ({ ...it, fence: rank(it.fence) })) as [Holder, Holder];
    return { ...state, row: state.row && { ...state.row, fence: rank(state.row.fence) }, holders: [a, b] };
  }

  return {
    initial: [-1, 0, 1].map((skew) => ({
      row: null,
      holders: [
        { ...IDLE, skew: 0 },
        { ...IDLE, skew },
      ],
    })),
    next(state) {
      const steps = [...act(state, 0), ...act(state, 1), ...tick(state)];
      for (const who of [0, 1]) {
        const me = state.holders[who] as Holder;
        const but = (mine: Partial<Holder>): LockedState["holders"] =>
          state.holders.map((it, index) =>
            index === who ? { ...it, ...mine } : it,
          ) as unknown as LockedState["holders"];
        if (me.at !== "idle") steps.push({ name: `${"AB"[who]}: dies`, state: { ...state, holders: but(IDLE) } });
      }
      return steps.map((step) => ({ ...step, state: normal(step.state) }));
    },
    broken: () => null,
    isAtRest: (state) => state.holders.every((it) => it.at === "idle"),
    keyOf: (state) => JSON.stringify(state),
  };
}
