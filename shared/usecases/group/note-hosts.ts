// Keeps who was in which group, so that the use of a host still counts for its groups' rules when it is gone.
import { type Day, dayAfter, dayOf, type MemberDay, portName, type StrayUse, sizeOf } from "../../domain/evidence.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { EvidencePolicy } from "../../domain/recycling-policy.ts";
import { CloudFailure, type Member } from "../../ports/firewall.ts";
import type { Write } from "../../ports/tables.ts";
import {
  knownWrites,
  membershipWrites,
  readKnownHosts,
  readMemberships,
  readStray,
  strayWrite,
  weekOf,
} from "../../store/memberships.ts";
import { readableOrNull } from "../../store/readable-or-null.ts";
import type { App } from "../app.ts";
import { chunks, inParallel } from "../in-parallel.ts";
import { HOSTS_MAX } from "./group-hosts.ts";

/** Hosts of one question, and questions of one run: what they do not reach is stray until the nightly job knows it. */
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
 * Asks for the groups of hosts that were used, while they are still there: first of those that nobody has noted yet. What one is used for
 * whose groups cannot be known any more is kept apart: it counts against the silence of every rule for its ports. Members are
 * interfaces, by the logs of the network, and instances, by their own counters.
 */
export async function noteUsedHosts(
  app: Pick<App, "tables" | "inventory" | "log" | "clock">,
  region: string,
  days: readonly MemberDay[],
  recycling: EvidencePolicy,
): Promise<void> {
  const byWeek = new Map<Day, Map<string, StrayUse[]>>();
  for (const day of days) {
    const used = usedPorts(day, recycling);
    if (used.length === 0) continue;
    const week = weekOf(day.day);
    const ofWeek = byWeek.get(week) ?? new Map<string, StrayUse[]>();
    byWeek.set(week, ofWeek.set(day.member, [...(ofWeek.get(day.member) ?? []), ...used]));
  }
  const yesterday = dayAfter(dayOf(app.clock.now()), -1);
  let calls = 0;
  for (const [week, used] of byWeek) {
    const [known, before] = await Promise.all([
      knownHosts(app, region, week),
      knownHosts(app, region, dayAfter(week, -7)),
    ]);
    const isRecent = week >= weekOf(yesterday);
    for (const ids of questionsOf([...used.keys()], { known, before, isRecent })) {
      calls += 1;
      const found = calls > CALLS_MAX ? null : await interfaces(app, region, ids);
      const members = (found ?? []).filter(({ eniId }) => eniId !== "");
      const there = new Set(members.flatMap(({ eniId, instanceId }) => [eniId, instanceId]));
      const strays: Write[] = [];
      await inParallel(ids, async (id) => {
        if (!there.has(id) && !known.has(id) && (found !== null || !before.has(id)))
          strays.push(...(await strayed(app, region, { eniId: id, week, uses: used.get(id) ?? [] })));
      });
      await app.tables.writeAll(strays);
      const fresh = members.filter((member) => !isNoted(member, known));
      await note(app, region, fresh, week);
    }
  }
}

/**
 * Whom to ask for, a call each. Who was known the week before is likely to be there tonight, and is asked for after those whom nobody
 * knows; who is known already may have come into another group since, and is asked for last, while it is this week's.
 */
function questionsOf(
  ids: readonly string[],
  { known, before, isRecent }: { readonly known: KnownHosts; readonly before: KnownHosts; readonly isRecent: boolean },
): readonly (readonly string[])[] {
  const rank = (id: string): number => (known.has(id) ? 2 : before.has(id) ? 1 : 0);
  const asked = ids.filter((id) => isRecent || !known.has(id)).sort();
  return [0, 1, 2].flatMap((wanted) =>
    [true, false].flatMap((isInterface) => {
      const those = asked.filter((id) => rank(id) === wanted && id.startsWith("eni-") === isInterface);
      return [...chunks(those, PER_CALL)];
    }),
  );
}

type KnownHosts = ReadonlyMap<string, readonly GroupId[]>;

/** Nobody where a row of them cannot be read: they are asked for once more, and what is found is written anew. */
const knownHosts = async (app: Pick<App, "tables" | "log">, region: string, week: Day): Promise<KnownHosts> =>
  (await readableOrNull(app, readKnownHosts(app.tables, region, week))) ?? new Map();

/** True where the week has it in each of its groups already. */
const isNoted = ({ eniId, groupIds }: Member, known: KnownHosts): boolean =>
  groupIds.every((groupId) => known.get(eniId)?.includes(groupId) === true);

/**
 * Memberships first: whose groups are known is stray no longer, so that whoever dies in between must not have said so yet.
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
  await tables.writeAll(members.flatMap((member) => knownWrites(region, member, week)));
}

/** None where what is stored of it cannot be read: whoever judges a rule is told so, and must not find less there than there was. */
async function strayed(
  app: Pick<App, "tables" | "log">,
  region: string,
  { eniId, week, uses }: { readonly eniId: string; readonly week: Day; readonly uses: readonly StrayUse[] },
): Promise<readonly Write[]> {
  const stored = await readableOrNull(app, readStray(app.tables, region, eniId, week));
  if (stored === null) return [];
  const last = new Map<string, StrayUse>();
  for (const use of [...stored, ...uses]) {
    const before = last.get(portName(use));
    if (before === undefined || before.at < use.at) last.set(portName(use), use);
  }
  return [strayWrite(region, eniId, week, [...last.values()])];
}

/** Null where they cannot be asked for now: the nightly job knows those that are still there. */
async function interfaces(
  { inventory, log }: Pick<App, "inventory" | "log">,
  region: string,
  ids: readonly string[],
): Promise<readonly Member[] | null> {
  try {
    const areInterfaces = ids.every((id) => id.startsWith("eni-"));
    return await (areInterfaces ? inventory.interfaces : inventory.interfacesOf)(region, ids, "inventory");
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    log.write("warn", "the groups of used hosts cannot be read now", { region, cause: error });
    return null;
  }
}

function usedPorts({ member, ports }: MemberDay, { session }: EvidencePolicy): readonly StrayUse[] {
  if (!member.startsWith("eni-") && !member.startsWith("i-")) return [];
  return ports.flatMap(({ protocol, port, real, shaken, unclearAt, unnamedAt }) => {
    const steady = shaken.list.filter(({ hours }) => sizeOf(hours) >= session.repeatHours);
    const at = Math.max(unclearAt ?? 0, unnamedAt ?? 0, ...[...real.list, ...steady].map(({ lastAt }) => lastAt));
    return at === 0 ? [] : [{ eniId: member, protocol, port, at }];
  });
}

const weekEnd = (today: Day): Day => dayAfter(weekOf(today), 1);
