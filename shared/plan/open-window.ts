// Open hours as holds: a window that is open holds its rule like a lease that ends with it. Pure.
import type { LeaseId } from "../domain/ids.ts";
import type { Entry, Holder } from "../domain/ledger-entry.ts";
import { nextOpening, windowAt } from "../domain/open-hours.ts";

/** The id under which a window holds; never that of a lease, and never stored. */
const WINDOW = "window" as LeaseId;

/** The hold of the window that is open now, or null. */
export function openWindow(entry: Entry, now: number): Holder | null {
  const { allocation, standing } = entry;
  const window = allocation?.openHours ? windowAt(allocation.openHours, now) : null;
  if (!allocation || window === null) return null;
  return {
    kind: "lease",
    holderId: WINDOW,
    principal: allocation.owner,
    reason: allocation.reason,
    until: window.until,
    openedAt: standing.kind === "none" ? null : window.from,
    statedUntil: null,
    ended: null,
  };
}

/** When the group of an entry with open hours has to be looked at next; null without open hours. */
export function nextWindowChange(entry: Entry, now: number): number | null {
  const hours = entry.allocation?.openHours ?? null;
  if (hours === null) return null;
  return windowAt(hours, now)?.until ?? nextOpening(hours, now);
}

/** True for an entry whose rule may stand at any time by its allocation. */
export const isAllocatedAlways = (entry: Entry): boolean =>
  entry.allocation !== null && entry.allocation.openHours === null;
