// Evidence: one row for each port of an interface and day, and one for the day itself with what is known of it.
import {
  type Day,
  dayAfter,
  joinDay,
  type MemberDay,
  type Peers,
  type PortUse,
  portName,
  unknownDay,
  unusedPort,
} from "../domain/evidence.ts";
import { isInSpans, type PortSpan } from "../domain/port-span.ts";
import { fail } from "../errors/app-error.ts";
import type { Columns, Row, Tables } from "../ports/tables.ts";
import { listColumn, shaped, shapedColumn, withKey } from "./row-shape.ts";

const PAGE = 1000;
/** Column values have a limit of 2 MB; 256 peers need about 15 KB. */
const PEER_FIELDS = 4;

/** The row of the day sorts before those of its ports. */
const DAY_ROW = { protocol: "", port: 0 } as const;

interface Stored {
  readonly rev: number;
  readonly text: string;
}

/** A day as it is stored, with what is needed to write it again. */
interface StoredDay {
  readonly day: MemberDay;
  readonly rows: ReadonlyMap<string, Stored>;
}

/** Days of an interface from one to another, the second not included, oldest first; a day without a row is not there. */
async function* storedDays(tables: Tables, member: string, from: Day, until: Day): AsyncGenerator<StoredDay> {
  let current: { day: MemberDay; ports: PortUse[]; rows: Map<string, Stored> } | null = null;
  const done = ({ day, ports, rows }: NonNullable<typeof current>): StoredDay => ({ day: { ...day, ports }, rows });
  let after: readonly (string | number)[] = [member, from];
  for (;;) {
    const page = await tables.range({ table: "evidence", from: after, to: [member, until], limit: PAGE });
    for (const row of page.rows) {
      const day = String(row.key[1]);
      if (current !== null && current.day.day !== day) {
        yield done(current);
        current = null;
      }
      current ??= { day: unknownDay(member, day), ports: [], rows: new Map() };
      const into = current;
      withKey((it) => addRow(into, it))(row);
      into.rows.set(nameOf(row), storedOf(row));
    }
    const last = page.rows.at(-1);
    if (!page.more || !last) break;
    after = [...last.key.slice(0, 3), Number(last.key[3]) + 1];
  }
  if (current !== null) yield done(current);
}

/** The days themselves, one at a time: nobody has to hold all that is known of a host. */
export async function* eachDay(tables: Tables, member: string, from: Day, until: Day): AsyncGenerator<MemberDay> {
  for await (const { day } of storedDays(tables, member, from, until)) yield day;
}

/** The days themselves, together: for few of them. */
export async function readEvidence(
  tables: Tables,
  member: string,
  from: Day,
  until: Day,
): Promise<readonly MemberDay[]> {
  const days: MemberDay[] = [];
  for await (const day of eachDay(tables, member, from, until)) days.push(day);
  return days;
}

/** What a member's ports were used for on a day, in one row for each member of a region: what metrics are made of. */
export interface MemberUse {
  readonly member: string;
  readonly day: Day;
  /** Ports with sessions, with the end of the last one and how many peers there were. */
  readonly ports: readonly {
    readonly protocol: string;
    readonly port: number;
    readonly lastAt: number;
    readonly peers: number;
  }[];
}

/** Members of a region sort behind every member of their own name. */
const regionKey = (region: string): string => `~${region}`;
const USED_PORTS_MAX = 500;

const memberUseOf = withKey(({ key, columns }): MemberUse => {
  const ports = listColumn<MemberUse["ports"][number]>(columns["body"], "evidence", "objects");
  return { member: String(key[2]), day: String(key[1]), ports };
});

/** Every member that has evidence of these days, the second not included. */
export async function listUse(tables: Tables, region: string, from: Day, until: Day): Promise<readonly MemberUse[]> {
  const found: MemberUse[] = [];
  let after: readonly (string | number)[] = [regionKey(region), from];
  for (;;) {
    const page = await tables.range({ table: "evidence", from: after, to: [regionKey(region), until], limit: PAGE });
    found.push(...page.rows.map(memberUseOf));
    const last = page.rows.at(-1);
    if (!page.more || !last) return found;
    after = [...last.key.slice(0, 3), Number(last.key[3]) + 1];
  }
}

function useOf({ ports }: MemberDay): MemberUse["ports"] {
  const used = ports.flatMap(({ protocol, port, real, unnamedAt }) => {
    const lastAt = Math.max(unnamedAt ?? 0, ...real.list.map((peer) => peer.lastAt));
    const peers = real.list.reduce((sum, { count }) => sum + count, 0);
    return lastAt === 0 ? [] : [{ protocol, port, lastAt, peers }];
  });
  return used.sort((a, b) => b.peers - a.peers || a.port - b.port).slice(0, USED_PORTS_MAX);
}

/**
 * Adds what a reading told to what is stored of the day. Ports are written before the day's own row: a crash in between leaves a port
 * known and its day not, never the other way round. Somebody who was faster is joined with. `watched` are ports of which every refused
 * attempt is kept.
 */
export async function addEvidence(
  tables: Tables,
  region: string,
  told: MemberDay,
  watched: readonly PortSpan[] = [],
): Promise<void> {
  for (;;) {
    const stored = await storedDay(tables, told.member, told.day);
    // What has a row stays: a scan that goes on for a day has no more of them than one of an hour.
    const isKept = (port: PortUse): boolean => isInSpans(watched, port) || stored?.rows.has(portName(port)) === true;
    const joined = joinDay(stored?.day ?? unknownDay(told.member, told.day), told, isKept);
    const write = async (
      place: { readonly protocol: string; readonly port: number },
      text: string,
    ): Promise<boolean> => {
      const known = stored?.rows.get(portName(place));
      if (known?.text === text) return true;
      const columns: Columns = { body: text, rev: (known?.rev ?? 0) + 1 };
      const outcome = await tables.put(
        "evidence",
        [told.member, told.day, place.protocol, place.port],
        columns,
        known ? { kind: "equals", column: "rev", value: known.rev } : { kind: "absent" },
      );
      return outcome === "written";
    };
    const ports = await Promise.all(joined.ports.map((port) => write(port, JSON.stringify(portToJson(port)))));
    if (!ports.every(Boolean)) continue;
    const use = JSON.stringify(useOf(joined));
    if (stored === null || use !== JSON.stringify(useOf(stored.day)))
      await tables.put("evidence", [regionKey(region), told.day, told.member, 0], { body: use }, { kind: "none" });
    if (await write(DAY_ROW, JSON.stringify(dayToJson(joined)))) return;
  }
}

async function storedDay(tables: Tables, member: string, day: Day): Promise<StoredDay | null> {
  for await (const stored of storedDays(tables, member, day, dayAfter(day, 1))) return stored;
  return null;
}

const nameOf = ({ key: [, , protocol, port] }: Row): string =>
  portName({ protocol: String(protocol), port: Number(port) });

const storedOf = withKey(({ columns: { rev, body } }: Row): Stored => {
  if (typeof rev !== "number" || typeof body !== "string") throw fail("STATE_UNREADABLE", { table: "evidence" });
  return { rev, text: body };
});

function addRow(into: { day: MemberDay; readonly ports: PortUse[] }, { key, columns }: Row): void {
  const [, , protocol, port] = key;
  const body = columns["body"];
  if (protocol !== DAY_ROW.protocol) {
    const json = shapedColumn<PortJson>(body, "evidence", { real: "object?", shaken: "object?", refused: "object?" });
    into.ports.push(portFromJson(String(protocol), Number(port), json));
    return;
  }
  const {
    seen,
    skipped,
    unlistedRefused = 0,
    ...rest
  } = shapedColumn<DayJson>(body, "evidence", {
    ...{ seen: "text", skipped: "text", unlisted: "number", sources: "texts" },
  });
  into.day = { ...into.day, ...rest, seen: setOf(seen), skipped: setOf(skipped), unlistedRefused };
}

interface DayJson {
  readonly seen: string;
  readonly skipped: string;
  readonly unlisted: number;
  readonly unlistedRefused?: number;
  readonly sources: readonly string[];
  readonly ipv4Only?: true;
}

const dayToJson = ({ seen, skipped, unlisted, unlistedRefused, sources, ipv4Only }: MemberDay): DayJson => ({
  seen: seen.toString(16),
  skipped: skipped.toString(16),
  unlisted,
  ...(unlistedRefused > 0 ? { unlistedRefused } : {}),
  sources,
  ...(ipv4Only ? { ipv4Only } : {}),
});

function setOf(hex: string): bigint {
  if (!/^[0-9a-f]{1,36}$/.test(hex)) throw fail("STATE_UNREADABLE", { table: "evidence" });
  return BigInt(`0x${hex}`);
}

/** Peers as rows of four: block, count, hours, last instant. */
type PeersJson = { readonly list: readonly (string | number)[]; readonly more: boolean };
type PortJson = Partial<
  Omit<Record<keyof PortUse, number>, "real" | "shaken" | "refused"> & {
    readonly real: PeersJson;
    readonly shaken: PeersJson;
    readonly refused: PeersJson;
  }
>;

/** What says nothing is left out. */
function portToJson({ protocol: _, port: __, real, shaken, refused, ...instants }: PortUse): PortJson {
  const told = Object.entries(instants).filter(([, at]) => at !== null);
  const peers = Object.entries({ real, shaken, refused }).filter(([, { list, more }]) => list.length > 0 || more);
  return { ...Object.fromEntries(told), ...Object.fromEntries(peers.map(([name, some]) => [name, peersToJson(some)])) };
}

const peersToJson = ({ list, more }: Peers): PeersJson => ({
  list: list.flatMap((peer) => [peer.block, peer.count, peer.hours, peer.lastAt]),
  more,
});

function portFromJson(protocol: string, port: number, json: PortJson): PortUse {
  const { real, shaken, refused, ...instants } = json;
  return {
    ...unusedPort(protocol, port),
    ...instants,
    protocol,
    port,
    real: peersOf(real),
    shaken: peersOf(shaken),
    refused: peersOf(refused),
  };
}

function peersOf(json: PeersJson | undefined): Peers {
  if (json === undefined) return { list: [], more: false };
  shaped<PeersJson>(json, "evidence", { list: "list" });
  const list = [];
  for (let at = 0; at < json.list.length; at += PEER_FIELDS) {
    const [block, count, hours, lastAt] = json.list.slice(at, at + PEER_FIELDS);
    list.push({ block: String(block), count: Number(count), hours: Number(hours), lastAt: Number(lastAt) });
  }
  return { list, more: json.more };
}
