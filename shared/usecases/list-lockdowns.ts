// Lockdowns, for whoever looks after them.
import type { Lockdown } from "../domain/lockdown.ts";
import { fail } from "../errors/app-error.ts";
import { getLockdown as readLockdown, listLockdowns as readLockdowns } from "../store/lockdowns.ts";
import type { App } from "./app.ts";

const LIST_MAX = 500;

/** Those that are on first, then newest first. */
export async function listLockdowns(app: App): Promise<readonly Lockdown[]> {
  const isOver = ({ state }: Lockdown): number => (state === "lifted" ? 1 : 0);
  const all = [...(await readLockdowns(app.tables, LIST_MAX))];
  return all.sort((a, b) => isOver(a) - isOver(b) || b.startedAt - a.startedAt);
}

/** One of them. Throws LOCKDOWN_UNKNOWN. */
export async function getLockdown(app: App, lockdownId: string): Promise<Lockdown> {
  const found = await readLockdown(app.tables, lockdownId);
  if (!found) throw fail("LOCKDOWN_UNKNOWN", { lockdown: lockdownId.slice(0, 64) });
  return found;
}
