// What people outside know of rules that were allocated for good through the API: what may stand by that, and what has to.
import { LATE_EFFECT_MS, type ObservedCall, wordsOf } from "./observed.ts";

/** Whoever was frozen with a word of before has lost its lock by then. */
const KNOWN_MS = LATE_EFFECT_MS + 3 * 60_000;

/** A rule that somebody has asked to have allocated. Instants by the true clock. */
export interface KnownAllocation {
  readonly groupId: string;
  readonly words: string;
  /** The last word that it shall stand, if nobody may have taken it back since: when it was first said, and answered. */
  given: { readonly from: number; readonly at: number } | null;
  /** When the last word that takes it back was answered, if nobody may have given it since. */
  retiredAt: number | null;
  /** When others last removed or changed a rule of these words; 0 for never. */
  undoneAt: number;
  /** Words about it that were begun, and those of them that are on their way. */
  begun: number;
  inFlight: number;
}

export class KnownAllocations {
  readonly #all = new Map<string, KnownAllocation>();
  /** The true clock. */
  protected readonly now: () => number;

  constructor(now: () => number) {
    this.now = now;
  }

  get all(): readonly KnownAllocation[] {
    return [...this.#all.values()];
  }

  /** Somebody says, by `send`, that the rule shall stand; `send` answers whether that was heard. */
  async give(groupId: string, words: string, send: () => Promise<boolean>): Promise<void> {
    const from = this.now();
    const known = this.#known(groupId, words);
    if (await this.#hear(known, send)) known.given = { from, at: this.now() };
  }

  /** Somebody takes it back, by `send`; it goes on all the same for whoever holds a lease of it. */
  async retire(groupId: string, words: string, send: () => Promise<boolean>): Promise<void> {
    const known = this.#known(groupId, words);
    if (await this.#hear(known, send)) known.retiredAt = this.now();
  }

  /** True when the word was heard, and no other was on its way beside it: then nobody can say which came last. */
  async #hear(known: KnownAllocation, send: () => Promise<boolean>): Promise<boolean> {
    const isFirst = known.inFlight === 0;
    known.inFlight += 1;
    known.begun += 1;
    const { begun } = known;
    Object.assign(known, { given: null, retiredAt: null });
    const isHeard = await send();
    known.inFlight -= 1;
    Object.assign(known, { given: null, retiredAt: null });
    return isHeard && isFirst && known.begun === begun;
  }

  #known(groupId: string, words: string): KnownAllocation {
    const name = `${groupId} ${words}`;
    const fresh = { given: null, retiredAt: null, undoneAt: 0, begun: 0, inFlight: 0 };
    const known = this.#all.get(name) ?? { groupId, words, ...fresh };
    this.#all.set(name, known);
    return known;
  }

  /** Takes in a call. */
  note({ who, groupId, before, after }: ObservedCall): void {
    if (who === "safeport" || before === after) return;
    const left = new Set(after.map(wordsOf));
    for (const words of before.map(wordsOf)) {
      const known = this.#all.get(`${groupId} ${words}`);
      if (known !== undefined && !left.has(words)) known.undoneAt = this.now();
    }
  }

  /** True where somebody has ever asked for it: what was opened by that stands on where drift is not rolled back. */
  wasAsked(groupId: string, words: string): boolean {
    return this.#all.has(`${groupId} ${words}`);
  }

  /** True unless nobody was ever granted it for good, or that is surely over. */
  mayStand(groupId: string, words: string): boolean {
    return this.#all.get(`${groupId} ${words}`)?.retiredAt === null;
  }

  /** True while it may be opened by somebody's word. */
  mayBeOpened(groupId: string, words: string): boolean {
    const known = this.#all.get(`${groupId} ${words}`);
    return known !== undefined && (known.retiredAt === null || this.now() <= known.retiredAt + KNOWN_MS);
  }
}
