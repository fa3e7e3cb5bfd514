// Moves an item of the recycling queue, and tells its owner: the one place where its state changes.
import { type Addressee, type Notice, noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { formatPortRange } from "../../domain/port-range.ts";
import {
  groupOfRecyclingId,
  type Mover,
  moved,
  type RecyclingItem,
  type RecyclingState,
  type RecyclingStep,
  type Waiting,
} from "../../domain/recycling-item.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { fail } from "../../errors/app-error.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import { getRecyclingItem, saveRecyclingItem, underwayWrite } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { NET_AFTER_MS } from "../ledger/book-holds.ts";

/** The job that carries out steps and watches quarantines. */
export const WATCH_JOB = "recycling-watch";

/** A move with its reason. `mover` says whose word it was. */
export interface Word {
  readonly by: string;
  readonly why: string;
  readonly mover: Mover;
}

/** What a notice needs beside the item. */
export interface Told {
  readonly policy: Policy;
  /** Who came in a quarantine, where that is why it is lifted. */
  readonly visitor?: string;
}

/**
 * Stores the item in its next state when its row is still the one that was read; null when somebody was faster. What is told of it is
 * written before: a notice of a move that did not come about is told by its id but once, and the next look tells the truth.
 */
export async function moveItem(
  app: App,
  item: RecyclingItem,
  to: RecyclingState,
  word: Word,
  told: Told,
): Promise<RecyclingItem | null> {
  const at = app.clock.now();
  const next = moved(item, to, { ...word, at });
  const notices = noticesOf(item, next, told);
  if (notices.length > 0) await app.tables.writeAll([...noticeWrites(...notices)]);
  const saved = await saveRecyclingItem(app.tables, next);
  if (saved === null) return null;
  const { group } = item;
  const lines = [`${item.itemId} ${item.key}: ${item.state} to ${to}: ${word.why}`];
  const record = {
    ...{ at, group, cause: "recycling", actor: word.by, policyVersion: told.policy.version, lines },
    decidedBy: word.by === "safeport" ? lineBehind(item, to, told.policy) : "recycling:decide, a person's word",
    changes: [{ what: `unused rule ${item.itemId}`, before: item.state, after: to }],
  };
  await writeRecord(app, record);
  return saved;
}

/** The line of the policy by which the program takes an item there. */
function lineBehind({ group, groupName }: RecyclingItem, to: RecyclingState, { recycling }: Policy): string {
  const { windowDays, coverageMin, noticeMs, quarantineMs, steps, groups } = recycling;
  const days = (ms: number): number => ms / 86_400_000;
  const where = [group.groupId, groupName].find((name) => groups.includes(name)) ?? "reported only";
  if (to === "noticed") return `recycling.groups: ${where}; recycling.notice: ${days(noticeMs)}`;
  if (to === "quarantined") return `recycling.groups: ${where}; recycling.steps.quarantine: ${steps.quarantine}`;
  if (to === "deleted") return `recycling.steps.delete: ${steps.delete}; recycling.quarantine: ${days(quarantineMs)}`;
  return `recycling.window: ${windowDays}; recycling.coverageMin: ${coverageMin}`;
}

/**
 * Books somebody who goes on with the item, says so where they find it, and then the step itself; null when the row was another by then.
 */
export async function decideStep(
  app: App,
  item: RecyclingItem,
  step: RecyclingStep,
  changes: Partial<RecyclingItem> = {},
): Promise<RecyclingItem | null> {
  const now = app.clock.now();
  await app.tables.writeAll([dueWrite(dueJob(WATCH_JOB, null, now + NET_AFTER_MS)), underwayWrite(item.itemId, now)]);
  const begun = item.step?.isBegun ? ({ isBegun: true } as const) : {};
  return saveRecyclingItem(app.tables, { ...item, ...changes, step: { ...step, ...begun }, waiting: null });
}

/** Has the watch look at the items soon, whatever became of its own rows. */
export async function bookWatch(app: App, itemIds: readonly string[]): Promise<void> {
  const now = app.clock.now();
  const rows = itemIds.map((itemId) => underwayWrite(itemId, now));
  await app.tables.writeAll([...rows, dueWrite(dueJob(WATCH_JOB, null, now + 1000))]);
}

/** Notes what the item waits for, and tells whoever can do something about it, once. Null when somebody was faster. */
export async function noteWaiting(
  app: App,
  item: RecyclingItem,
  changes: Partial<RecyclingItem> & { readonly waiting: Waiting | null },
): Promise<RecyclingItem | null> {
  const { waiting } = changes;
  const isNew = waiting !== null && JSON.stringify(waiting) !== JSON.stringify(item.waiting);
  if (isNew && (waiting.for === "approval" || waiting.for === "person")) {
    const next = item.state === "quarantined" ? "delete" : "quarantine";
    const step =
      item.state === "deleted" || item.step?.to === "restored" || item.step?.to === "exempt" ? "restore" : next;
    const notice = noticeOf("recyclingWaits", {
      ...{ at: app.clock.now(), group: item.group, to: addressees(item) },
      // Once for each state and approval: what it waits for changes its words from day to day.
      dedupe: `${item.itemId} ${item.moves} ${waiting.for} ${item.approvals.at(-1)?.at ?? ""}`.trimEnd(),
      data: { ...named(item), step, why: waiting.why.join("; ") },
    });
    await app.tables.writeAll([...noticeWrites(notice)]);
  }
  return saveRecyclingItem(app.tables, { ...item, ...changes });
}

/** One item. Throws RECYCLING_UNKNOWN. */
export async function requireItem(app: App, itemId: string): Promise<RecyclingItem> {
  const item = groupOfRecyclingId(itemId) === null ? null : await getRecyclingItem(app.tables, itemId);
  if (item === null) throw fail("RECYCLING_UNKNOWN", { item: itemId.slice(0, 100) });
  return item;
}

const named = (item: RecyclingItem) => ({ item: item.itemId, ports: portsOf(item.kept.spec), owner: item.owner });

/** `7890 (tcp)`; the protocol alone where it has no ports. */
function portsOf({ protocol, ports }: RuleSpec): string {
  const name = typeof protocol === "string" ? protocol : protocol.other;
  if (ports.kind === "any") return name;
  return `${ports.kind === "list" ? ports.portRangeListId : formatPortRange(ports.range)} (${name})`;
}

const addressees = (item: RecyclingItem): readonly Addressee[] => [
  ...(item.owner === "" ? [] : [{ kind: "person", principal: item.owner } as const]),
  { kind: "group" },
];

function noticesOf(item: RecyclingItem, next: RecyclingItem, { policy, visitor }: Told): readonly Notice[] {
  const { recycling } = policy;
  const at = next.since;
  const common = { at, group: item.group, to: addressees(item), dedupe: `${item.itemId} ${next.moves}` };
  const word = next.history.at(-1);
  switch (next.state) {
    case "noticed":
      return [
        noticeOf("recyclingNoticed", {
          ...common,
          data: { ...named(item), lastUsedAt: item.judged?.lastUsedAt ?? null, nextAt: at + recycling.noticeMs },
        }),
      ];
    case "quarantined":
      return [
        noticeOf("recyclingQuarantined", { ...common, data: { ...named(item), until: at + recycling.quarantineMs } }),
      ];
    case "deleted":
      return [noticeOf("recyclingDeleted", { ...common, data: named(item) })];
    case "restored":
    case "exempt":
      if (visitor !== undefined) return [noticeOf("recyclingLifted", { ...common, data: { ...named(item), visitor } })];
      // Who never was told of it need not be told that it is over.
      if (item.state === "queued" || item.state === "exempt" || item.state === "restored") return [];
      return [
        noticeOf("recyclingRestored", {
          ...common,
          data: { ...named(item), by: word?.by ?? "", why: word?.why ?? "" },
        }),
      ];
    case "queued":
      return [];
  }
}
