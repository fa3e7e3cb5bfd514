// The guardrail of the mode: which calls of a plan may be made, and who may not be opened. Pure.
import type { EntryId } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { Mode } from "../domain/mode.ts";
import type { PlannedCall } from "./entry-plan.ts";
import { isHolding, type Refusal } from "./picture.ts";

/** What a mode keeps back is looked at again within this. */
const AGAIN_MS = 5 * 60_000;

/**
 *     call                                  normal  close-only  halt
 *     revoke of what safeport opened        yes     yes         yes
 *     rewriting a mark                      yes     yes         no
 *     authorize of a drop rule              yes     yes         no
 *     revoke that suspends a grant          yes     yes         no
 *     authorize of an accept rule           yes     no          no
 *     whatever undoes drift                 yes     no          no
 */
export function isAllowedIn(mode: Mode, call: PlannedCall): boolean {
  if (mode === "normal") return true;
  if (call.rollback !== undefined) return false;
  if (call.kind === "revoke") return call.suspends === undefined || mode !== "halt";
  if (mode === "halt") return false;
  return call.kind === "modify" || call.entry.spec.policy === "drop";
}

/** Leases that wait for their opening are refused: they end instead of opening whenever the mode changes back. */
export function refusedByMode(mode: Mode, entries: readonly Entry[], now: number): ReadonlyMap<EntryId, Refusal> {
  if (mode === "normal") return new Map();
  const isWaiting = (entry: Entry): boolean =>
    entry.holders.some((it) => it.kind === "lease" && isHolding(it, now) && it.openedAt === null);
  return new Map(
    entries
      .filter(isWaiting)
      .map((entry): [EntryId, Refusal] => [entry.entryId, { code: "MODE_FORBIDS", detail: { mode } }]),
  );
}

/** When a group is looked at again of which the mode kept something back: an instant many looks share. */
export const againAt = (now: number): number => (Math.floor(now / AGAIN_MS) + 1) * AGAIN_MS;
