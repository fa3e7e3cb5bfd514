// Reads the recycling queue: a page of items, or one with its evidence day by day.
import { type Day, dayAfter, dayOf, knownWindows, type PortUse, WINDOWS_PER_DAY } from "../../domain/evidence.ts";
import type { RecyclingItem, RecyclingState } from "../../domain/recycling-item.ts";
import { coversPort } from "../../plan/weigh-peer.ts";
import type { Member } from "../../ports/firewall.ts";
import { listRecyclingItems } from "../../store/recycling.ts";
import type { App, Caller } from "../app.ts";
import { findLedger } from "../group/find-group.ts";
import { daysOf, type GroupHost, hostOf, hostsOf } from "../group/group-hosts.ts";
import { membersOf } from "../group/open-facts.ts";
import { inParallel } from "../in-parallel.ts";
import { requireItem } from "./move-recycling.ts";

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

/** An answer holds no more hosts than that. */
const HOSTS_SHOWN_MAX = 100;
const HOSTS_AT_A_TIME = 8;

const asHost = (member: Member): GroupHost => ({ member, membership: null });

/** Items by group and id, of every group or of one by id or name. */
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
    ...(group ? { groupId: group.groupId } : {}),
    ...(state ? { states: [state] } : {}),
  });
}

/** One item, and what is known of its ports on the last days, newest first, of at most a hundred hosts. Throws RECYCLING_UNKNOWN. */
export async function getRecycling(
  app: App,
  itemId: string,
  days: number,
): Promise<{ readonly item: RecyclingItem; readonly evidence: readonly EvidenceDay[] }> {
  const item = await requireItem(app, itemId);
  const { spec } = item.kept;
  const members = membersOf(await app.inventory.members(item.group, "open").catch(() => []), spec);
  const now = app.clock.now();
  const [from, until] = [dayAfter(dayOf(now), 1 - days), dayAfter(dayOf(now), 1)];
  const { groupId } = item.group;
  const hosts = (await hostsOf(app, { groupId, members }, from, now)) ?? members.map(asHost);
  const shown = hosts.slice(0, HOSTS_SHOWN_MAX);
  const evidence: EvidenceDay[] = [];
  await inParallel(
    shown,
    async (host) => {
      const { eniId, name } = hostOf(host);
      for await (const day of daysOf(app, host, from, until))
        evidence.push({
          ...{ day: day.day, member: eniId, name, sources: day.sources },
          coverage: knownWindows(day) / WINDOWS_PER_DAY,
          ports: day.ports.filter((port) => coversPort(spec, port)),
        });
    },
    HOSTS_AT_A_TIME,
  );
  const byDay = (a: EvidenceDay, b: EvidenceDay): number =>
    a.day < b.day ? 1 : a.day > b.day ? -1 : a.member < b.member ? -1 : 1;
  return { item, evidence: evidence.sort(byDay) };
}
