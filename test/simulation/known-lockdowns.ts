// What people outside know of lockdowns: where one may be on, and what was closed for it and is to come back.
import type { EcsRule } from "../../local/services/ecs/model.ts";
import type { LockdownStory } from "./lockdown-story.ts";
import { type ObservedCall, wordsFor, wordsOf } from "./observed.ts";

const MINUTE_MS = 60_000;
/** After the end of a lockdown, or of trouble, it is lifted: locks of whoever died lapse, and the next tick or two come. */
export const LIFTED_WITHIN_MS = 75_000 + 30_000 + 2 * MINUTE_MS;
/** When the lists of every set have been looked at again, whatever events of strangers were lost. */
export const LISTS_WITHIN_MS = 65 * MINUTE_MS;

/** The true time, and when something last kept the program from what it has to do. */
export interface Times {
  now(): number;
  troubledAt(): number;
}

/** A rule that was closed for a lockdown. */
interface ClosedRule {
  /** Who wrote it first. */
  readonly owner: string;
  readonly ruleId: string;
  /** True where others had changed it just before: the program may know it by its words of before alone. */
  readonly isMoved: boolean;
}

/** Between a reading and the call that closes what it has shown; the cloud revokes by id, whatever the rule says by then. */
export const READ_TO_CALL_MS = 2_000;

export class KnownLockdowns {
  /** Scopes of lockdowns, by name. */
  readonly stories = new Map<string, LockdownStory>();
  /** Rules that the program has revoked where a lockdown may be on, and not given back yet; by group and words. */
  readonly closed = new Map<string, Map<string, ClosedRule>>();
  /** Those that were given back, and what others have removed while one may have been on; by group and words. */
  readonly #givenBack = new Map<string, ClosedRule>();
  /** When others last changed a rule, by its id. */
  readonly #movedAt = new Map<string, number>();
  readonly #lockedAt = new Map<string, number>();
  /** Parts of wide rules that may stand by themselves while one is on, and have to be let in all the time. */
  readonly pieces: { readonly groupId: string; readonly port: string; readonly source: string }[] = [];
  readonly #times: Times;

  constructor(times: Times) {
    this.#times = times;
  }

  isPiece(groupId: string, words: string): boolean {
    return this.pieces.some((it) => it.groupId === groupId && wordsFor(it.port, it.source) === words);
  }

  /** Takes in a call; `writerOf` knows whose a rule is. */
  noteClosed({ who, groupId, before, after }: ObservedCall, writerOf: (rule: EcsRule) => string | undefined): void {
    const closed = this.closed.get(groupId) ?? new Map<string, ClosedRule>();
    this.closed.set(groupId, closed);
    const standing = new Set(after.map(wordsOf));
    const now = this.#times.now();
    if (who !== "safeport")
      for (const rule of after)
        if (before.some((it) => it.ruleId === rule.ruleId && it !== rule)) this.#movedAt.set(rule.ruleId, now);
    if (this.mayBeOn(groupId))
      for (const rule of before) {
        const words = wordsOf(rule);
        if (rule.policy === "Drop" || standing.has(words)) continue;
        const { ruleId } = rule;
        const isMoved = now < (this.#movedAt.get(ruleId) ?? Number.NEGATIVE_INFINITY) + READ_TO_CALL_MS;
        const known = { owner: writerOf(rule) ?? "somebody before", ruleId, isMoved };
        if (who === "safeport") closed.set(words, known);
        else this.#givenBack.set(`${groupId} ${words}`, known);
      }
    for (const words of standing) {
      const rule = closed.get(words);
      if (rule !== undefined) this.#givenBack.set(`${groupId} ${words}`, rule);
      closed.delete(words);
    }
  }

  /**
   * The rule of these words that was closed for a lockdown. Whoever dies after giving it back, and before that is written down, leaves the
   * next pass to find nothing there: it cannot tell that from a call that came to nothing, and gives back once more what its owner has removed.
   * So it does with what its owner removes between the reading that had it kept and the call that closes it.
   */
  toGiveBack(groupId: string, words: string): ClosedRule | undefined {
    const rule = this.closed.get(groupId)?.get(words);
    return rule ?? (this.mayBeOn(groupId) ? this.#givenBack.get(`${groupId} ${words}`) : undefined);
  }

  /** When one may last have been on in the group, by all that people know; 0 for never. */
  lastOnAt(groupId: string): number {
    const now = this.#times.now();
    const troubledAt = Math.min(this.#times.troubledAt(), now);
    const stories = [...this.stories.values()].filter((it) => it.groupIds.includes(groupId));
    const known = stories.map((it) => it.lastOnAt(now, troubledAt));
    const lastOnAt = Math.max(this.#lockedAt.get(groupId) ?? 0, ...known);
    this.#lockedAt.set(groupId, lastOnAt);
    return lastOnAt;
  }

  /** True where one may be on, or not be lifted yet. */
  mayBeOn(groupId: string): boolean {
    const lastOnAt = this.lastOnAt(groupId);
    const now = this.#times.now();
    return lastOnAt > 0 && now <= Math.max(lastOnAt, Math.min(this.#times.troubledAt(), now)) + LIFTED_WITHIN_MS;
  }

  /** True for a rule of other people that was closed for one and has not been given back yet. */
  isToGiveBack(groupId: string, words: string): boolean {
    return (this.toGiveBack(groupId, words)?.owner ?? "safeport") !== "safeport";
  }
}
