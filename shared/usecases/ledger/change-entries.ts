// Changes many entries of a group, side by side.
import type { GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { type AppError, isUnreadable } from "../../errors/app-error.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { changeEntry } from "./book-holds.ts";
import type { Net } from "./net.ts";

/**
 * As `changeEntry`, for each of the entries, which are as they are where nothing is stored; `net` holds all the while. Where a row cannot
 * be read, the others are changed all the same, and then STATE_UNREADABLE is thrown.
 */
export async function changeEntries(
  app: App,
  group: GroupRef,
  { net, entries }: { readonly net: Net; readonly entries: readonly Entry[] },
  change: (stored: Entry | null, fresh: Entry) => Entry | null,
): Promise<void> {
  const unreadable: AppError[] = [];
  await inParallel(entries, async (fresh) => {
    await net.hold();
    await changeEntry(app, group, fresh.entryId, (stored) => change(stored, fresh)).catch((error: unknown) => {
      if (!isUnreadable(error)) throw error;
      unreadable.push(error);
    });
  });
  if (unreadable[0] !== undefined) throw unreadable[0];
}
