// Reads drift: one item, or a page of them.
import type { DriftItem, DriftState } from "../../domain/drift-item.ts";
import type { GroupId } from "../../domain/ids.ts";
import { fail } from "../../errors/app-error.ts";
import { getDrift as readDrift, listDrift as readDrifts } from "../../store/drift-items.ts";
import type { App, Caller } from "../app.ts";
import { findLedger } from "../group/find-group.ts";
import { parseDriftId } from "./drift-id.ts";

export interface DriftPage {
  readonly items: readonly DriftItem[];
  /** Rows that cannot be read. */
  readonly unreadable: readonly string[];
  /** Group and item of the last row; null when there are no more. */
  readonly next: readonly [string, string] | null;
}

/** Items in the order of group and id, of every group or of one by id or name. */
export async function listDrift(
  app: App,
  caller: Caller,
  query: { limit: number; cursor: readonly [string, string] | null; group?: string; state?: DriftState },
): Promise<DriftPage> {
  const { limit, cursor: after, state } = query;
  const group = query.group === undefined ? null : await findLedger(app, caller.policy, query.group);
  return readDrifts(app.tables, {
    limit,
    after,
    ...(group ? { groupId: group.groupId } : {}),
    ...(state ? { states: [state] } : {}),
  });
}

/** One item by the id that people see. Throws DRIFT_UNKNOWN. */
export async function getDrift(app: App, caller: Caller, id: string): Promise<DriftItem> {
  const place = parseDriftId(id);
  const group = place && { region: caller.policy.regions[0] ?? "", groupId: place[0] as GroupId };
  const item = group && (await readDrift(app.tables, group, place[1]));
  if (!item) throw fail("DRIFT_UNKNOWN", { drift: id.slice(0, 100) });
  return item;
}
