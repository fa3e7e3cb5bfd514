// One lease from its booking to its end, with two processes that book, sweep and end it, as a model: every interleaving of their reads,
// writes and calls, while they are frozen for any time, die, and replies are lost or late.
//
// What is decided is decided by the program's own parts where those are pure: the life of a lock (`group-lock.ts`), the moves of a
// lease (`lease.ts`), and the plan of an entry (`decide.ts`, held to the plan by a test). Time has no measure here: whatever has an end
// may come to it at any moment. That nobody calls whose lock is over is the other model's business (`lock-model.ts`), and granted here.
import { lockStateAt, takenLock } from "../../shared/domain/group-lock.ts";
import { isFinal, type LeaseState, mayFollow } from "../../shared/domain/lease.ts";
import { decide, type Hold } from "./decide.ts";
import type { Model, Step } from "./explore.ts";

const ROUNDS_MAX = 2;
/** Any instant. */
const NOW = 1000;

/** What is taken away from the protocol, or granted to bad luck. */
export interface Terms {
  readonly crashes: number;
  readonly losses: number;
  /** How often a living process may be frozen for longer than its lock lives. */
  readonly freezes: number;
  /** One early end by somebody, and whether that is part of the run. */
  readonly isEndedEarly: boolean;
  readonly without?: Planted;
}

/** What can be taken away. */
export type Planted =
  | "the seal of a lease that is over"
  | "the intent"
  | "the wait for late effects"
  | "the reading back of an end"
  | "due rows before the lease"
  | "the look at the lease's row before opening";

/** What a pass keeps of the intent in its memory. */
interface KeptIntent {
  /** False once it can no longer act. */
  readonly acts: boolean;
  /** Somebody else has made a later attempt. */
  readonly isOld: boolean;
  readonly isUncertain: boolean;
  readonly isAnswered: boolean;
}

type At =
  | "idle"
  | "book due"
  | "book lease"
  | "book hold"
  | "end: due"
  | "end: hold"
  | "end: mark"
  | "read lock"
  | "take lock"
  | "read group"
  | "read ledger"
  | "write lease"
  | "write ledger"
  | "book intent"
  | "check lock"
  | "send"
  | "book loss"
  | "book look"
  | "finish"
  | "let go"
  | "find lease";

interface Process {
  readonly at: At;
  /** Due rows that it is about. */
  readonly rows: readonly [net: boolean, end: boolean, look: boolean, again: boolean];
  /** It was woken; and somebody waits for its answer, for whom it tries again where the lock is held. */
  readonly isSweeping: boolean;
  readonly isAsking: boolean;
  /** The lease as it was read, by whoever books a hold for it. */
  readonly lease: LeaseState | null;
  /** The lock's row has changed since it was read, or the ledger's. */
  readonly isLockStale: boolean;
  readonly isLedgerStale: boolean;
  readonly fence: number;
  /** Calls may start. */
  readonly isHeld: boolean;
  readonly round: number;
  readonly seen: boolean;
  /** The reading is so late that the intent can no longer act. */
  readonly isLateReading: boolean;
  readonly hold: Hold | null;
  readonly next: { readonly hold: Hold; readonly lease: LeaseState; readonly isSettled: boolean } | null;
  readonly call: "authorize" | "revoke" | null;
  readonly wrote: LeaseState | null;
  readonly intent: KeptIntent | null;
  readonly isIntentOver: boolean;
  readonly isRevoked: boolean;
  readonly wasHeld: boolean;
  readonly isConverged: boolean;
  /** The lease's row said that it is over when this pass looked. */
  readonly isOver: boolean;
}

export interface State {
  readonly lock: { readonly fence: number; readonly is: "held" | "lapsed" | "free" } | null;
  readonly lease: { readonly state: LeaseState; readonly fence: number } | null;
  readonly hold: Hold | null;
  /** The stored intent, and whether it may still act. */
  readonly intent: "acts" | "over" | null;
  readonly rule: boolean;
  /** The fence of whoever's authorize is still on its way. */
  readonly late: number | null;
  readonly isPast: boolean;
  readonly net: boolean;
  readonly end: boolean;
  /** Another row of the lease, which nobody has read before. */
  readonly again: boolean;
  /** One more look, due when the stored intent can no longer act. */
  readonly look: boolean;
  readonly processes: readonly [Process, Process];
  readonly crashes: number;
  readonly losses: number;
  readonly freezes: number;
  readonly earlyEnds: number;
}

const IDLE: Process = {
  at: "idle",
  rows: [false, false, false, false],
  isSweeping: false,
  isAsking: false,
  lease: null,
  isLockStale: false,
  isLedgerStale: false,
  fence: 0,
  isHeld: false,
  round: 0,
  seen: false,
  isLateReading: false,
  hold: null,
  next: null,
  call: null,
  wrote: null,
  intent: null,
  isIntentOver: false,
  isRevoked: false,
  wasHeld: false,
  isConverged: false,
  isOver: false,
};

const isSameHold = (a: Hold | null, b: Hold | null): boolean =>
  a === b || (a !== null && b !== null && a.ended === b.ended && a.opened === b.opened && a.standing === b.standing);

/** The model under its terms. */
export function protocol(terms: Terms): Model<State> {
  const lacks = (what: Planted): boolean => terms.without === what;

  const initial: State = {
    lock: null,
    lease: null,
    hold: null,
    intent: null,
    rule: false,
    late: null,
    isPast: false,
    net: false,
    end: false,
    again: false,
    look: false,
    processes: [{ ...IDLE, isAsking: true, at: lacks("due rows before the lease") ? "book lease" : "book due" }, IDLE],
    crashes: terms.crashes,
    losses: terms.losses,
    freezes: terms.freezes,
    earlyEnds: terms.isEndedEarly ? 1 : 0,
  };

  /** What a process does next; more than one step where the world decides. */
  function act(state: State, who: number): readonly Step<State>[] {
    const me = state.processes[who] as Process;
    const name = (what: string) => `${"AB"[who]}: ${what}`;
    const withMe = (world: Partial<State>, mine: Partial<Process>): State => {
      const processes = state.processes.map((it, index) => (index === who ? { ...me, ...mine } : it));
      return { ...state, ...world, processes: processes as unknown as State["processes"] };
    };
    /** The row of the lock or the ledger has changed: whoever has read it before fails. */
    const withOthers = (next: State, change: Partial<Process>): State => {
      const processes = next.processes.map((it, index) => (index === who ? it : { ...it, ...change }));
      return { ...next, processes: processes as unknown as State["processes"] };
    };
    const go = (
      at: At,
      world: Partial<State> = {},
      mine: Partial<Process> = {},
      says: string = me.at,
    ): Step<State> => ({
      name: name(says),
      state: withMe(world, { ...mine, at }),
    });
    const leave = (says?: string, world: Partial<State> = {}): Step<State> => ({
      name: name(says ?? me.at),
      state: withMe(world, IDLE),
    });
    const putHold = (hold: Hold | null, at: At, mine: Partial<Process> = {}): Step<State> => {
      const step = go(at, { hold }, { ...mine, isLedgerStale: false });
      return { ...step, state: withOthers(step.state, { isLedgerStale: true }) };
    };
    const again = (mine: Partial<Process> = {}, world: Partial<State> = {}, says?: string): Step<State> =>
      me.round + 1 >= ROUNDS_MAX
        ? go("book look", world, mine, says)
        : go("read group", world, { ...mine, round: me.round + 1, next: null, call: null, hold: null }, says);
    /** Whoever knows of an earlier attempt does not know of this one. */
    const booked = (step: Step<State>): Step<State> => ({
      ...step,
      state: {
        ...step.state,
        processes: step.state.processes.map((it, index) =>
          index === who || it.intent === null ? it : { ...it, intent: { ...it.intent, isOld: true } },
        ) as unknown as State["processes"],
      },
    });
    /** The lease as somebody who has read its row enters it into the ledger. */
    const entered = (lease: LeaseState): Hold => ({
      ended: lease === "closing",
      opened: lease !== "opening",
      standing: lease === "open" || lease === "closing",
    });

    const readLock = (says: string, rows: Process["rows"]): readonly Step<State>[] => {
      const { lock } = state;
      const ends = { held: NOW + 1, lapsed: NOW - 1, free: 0 };
      const row = lock && { fence: lock.fence, expiresAt: ends[lock.is] };
      return lockStateAt(row, NOW) === "held"
        ? me.at === "read lock" && !me.isAsking
          ? [leave(`${says} and finds the lock held`)]
          : []
        : [go("take lock", {}, { rows, isLockStale: false }, says)];
    };

    switch (me.at) {
      case "idle": {
        const rows = [
          state.net,
          state.end && state.isPast,
          state.look && state.intent !== "acts",
          state.again,
        ] as const;
        const steps: Step<State>[] = [];
        if (rows.some(Boolean)) steps.push(...readLock("wakes", [...rows]));
        const { lease } = state;
        if (who === 1 && state.earlyEnds > 0 && lease !== null && !isFinal(lease.state))
          steps.push(go("end: due", { earlyEnds: 0 }, { lease: lease.state, isAsking: true }, "is asked for the end"));
        return steps;
      }
      case "book due":
        return lacks("due rows before the lease")
          ? [go("read lock", { net: true, end: true }, { rows: [true, false, false, false] })]
          : [go("book lease", { net: true, end: true })];
      case "book lease":
        return [go("book hold", { lease: { state: "opening", fence: 0 } }, { lease: "opening" })];
      case "end: due":
        return [go("end: hold", { again: true })];
      case "book hold":
      case "end: hold": {
        const isEnding = me.at === "end: hold";
        const at = isEnding ? "end: mark" : lacks("due rows before the lease") && !state.net ? "book due" : "read lock";
        const rows: Process["rows"] = me.isSweeping ? me.rows : [!isEnding, false, false, isEnding];
        const lease = me.lease as LeaseState;
        if (state.hold !== null) return [go(at, {}, { rows, lease: null })];
        if (state.isPast && lease === "opening") {
          // Nothing is entered for a lease that nobody has opened and that is past its end.
          const isWritten = state.lease !== null && state.lease.fence <= 0;
          return [leave(undefined, isWritten && state.lease ? { lease: { ...state.lease, state: "lapsed" } } : {})];
        }
        return [putHold(entered(lease), at, { rows, lease: null })];
      }
      case "end: mark":
        return state.hold === null || state.hold.ended
          ? [go("read lock")]
          : [putHold({ ...state.hold, ended: true }, "read lock")];
      case "read lock":
        return readLock(me.at, me.rows);
      case "take lock": {
        if (me.isLockStale)
          return [
            me.isAsking ? go("read lock", {}, {}, "is too late for the lock") : leave("is too late for the lock"),
          ];
        const taken = takenLock(state.lock && { fence: state.lock.fence, expiresAt: 0 }, NOW, 1);
        const fence = state.lock === null ? 1 : (taken?.fence ?? 0);
        const intent = state.intent && {
          acts: state.intent === "acts",
          isOld: false,
          isUncertain: true,
          isAnswered: false,
        };
        const step = go("read group", { lock: { fence, is: "held" } }, { fence, isHeld: true, round: 0, intent });
        return [{ ...step, state: withOthers(step.state, { isLockStale: true }) }];
      }
      case "read group":
        return [
          go(
            "read ledger",
            {},
            {
              seen: state.rule,
              isLateReading: me.intent !== null && !me.intent.acts,
            },
          ),
        ];
      case "read ledger": {
        const wasHeld = me.round === 0 ? state.hold !== null : me.wasHeld;
        const mine = { wasHeld, isLedgerStale: false, hold: state.hold };
        if (state.hold === null) {
          // A rule that no entry knows goes at the end of its mark.
          if (me.seen && state.isPast && !me.isRevoked)
            return [go(me.isHeld ? "check lock" : "book look", {}, { ...mine, next: null, call: "revoke" })];
          return [go("book look", me.seen && !me.isRevoked ? { look: true } : {}, { ...mine, isConverged: true })];
        }
        const { intent } = me;
        const mayStillOpen = intent?.acts === true && !lacks("the wait for late effects");
        const { isPast } = state;
        // Entered by somebody who was late: the lease is over, and is not opened again.
        const isLate = !state.hold.opened && state.lease !== null && isFinal(state.lease.state);
        const isLooking = !lacks("the look at the lease's row before opening");
        const hold = isLate && isLooking ? { ...state.hold, ended: true } : state.hold;
        const decision = decide({
          hold,
          isPast,
          isSeen: me.seen && !me.isRevoked,
          mayStillOpen,
          isRevoked: me.isRevoked,
        });
        if (isLate && decision.call === "authorize")
          return [{ ...go("write ledger"), broken: "what is over is not opened again" }];
        const isUnmoved = isSameHold(decision.hold, state.hold);
        const isWorth = !(isUnmoved && (decision.lease === "open" || decision.lease === "opening"));
        const isWritten = me.wrote === decision.lease && !isFinal(decision.lease);
        const { call } = decision;
        const next = { hold: decision.hold, lease: decision.lease, isSettled: decision.isSettled };
        return [go(isWorth && !isWritten ? "write lease" : "write ledger", {}, { ...mine, next, call })];
      }
      case "write lease": {
        const next = me.next as NonNullable<Process["next"]>;
        const { lease } = state;
        const after = "write ledger";
        const mine = { wrote: next.lease };
        if (lease === null) return [go(after, {}, { ...mine, isOver: true })];
        // What is over stays as it is; whoever comes to the same end has nothing more to write.
        if (isFinal(lease.state) && !lacks("the seal of a lease that is over"))
          return [go(after, {}, { ...mine, isOver: me.isOver || isFinal(next.lease) })];
        if (lease.fence > me.fence) return [again({}, {}, "is overtaken")];
        return [
          go(
            after,
            { lease: { state: next.lease, fence: me.fence } },
            { ...mine, isOver: me.isOver || isFinal(next.lease) },
          ),
        ];
      }
      case "write ledger": {
        const next = me.next as NonNullable<Process["next"]>;
        const isGone = me.isOver && next.isSettled;
        const hold = isGone ? null : next.hold;
        const isChanged = !isSameHold(hold, me.hold);
        if (isChanged && me.isLedgerStale) return [again({}, {}, "finds the ledger changed")];
        // What a reading of this age shows is over: read back, or too old to come true.
        const { intent } = me;
        const isIntentOver =
          intent !== null &&
          (intent.isAnswered && !intent.isUncertain
            ? me.seen || me.isRevoked
            : me.isLateReading || lacks("the wait for late effects"));
        const over = { isIntentOver: me.isIntentOver || isIntentOver, intent: isIntentOver ? null : intent };
        const isEnding = next.hold.ended && me.hold?.ended === false && !next.isSettled;
        const booking: At = me.call === "authorize" && !lacks("the intent") ? "book intent" : "check lock";
        const at = me.call !== null && me.isHeld ? booking : "book look";
        const isConverged = me.call === null && !isEnding;
        if (me.call === null && isEnding) {
          const step = again(over, isChanged ? { hold } : {});
          return [isChanged ? { ...step, state: withOthers(step.state, { isLedgerStale: true }) } : step];
        }
        if (!isChanged) return [go(at, {}, { ...over, isConverged })];
        return [putHold(hold, at, { ...over, hold, isConverged })];
      }
      case "book intent":
        return [
          go(
            "check lock",
            { intent: "acts" },
            {
              intent: { acts: true, isOld: false, isUncertain: me.intent?.isUncertain ?? false, isAnswered: false },
              isIntentOver: false,
            },
          ),
        ];
      case "check lock":
        return me.isHeld ? [go("send")] : [go("book look", {}, {}, "has too little of its lock left")];
      case "send": {
        const isOpening = me.call === "authorize";
        const effect: Partial<State> = { rule: isOpening };
        const intent = me.intent && isOpening ? { ...me.intent, isAnswered: true } : me.intent;
        const answered = again({ intent, isRevoked: me.isRevoked || !isOpening }, effect, `${me.call} is answered`);
        const isUnread = lacks("the reading back of an end") && !isOpening;
        const steps = [
          isUnread ? again({ intent, isRevoked: true }, { ...effect }, `${me.call} is answered`) : answered,
        ];
        if (state.losses > 0) {
          const losses = state.losses - 1;
          const at = isOpening && !lacks("the intent") ? "book loss" : "read group";
          const lost = (world: Partial<State>, what: string): Step<State> =>
            at === "book loss"
              ? go(at, { losses, ...world }, {}, `${me.call} is lost ${what}`)
              : again({ isRevoked: me.isRevoked || isUnread }, { losses, ...world }, `${me.call} is lost ${what}`);
          steps.push(lost({}, "before its effect"), lost(effect, "after its effect"));
          if (isOpening) steps.push(lost({ late: me.fence }, "and late"));
        }
        return isOpening ? steps.map(booked) : steps;
      }
      case "book loss": {
        const intent = { acts: true, isOld: false, isUncertain: true, isAnswered: false };
        return [again({ intent, isIntentOver: false }, { intent: "acts" })];
      }
      case "book look": {
        // Whoever has lost its lock may not know of the last attempt: the intent is left to the next pass.
        const mayDelete = me.isHeld;
        const isLeft = me.isIntentOver && !mayDelete;
        const look = state.look || me.intent !== null || isLeft;
        return [go("finish", { look }, { isIntentOver: me.isIntentOver && mayDelete })];
      }
      case "finish": {
        const state0 = me.next?.lease ?? null;
        const isClosed = me.isOver;
        const isUnsettled = me.wasHeld && !isClosed && !(me.isConverged && state0 === "open");
        const isSettled = me.isConverged && !isUnsettled;
        const [net, end, look, again] = me.rows;
        const isDone = me.wasHeld && !isUnsettled;
        const world = {
          net: net && isDone ? false : state.net,
          end: end && isDone ? false : state.end,
          look: look && isSettled ? false : state.look,
          again: again && isDone ? false : state.again,
        };
        // One batch, of which a process that dies may have sent any part.
        const { intent } = state;
        const whole = go("let go", { ...world, intent: me.isIntentOver ? null : intent });
        if (state.crashes === 0) return [whole];
        const crashes = state.crashes - 1;
        return [
          whole,
          leave("dies with its due rows deleted", { ...world, crashes }),
          leave("dies with its intent deleted", { crashes, intent: me.isIntentOver ? null : intent }),
        ];
      }
      case "let go": {
        const { lock } = state;
        const isMine = lock !== null && lock.fence === me.fence;
        const world = isMine ? { lock: { ...lock, is: "free" as const } } : {};
        const isUnheld = !me.wasHeld && (me.rows[0] || me.rows[1] || me.rows[3]);
        const step = isUnheld
          ? { name: name(me.at), state: withMe(world, { ...IDLE, at: "find lease", rows: me.rows }) }
          : leave(undefined, world);
        return [isMine ? { ...step, state: withOthers(step.state, { isLockStale: true }) } : step];
      }
      case "find lease": {
        const { lease } = state;
        const [net, end, , again] = me.rows;
        const over = { net: net ? false : state.net, end: end ? false : state.end, again: again ? false : state.again };
        // Whoever was about to book it is given some time; nobody is frozen for longer at just that point.
        if (lease === null)
          return state.processes.some((it) => it.at === "book lease") ? [leave()] : [leave(undefined, over)];
        if (isFinal(lease.state)) return [leave(undefined, over)];
        return [go("book hold", {}, { lease: lease.state, isSweeping: true })];
      }
    }
  }

  /** What time alone brings. */
  function pass(state: State): readonly Step<State>[] {
    const { lock, processes } = state;
    const steps: Step<State>[] = [];
    const each = (change: (it: Process) => Partial<Process>): State["processes"] =>
      processes.map((it) => ({ ...it, ...change(it) })) as unknown as State["processes"];
    if (!state.isPast && (state.end || state.lease !== null))
      steps.push({ name: "the end comes", state: { ...state, isPast: true } });
    if (lock?.is === "held") {
      // Whoever is frozen under it sees its end before anybody else does, and has no call on its way by then.
      const holder = processes.find((it) => it.at !== "idle" && it.fence === lock.fence);
      const lapsed = { ...lock, is: "lapsed" as const };
      if (holder === undefined) steps.push({ name: "the lock of the dead lapses", state: { ...state, lock: lapsed } });
      else if (state.freezes > 0 && holder.at !== "send")
        steps.push({
          name: "the lock of the frozen lapses",
          state: {
            ...state,
            freezes: state.freezes - 1,
            lock: lapsed,
            processes: each((it) => (it === holder ? { isHeld: false } : {})),
          },
        });
    }
    const isCalling = processes.some((it) => it.at === "send" || (it.at === "check lock" && it.isHeld));
    const isOver = (it: Process): Partial<Process> =>
      it.intent === null ? {} : { intent: { ...it.intent, acts: false } };
    if (state.intent === "acts" && state.late === null && !isCalling)
      steps.push({ name: "what was late comes no more", state: { ...state, intent: "over", processes: each(isOver) } });
    // Somebody who was frozen knows of an earlier attempt than the last.
    const isOut = (it: Process): boolean => it.intent?.isOld === true && (state.late === null || state.late > it.fence);
    if (processes.some((it) => it.intent?.acts && isOut(it)))
      steps.push({
        name: "an earlier attempt comes no more",
        state: { ...state, processes: each((it) => (isOut(it) ? isOver(it) : {})) },
      });
    return steps;
  }

  const isQuiet = (state: State): boolean =>
    state.processes.every((it) => it.at === "idle") &&
    state.late === null &&
    !state.net &&
    !state.end &&
    !state.look &&
    !state.again;

  return {
    initial: [initial],
    next(state) {
      const steps = [...act(state, 0), ...act(state, 1), ...pass(state)];
      if (state.late !== null) {
        // Another rule than whoever has revoked one knows of.
        const [a, b] = state.processes.map((it) => ({ ...it, isRevoked: it.isRevoked && state.rule }));
        const processes = [a, b] as unknown as State["processes"];
        steps.push({ name: "the late call takes effect", state: { ...state, late: null, rule: true, processes } });
      }
      if (state.crashes > 0)
        for (const who of [0, 1])
          if (state.processes[who]?.at !== "idle") {
            const processes = state.processes.map((it, index) => (index === who ? IDLE : it));
            steps.push({
              name: `${"AB"[who]}: dies`,
              state: { ...state, crashes: state.crashes - 1, processes: processes as unknown as State["processes"] },
            });
          }
      return steps.map((step) => {
        const [from, to] = [state.lease?.state, step.state.lease?.state];
        const isMove = from === undefined || to === undefined || mayFollow(from, to);
        const why = isMove ? step.broken : `a lease goes from ${from} to ${to}, which its table does not have`;
        return { name: step.name, state: normal(step.state), ...(why === undefined ? {} : { broken: why }) };
      });
    },
    broken(state) {
      if (!isQuiet(state)) return null;
      if (state.rule) return "when nothing is left to be done, no rule stands";
      if (state.lease !== null && !isFinal(state.lease.state))
        return "when nothing is left to be done, the lease is over";
      // Who is late may enter a lease that is over: whoever passes by takes it out, and nobody opens it.
      if (state.hold !== null && state.lease === null) return "nobody is in the ledger without a lease";
      return null;
    },
    isAtRest: (state) => isQuiet(state),
    keyOf,
  };
}

const BEFORE_LOCK: ReadonlySet<At> = new Set([
  "book due",
  "book lease",
  "book hold",
  "end: due",
  "end: hold",
  "end: mark",
]);
const UNDER_LOCK: ReadonlySet<At> = new Set<At>(["read group", "read ledger", "write lease", "write ledger"]);
const CALLING: ReadonlySet<At> = new Set<At>(["book intent", "check lock", "send", "book loss"]);

/** The process without what it no longer needs. */
function tidied(it: Process): Process {
  const { at, rows, lease, isSweeping, isAsking } = it;
  if (at === "idle") return IDLE;
  if (BEFORE_LOCK.has(at)) return { ...IDLE, at, rows, lease, isSweeping, isAsking };
  if (at === "read lock" || at === "find lease") return { ...IDLE, at, rows, isSweeping, isAsking };
  if (at === "take lock") return { ...IDLE, at, rows, isAsking, isLockStale: it.isLockStale };
  const isReading = at === "write lease" || at === "write ledger";
  const isInPass = UNDER_LOCK.has(at) || CALLING.has(at);
  return {
    ...it,
    isSweeping: false,
    isAsking: false,
    lease: null,
    isLockStale: false,
    isLedgerStale: isReading && it.isLedgerStale,
    isHeld: (isInPass || at === "book look") && it.isHeld,
    round: isInPass ? it.round : 0,
    seen: (isReading || at === "read ledger") && it.seen,
    isLateReading: (isReading || at === "read ledger") && it.isLateReading,
    hold: isReading ? it.hold : null,
    next: at === "let go" ? null : it.next,
    call: isReading || CALLING.has(at) ? it.call : null,
    isRevoked: isInPass && it.isRevoked,
    wrote: isInPass ? it.wrote : null,
    intent: isInPass || at === "book look" ? it.intent : null,
    isIntentOver: at !== "let go" && it.isIntentOver,
    isConverged: at !== "let go" && it.isConverged,
    isOver: at !== "let go" && it.isOver,
  };
}

/** Fences by their order alone, and nothing that a process no longer needs. */
function normal(state: State): State {
  const [a, b] = state.processes.map(tidied) as [Process, Process];
  const fences = [0, state.lock?.fence ?? 0, state.lease?.fence ?? 0, state.late ?? 0, a.fence, b.fence];
  const rank = (fence: number): number => new Set(fences.filter((it) => it < fence)).size;
  return {
    ...state,
    lock: state.lock && { ...state.lock, fence: rank(state.lock.fence) },
    lease: state.lease && { ...state.lease, fence: rank(state.lease.fence) },
    late: state.late === null ? null : rank(state.late),
    processes: [
      { ...a, fence: rank(a.fence) },
      { ...b, fence: rank(b.fence) },
    ],
  };
}

const codes = new Map<string, string>();

/** One character for a value that has no parts. */
function codeOf(value: string | number): string {
  const text = `${value}`;
  let code = codes.get(text);
  if (code === undefined) {
    code = String.fromCharCode(200 + codes.size);
    codes.set(text, code);
  }
  return code;
}

/** All values of a state in the order of its fields, which is the same in all. */
function keyOf(value: object): string {
  let text = "";
  for (const part of Object.values(value) as (string | number | boolean | null | object)[])
    if (part === true) text += "1";
    else if (part === false) text += "0";
    else if (part === null) text += "-";
    else if (typeof part === "object") text += keyOf(part);
    else text += codeOf(part);
  return text;
}
