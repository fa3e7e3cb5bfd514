// The wake-up port: a hint that the sweep should run at an instant. The stored due instant plus the minute timer is the truth.

export interface Wakeup {
  /**
   * Asks for a sweep of `shard` at `at` (milliseconds, rounded up to the second). Never throws and never says whether it worked:
   * a lost wake-up costs lateness, not correctness. One comes for each second; `again` counts those that came before it, as the same
   * one is not sent twice.
   */
  arm(shard: number, at: number, again?: number): Promise<void>;
}
