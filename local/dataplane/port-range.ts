// Port ranges as rules write them (`22/22`, `-1/-1`) and as intervals.

/** Ports `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Every port, as the value of an absent or `-1/-1` range. */
export const EVERY_PORT: PortRange = { first: 0, last: 65535 };

/** Parses a rule's port range. Absent, empty and `-1/-1` mean every port; undefined means the text is not a range. */
export function parsePortRange(text: string | undefined): PortRange | undefined {
  if (text === undefined || text === "" || text === "-1/-1") return EVERY_PORT;
  const match = /^([1-9][0-9]{0,4})\/([1-9][0-9]{0,4})$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}

/** Whether the port lies in the range. */
export function inPortRange(range: PortRange, port: number): boolean {
  return port >= range.first && port <= range.last;
}

/**
 * The real ports that stand for the ports of `range` when some ports are served elsewhere.
 * `mapped` goes from the port as the account knows it to the port really served; a real port is judged as its origin.
 */
export function translateRange(range: PortRange, mapped: ReadonlyMap<number, number>): readonly PortRange[] {
  const strangers = [...mapped].filter(([port]) => !inPortRange(range, port)).map(([, real]) => real);
  const result: PortRange[] = [];
  let first = range.first;
  for (const hole of strangers.filter((real) => inPortRange(range, real)).sort((a, b) => a - b)) {
    if (hole > first) result.push({ first, last: hole - 1 });
    first = hole + 1;
  }
  if (first <= range.last) result.push({ first, last: range.last });
  for (const [port, real] of mapped) {
    if (inPortRange(range, port) && !inPortRange(range, real)) result.push({ first: real, last: real });
  }
  return result;
}
