// Metrics in memory: series of points, and their statistics over periods.

/** Names and values that tell series of one metric apart. */
export type Dimensions = Readonly<Record<string, string>>;

/** One measurement, or several that were taken together before they were sent. */
export interface MetricPoint {
  readonly at: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly sum: number;
  readonly count: number;
}

/** What one metric measured of one thing. */
export interface Series {
  readonly dimensions: Dimensions;
  readonly points: MetricPoint[];
}

/** Statistics of the points of one period. */
export interface Statistics {
  readonly timestamp: number;
  readonly Minimum: number;
  readonly Average: number;
  readonly Maximum: number;
  readonly Sum: number;
}

const DAY_MS = 86_400_000;
const KEPT_MS = 91 * DAY_MS;
const POINTS_MAX = 200_000;

/** How far back a period can be asked for. */
export const retentionMs = (periodS: number): number =>
  periodS < 60 ? 7 * DAY_MS : periodS < 300 ? 31 * DAY_MS : KEPT_MS;

/** A point of one value. */
export const pointOf = (at: number, value: number): MetricPoint => ({
  at,
  minimum: value,
  maximum: value,
  sum: value,
  count: 1,
});

const keyOf = (dimensions: Dimensions): string => JSON.stringify(Object.entries(dimensions).sort());

/** All series of one account. */
export class MetricStore {
  readonly #series = new Map<string, Map<string, Series>>();

  put(namespace: string, metricName: string, dimensions: Dimensions, point: MetricPoint): void {
    const metric = `${namespace}/${metricName}`;
    const all = this.#series.get(metric) ?? new Map<string, Series>();
    this.#series.set(metric, all);
    const key = keyOf(dimensions);
    const series = all.get(key) ?? { dimensions, points: [] };
    all.set(key, series);
    const { points } = series;
    // Points come in order but for late ones.
    let index = points.length;
    while (index > 0 && (points[index - 1]?.at ?? 0) > point.at) index -= 1;
    points.splice(index, 0, point);
    const first = points[0]?.at ?? 0;
    if (points.length > POINTS_MAX || first < point.at - 2 * KEPT_MS)
      points.splice(0, Math.max(points.length - POINTS_MAX, countBefore(points, point.at - KEPT_MS)));
  }

  /** The series of a metric that have every one of the wanted dimensions. */
  find(namespace: string, metricName: string, wanted: Dimensions = {}): readonly Series[] {
    const all = [...(this.#series.get(`${namespace}/${metricName}`)?.values() ?? [])];
    return all.filter(({ dimensions }) =>
      Object.entries(wanted).every(([name, value]) => dimensions[name] === String(value)),
    );
  }

  clear(): void {
    this.#series.clear();
  }
}

const countBefore = (points: readonly MetricPoint[], beforeMs: number): number => {
  const index = points.findIndex((point) => point.at >= beforeMs);
  return index < 0 ? points.length : index;
};

/** Statistics of each period whose start lies in (fromMs, toMs]; periods without a point are left out. */
export function statisticsOf(series: Series, periodMs: number, fromMs: number, toMs: number): Statistics[] {
  const found = new Map<number, MetricPoint>();
  for (const point of series.points) {
    const start = Math.floor(point.at / periodMs) * periodMs;
    if (start <= fromMs || start > toMs) continue;
    const before = found.get(start);
    found.set(start, before === undefined ? point : merged(before, point));
  }
  return [...found].sort(([a], [b]) => a - b).map(([timestamp, point]) => ({ timestamp, ...named(point) }));
}

/** Statistics of the points in [fromMs, toMs), if there are any. */
export function statisticsWithin(
  series: Series,
  fromMs: number,
  toMs: number,
): Omit<Statistics, "timestamp"> | undefined {
  let all: MetricPoint | undefined;
  for (let index = series.points.length - 1; index >= 0; index -= 1) {
    const point = series.points[index];
    if (!point || point.at < fromMs) break;
    if (point.at < toMs) all = all === undefined ? point : merged(all, point);
  }
  return all === undefined ? undefined : named(all);
}

const merged = (one: MetricPoint, other: MetricPoint): MetricPoint => ({
  at: one.at,
  minimum: Math.min(one.minimum, other.minimum),
  maximum: Math.max(one.maximum, other.maximum),
  sum: one.sum + other.sum,
  count: one.count + other.count,
});

const named = ({ minimum, maximum, sum, count }: MetricPoint): Omit<Statistics, "timestamp"> => ({
  Minimum: minimum,
  Average: sum / Math.max(1, count),
  Maximum: maximum,
  Sum: sum,
});
