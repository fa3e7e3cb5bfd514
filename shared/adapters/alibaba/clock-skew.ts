// How far this machine's clock is ahead of the cloud's, as far as replies prove it.

/** A reply's `Date` is cut to whole seconds. */
const DATE_MS = 1000;

/**
 * A reply was dated between its request and its arrival, so each bounds the skew from both sides, and a slow one proves little. What
 * several prove together is kept; a reply that none of it agrees with shows that a clock was set, and counts alone.
 */
export class ClockSkew {
  #least = Number.NEGATIVE_INFINITY;
  #most = Number.POSITIVE_INFINITY;

  /** `date`: the header as it came. One that is no date tells nothing. */
  note(sentAt: number, receivedAt: number, date: string | undefined): void {
    const at = Date.parse(date ?? "");
    if (Number.isNaN(at)) return;
    const [least, most] = [Math.min(sentAt, receivedAt) - at - DATE_MS, Math.max(sentAt, receivedAt) - at];
    const isKnown = least <= this.#most && this.#least <= most;
    this.#least = isKnown ? Math.max(least, this.#least) : least;
    this.#most = isKnown ? Math.min(most, this.#most) : most;
  }

  /** Milliseconds that are proved: the smallest skew that all of it allows. 0 before the first reply. */
  get ms(): number {
    if (this.#least > 0) return this.#least;
    return Math.min(this.#most, 0);
  }
}
