// The hosts of a group, those that were in it and have left too, and what is stored of each: read one after the other, day by day, so that
// a large group costs time and no memory.
import { type Day, dayAfter, dayOf, type MemberDay, type MemberEvidence, type PortUse } from "../../domain/evidence.ts";
import type { GroupId } from "../../domain/ids.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import type { Host, UseJudge } from "../../plan/judge-use.ts";
import { coversPort } from "../../plan/weigh-peer.ts";
import type { Member } from "../../ports/firewall.ts";
import { eachDay } from "../../store/evidence.ts";
import { type FormerMember, isInWeeks, type Membership, readMemberships } from "../../store/memberships.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";

/** More hosts than that, past ones too, are not looked at: one run would not come to its end. */
export const HOSTS_MAX = 2000;
const AT_A_TIME = 16;

/** A host to read; `membership` is of one that has left. */
export interface GroupHost {
  readonly member: FormerMember;
  readonly membership: Membership | null;
}

/** Everybody in the group, and everybody who was from a day on. Null where there are more than are looked at. */
export async function hostsOf(
  app: Pick<App, "tables">,
  { groupId, members }: { readonly groupId: GroupId; readonly members: readonly Member[] },
  from: Day,
  now: number,
): Promise<readonly GroupHost[] | null> {
  if (members.length > HOSTS_MAX) return null;
  const until = dayAfter(dayOf(now), 1);
  // Who was seen last in the week before may have been there for the first days.
  const since = dayAfter(from, -7);
  const known = await readMemberships(app.tables, groupId, { from: since, until, max: HOSTS_MAX });
  const present = new Set(members.map(({ eniId }) => eniId));
  const left = [...known.values()].filter(({ member }) => !present.has(member.eniId));
  if (members.length + left.length > HOSTS_MAX) return null;
  return [
    ...members.map((member) => ({ member, membership: null })),
    ...left.map((membership) => ({ member: membership.member, membership })),
  ];
}

/** What people call it, and how it is known. */
export const hostOf = ({ member, membership }: GroupHost): Host => {
  const { eniId, instanceId, instanceName, address, ipv6 } = member;
  const name = instanceName ?? instanceId ?? eniId;
  const own = { eniId, name, addresses: [address, ...ipv6] };
  return membership === null ? own : { ...own, name: `${name}, which has left the group,`, left: true };
};

/**
 * The days of a host, the second not included, by its interface and then by its instance: sources that know no interfaces tell of the
 * instance. Of one that has left, the weeks in which it was a member and the one after each.
 */
export async function* daysOf(
  app: Pick<App, "tables">,
  { member, membership }: GroupHost,
  from: Day,
  until: Day,
): AsyncGenerator<MemberDay> {
  for (const id of [member.eniId, member.instanceId])
    if (id !== null && id !== "")
      for await (const day of eachDay(app.tables, id, from, until))
        if (membership === null || isInWeeks(membership, day.day)) yield day;
}

/** Tells the judges of every host; the verdicts are theirs. */
export async function tellJudges(
  app: Pick<App, "tables">,
  hosts: readonly GroupHost[],
  judges: readonly UseJudge[],
  now: number,
): Promise<void> {
  const from = judges.map(({ window }) => window.from).sort()[0];
  if (from === undefined) return;
  const until = dayAfter(dayOf(now), 1);
  const told = hosts.map((host) => ({ host, known: hostOf(host), days: [] as MemberDay[] }));
  await inParallel(
    told,
    async ({ host, known, days }) => {
      for await (const day of daysOf(app, host, from, until)) {
        for (const judge of judges) judge.day(known, day);
        days.push({ ...day, ports: [] });
      }
    },
    AT_A_TIME,
  );
  // In their order, so that the reasons are the same each time.
  for (const { known, days } of told) for (const judge of judges) judge.host({ ...known, days });
}

/** Hosts with what a watch over the rules asks: their ports, and who was turned away at others. */
export async function readForWatch(
  app: Pick<App, "tables">,
  hosts: readonly GroupHost[],
  rules: readonly RuleSpec[],
  { from, until }: { readonly from: Day; readonly until: Day },
): Promise<readonly MemberEvidence[]> {
  const read = hosts.map((host) => ({ host, days: [] as MemberDay[] }));
  await inParallel(
    read,
    async ({ host, days }) => {
      for await (const day of daysOf(app, host, from, until))
        days.push({ ...day, ports: day.ports.filter((port) => isTurnedAway(port) || rules.some(covering(port))) });
    },
    AT_A_TIME,
  );
  return read.map(({ host, days }) => ({ ...hostOf(host), days }));
}

const covering =
  (port: PortUse) =>
  (rule: RuleSpec): boolean =>
    coversPort(rule, port);

const isTurnedAway = ({ refused, shaken }: PortUse): boolean => refused.list.length > 0 || shaken.list.length > 0;
