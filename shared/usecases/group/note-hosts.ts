// Keeps who was in which group, so that the use of a host still counts for its groups' rules when it is gone.
import { type Day, dayAfter, dayOf, type MemberDay, portName, type StrayUse, sizeOf } from "../../domain/evidence.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { EvidencePolicy } from "../../domain/recycling-policy.ts";
import { CloudFailure, type Member } from "../../ports/firewall.ts";
import type { Write } from "../../ports/tables.ts";
import {
  knownWrites,
  membershipWrites,
  readKnownInterfaces,
  readMemberships,
  readStray,
  strayWrite,
  weekOf,
} from "../../store/memberships.ts";
import type { App } from "../app.ts";
import { chunks, inParallel } from "../in-parallel.ts";
import { HOSTS_MAX } from "./group-hosts.ts";

/** Interfaces of one question, and questions of one run: what they do not reach is stray until the nightly job knows it. */
const PER_CALL = 100;
const CALLS_MAX = 20;

/** Notes who is in a group this week. Groups that are too large to be looked at are not noted. */
export async function noteMembers(
  app: Pick<App, "tables">,
  { groupId, region }: GroupRef,
  members: readonly Member[],
  now: number,
): Promise<void> {
  if (members.length > HOSTS_MAX) return;
  const today = dayOf(now);
  const known = await readMemberships(app.tables, groupId, { from: today, until: weekEnd(today), max: HOSTS_MAX });
  const fresh = members.filter(({ eniId }) => eniId !== "" && !known.has(eniId));
  if (fresh.length === 0) return;
  // In all of its groups: it may be gone before the others have their turn, and is asked for no more.
  const inAll = fresh.map((member) => ({ ...member, groupIds: [...new Set([groupId, ...member.groupIds])] }));
  await note(app, region, inAll, today);
}

/**
 * Asks for the groups of hosts that were used and that nobody has noted yet, while they are still there. What one is used for whose groups
 * cannot be known any more is kept apart: it counts against the silence of every rule for its ports.
 */
export async function noteUsedHosts(
  app: Pick<App, "tables" | "inventory" | "log">,
  region: string,
  days: readonly MemberDay[],
  recycling: EvidencePolicy,
): Promise<void> {
  const byWeek = new Map<Day, Map<string, StrayUse[]>>();
  for (const day of days) {
    const used = day.member.startsWith("eni-") ? usedPorts(day, recycling) : [];
    if (used.length === 0) continue;
    const week = weekOf(day.day);
    const ofWeek = byWeek.get(week) ?? new Map<string, StrayUse[]>();
    byWeek.set(week, ofWeek.set(day.member, [...(ofWeek.get(day.member) ?? []), ...used]));
  }
  let calls = 0;
  for (const [week, used] of byWeek) {
    const [known, before] = await Promise.all([
      readKnownInterfaces(app.tables, region, week),
      readKnownInterfaces(app.tables, region, dayAfter(week, -7)),
    ]);
    // Who was known the week before is likely to be there tonight, and is asked for last.
    const unknown = [...used.keys()].filter((eniId) => !known.has(eniId)).sort();
    const inOrder = [...unknown.filter((it) => !before.has(it)), ...unknown.filter((it) => before.has(it))];
    for (const eniIds of chunks(inOrder, PER_CALL)) {
      calls += 1;
      const found = calls > CALLS_MAX ? null : await interfaces(app, region, eniIds);
      const there = new Map(found?.map((member) => [member.eniId, member]));
      const strays: Write[] = [];
      await inParallel(eniIds, async (eniId) => {
        if (!there.has(eniId) && (found !== null || !before.has(eniId)))
          strays.push(await strayed(app, region, { eniId, week, uses: used.get(eniId) ?? [] }));
      });
      await app.tables.writeAll(strays);
      await note(app, region, [...there.values()], week);
    }
  }
}

/**
 * Memberships first: whose groups are known is asked for no more and is stray no longer, so that whoever dies in between must not have said
 * so yet.
 */
async function note(
  { tables }: Pick<App, "tables">,
  region: string,
  members: readonly Member[],
  week: Day,
): Promise<void> {
  await tables.writeAll(
    members.flatMap((member) => member.groupIds.flatMap((groupId) => membershipWrites(groupId, [member], week))),
  );
  await tables.writeAll(members.flatMap(({ eniId }) => knownWrites(region, eniId, week)));
}

async function strayed(
  { tables }: Pick<App, "tables">,
  region: string,
  { eniId, week, uses }: { readonly eniId: string; readonly week: Day; readonly uses: readonly StrayUse[] },
): Promise<Write> {
  const last = new Map<string, StrayUse>();
  for (const use of [...(await readStray(tables, region, eniId, week)), ...uses]) {
    const before = last.get(portName(use));
    if (before === undefined || before.at < use.at) last.set(portName(use), use);
  }
  return strayWrite(region, eniId, week, [...last.values()]);
}

/** Null where they cannot be asked for now: the nightly job knows those that are still there. */
async function interfaces(
  { inventory, log }: Pick<App, "inventory" | "log">,
  region: string,
  eniIds: readonly string[],
): Promise<readonly Member[] | null> {
  try {
    return await inventory.interfaces(region, eniIds, "inventory");
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    log.write("warn", "the groups of used hosts cannot be read now", { region, cause: error });
    return null;
  }
}

function usedPorts({ member, ports }: MemberDay, { session }: EvidencePolicy): readonly StrayUse[] {
  return ports.flatMap(({ protocol, port, real, shaken, unclearAt, unnamedAt }) => {
    const steady = shaken.list.filter(({ hours }) => sizeOf(hours) >= session.repeatHours);
    const at = Math.max(unclearAt ?? 0, unnamedAt ?? 0, ...[...real.list, ...steady].map(({ lastAt }) => lastAt));
    return at === 0 ? [] : [{ eniId: member, protocol, port, at }];
  });
}

const weekEnd = (today: Day): Day => dayAfter(weekOf(today), 1);
