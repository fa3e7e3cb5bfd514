// Sends together what is asked for at once: one call for many asks, and none that waits when few are on their way.
import { afterThisTurn } from "../system/turn.ts";

/** How asks of one kind are sent. Both reject for a whole call alone. */
export interface Gathering<Ask, Answer> {
  readonly alone: (ask: Ask) => Promise<Answer>;
  /** Answers in the order of the asks. */
  readonly together: (asks: readonly Ask[]) => Promise<readonly Answer[]>;
  /** A fresh call: answers false for an ask that has no place in it beside those it took before. The first is never refused. */
  readonly room: () => (ask: Ask) => boolean;
  /** From so many asks on they go together; default: four, so that what one of a few meets is no matter of the others. */
  readonly fromCount?: number;
}

interface Waiting<Ask, Answer> {
  readonly ask: Ask;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** Calls on their way before further asks wait for one of them to return. */
const CALLS_AT_ONCE = 8;
const FROM_COUNT = 4;

/**
 * Asks of one turn of the event loop go together, and so do those that came while `CALLS_AT_ONCE` were on their way: the busier the
 * program, the more a call carries. Every ask is sent after it was made, so that an answer is never older than its ask.
 */
export function gathered<Ask, Answer>({ alone, together, room, fromCount = FROM_COUNT }: Gathering<Ask, Answer>) {
  let waiting: Waiting<Ask, Answer>[] = [];
  let flights = 0;
  let isScheduled = false;

  function schedule(): void {
    if (isScheduled || waiting.length === 0 || flights >= CALLS_AT_ONCE) return;
    isScheduled = true;
    afterThisTurn(() => {
      isScheduled = false;
      while (waiting.length > 0 && flights < CALLS_AT_ONCE) depart();
    });
  }

  function depart(): void {
    const hasRoom = room();
    const [aboard, left]: [Waiting<Ask, Answer>[], Waiting<Ask, Answer>[]] = [[], []];
    for (const it of waiting) (hasRoom(it.ask) ? aboard : left).push(it);
    waiting = left;
    if (aboard.length >= fromCount) void fly(aboard, () => together(aboard.map((it) => it.ask)));
    else for (const it of aboard) void fly([it], async () => [await alone(it.ask)]);
  }

  async function fly(aboard: readonly Waiting<Ask, Answer>[], call: () => Promise<readonly Answer[]>): Promise<void> {
    flights += 1;
    try {
      const answers = await call();
      for (const [index, it] of aboard.entries()) it.resolve(answers[index] as Answer);
    } catch (error) {
      for (const it of aboard) it.reject(error);
    } finally {
      flights -= 1;
      schedule();
    }
  }

  return (ask: Ask): Promise<Answer> =>
    new Promise((resolve, reject) => {
      waiting.push({ ask, resolve, reject });
      schedule();
    });
}
