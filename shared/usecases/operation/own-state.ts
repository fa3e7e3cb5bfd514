// Whose state the tables hold: two installations that were given the same would take each other's leases for their own.
import { fail } from "../../errors/app-error.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { claimTables, otherOwner, readOwnership, requireWhole, type StateOwnership } from "../../store/due.ts";
import type { App } from "../app.ts";

const KNOWN_MS = 60_000;
const knownSince = new WeakMap<App, number>();

/** Whether this installation's state exists; that it does is remembered for a minute. Throws where the tables are another's, or hold a part of a state. */
export async function isStateKnown(app: App): Promise<boolean> {
  const now = app.clock.now();
  const since = knownSince.get(app);
  if (since !== undefined && Math.abs(now - since) < KNOWN_MS) return true;
  const ownership = await readOwnership(app.tables);
  requireOwn(app, ownership);
  const known = ownership.installations.includes(app.settings.installation);
  if (known) knownSince.set(app, now);
  return known;
}

/** Throws where the tables are surely another's, or hold a part of a state. That this cannot be read keeps nobody from what needs no table. */
export async function refuseStateOfOthers(app: App): Promise<void> {
  try {
    await isStateKnown(app);
  } catch (error) {
    if (!(error instanceof StoreFailure)) throw error;
  }
}

/** Makes tables that are nobody's this installation's own. Throws where they are another's, or hold a part of a state. */
export async function ensureOwnState(app: App, ownership: StateOwnership): Promise<void> {
  requireOwn(app, ownership);
  if (ownership.owner !== null || (await claimTables(app.tables, app.settings.installation))) return;
  requireOwn(app, await readOwnership(app.tables));
}

function requireOwn({ settings }: App, ownership: StateOwnership): void {
  const other = otherOwner(ownership, settings.installation);
  if (other !== null) throw fail("STATE_OF_ANOTHER", { other, own: settings.installation });
  requireWhole(ownership);
}
