// Instants as text: UTC, whole seconds. Pure arithmetic; the time of day comes from the clock port.

/** `2026-11-05T08:00:00Z`; parts of a second are cut off. Throws outside the years 0 to 9999. */
export function formatUtc(ms: number): string {
  const text = new Date(Math.floor(ms / 1000) * 1000).toISOString();
  if (text.length !== 24) throw new RangeError(`instant outside the years 0 to 9999: ${ms}`);
  return `${text.slice(0, 19)}Z`;
}

/** Milliseconds since the epoch of exactly the form that `formatUtc` writes; null otherwise, also for days that do not exist. */
export function parseUtc(text: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return null;
  const ms = Date.parse(text);
  // A date that the parser moved, such as 30 February, does not come back as it went in.
  return Number.isNaN(ms) || formatUtc(ms) !== text ? null : ms;
}
