// Reads the ledger: a page of entries, or one with all that has become of it.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { fail } from "../../errors/app-error.ts";
import { type HistoryLine, listHistory } from "../../store/history.ts";
import { getEntry, pageEntries } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { findLedger } from "../group/find-group.ts";

export interface LedgerPage {
  readonly entries: readonly Entry[];
  /** Rows that cannot be read. */
  readonly unreadable: readonly string[];
  /** Group and entry of the last row; null when there are no more. */
  readonly next: readonly [string, string] | null;
}

/** Entries in the order of group and id, of every group or of one by id or name. */
export async function listLedger(
  app: App,
  caller: Caller,
  query: { limit: number; cursor: readonly [string, string] | null; group?: string },
): Promise<LedgerPage> {
  const { limit, cursor: after } = query;
  const group = query.group === undefined ? null : await findLedger(app, caller.policy, query.group);
  return pageEntries(app.tables, { after, limit, ...(group ? { groupId: group.groupId } : {}) });
}

/** An entry as it is, or null when nothing is left but its history. */
export interface EntryStory {
  readonly group: GroupRef;
  readonly entryId: EntryId;
  readonly entry: Entry | null;
  /** Newest first. */
  readonly history: readonly HistoryLine[];
}

const HISTORY_MAX = 200;

/** One entry with its history. Throws ENTRY_UNKNOWN when there has never been one. */
export async function getLedgerEntry(app: App, caller: Caller, name: string, entryId: EntryId): Promise<EntryStory> {
  const group = await findLedger(app, caller.policy, name);
  const [entry, history] = await Promise.all([
    getEntry(app.tables, group, entryId),
    listHistory(app.tables, group, entryId, HISTORY_MAX),
  ]);
  if (!entry && history.length === 0) throw fail("ENTRY_UNKNOWN", { group: name, entry: entryId });
  return { group: entry?.group ?? history[0]?.group ?? group, entryId, entry, history };
}
