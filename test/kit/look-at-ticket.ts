// A look that stays booked when all is over.
import type { KeyPart } from "../../shared/ports/tables.ts";

/** The row of a ticket about a trusted role's change is written anew after so long. */
const REWRITTEN_AFTER_MS = 300 * 24 * 60 * 60_000;
/** No run lasts so long. */
const RUN_MAX_MS = 30 * 24 * 60 * 60_000;

/** That look at a ticket is booked before the ticket is written, and stays booked when that is over: in its time it finds nothing to do. */
export const isLookAtTicket = ([, at, kind]: readonly KeyPart[], now: number): boolean =>
  kind === "drift" && Math.abs(Number(at) - REWRITTEN_AFTER_MS - now) < RUN_MAX_MS;
