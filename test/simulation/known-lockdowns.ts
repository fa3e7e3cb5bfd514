// What people outside know of lockdowns: where one may be on, and what was closed for it and is to come back.
import type { LockdownStory } from "./lockdown-story.ts";
import { type ObservedCall, wordsOf } from "./observed.ts";

const MINUTE_MS = 60_000;
/** After the end of a lockdown, or of trouble, it is lifted: locks of whoever died lapse, and the next tick or two come. */
export const LIFTED_WITHIN_MS = 75_000 + 30_000 + 2 * MINUTE_MS;

/** The true time, and when something last kept the program from what it has to do. */
export interface Times {
  now(): number;
  troubledAt(): number;
}

export class KnownLockdowns {
  /** Scopes of lockdowns, by name. */
  readonly stories = new Map<string, LockdownStory>();
  /** Words of rules that the program has revoked where a lockdown may be on, and not given back yet, with who wrote them; by group. */
  readonly closed = new Map<string, Map<string, string>>();
  /** Of those that were given back, by group and words: whose they are. */
  readonly #givenBack = new Map<string, string>();
  readonly #lockedAt = new Map<string, number>();
  readonly #times: Times;

  constructor(times: Times) {
    this.#times = times;
  }

  /** Takes in a call; `writerOf` knows who wrote a rule first, by its id. */
  noteClosed({ who, groupId, before, after }: ObservedCall, writerOf: (ruleId: string) => string | undefined): void {
    const closed = this.closed.get(groupId) ?? new Map<string, string>();
    this.closed.set(groupId, closed);
    const standing = new Set(after.map(wordsOf));
    if (who === "safeport" && this.mayBeOn(groupId))
      for (const rule of before) {
        const words = wordsOf(rule);
        if (rule.policy === "Drop" || standing.has(words)) continue;
        closed.set(words, writerOf(rule.ruleId) ?? "somebody before");
      }
    for (const words of standing) {
      const owner = closed.get(words);
      if (owner !== undefined) this.#givenBack.set(`${groupId} ${words}`, owner);
      closed.delete(words);
    }
  }

  /**
   * Whose a rule is that was closed for a lockdown. Whoever dies after giving it back, and before that is written down, leaves the next
   * pass to find nothing there: it cannot tell that from a call that came to nothing, and gives back once more what its owner has removed.
   */
  ownerToGiveBackTo(groupId: string, words: string): string | undefined {
    const owner = this.closed.get(groupId)?.get(words);
    return owner ?? (this.mayBeOn(groupId) ? this.#givenBack.get(`${groupId} ${words}`) : undefined);
  }

  /** When one may last have been on in the group, by all that people know; 0 for never. */
  lastOnAt(groupId: string): number {
    const now = this.#times.now();
    const troubledAt = Math.min(this.#times.troubledAt(), now);
    const isOn = [...this.stories.values()].some((it) => it.groupIds.includes(groupId) && it.mayBeOn(now, troubledAt));
    if (isOn) this.#lockedAt.set(groupId, now);
    return this.#lockedAt.get(groupId) ?? 0;
  }

  /** True where one may be on, or not be lifted yet. */
  mayBeOn(groupId: string): boolean {
    const lastOnAt = this.lastOnAt(groupId);
    const now = this.#times.now();
    return lastOnAt > 0 && now <= Math.max(lastOnAt, Math.min(this.#times.troubledAt(), now)) + LIFTED_WITHIN_MS;
  }

  /** True for a rule of other people that was closed for one and has not been given back yet. */
  isToGiveBack(groupId: string, words: string): boolean {
    return (this.ownerToGiveBackTo(groupId, words) ?? "safeport") !== "safeport";
  }
}
