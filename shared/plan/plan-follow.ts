// A lease whose holder has another address now: which of its sources gives way, and how far the move is. Pure.
import { type Cidr, containsCidr, formatCidr } from "../domain/cidr.ts";
import type { LeaseId } from "../domain/ids.ts";
import { isFinal } from "../domain/lease.ts";
import type { LeaseStatus } from "../domain/lease-record.ts";

/** `same`: it is let in already. `unknown`: `from` is no source of the lease. `ambiguous`: it has several, and none was named. */
export type FollowPlan =
  | { readonly kind: "same" }
  | { readonly kind: "unknown" }
  | { readonly kind: "ambiguous" }
  | { readonly kind: "move"; readonly sources: readonly Cidr[] };

/** The sources after the move, in their order, the new one in the place of the one that goes. `held` is not empty. */
export function planFollow(held: readonly Cidr[], to: Cidr, from: Cidr | null): FollowPlan {
  const mayGo = (cidr: Cidr): boolean => from === null || formatCidr(cidr) === formatCidr(from);
  if (!held.some(mayGo)) return { kind: "unknown" };
  if (held.some((cidr) => containsCidr(cidr, to))) return { kind: "same" };
  if (from === null && held.length > 1) return { kind: "ambiguous" };
  return { kind: "move", sources: held.map((cidr) => (mayGo(cidr) ? to : cidr)) };
}

/**
 * What is next in a move: `end` the old lease once the new one is seen open, and not before; `wait` for that; or it is `over`, whichever of
 * the two is left. `undo`: somebody has ended the old one meanwhile, and was told that it lets nobody in: the new one ends too. `after` is
 * null for a lease that was never booked.
 */
export function followStep(
  before: LeaseStatus,
  after: LeaseStatus | null,
  newId: LeaseId,
): "end" | "wait" | "over" | "undo" {
  if (after === null || isFinal(after.state) || after.state === "closing") return "over";
  if (isFinal(before.state) || before.state === "closing") {
    const { note, closedAt, until } = before;
    const isTimeOver = note === null || (closedAt ?? 0) >= until;
    return isTimeOver || note.endsWith(tookPlace(newId)) ? "over" : "undo";
  }
  return after.state === "open" && after.note === null ? "end" : "wait";
}

/** How the note of a lease ends that was ended by a move. */
export const tookPlace = (newId: LeaseId): string => `${newId} took its place`;
