// What the rows may hold after a kill: what was answered last, or what was being written.

/** A row's revision; 0 when there is no row. */
export type Revision = number;

/** Answered and unanswered writes of every row. */
export class Expectation {
  readonly #answered = new Map<string, Revision>();
  readonly #pending: { readonly keys: readonly string[]; readonly revision: Revision; readonly isAtomic: boolean }[] =
    [];

  /** A write is sent: it may take effect from now on. The function returned is for its answer. */
  sent(keys: readonly string[], revision: Revision, isAtomic: boolean): () => void {
    const write = { keys, revision, isAtomic };
    this.#pending.push(write);
    return () => {
      this.#pending.splice(this.#pending.indexOf(write), 1);
      for (const key of keys) this.#answered.set(key, revision);
    };
  }

  /** Compares with what is stored, which is what counts from now on. Gives what is wrong. */
  settle(stored: ReadonlyMap<string, Revision>): string[] {
    const wrong: string[] = [];
    const allowed = new Map<string, Set<Revision>>();
    for (const key of new Set([...this.#answered.keys(), ...stored.keys()])) {
      allowed.set(key, new Set([this.#answered.get(key) ?? 0]));
    }
    for (const { keys, revision, isAtomic } of this.#pending) {
      for (const key of keys) allowed.set(key, (allowed.get(key) ?? new Set([0])).add(revision));
      const done = keys.filter((key) => (stored.get(key) ?? 0) === revision).length;
      if (isAtomic && done !== 0 && done !== keys.length) wrong.push(`half of the atomic batch ${revision} is stored`);
    }
    for (const [key, revisions] of allowed) {
      const revision = stored.get(key) ?? 0;
      if (!revisions.has(revision)) wrong.push(`${key} holds ${revision}, expected ${[...revisions].join(" or ")}`);
      this.#answered.set(key, revision);
    }
    this.#pending.length = 0;
    return wrong;
  }
}
