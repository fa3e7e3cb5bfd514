// Rows whose time is over are not read any more; here they go from the disk too, for a store that is kept for years.

import { liveRow } from "./rows.ts";
import type { Store } from "./store.ts";

/** Of one transaction: whoever writes meanwhile waits for no more than that. */
const ROWS_PER_TURN = 200;

/** Removes every row that has expired; resolves with how many. */
export async function purgeExpired(store: Store, now: () => number): Promise<number> {
  let removed = 0;
  for (const table of store.allTables()) {
    if (table.definition.timeToLiveS === -1) continue;
    let after: Buffer = Buffer.alloc(0);
    for (;;) {
      const keys = store.sizes(table, after, ROWS_PER_TURN).map(([key]) => key);
      const last = keys.at(-1);
      if (last === undefined) break;
      removed += await store.write(() => {
        // It may have been dropped, or a row written anew, since it was looked at.
        const gone = keys.filter((key) => {
          const value = store.get(table, key);
          return value !== undefined && liveRow(table, value, now()) === undefined;
        });
        for (const key of gone) store.delete(table, key);
        return gone.length;
      });
      after = last;
    }
  }
  return removed;
}
