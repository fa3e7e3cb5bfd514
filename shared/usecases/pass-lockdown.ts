// Makes way for break-glass through the drops of a lockdown: for its own sources and ports, and for nobody else.
import type { GroupRef, LeaseId } from "../domain/ids.ts";
import type { DropHolder, Entry } from "../domain/ledger-entry.ts";
import type { Policy } from "../domain/policy.ts";
import type { RuleSpec } from "../domain/rule.ts";
import { isHolding } from "../plan/picture.ts";
import { besides } from "../plan/plan-passage.ts";
import { dueGroup, dueWrite } from "../store/due.ts";
import { getLease } from "../store/leases.ts";
import { listEntries } from "../store/ledger.ts";
import type { App } from "./app.ts";
import { changeEntry, NET_AFTER_MS } from "./book-holds.ts";
import { type Booked, holdDrops } from "./hold-drops.ts";
import { lookAtGroup } from "./look-at-group.ts";

/** A drop of a lockdown in the way, and the drops that take its place. */
export interface Passage {
  readonly group: GroupRef;
  readonly entry: Entry;
  readonly holder: DropHolder;
  readonly pieces: readonly RuleSpec[];
}

/** Drops of lockdowns in these groups that stop any of the specs. Reads their ledgers. */
export async function findPassages(
  app: App,
  groups: readonly GroupRef[],
  specs: readonly RuleSpec[],
): Promise<readonly Passage[]> {
  const now = app.clock.now();
  const found = await Promise.all(
    groups.map(async (group) => {
      const { entries } = await listEntries(app.tables, group);
      return entries.flatMap((entry) => {
        if (entry.spec.policy !== "drop" || entry.allocation !== null) return [];
        const pieces = specs.reduce<readonly RuleSpec[]>(
          (drops, spec) => drops.flatMap((drop) => besides(drop, spec) ?? [drop]),
          [entry.spec],
        );
        if (pieces.length === 1 && pieces[0] === entry.spec) return [];
        return entry.holders.flatMap((holder) =>
          holder.kind === "lockdown" && isHolding(holder, now) ? [{ group, entry, holder, pieces }] : [],
        );
      });
    }),
  );
  return found.flat();
}

/**
 * The drops beside the passage stand before the whole one is let go of, so that the group is never more open than by the passage. Whoever
 * dies in between leaves drops too many, which go with the lockdown. The pass that opens the lease takes the whole drop away; in other
 * groups of its hosts that is done here. What the cloud refuses leaves the drop, and the lease fails by it.
 */
export async function passLockdown(
  app: App,
  policy: Policy,
  own: GroupRef,
  specs: readonly RuleSpec[],
  groups: readonly GroupRef[],
): Promise<void> {
  const passages = await findPassages(app, groups, specs);
  const { answerWithinMs, shards } = app.settings;
  const terms = { cause: "break-glass", actor: "safeport", policy, priority: "lockdown" } as const;
  const deadlineAt = app.clock.monotonicMs() + answerWithinMs;
  for (const group of groups) {
    const here = passages.filter((it) => it.group.groupId === group.groupId);
    if (here.length === 0) continue;
    const booked: Booked[] = [];
    for (const { holder, pieces } of here) booked.push(await holdDrops(app, group, holder, pieces));
    const rows = booked.map(({ net }) => net);
    const report = await lookAtGroup(app, group, { ...terms, rows, deadlineAt });
    const isStanding = ({ holder }: Passage, index: number): boolean =>
      booked[index]?.entryIds.every((id) =>
        report?.entries.get(id)?.holders.some((it) => it.holderId === holder.holderId && it.openedAt !== null),
      ) === true;
    if (!here.every(isStanding)) continue;
    await app.tables.writeAll([dueWrite(dueGroup(group, app.clock.now() + NET_AFTER_MS, shards))]);
    for (const { entry, holder } of here) await letGo(app, group, entry, holder);
    if (group.groupId !== own.groupId) await lookAtGroup(app, group, { ...terms, rows: [], deadlineAt });
  }
}

/** The drops of a lockdown that is closed once more, with the ways of those who have passed it since it began. */
export async function besidePassages(
  app: App,
  group: GroupRef,
  drops: readonly RuleSpec[],
  startedAt: number,
): Promise<readonly RuleSpec[]> {
  const now = app.clock.now();
  const { entries } = await listEntries(app.tables, group);
  let left = drops;
  for (const { spec, holders } of entries) {
    const live = holders.filter((it) => it.kind === "lease" && isHolding(it, now));
    const leases = await Promise.all(live.map((it) => getLease(app.tables, it.holderId as LeaseId)));
    const hasPassed = leases.some(
      (lease) => (lease?.request.grant?.justifyBy ?? null) !== null && (lease?.request.requestedAt ?? 0) >= startedAt,
    );
    if (hasPassed) left = left.flatMap((drop) => besides(drop, spec) ?? [drop]);
  }
  return left;
}

const letGo = (app: App, group: GroupRef, { entryId }: Entry, { holderId }: DropHolder): Promise<void> =>
  changeEntry(app, group, entryId, (entry) => {
    if (!entry?.holders.some((it) => it.holderId === holderId && it.ended === null)) return null;
    const ended = { cause: "asked", note: "break-glass passes it", detail: null } as const;
    return { ...entry, holders: entry.holders.map((it) => (it.holderId === holderId ? { ...it, ended } : it)) };
  });
