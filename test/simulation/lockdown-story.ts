// One scope of lockdowns, as those know it who post alarms and lift lockdowns: when one is surely on, and when one may be.

interface Cause {
  /** `lifted`: a person has lifted what it began, or may have, and it has not been over since. */
  state: "on" | "over" | "lifted";
  /** When the last telling happened, by the monitoring's clock. */
  at: number;
  /** From when until when it surely keeps a lockdown on; null when nobody can say. Instants by the true clock. */
  surely: { readonly from: number; readonly until: number } | null;
}

/** An end that is put off by less is not moved. */
const NOT_MOVED_MS = 60_000;
/** When the job acts at last on what nobody has acted on: without trouble, and whatever trouble there is. */
const JOB_MS = 4 * 60_000;
const LATEST_MS = 2 * 60 * 60_000;
/** Clocks that are off, and answers that are on their way. */
const SLACK_MS = 20_000;

export class LockdownStory {
  readonly groupIds: readonly string[];
  readonly #periodMs: number;
  readonly #now: () => number;
  readonly #causes = new Map<string, Cause>();
  #lastBegunAt = Number.NEGATIVE_INFINITY;
  #lastSentAt = 0;
  #inFlight = 0;
  /** Beginnings and ends of what people have lifted. */
  #liftTurns = 0;

  /** `now` is the true clock. */
  constructor(groupIds: readonly string[], periodMs: number, now: () => number) {
    this.groupIds = groupIds;
    this.#periodMs = periodMs;
    this.#now = now;
  }

  /** Tells, by `send`, that the cause is on or over since `at`; `send` answers whether that was heard. */
  async tell(name: string, state: "on" | "over", at: number, send: () => Promise<boolean>) {
    const cause = this.#causes.get(name) ?? { state: "over", at: Number.NEGATIVE_INFINITY, surely: null };
    this.#causes.set(name, cause);
    const isNew = at > cause.at;
    if (isNew && state === "over") cause.surely = null;
    const sentAt = this.#now();
    const turns = this.#liftTurns;
    const isHeard = await this.#hear(send);
    const now = this.#now();
    // Whatever died on the way may act later, by a job.
    if (state === "on") this.#lastBegunAt = now;
    if (at <= cause.at) return;
    const before = cause.state;
    cause.at = at;
    if (state === "on") {
      // What it began may be lifted before it answers.
      const mayBeLifted = before === "lifted" || turns !== this.#liftTurns;
      cause.state = mayBeLifted ? "lifted" : "on";
      // An end counts from when it was told, however long it took to act on it.
      const until = sentAt + this.#periodMs - NOT_MOVED_MS - SLACK_MS;
      const isSure = isHeard && !mayBeLifted && this.#inFlight === 0;
      // One that ended by its time in between begins anew.
      const isOn = before === "on" && cause.surely !== null && now < cause.surely.until;
      if (isSure) cause.surely = { from: isOn ? (cause.surely?.from ?? now) : now, until };
    } else if (isHeard) cause.state = "over";
    else cause.at = Number.NEGATIVE_INFINITY;
  }

  /** A person lifts what is on, by `send`. Whether that is answered or not, its alarms may begin nothing more before they have been over. */
  async lift(send: () => Promise<boolean>): Promise<void> {
    this.#liftTurns += 1;
    for (const cause of this.#causes.values()) cause.surely = null;
    await this.#hear(send);
    this.#liftTurns += 1;
    for (const cause of this.#causes.values()) {
      cause.surely = null;
      if (cause.state === "on") cause.state = "lifted";
    }
  }

  /** When one may last have been on; 0 for never. After trouble at `troubledAt` the job begins it later than it was told. */
  lastOnAt(now: number, troubledAt: number): number {
    if (this.#inFlight > 0) return now;
    const isAsked = [...this.#causes.values()].some((it) => it.state !== "over");
    const latest = Math.min(Math.max(this.#lastBegunAt, troubledAt) + JOB_MS, this.#lastBegunAt + LATEST_MS);
    return isAsked && now <= latest + this.#periodMs + SLACK_MS ? now : this.#lastSentAt;
  }

  /** Since when one is surely on; null where that is not sure. */
  surelySince(now: number): number | null {
    const since = [...this.#causes.values()].flatMap(({ surely }) =>
      surely !== null && now < surely.until ? [surely.from] : [],
    );
    return since.length === 0 ? null : Math.min(...since);
  }

  /** Until the last word is said one may be on, whether anybody looks meanwhile or not. */
  async #hear(send: () => Promise<boolean>): Promise<boolean> {
    this.#inFlight += 1;
    const isHeard = await send();
    this.#inFlight -= 1;
    this.#lastSentAt = this.#now();
    return isHeard;
  }
}
