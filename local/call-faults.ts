// How a call goes under a fault, for every service alike.

import type { Clock } from "../shared/ports/clock.ts";
import type { CallFault, Fault } from "./faults.ts";

/** What a service can do with one call. None of it rejects. */
export interface CallActs<Answer> {
  readonly clock: Clock;
  /** Runs the call to its answer; `copy` is 0 for the first delivery, 1 for its first copy, and so on. */
  readonly perform: (copy: number) => Promise<Answer>;
  readonly refuse: (fault: Extract<Fault, { readonly kind: "reject" }>) => Answer;
  /** The page of a gateway in between. */
  readonly html: () => Answer;
  /** The call is lost before it has had any effect. */
  readonly lost?: () => void;
  /** Aborts when the service stops. */
  readonly signal?: AbortSignal;
}

/** Answers undefined when the connection is to be cut. Rejects only when the service stops while the call waits. */
export async function playFault<Answer>(
  fault: CallFault | undefined,
  acts: CallActs<Answer>,
): Promise<Answer | undefined> {
  const { clock, perform, signal } = acts;
  switch (fault?.kind) {
    case "reject":
      return acts.refuse(fault);
    case "drop-before":
      acts.lost?.();
      return undefined;
    case "drop-after":
      await perform(0);
      return undefined;
    case "late-effect":
      void clock.sleep(fault.ms, signal).then(
        () => perform(0),
        () => undefined,
      );
      return undefined;
    case "delay":
      await clock.sleep(fault.ms, signal);
      return perform(0);
    case "held":
      await overtakenWithin(fault.overtaken, fault.ms, acts);
      fault.begin();
      return perform(0);
    case "duplicate": {
      const first = await perform(0);
      let last = first;
      for (let copy = 1; copy <= (fault.times ?? 1); copy += 1) last = await perform(copy);
      return fault.answer === "last" ? last : first;
    }
    case "html-502":
      return acts.html();
    default:
      return perform(0);
  }
}

/** The wait ends with whichever comes first; it does not outlive the call. */
async function overtakenWithin(
  overtaken: Promise<void>,
  ms: number,
  { clock, signal }: Pick<CallActs<unknown>, "clock" | "signal">,
): Promise<void> {
  const over = new AbortController();
  const stop = signal === undefined ? over.signal : AbortSignal.any([signal, over.signal]);
  const patience = clock.sleep(ms, stop).catch(() => undefined);
  await Promise.race([overtaken, patience]);
  over.abort();
  signal?.throwIfAborted();
}

/** The date of an answer, by a clock that may be off. */
export function answerDate(nowMs: number, fault: { readonly kind: string; readonly ms?: number } | undefined): string {
  return new Date(nowMs + (fault?.kind === "skew" ? (fault.ms ?? 0) : 0)).toUTCString();
}
