// What people outside know of rules that may be recycled: who used them and when, what was done to them, and what was asked for.
import type { EcsRule } from "../../local/services/ecs/model.ts";
import { type ObservedCall, wordsOf } from "./observed.ts";

/** Somebody who comes to a rule's port. */
interface Visit {
  readonly at: number;
  readonly isIn: boolean;
  /** False where the log has lost it: then nobody can know of it. */
  isLogged: boolean;
}

/** A rule that may be recycled. Instants by the true clock. */
export interface Recyclable {
  readonly groupId: string;
  readonly words: string;
  /** Those of the drop that quarantines it. */
  readonly twin: string;
  /** As it stood in the beginning. */
  readonly rule: EcsRule;
  /** False where the policy names no group of its: it is only reported. */
  readonly isNamed: boolean;
  /** Of its one client, oldest first. */
  readonly visits: Visit[];
  /** Since when the program's drop stands against it; null when none does. */
  droppedAt: number | null;
  /** When the last one went, or was changed; 0 before. */
  droppedUntil: number;
  /** Who removed or changed it, and when; null while it stands. */
  closed: { readonly by: string; readonly at: number } | null;
  /** When a person's word that it is left alone was last answered as done; null before, and when somebody else has touched it since. */
  leftAloneAt: number | null;
  /** True once a person may have been heard who wants it back. */
  isAskedBack: boolean;
}

export class KnownRecycling {
  readonly rules: Recyclable[] = [];
  readonly #now: () => number;

  /** `now` is the true clock. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(groupId: string, rule: EcsRule, isNamed: boolean, visits: Visit[]): Recyclable {
    const words = wordsOf(rule);
    const known: Recyclable = {
      ...{ groupId, words, rule, isNamed, visits, twin: words.replace(" accept ", " drop ") },
      ...{ droppedAt: null, droppedUntil: 0, closed: null, leftAloneAt: null, isAskedBack: false },
    };
    this.rules.push(known);
    return known;
  }

  /** Takes in a call; whoever judges it has seen it before. */
  note({ who, groupId, before, after }: ObservedCall): void {
    if (before === after) return;
    const now = this.#now();
    for (const known of this.rules) {
      if (known.groupId !== groupId) continue;
      const [hadIt, hasIt] = [before, after].map((rules) => rules.some((rule) => wordsOf(rule) === known.words));
      const [hadTwin, hasTwin] = [before, after].map((rules) => rules.some((rule) => wordsOf(rule) === known.twin));
      if (hadTwin !== hasTwin) known.droppedAt = hasTwin ? now : null;
      if (hadTwin && !hasTwin) known.droppedUntil = now;
      if (hadIt && !hasIt) known.closed = { by: who, at: now };
      if (!hadIt && hasIt) known.closed = null;
      if (who !== "safeport" && (hadIt !== hasIt || hadTwin !== hasTwin)) known.leftAloneAt = null;
    }
  }

  of(groupId: string, words: string): Recyclable | undefined {
    return this.rules.find((it) => it.groupId === groupId && it.words === words);
  }

  /** True of the words of a drop that quarantines a rule. */
  isQuarantine(groupId: string, words: string): boolean {
    return this.quarantinedBy(groupId, words) !== undefined;
  }

  /** The rule that a drop of these words quarantines. */
  quarantinedBy(groupId: string, words: string): Recyclable | undefined {
    return this.rules.find((it) => it.groupId === groupId && it.twin === words);
  }

  /** True of a rule that the program may recycle. */
  isRecyclable(groupId: string, words: string): boolean {
    return this.of(groupId, words)?.isNamed === true;
  }

  /** True of one that the program has closed for want of use, as far as can be told. */
  isClosed(groupId: string, words: string): boolean {
    const known = this.of(groupId, words);
    return known?.isNamed === true && known.closed?.by === "safeport";
  }

  /** True of one that is given back, or may be. */
  isToGiveBack(groupId: string, words: string): boolean {
    const known = this.of(groupId, words);
    return known !== undefined && (this.isClosed(groupId, words) || known.isAskedBack);
  }
}
