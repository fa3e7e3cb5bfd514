// The metrics port: numbers of ours that CloudMonitor keeps, so that its own alarms and dashboards can speak of them.

/** One number at one instant. */
export interface MetricPoint {
  /** Letters, digits and underscores, a letter first; at most 64. */
  readonly name: string;
  /** Names and values of at most 64 bytes; values without `=`, `&` and commas. Always the same ones for a name, in the same order. */
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds. */
  readonly at: number;
}

export interface Metrics {
  /**
   * Publishes in the order given with at most `callsMax` calls, and answers how many points went out and what it cost. Free of charge on the
   * service's side. Throws `CloudFailure`; what went out before stays.
   */
  publish(
    region: string,
    points: readonly MetricPoint[],
    callsMax: number,
  ): Promise<{ readonly published: number; readonly calls: number }>;
}
