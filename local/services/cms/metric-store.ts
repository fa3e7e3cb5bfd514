// Metrics: series of points, and their statistics over periods.

import { LineFile } from "../../line-file.ts";

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

interface NumberedSeries extends Series {
  readonly number: number;
  readonly metric: string;
}

/** A series, before its first point; or a point of the series with that number. */
type Line =
  | { readonly number: number; readonly metric: string; readonly dimensions: Dimensions }
  | readonly [number: number, at: number, minimum: number, maximum: number, sum: number, count: number];

const lineOf = (number: number, point: MetricPoint): Line => [
  number,
  point.at,
  point.minimum,
  point.maximum,
  point.sum,
  point.count,
];

/** The file may be so much longer than what it keeps. */
const SPARE_LINES = 10_000;

/** All series of one account. */
export class MetricStore {
  readonly #series = new Map<string, Map<string, NumberedSeries>>();
  readonly #file: LineFile<Line>;
  #numbers = 0;
  #points = 0;

  /** In the directory they outlive the process. */
  constructor(directory?: string) {
    this.#file = new LineFile(directory === undefined ? undefined : `${directory}/metrics.jsonl`);
    const byNumber = new Map<number, NumberedSeries>();
    for (const line of this.#file.read()) {
      if ("metric" in line) {
        byNumber.set(line.number, this.#add(line.metric, line.dimensions, line.number));
        continue;
      }
      const [number, at, minimum, maximum, sum, count] = line;
      const series = byNumber.get(number);
      if (series !== undefined) this.#insert(series, { at, minimum, maximum, sum, count });
    }
  }

  put(namespace: string, metricName: string, dimensions: Dimensions, point: MetricPoint): void {
    const metric = `${namespace}/${metricName}`;
    const known = this.#series.get(metric)?.get(keyOf(dimensions));
    const series = known ?? this.#add(metric, dimensions, this.#numbers + 1);
    if (known === undefined) this.#file.append({ number: series.number, metric, dimensions });
    this.#insert(series, point);
    this.#file.append(lineOf(series.number, point));
    if (this.#file.length > 2 * this.#points + SPARE_LINES) this.#rewrite();
  }

  #add(metric: string, dimensions: Dimensions, number: number): NumberedSeries {
    const all = this.#series.get(metric) ?? new Map<string, NumberedSeries>();
    this.#series.set(metric, all);
    const series = { number, metric, dimensions, points: [] };
    all.set(keyOf(dimensions), series);
    this.#numbers = Math.max(this.#numbers, number);
    return series;
  }

  #insert({ points }: Series, point: MetricPoint): void {
    // Points come in order but for late ones.
    let index = points.length;
    while (index > 0 && (points[index - 1]?.at ?? 0) > point.at) index -= 1;
    points.splice(index, 0, point);
    this.#points += 1;
    const first = points[0]?.at ?? 0;
    if (points.length <= POINTS_MAX && first >= point.at - 2 * KEPT_MS) return;
    const gone = Math.max(points.length - POINTS_MAX, countBefore(points, point.at - KEPT_MS));
    points.splice(0, gone);
    this.#points -= gone;
  }

  #rewrite(): void {
    const all = [...this.#series.values()].flatMap((series) => [...series.values()]);
    this.#file.replace(
      all.flatMap(({ number, metric, dimensions, points }): readonly Line[] => [
        { number, metric, dimensions },
        ...points.map((point) => lineOf(number, point)),
      ]),
    );
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
    this.#points = 0;
    this.#file.replace([]);
  }

  close(): void {
    this.#file.close();
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
