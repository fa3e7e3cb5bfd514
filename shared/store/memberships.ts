// Who was in which group, week by week, beside the evidence that it is for: a host may be gone before its use is judged.
//
// Keys of the table `evidence` are members, whose names begin with a letter; what is written here begins with `~`.
import { type Day, dayAfter, portName, type StrayUse, startOf } from "../domain/evidence.ts";
import type { GroupId } from "../domain/ids.ts";
import { fail } from "../errors/app-error.ts";
import type { Member } from "../ports/firewall.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { listColumn, shapedColumn, withKey } from "./row-shape.ts";

/** An interface as it was when it was in the group. */
export type FormerMember = Pick<Member, "eniId" | "instanceId" | "instanceName" | "address" | "ipv6">;

/** A member in the weeks in which it was seen in the group, by their first days. */
export interface Membership {
  readonly member: FormerMember;
  readonly weeks: ReadonlySet<Day>;
}

const PAGE = 1000;
const WEEK_DAYS = 7;

/** The Monday of the day's week. */
export const weekOf = (day: Day): Day => dayAfter(day, -((new Date(startOf(day)).getUTCDay() + 6) % WEEK_DAYS));

const groupKey = (groupId: GroupId): string => `~${groupId}`;
/** Interfaces whose groups are known, by region. */
const knownKey = (region: string): string => `~~${region}`;
/** Interfaces that were gone before. */
const strayKey = (region: string): string => `~?${region}`;

/** The rows of members that are in a group in the week of the day. */
export function membershipWrites(groupId: GroupId, members: readonly FormerMember[], day: Day): readonly Write[] {
  return members.map(({ eniId, instanceId, instanceName, address, ipv6 }) =>
    put([groupKey(groupId), weekOf(day), eniId, 0], { eniId, instanceId, instanceName, address, ipv6 }),
  );
}

/**
 * Says in which groups an interface was when it was last asked for in the week of the day; nothing of it is stray any more, nor of its
 * instance, of which the hosts' own counters tell.
 */
export const knownWrites = (
  region: string,
  { eniId, instanceId, groupIds }: Pick<Member, "eniId" | "instanceId" | "groupIds">,
  day: Day,
): readonly Write[] =>
  [eniId, instanceId ?? ""]
    .filter((id) => id !== "")
    .flatMap((id) => [
      put([knownKey(region), weekOf(day), id, 0], groupIds),
      { kind: "delete", table: "evidence", key: [strayKey(region), weekOf(day), id, 0] },
    ]);

/** What an interface was used for whose groups nobody knows. */
export const strayWrite = (region: string, eniId: string, day: Day, ports: readonly StrayUse[]): Write =>
  put(
    [strayKey(region), weekOf(day), eniId, 0],
    ports.map(({ protocol, port, at }) => [protocol, port, at]),
  );

const put = (key: readonly (string | number)[], body: unknown): Write => ({
  kind: "put",
  table: "evidence",
  key,
  columns: { body: JSON.stringify(body) },
});

const memberOf = withKey(({ columns }) =>
  shapedColumn<FormerMember>(columns["body"], "evidence", { eniId: "text", address: "text", ipv6: "texts" }),
);

/** Everybody who was seen in the group from the week of a day on, by interface; at most `max` of them and one more. */
export async function readMemberships(
  tables: Tables,
  groupId: GroupId,
  { from, until, max }: { readonly from: Day; readonly until: Day; readonly max: number },
): Promise<ReadonlyMap<string, Membership>> {
  const found = new Map<string, { member: FormerMember; weeks: Set<Day> }>();
  for await (const row of rowsOf(tables, groupKey(groupId), from, until)) {
    const member = memberOf(row);
    const known = found.get(member.eniId) ?? { member, weeks: new Set<Day>() };
    found.set(member.eniId, { member, weeks: known.weeks.add(String(row.key[1])) });
    if (found.size > max) break;
  }
  return found;
}

/** The groups of the interfaces and instances of a region that are known for a week, by the week's first day. */
export async function readKnownHosts(
  tables: Tables,
  region: string,
  week: Day,
): Promise<ReadonlyMap<string, readonly GroupId[]>> {
  const found = new Map<string, readonly GroupId[]>();
  for await (const row of rowsOf(tables, knownKey(region), week, dayAfter(week, 1)))
    found.set(String(row.key[2]), groupsOf(row));
  return found;
}

const groupsOf = withKey(({ columns }) => listColumn<GroupId>(columns["body"], "evidence", "texts"));

/** What stray interfaces of a region were used for from the week of a day on: each port once, by who used it last. */
export async function readStrays(tables: Tables, region: string, from: Day, until: Day): Promise<readonly StrayUse[]> {
  const found = new Map<string, StrayUse>();
  for await (const row of rowsOf(tables, strayKey(region), from, until)) {
    for (const use of portsOf(row)) {
      const name = portName(use);
      const known = found.get(name);
      if (known === undefined || known.at < use.at) found.set(name, use);
    }
  }
  return [...found.values()];
}

const portsOf = withKey(({ key, columns }): readonly StrayUse[] => {
  const eniId = String(key[2]);
  return listColumn<readonly [string, number, number]>(columns["body"], "evidence", "list").map((use) => {
    if (!Array.isArray(use)) throw fail("STATE_UNREADABLE", { table: "evidence" });
    const [protocol, port, at] = use;
    return { eniId, protocol, port, at };
  });
});

/** What is stored of a stray interface for the week of the day. */
export async function readStray(tables: Tables, region: string, eniId: string, day: Day): Promise<readonly StrayUse[]> {
  const row = await tables.get("evidence", [strayKey(region), weekOf(day), eniId, 0]);
  return row === null ? [] : portsOf(row);
}

async function* rowsOf(tables: Tables, first: string, from: Day, until: Day): AsyncGenerator<Row> {
  let after: readonly (string | number)[] = [first, weekOf(from)];
  for (;;) {
    const page = await tables.range({ table: "evidence", from: after, to: [first, until], limit: PAGE });
    yield* page.rows;
    const last = page.rows.at(-1);
    if (!page.more || last === undefined) return;
    after = [...last.key.slice(0, 3), Number(last.key[3]) + 1];
  }
}

/**
 * True for a day that lies in one of the weeks, or next to one: who is gone before it was looked for has not been elsewhere, and who is
 * seen on a Monday may have come, and been used, on the Sunday.
 */
export const isInWeeks = ({ weeks }: Membership, day: Day): boolean =>
  [-WEEK_DAYS, 0, WEEK_DAYS].some((days) => weeks.has(weekOf(dayAfter(day, days))));
