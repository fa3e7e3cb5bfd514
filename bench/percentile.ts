// Figures from samples: percentiles by the nearest-rank rule, and the union of time spans.

/** A span of time in milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The smallest sample that at least `percent` percent of the samples do not exceed. NaN when there are none. */
export function percentile(samples: readonly number[], percent: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}

/** Milliseconds in which at least one of the spans runs. */
export function coveredMs(spans: readonly Span[]): number {
  let covered = 0;
  let end = Number.NEGATIVE_INFINITY;
  for (const { from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    covered += Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return covered;
}
