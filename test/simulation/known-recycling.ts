// What people outside know of rules that may be recycled: who used them and when, what was done to them, and what was asked for.
import type { EcsRule } from "../../local/services/ecs/model.ts";
import { OTHERS } from "../../shared/domain/recycling-item.ts";
import type { Tables } from "../../shared/ports/tables.ts";
import { listRecyclingItems } from "../../shared/store/recycling.ts";
import { type ObservedCall, SKEW_MAX_MS, wordsOf } from "./observed.ts";

/** How long a rule is quarantined. */
export const QUARANTINE_MS = 30 * 60_000;

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
  /**
   * Who removed or changed it, and when; null while it stands. `isDue`: somebody else did, and the program was about to: its quarantine had
   * had its time, and its deletion was stored as decided.
   */
  closed: { readonly by: string; readonly at: number; isDue: boolean } | null;
  /** When a person's word that it is left alone was last answered as done; null before, and when somebody else has touched it since. */
  leftAloneAt: number | null;
  /** True once a person may have been heard who wants it back. */
  isAskedBack: boolean;
}

export class KnownRecycling {
  readonly rules: Recyclable[] = [];
  readonly #now: () => number;
  readonly #tables: Tables;

  /** `now` is the true clock. */
  constructor({ now, tables }: { readonly now: () => number; readonly tables: Tables }) {
    this.#now = now;
    this.#tables = tables;
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
      const { droppedAt } = known;
      if (hadTwin !== hasTwin) known.droppedAt = hasTwin ? now : null;
      if (hadTwin && !hasTwin) known.droppedUntil = now;
      if (hadIt && !hasIt) {
        known.closed = { by: who, at: now, isDue: false };
        const isSilent = droppedAt !== null && now - droppedAt >= QUARANTINE_MS - SKEW_MAX_MS;
        if (who !== "safeport" && isSilent) void this.#noteDecided(known, known.closed);
      }
      if (!hadIt && hasIt) known.closed = null;
      if (who !== "safeport" && (hadIt !== hasIt || hadTwin !== hasTwin)) known.leftAloneAt = null;
    }
  }

  /**
   * What is to be deleted is closed in the ledger first. Whoever changes it before the revoke has it go no other way: it is not given back so as
   * to be deleted then, and the item keeps it. That this was decided is read at once: what is stored afterwards excuses nothing.
   */
  async #noteDecided({ groupId, rule }: Recyclable, closed: NonNullable<Recyclable["closed"]>): Promise<void> {
    const { items } = await listRecyclingItems(this.#tables, { limit: 100 });
    closed.isDue = items.some(
      ({ group, kept, step }) =>
        group.groupId === groupId &&
        kept.description === rule.description &&
        step?.to === "deleted" &&
        step.by !== OTHERS,
    );
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

  /** True of one that the program has closed for want of use, or had begun to, as far as can be told. */
  isClosed(groupId: string, words: string): boolean {
    const known = this.of(groupId, words);
    return known?.isNamed === true && isGone(known);
  }

  /** True of one that is given back, or may be. */
  isToGiveBack(groupId: string, words: string): boolean {
    const known = this.of(groupId, words);
    return known !== undefined && (this.isClosed(groupId, words) || known.isAskedBack);
  }
}

/** True of one that stands no more by the program's doing or decision. */
export const isGone = ({ closed }: Recyclable): boolean =>
  closed !== null && (closed.by === "safeport" || closed.isDue);
