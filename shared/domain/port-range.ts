// Ports and ranges of ports, in the form people write and in the form of the cloud.

/** Ports `from` to `to`, both inclusive, 1 to 65535. */
export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** A port in plain digits, 1 to 65535; null on a sign, an exponent, a leading zero or a blank. */
export function parsePort(text: string): number | null {
  if (!/^[1-9]\d{0,4}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65535 ? port : null;
}

/** What a person writes: `22`, `22/22` or `8000-8010`; null when it is none of them or runs backwards. */
export function parsePortRange(text: string): PortRange | null {
  const [from = null, to = from, ...more] = text.split(/[-/]/).map(parsePort);
  return from === null || to === null || from > to || more.length > 0 ? null : { from, to };
}

/** What the cloud shows: `22/22`, or `any` for `-1/-1`; null when it is neither. */
export function parseCloudPortRange(text: string): PortRange | "any" | null {
  if (text === "-1/-1") return "any";
  return text.includes("/") ? parsePortRange(text) : null;
}

/** The form for people: `22` or `8000-8010`. */
export function formatPortRange(range: PortRange): string {
  return range.from === range.to ? `${range.from}` : `${range.from}-${range.to}`;
}

/** The form of the cloud: `22/22`, `8000/8010`, and `-1/-1` for `any`. */
export function formatCloudPortRange(range: PortRange | "any"): string {
  return range === "any" ? "-1/-1" : `${range.from}/${range.to}`;
}

/** True when the two ranges share a port. */
export function portRangesOverlap(a: PortRange, b: PortRange): boolean {
  return a.from <= b.to && b.from <= a.to;
}

/** True when every port of `inner` is in `outer`. */
export function portRangeContains(outer: PortRange, inner: PortRange): boolean {
  return outer.from <= inner.from && inner.to <= outer.to;
}
