// Fills and empties the prefix lists of a set, as the lockdowns that hold it want. The only file that changes what a list holds.
import { noticeOf } from "../../domain/notice.ts";
import { STANDBY_JOB, type StandbyList, type StandbySet } from "../../domain/standby.ts";
import type { AddressLists } from "../../ports/address-lists.ts";
import { type CallPriority, CloudFailure } from "../../ports/firewall.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { acquireLock, type Lock } from "../../store/lock.ts";
import { readMode } from "../../store/mode.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import { getStandbySet, saveStandbySet } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";

export interface SettleOptions {
  readonly priority: CallPriority;
  /** True where the row says that the lists are empty, and nothing is lost by filling them without a look. */
  readonly isBlind?: boolean;
}

const LOCK_MS = 30_000;
const LOCK_MARGIN_MS = 12_000;
const LOCK_TRIES = 40;
const LOCK_AGAIN_MS = 50;
const ROUNDS_MAX = 5;
/** A little later than a write can be late, so that its effect is seen. */
const LATE_MARGIN_MS = 5000;

/** How it ended: whether a reading has shown the lists as they are wanted, and which of them somebody else had changed. */
export interface Settled {
  readonly isShown: boolean;
  readonly foreign: readonly string[];
  /** True where the cloud refuses the change, and will not take it in a moment either: the role may do so no more. */
  readonly isRefused?: boolean;
}

/**
 * Has the lists of the set hold what its holders want, and reads them back. One process does so at a time; whoever comes meanwhile waits,
 * and the row is read under the lock, so that the last word of the holders counts. Never throws for what the cloud answers.
 *
 *     holders   list in the cloud             what happens
 *     any       not all of its blocks         filled
 *     none      anything                      emptied
 *     none      gone                          its id is forgotten: it is made anew
 *     either    gone, or not to be read       nothing is shown: the set is of no use until then
 */
export async function settleStandby(app: App, name: string, options: SettleOptions): Promise<Settled> {
  const nothing: Settled = { isShown: false, foreign: [] };
  const lists = await app.lists();
  const lock = await lockSet(app, name);
  if (lock === null) return nothing;
  try {
    const foreign = new Set<string>();
    let isBlind = options.isBlind === true;
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const set = await getStandbySet(app.tables, name);
      if (set === null) return { isShown: true, foreign: [] };
      const made = set.lists.filter((it) => it.listId !== null);
      const wanted = set.holders.length > 0 ? "filled" : "empty";
      // As with drops: they may go in every mode, and stand in all but this one.
      if (wanted === "filled" && (await readMode(app.tables)).mode === "halt") return nothing;
      const outcomes = await Promise.all(
        made.map((list) => settleList(app, lists, { set, list, wanted, isBlind, lock }, options.priority)),
      );
      isBlind = false;
      for (const [index, { isForeign }] of outcomes.entries()) if (isForeign) foreign.add(made[index]?.listId ?? "");
      const gone = made.filter((_, index) => outcomes[index]?.isGone);
      if (wanted === "empty" && gone.length > 0) {
        const lists = set.lists.map((it) => (gone.includes(it) ? { ...it, listId: null } : it));
        await saveStandbySet(app.tables, { ...set, lists, shown: null });
        continue;
      }
      if (!outcomes.every(({ isShown }) => isShown)) {
        if (set.shown !== null) await saveStandbySet(app.tables, { ...set, shown: null });
        if (outcomes.some((it) => it.isRefused)) return { isShown: false, foreign: [...foreign], isRefused: true };
        if (!lock.isHeld()) break;
        continue;
      }
      const isCurrent =
        set.shown === wanted
          ? (await getStandbySet(app.tables, name))?.rev === set.rev
          : (await saveStandbySet(app.tables, { ...set, shown: wanted })) !== null;
      if (isCurrent) {
        if (foreign.size > 0) await tellForeign(app, set, [...foreign], wanted);
        return { isShown: true, foreign: [...foreign] };
      }
    }
    return { isShown: false, foreign: [...foreign] };
  } finally {
    await lock.release().catch(() => undefined);
  }
}

async function lockSet(app: App, name: string): Promise<Lock | null> {
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  for (let tries = 0; tries < LOCK_TRIES; tries++) {
    const terms = { holder, lockMs: LOCK_MS, marginMs: LOCK_MARGIN_MS };
    const lock = await acquireLock(app.tables, app.clock, `lists:${name}`, terms);
    if (lock !== null) return lock;
    await app.clock.sleep(LOCK_AGAIN_MS * (1 + app.random.fraction()));
  }
  return null;
}

interface Task {
  readonly set: StandbySet;
  readonly list: StandbyList;
  readonly wanted: "filled" | "empty";
  readonly isBlind: boolean;
  readonly lock: Lock;
}

interface Outcome {
  readonly isShown: boolean;
  readonly isForeign: boolean;
  readonly isGone?: boolean;
  readonly isRefused?: boolean;
}

async function settleList(
  app: App,
  lists: AddressLists,
  { set, list, wanted, isBlind, lock }: Task,
  priority: CallPriority,
): Promise<Outcome> {
  const own = { region: set.region, listId: list.listId ?? "" };
  const blocks = wanted === "filled" ? list.blocks : [];
  let isForeign = false;
  try {
    let held: readonly string[] | null = isBlind && wanted === "filled" ? [] : await lists.read(own, priority);
    if (held === null) return { isShown: false, isForeign: set.shown !== null, isGone: true };
    const [add, remove] = [beyond(blocks, held), beyond(held, blocks)];
    if (add.length === 0 && remove.length === 0) return { isShown: true, isForeign };
    isForeign = set.shown === wanted;
    // Before the call, whose reply may be lost: what it does late is seen and put right.
    const lookAt = app.clock.now() + app.settings.lateEffectMaxMs + LATE_MARGIN_MS;
    await app.tables.writeAll([dueWrite(dueJob(STANDBY_JOB, "look", lookAt))]);
    if (!lock.isHeld()) return { isShown: false, isForeign };
    await lists.change(own, { add, remove }, priority).catch((error: unknown) => {
      // What became of it is read.
      if (!(error instanceof CloudFailure) || error.kind !== "unknown") throw error;
    });
    held = await lists.read(own, priority);
    return { isShown: held !== null && isSame(held, blocks), isForeign };
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    app.log.write("error", `the list ${own.listId} is not ${wanted} yet`, { cause: error });
    return { isShown: false, isForeign, isRefused: error.kind === "refused" };
  }
}

const beyond = (blocks: readonly string[], others: readonly string[]): readonly string[] =>
  blocks.filter((block) => !others.includes(block));

const isSame = (one: readonly string[], other: readonly string[]): boolean =>
  beyond(one, other).length === 0 && beyond(other, one).length === 0;

/** A list that a stranger fills is an outage, and one that is emptied in an incident is an open door: both are put right, and told. */
async function tellForeign(
  app: App,
  { name, region, members }: StandbySet,
  ids: readonly string[],
  wanted: "filled" | "empty",
): Promise<void> {
  const at = app.clock.now();
  const list = ids.join(", ");
  const line = `somebody else changed ${list}, the lists of ${members.length} groups for lockdowns: ${wanted} again`;
  app.log.write("warn", line, { region, set: name });
  const notice = noticeOf("reachChanged", {
    ...{ at, group: null, dedupe: `${name} ${list} ${at}`, to: [{ kind: "role", role: "operator" }] },
    data: { list, rules: line, actor: "somebody else", beyond: "", confirmed: false },
  });
  const record = { at, group: null, cause: "lists", actor: "safeport", policyVersion: null, lines: [line] };
  await writeRecord(app, record, noticeWrites(notice));
}
