// What a pass writes down of a reading: where each lease stands, and then the rows of the ledger.
import type { EntryId, GroupRef, LeaseId, RuleId } from "../../domain/ids.ts";
import { isFinal } from "../../domain/lease.ts";
import type { Lease, LeaseStatus } from "../../domain/lease-record.ts";
import type { DropHolder, Entry, Holder, LeaseHolder } from "../../domain/ledger-entry.ts";
import { applyPatch } from "../../plan/apply-patch.ts";
import type { EntryPatch } from "../../plan/entry-plan.ts";
import { openWindow } from "../../plan/open-window.ts";
import { isHolding } from "../../plan/picture.ts";
import { StoreFailure } from "../../ports/tables.ts";
import { dueLease, dueWrite } from "../../store/due.ts";
import { type HistoryLine, historyWrite } from "../../store/history.ts";
import { getKeptLease, writeStatus } from "../../store/leases.ts";
import { deleteEntry, saveEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { type LeasePart, leaseStatus } from "../lease/lease-status.ts";

/** How leases have ended, by lease. */
type Endings = ReadonlyMap<LeaseId, NonNullable<Holder["ended"]>>;

/** What came of writing a reading down. */
export interface WrittenDown {
  /** True when a ledger row had changed meanwhile: the plan is out of date. */
  readonly stale: boolean;
  /** The entries as the reading shows them. */
  readonly entries: ReadonlyMap<EntryId, Entry>;
}

/** The leases of a group while a pass holds its lock. */
export class PassLeases {
  /** Those that reached their final state, with the ids of their rules. */
  readonly closed = new Map<LeaseId, readonly RuleId[]>();
  readonly opened = new Set<LeaseId>();
  /** Where those of the ledger stand. */
  readonly statuses = new Map<LeaseId, LeaseStatus>();
  /** Why the last reading's closed entries have not gone: the history could not be told of them. Null where it was. */
  untold: StoreFailure | null = null;
  /** Whether the last reading has changed anything in the ledger. */
  hasEntered = false;
  private readonly app: App;
  private readonly fence: number;
  /** Leases that want to be opened and are not while it is so: such as nobody can read, as they may be over, and those in `partial`. */
  doubted: ReadonlySet<LeaseId> = new Set();
  /** Leases that want to be opened, and of which the ledger has some rules only: whoever enters them is at it, or has died. */
  partial: ReadonlySet<LeaseId> = new Set();
  /** The rows of leases that want to be opened; null where there is none. Nobody else moves one while this pass has its lock. */
  private readonly told = new Map<LeaseId, Lease | "unreadable" | null>();
  /** Statuses this pass has written, as text. */
  private readonly written = new Map<LeaseId, string>();

  constructor(app: App, fence: number) {
    this.app = app;
    this.fence = fence;
  }

  /**
   * The entries with what the leases' own rows know better. Who was frozen between reading a lease and entering it may come when it is
   * over: it is not opened again. Who has seen a lease open may have died before the ledger had it: it is not opened for the first time.
   */
  async asTold(entries: readonly Entry[], now: number): Promise<readonly Entry[]> {
    const isUnopened = (it: Holder): it is LeaseHolder =>
      it.kind === "lease" && it.openedAt === null && isHolding(it, now);
    const unopened = new Set(entries.flatMap(({ holders }) => holders.filter(isUnopened).map((it) => it.holderId)));
    const unknown = [...unopened].filter((leaseId) => !this.told.has(leaseId));
    await inParallel(unknown, async (leaseId) => {
      this.told.set(leaseId, await getKeptLease(this.app.tables, leaseId));
    });
    const ended = { cause: "asked", note: "it was over when it was entered", detail: null } as const;
    const asTold = (it: LeaseHolder): LeaseHolder => {
      const lease = this.told.get(it.holderId);
      if (!lease || lease === "unreadable") return it;
      const { status } = lease;
      if (isFinal(status.state)) return { ...it, ended };
      return status.state === "open" ? { ...it, openedAt: status.openedAt } : it;
    };
    this.partial = new Set([...unopened].filter((leaseId) => this.isPartial(leaseId, entries)));
    this.doubted = new Set(
      [...unopened].filter((leaseId) => this.told.get(leaseId) === "unreadable" || this.partial.has(leaseId)),
    );
    if (unopened.size === 0) return entries;
    return entries.map((entry) => ({
      ...entry,
      holders: entry.holders.map((it) => (isUnopened(it) ? asTold(it) : it)),
    }));
  }

  private isPartial(leaseId: LeaseId, entries: readonly Entry[]): boolean {
    const lease = this.told.get(leaseId);
    if (!lease || lease === "unreadable" || isFinal(lease.status.state)) return false;
    const its = entries.filter(({ holders }) => holders.some((it) => it.holderId === leaseId));
    return !lease.request.entryIds.every((entryId) => its.some((entry) => entry.entryId === entryId));
  }

  /** The due rows may be lost, and the leases they were of be gone or such as nobody can read: the ledger knows their ends. */
  async bookEnds(group: GroupRef, entries: readonly Entry[], now: number): Promise<void> {
    const { tables, settings } = this.app;
    const isLease = (it: Holder): it is LeaseHolder => it.kind === "lease" && isHolding(it, now);
    const live = entries.flatMap(({ holders }) => holders.filter(isLease));
    const rows = live.map(({ holderId, until }) => dueLease(group, holderId, until, settings.shards));
    if (rows.length > 0) await tables.writeAll(rows.map(dueWrite));
  }

  /**
   * Leases first: a holder leaves the ledger only when its lease's row says that it is over. `before` is the ledger as it was read.
   */
  async writeDown(patches: readonly EntryPatch[], before: readonly Entry[], now: number): Promise<WrittenDown> {
    const entries = new Map(
      patches.map((patch) => [patch.entry.entryId, applyPatch(patch.entry, patch, now, new Set())]),
    );
    const endings = endingsOf(entries.values());
    const { final, isOvertaken } = await this.writeStatuses(partsOf(patches, entries, endings, now), before, now);
    const stale = await this.writeEntries(patches, endings, final, now);
    return { stale: stale || isOvertaken, entries };
  }

  /** Answers the leases that are over, and whether a pass with a later lock has had its say on one of them. */
  private async writeStatuses(
    parts: ReadonlyMap<LeaseId, readonly LeasePart[]>,
    before: readonly Entry[],
    now: number,
  ): Promise<{ readonly final: ReadonlySet<LeaseId>; readonly isOvertaken: boolean }> {
    const final = new Set<LeaseId>();
    let isOvertaken = false;
    await inParallel([...parts], async ([leaseId, its]) => {
      const status = await this.asItWas(leaseId, leaseStatus(its, now));
      if (status.state === "open" && its.some((part) => part.holder.openedAt === now)) this.opened.add(leaseId);
      this.statuses.set(leaseId, status);
      // What stands for it may have another id since: by that alone it is closed where nobody can read the ledger. Or it is closed for
      // a time, and people are to read that.
      const unmoved = its.every(
        ({ entry, before: stood }) =>
          before.some((it) => it.entryId === entry.entryId && isSameHolder(it, entry, leaseId)) &&
          ((entry.standing.kind === "none" && entry.suspension === null) ||
            JSON.stringify(entry.standing) === JSON.stringify(stood)),
      );
      // Leases are booked as opening, and an open one is rewritten only when something moved. Any other may be one that an earlier
      // pass left between two writes.
      if (unmoved && (status.state === "open" || status.state === "opening")) return;
      const text = JSON.stringify({ ...status, closedAt: null });
      if (this.written.get(leaseId) === text && status.closedAt === null) return;
      this.written.set(leaseId, text);
      const { tables } = this.app;
      const outcome = await writeStatus(tables, leaseId, status, this.fence);
      if (outcome === "conflict") {
        const lease = await getKeptLease(tables, leaseId);
        // A lease whose row is lost ends by its ledger row alone, and so does one whose row says that it is over: somebody died, or was
        // frozen, between the two rows. Nothing that says anything else could enter it again.
        if (lease === "unreadable" || (lease !== null && !isFinal(lease.status.state))) {
          isOvertaken = true;
          return;
        }
      }
      if (status.closedAt === null) return;
      // Only now: who leaves the ledger while the lease's row says anything else is entered, and opened, again.
      final.add(leaseId);
      this.closed.set(leaseId, status.ruleIds);
    });
    return { final, isOvertaken };
  }

  /** Whoever has seen it open may have died before the ledger had it: then its row alone knows, and people may have read it there. */
  private async asItWas(leaseId: LeaseId, status: LeaseStatus): Promise<LeaseStatus> {
    if (status.closedAt === null || status.state === "closed") return status;
    const lease = await getKeptLease(this.app.tables, leaseId);
    const openedAt = lease === "unreadable" ? null : (lease?.status.openedAt ?? null);
    return openedAt === null ? status : { ...status, state: "closed", openedAt };
  }

  /** Answers true when a row had changed meanwhile. */
  private async writeEntries(
    patches: readonly EntryPatch[],
    endings: Endings,
    final: ReadonlySet<LeaseId>,
    now: number,
  ): Promise<boolean> {
    const { tables } = this.app;
    // What was planned for a lease that has ended by another one of its rules is out of date.
    let stale = false;
    const moved = patches.flatMap((patch) => {
      const patched = applyPatch(patch.entry, patch, now, new Set());
      const ended = patched.holders.map(
        (it): Holder => (it.kind === "lease" ? { ...it, ended: endedOf(it, endings) } : it),
      );
      stale ||= ended.some((it, index) => it.ended !== null && patched.holders[index]?.ended === null);
      const holders = ended.filter((it) =>
        it.kind === "lease" ? !final.has(it.holderId) : !isOver(it, patched, patch, now),
      );
      const next = { ...patched, holders };
      const isUnheld = holders.length === 0 && next.allocation === null && next.suspension === null;
      const isEmpty = isUnheld && (patch.settled || next.standing.kind === "preExisting");
      return isEmpty || !isSame(next, patch.entry)
        ? [{ before: patch.entry, next, isEmpty, ended: { ...patched, holders: ended } }]
        : [];
    });
    this.hasEntered = moved.length > 0;
    const isTold = await this.tellHistory(
      moved.flatMap(({ before, isEmpty }) => (isEmpty && before.createdAt !== null ? [closedLine(before, now)] : [])),
    );
    const isLeaving = ({ before, isEmpty }: (typeof moved)[number]) => isEmpty && (isTold || before.createdAt === null);
    const emptied = moved.filter(isLeaving);
    // What stays for the history's sake is known to be gone: nobody revokes it once more.
    const kept = moved
      .filter((it) => !isLeaving(it))
      .flatMap(({ before, next, isEmpty, ended }) => (isEmpty ? (isSame(ended, before) ? [] : [ended]) : [next]));
    const [saved] = await Promise.all([
      saveEntries(tables, kept),
      inParallel(emptied, async ({ before }) => {
        if (!(await deleteEntry(tables, before))) stale = true;
      }),
    ]);
    return stale || saved.includes(false);
  }

  /** Nothing leaves the ledger without a trace: what was open, and for whom, is told before its row goes. Answers false where it was not. */
  private async tellHistory(lines: readonly HistoryLine[]): Promise<boolean> {
    const { tables, random } = this.app;
    this.untold = null;
    try {
      if (lines.length > 0) await tables.writeAll(lines.map((line) => historyWrite(line, random)));
      return true;
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error;
      this.untold = error;
      return false;
    }
  }
}

const closedLine = (entry: Entry, at: number): HistoryLine => ({
  group: entry.group,
  entryId: entry.entryId,
  at,
  kind: "closed",
  by: "safeport",
  spec: entry.spec,
  before: null,
  after: null,
  leases: entry.holders.map((holder) => holder.holderId),
  createdAt: entry.createdAt,
});

/** A lease that ended in one of its rules has ended in all of them. */
function endingsOf(entries: Iterable<Entry>): Endings {
  const endings = new Map<LeaseId, NonNullable<Holder["ended"]>>();
  for (const entry of entries)
    for (const it of entry.holders) if (it.kind === "lease" && it.ended) endings.set(it.holderId, it.ended);
  return endings;
}

const endedOf = (holder: LeaseHolder, endings: Endings): Holder["ended"] =>
  holder.ended ?? endings.get(holder.holderId) ?? null;

/** True when a hold on a drop has ended and nothing stands in the cloud for it alone. */
const isOver = (holder: DropHolder, entry: Entry, patch: EntryPatch, now: number): boolean =>
  holder.ended !== null &&
  (patch.settled || entry.standing.kind === "preExisting" || entry.holders.some((it) => isHolding(it, now)));

function partsOf(
  patches: readonly EntryPatch[],
  entries: ReadonlyMap<EntryId, Entry>,
  endings: Endings,
  now: number,
): ReadonlyMap<LeaseId, readonly LeasePart[]> {
  const parts = new Map<LeaseId, LeasePart[]>();
  for (const patch of patches) {
    const entry = entries.get(patch.entry.entryId) ?? patch.entry;
    const isOthers = (it: Holder): boolean => isHolding(it, now) && !(it.kind === "lease" && endings.has(it.holderId));
    const shared = entry.holders.some(isOthers) || openWindow(entry, now) !== null;
    for (const it of entry.holders) {
      if (it.kind !== "lease") continue;
      const ended = endedOf(it, endings);
      const done = ended !== null && (shared || entry.standing.kind === "preExisting" || patch.settled);
      const part = { entry, before: patch.entry.standing, holder: { ...it, ended }, done, shared };
      parts.set(it.holderId, [...(parts.get(it.holderId) ?? []), part]);
    }
  }
  return parts;
}

/** An entry for comparison: without its parsed spec, which holds integers JSON does not know. */
const comparable = (entry: Entry) => ({
  standing: entry.standing,
  createdAt: entry.createdAt,
  missingSince: entry.missingSince,
  suspension: entry.suspension,
  undoneAt: entry.undoneAt,
  allocation: entry.allocation,
  holders: entry.holders,
});

const isSame = (a: Entry, b: Entry): boolean => JSON.stringify(comparable(a)) === JSON.stringify(comparable(b));

const isSameHolder = (a: Entry, b: Entry, leaseId: LeaseId): boolean =>
  JSON.stringify(a.holders.find((it) => it.holderId === leaseId)) ===
  JSON.stringify(b.holders.find((it) => it.holderId === leaseId));
