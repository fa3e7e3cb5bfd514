// When the holder of a lease is told that it is about to end. Pure.
import type { EndNoticeTerms } from "../domain/lease.ts";

/** Instants in milliseconds. */
interface Lifetime {
  readonly from: number;
  readonly until: number;
}

/**
 * The instants that are still to come, oldest first: whole seconds, each before the end and none twice. An extension plans anew, over the
 * whole lifetime: what its longer life moves beyond now is told again, as the end it tells of is another one.
 */
export function endNoticeInstants(
  { from, until }: Lifetime,
  { fractions, lifetimeMinMs }: EndNoticeTerms,
  now: number,
): readonly number[] {
  const lifetime = until - from;
  if (lifetime < lifetimeMinMs) return [];
  const instants = fractions.map((part) => Math.ceil((from + part * lifetime) / 1000) * 1000);
  return [...new Set(instants)].filter((at) => at > now && at < until).sort((a, b) => a - b);
}
