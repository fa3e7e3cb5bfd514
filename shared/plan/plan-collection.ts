// Which part of a log is read next: new parts as they settle, and each once more for what came late. Pure.
import { DAY_MS, type Day, dayAfter } from "../domain/evidence.ts";
import type { CollectPolicy } from "../domain/recycling-policy.ts";

/** How far a source has been read. Milliseconds. */
export interface Reached {
  readonly firstUntil: number;
  readonly againUntil: number;
}

/** A part to read. */
export interface Slice {
  readonly from: number;
  readonly until: number;
  /** `first`: for the first time; `again`: for what came late. */
  readonly pass: "first" | "again";
}

/** What decides. */
export interface CollectionTerms {
  readonly collect: Pick<CollectPolicy, "sliceMs" | "settleMs" | "rereadAfterMs">;
  /** How far back the source surely tells everything; a part of which it has but the end is read too. */
  readonly retentionMs: number;
  /** How far back is of use. */
  readonly windowDays: number;
  readonly now: number;
}

const floorTo = (at: number, step: number): number => Math.floor(at / step) * step;

/**
 * Where reading begins, or goes on after what the source no longer has: what lies before stays unknown. Parts never span two days,
 * as their length divides a day.
 */
export function withinReach(
  reached: Reached | null,
  { collect, retentionMs, windowDays, now }: CollectionTerms,
): Reached {
  const floor = floorTo(now - Math.min(retentionMs, windowDays * DAY_MS), collect.sliceMs);
  const firstUntil = Math.max(floor, reached === null ? floor : floorTo(reached.firstUntil, collect.sliceMs));
  const againUntil = Math.max(floor, reached === null ? floor : floorTo(reached.againUntil, collect.sliceMs));
  return { firstUntil, againUntil: Math.min(againUntil, firstUntil) };
}

/** The next part whose time has come; null for none. New parts go first: what is late is of yesterday. */
export function nextSlice({ firstUntil, againUntil }: Reached, { collect, now }: CollectionTerms): Slice | null {
  const { sliceMs, settleMs, rereadAfterMs } = collect;
  if (firstUntil + sliceMs + settleMs <= now) return { from: firstUntil, until: firstUntil + sliceMs, pass: "first" };
  if (againUntil < firstUntil && againUntil + sliceMs + rereadAfterMs <= now)
    return { from: againUntil, until: againUntil + sliceMs, pass: "again" };
  return null;
}

/** After a part was read, or given up. One that was first read when everything late had come need not be read again. */
export function after(reached: Reached, slice: Slice, { collect, now }: CollectionTerms): Reached {
  if (slice.pass === "again") return { ...reached, againUntil: slice.until };
  const isAllThere = reached.againUntil === slice.from && slice.until + collect.rereadAfterMs <= now;
  return { firstUntil: slice.until, againUntil: isAllThere ? slice.until : reached.againUntil };
}

/**
 * How many of a day's questions are the watch's over quarantines: half of them while it asks, yesterday or today. What the collection has
 * used up before a first quarantine it has used up.
 */
export const queriesOfWatch = (asked: { readonly day: string } | null, today: Day, perDay: number): number =>
  asked !== null && (asked.day === today || asked.day === dayAfter(today, -1)) ? Math.floor(perDay / 2) : 0;
