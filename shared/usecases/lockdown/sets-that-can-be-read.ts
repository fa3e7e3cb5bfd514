// The sets of lists, where somebody may have damaged the row of one.
import type { StandbySet } from "../../domain/standby.ts";
import { listStandbySets } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";

/**
 * A row that nobody can read keeps nothing from being closed: what its lists would have closed is closed without them. Nor does it keep other
 * lists from being emptied. `isWhole` is false where one was left out.
 */
export async function setsThatCanBeRead(
  app: App,
): Promise<{ readonly sets: readonly StandbySet[]; readonly isWhole: boolean }> {
  const { sets, unreadable } = await listStandbySets(app.tables);
  if (unreadable.length > 0)
    app.log.write("error", "lists for lockdowns are left out: their rows cannot be read", { unreadable });
  return { sets, isWhole: unreadable.length === 0 };
}
