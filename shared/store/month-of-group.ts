// What became of a group's ledger and of its drift within a time, in pages.
import type { DriftItem } from "../domain/drift-item.ts";
import type { GroupId } from "../domain/ids.ts";
import type { Tables } from "../ports/tables.ts";
import { listDrift } from "./drift-items.ts";
import { type HistoryLine, historyPage } from "./history.ts";

interface Time {
  readonly from: number;
  readonly until: number;
}

const isWithin = (at: number, { from, until }: Time): boolean => at >= from && at < until;

/** Differences that were first seen in the time. */
export async function driftWithin(tables: Tables, groupId: GroupId, time: Time): Promise<readonly DriftItem[]> {
  const found: DriftItem[] = [];
  let after: readonly [string, string] | null = null;
  do {
    const page: Awaited<ReturnType<typeof listDrift>> = await listDrift(tables, { groupId, after, limit: 500 });
    found.push(...page.items.filter((item) => isWithin(item.firstSeenAt, time)));
    after = page.next;
  } while (after !== null);
  return found;
}

/** Changes to entries in the time. */
export async function changesWithin(tables: Tables, groupId: GroupId, time: Time): Promise<readonly HistoryLine[]> {
  const found: HistoryLine[] = [];
  let after: readonly string[] | null = null;
  do {
    const page: Awaited<ReturnType<typeof historyPage>> = await historyPage(tables, groupId, after);
    found.push(...page.lines.filter((line) => isWithin(line.at, time)));
    after = page.next;
  } while (after !== null);
  return found;
}
