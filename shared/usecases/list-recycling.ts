// Reads the recycling queue: a page of items, or one with its evidence day by day.
import { type Day, dayAfter, dayOf, knownWindows, type PortUse, WINDOWS_PER_DAY } from "../domain/evidence.ts";
import type { RecyclingItem, RecyclingState } from "../domain/recycling-item.ts";
import { coversPort } from "../plan/weigh-peer.ts";
import { listRecyclingItems } from "../store/recycling.ts";
import type { App, Caller } from "./app.ts";
import { findLedger } from "./find-group.ts";
import { requireItem } from "./move-recycling.ts";
import { membersOf } from "./open-facts.ts";
import { evidenceOf } from "./recycling-scene.ts";

export interface RecyclingPage {
  readonly items: readonly RecyclingItem[];
  readonly next: string | null;
}

/** One day of one host: how much of it is known, and who touched the rule's ports. */
export interface EvidenceDay {
  readonly day: Day;
  readonly member: string;
  readonly name: string;
  /** Part of the day that is known, 0 to 1. */
  readonly coverage: number;
  readonly sources: readonly string[];
  readonly ports: readonly PortUse[];
}

/** Items in the order of their ids, of every group or of one by id or name. */
export async function listRecycling(
  app: App,
  caller: Caller,
  query: { limit: number; cursor: string | null; group?: string; state?: RecyclingState },
): Promise<RecyclingPage> {
  const { limit, cursor: after, state } = query;
  const group = query.group === undefined ? null : await findLedger(app, caller.policy, query.group);
  return listRecyclingItems(app.tables, {
    limit,
    after,
    ...(group ? { groupIds: new Set([group.groupId]) } : {}),
    ...(state ? { states: [state] } : {}),
  });
}

/** One item, and what is known of its ports on the last days, newest first. Throws RECYCLING_UNKNOWN. */
export async function getRecycling(
  app: App,
  itemId: string,
  days: number,
): Promise<{ readonly item: RecyclingItem; readonly evidence: readonly EvidenceDay[] }> {
  const item = await requireItem(app, itemId);
  const { spec } = item.kept;
  const members = membersOf(await app.inventory.members(item.group, "open").catch(() => []), spec);
  const now = app.clock.now();
  const from = dayAfter(dayOf(now), 1 - days);
  const evidence = await Promise.all(
    members.map(async (member) => {
      const { eniId, name, days: known } = await evidenceOf(app, member, from, now);
      return known.map((day) => ({
        day: day.day,
        member: eniId,
        name,
        coverage: knownWindows(day) / WINDOWS_PER_DAY,
        sources: day.sources,
        ports: day.ports.filter((port) => coversPort(spec, port)),
      }));
    }),
  );
  const byDay = (a: EvidenceDay, b: EvidenceDay): number =>
    a.day < b.day ? 1 : a.day > b.day ? -1 : a.member < b.member ? -1 : 1;
  return { item, evidence: evidence.flat().sort(byDay) };
}
