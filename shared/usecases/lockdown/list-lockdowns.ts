// Lockdowns, for whoever looks after them.
import { type Lockdown, lockdownIdOf } from "../../domain/lockdown.ts";
import { fail } from "../../errors/app-error.ts";
import { lastLockdown, pageLockdowns } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { findLockdown } from "./lost-lockdown.ts";

/** Lockdowns, newest first; `next` continues. */
export async function listLockdowns(
  app: App,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | null },
): Promise<{
  readonly lockdowns: readonly Lockdown[];
  readonly unreadable: readonly string[];
  readonly next: string | null;
}> {
  const before = cursor === null ? null : Number(cursor);
  const { next, ...page } = await pageLockdowns(app.tables, { limit, before });
  return { ...page, next: next === null ? null : `${next}` };
}

/** One of them, by the ledger where its row is lost. Throws LOCKDOWN_UNKNOWN. */
export async function getLockdown(app: App, lockdownId: string): Promise<Lockdown> {
  const found = await findLockdown(app, lockdownId);
  if (!found) throw fail("LOCKDOWN_UNKNOWN", { lockdown: lockdownId.slice(0, 64) });
  return found;
}

/**
 * The last lockdown of a scope by its name, and its number, 0 before the first. One that cannot be read is told and passed over: in an attack
 * the next one must start.
 */
export async function lastOfScope(
  app: App,
  scope: string,
): Promise<{ readonly sequence: number; readonly lockdown: Lockdown | null }> {
  const last = await lastLockdown(app.tables, scope);
  if (last === null) return { sequence: 0, lockdown: null };
  if (last.lockdown === null)
    app.log.write("error", `the row of ${lockdownIdOf(scope, last.sequence)} cannot be read: it is passed over`);
  return last;
}
