// A lockdown whose row is lost, or cannot be read: the ledgers of its groups still tell what it holds, and until when.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { type Lockdown, type LockdownGroup, parseLockdownId } from "../../domain/lockdown.ts";
import { AppError } from "../../errors/app-error.ts";
import { listAlarms } from "../../store/alarms.ts";
import { pageEntries } from "../../store/ledger.ts";
import { getLockdown } from "../../store/lockdowns.ts";
import type { App } from "../app.ts";
import { setsThatCanBeRead } from "./sets-that-can-be-read.ts";

const ENTRIES_PAGE = 1000;

/**
 * The lockdown by its row, else by what the ledger has of it; null where that is nothing. Writes nothing. Reads the whole ledger, and that
 * only where the row is no help.
 */
export async function findLockdown(app: App, lockdownId: string): Promise<Lockdown | null> {
  if (parseLockdownId(lockdownId) === null) return null;
  try {
    const row = await getLockdown(app.tables, lockdownId);
    if (row) return row;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    app.log.write("error", `the row of ${lockdownId} cannot be read: the ledger is asked`, { cause: error });
  }
  return lostLockdown(app, lockdownId);
}

/** What is known of one group. */
interface Trace {
  readonly group: GroupRef;
  readonly drops: number;
  readonly suspends: number;
  readonly onLists: boolean;
}

/**
 * By the holds and suspensions that are not over, and the lists filled for it. Nothing tells who has joined it since, but the alarms that
 * have it on; a person's word is a cause where they began it. `rev` is that of a row that is not there.
 */
async function lostLockdown(app: App, lockdownId: string): Promise<Lockdown | null> {
  const now = app.clock.now();
  const traces = new Map<string, Trace>();
  const note = (group: GroupRef, more: Partial<Trace>): void => {
    const key = `${group.region} ${group.groupId}`;
    const known = traces.get(key) ?? { group, drops: 0, suspends: 0, onLists: false };
    traces.set(key, {
      group,
      drops: known.drops + (more.drops ?? 0),
      suspends: known.suspends + (more.suspends ?? 0),
      onLists: known.onLists || more.onLists === true,
    });
  };
  const ends: number[] = [];
  const begins: number[] = [];
  let word: { readonly principal: string; readonly reason: string } | null = null;
  for await (const entry of allEntries(app)) {
    const { group, spec, holders, suspension } = entry;
    const holder = holders.find((it) => it.kind === "lockdown" && it.holderId === lockdownId && it.ended === null);
    const suspender = suspension?.by.find((it) => it.kind === "lockdown" && it.itemId === lockdownId);
    const own = holder ?? suspender;
    if (own === undefined) continue;
    word ??= own;
    if (own.until !== null) ends.push(own.until);
    begins.push(holder?.openedAt ?? suspension?.since ?? now);
    const isDrop = holder !== undefined && spec.policy === "drop";
    note(group, {
      drops: isDrop ? 1 : 0,
      suspends: suspender ? 1 : 0,
      onLists: isDrop && spec.peer.kind === "prefixList",
    });
  }
  for (const { region, members, holders } of (await setsThatCanBeRead(app)).sets)
    if (holders.includes(lockdownId)) for (const groupId of members) note({ region, groupId }, { onLists: true });
  if (traces.size === 0) return null;
  const { principal = "alarm", reason = "" } = word ?? {};
  const startedAt = begins.length === 0 ? now : Math.min(...begins);
  const alarms = (await listAlarms(app.tables)).alarms.filter(
    (it) => it.lockdownId === lockdownId && it.alarm.state !== "OK" && !it.isMuted,
  );
  const causes = [...alarms.map(({ alarmId }) => alarmId), ...(principal === "alarm" ? [] : [principal])];
  const groups = [...traces.values()];
  return {
    lockdownId,
    scope: { kind: "groups", groups: groups.map(({ group }): GroupId => group.groupId) },
    core: [],
    principal,
    reason: reason.replace(`lockdown ${lockdownId} `, ""),
    waivedBy: null,
    causes: causes.map((by) => ({ by, since: startedAt })),
    startedAt,
    until: ends.length === 0 ? now : Math.max(...ends),
    state: "active",
    endedAt: null,
    endedBy: null,
    groups: groups.map(groupOf),
    steps: [],
    rev: 0,
  };
}

const groupOf = ({ group, drops, suspends, onLists }: Trace): LockdownGroup => ({
  ...{ group, name: "", way: drops > 0 || suspends === 0 ? "drops" : "suspend", drops, suspends, onLists },
  ...{ isClosed: false, left: ["its row is lost: this is what the ledger has of it"], hosts: [], cannotStop: [] },
});

/** A page at a time: the ledger of an account need not fit into a function. */
async function* allEntries(app: App): AsyncGenerator<Entry> {
  let after: Awaited<ReturnType<typeof pageEntries>>["next"] = null;
  do {
    const page: Awaited<ReturnType<typeof pageEntries>> = await pageEntries(app.tables, { after, limit: ENTRIES_PAGE });
    yield* page.entries;
    if (page.unreadable.length > 0)
      app.log.write("error", "entries cannot be read: what lockdowns have of them ends by their marks", page);
    after = page.next;
  } while (after !== null);
}
