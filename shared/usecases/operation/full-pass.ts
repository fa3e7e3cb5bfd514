// The full pass: every group of every region is looked at, hourly and when state is lost. Goes on where it stopped.
import { FULL_PASS_EVERY_MS, isSeenLate } from "../../domain/full-pass.ts";
import type { GroupId } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import type { GroupFacts } from "../../ports/firewall.ts";
import { type Due, dueDelete, dueJob, dueWrite, markInstalled } from "../../store/due.ts";
import {
  type Division,
  isPart,
  lastFullPass,
  lastFullPassWrite,
  listParts,
  readDivision,
} from "../../store/full-pass.ts";
import { listUnderway } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { rebookLeases } from "../lease/rebook-leases.ts";
import { rebookLockdowns } from "../lockdown/rebook-lockdowns.ts";
import { tellOnce } from "../notices/tell.ts";
import { WATCH_JOB } from "../recycling/move-recycling.ts";
import { divideGroups } from "./divide-groups.ts";
import { type FullPassOptions, goOnWithPart } from "./full-pass-part.ts";

/** Why all groups are looked at. A recovery believes marks, and is over when the installation's row is written. */
type FullPassKind = "recovery" | "hourly";

const NOWHERE = { region: "", groupId: "" as GroupId };

const fullPassDue = (id: FullPassKind, at: number): Due => ({ shard: 0, at, kind: "full-pass", id, ...NOWHERE });

/**
 * The row of a recovery that has just been found necessary, written; what leases are known are made due again first, and lockdowns and
 * alarms where they can be read.
 */
export async function beginRecovery(app: App, policy: Policy): Promise<Due> {
  app.log.write(
    "warn",
    "no state of this installation is found; every group is looked at and leases are booked again from their marks",
  );
  await rebookLeases(app, policy);
  if ((await listUnderway(app.tables)).length > 0)
    await app.tables.writeAll([dueWrite(dueJob(WATCH_JOB, null, app.clock.now()))]);
  // No end waits for it: what fails here is done before the recovery is over.
  await rebookLockdowns(app, policy).catch((cause: unknown) =>
    app.log.write("error", "lockdowns and alarms cannot be booked again yet; it is tried again", { cause }),
  );
  const row = fullPassDue("recovery", app.clock.now());
  await app.tables.writeAll([dueWrite(row)]);
  return row;
}

export const isRecovery = (row: Due): boolean => row.kind === "full-pass" && row.id === "recovery";

/**
 * Goes on with a full pass, or with a part of one, from where its row says. Answers true when it came to its end; else the row
 * stays, further on.
 *
 * The list of groups is divided into parts, each with a due row of its own. The row of the pass itself stays until no part is left,
 * and only then has the next pass come due: whatever dies in between, rows that are still there say what is to be done.
 */
export async function fullPass(app: App, row: Due, options: FullPassOptions): Promise<boolean> {
  if (isPart(row)) return (await goOnWithPart(app, row, options)) === "done";
  const stored = await readDivision(app.tables, row);
  if (stored === null && (await isSuperfluous(app, row))) {
    await app.tables.writeAll([dueDelete(row)]);
    return true;
  }
  const listed = new Map<string, readonly GroupFacts[]>();
  const begun = stored ?? newDivision(app.clock.now());
  const division = begun.isDivided ? begun : await divideGroups(app, row, begun, { ...options, listed });
  if (division.isDivided) {
    const parts = await listParts(app.tables, row, app.settings.shards);
    // What has just been shared out is theirs until the next tick; from then on everybody does all that is left.
    const own = begun.isDivided ? parts : parts.filter((part) => part.shard === row.shard);
    const over = new Set<string>();
    for (const part of own) {
      if (over.has(part.region)) continue;
      // In one region all parts ask the same budget.
      if ((await goOnWithPart(app, part, options, listed.get(part.id))) === "throttled") over.add(part.region);
    }
    if ((await listParts(app.tables, row, app.settings.shards)).length === 0)
      return finish(app, options.policy, row, division);
  }
  await tellWhenLate(app);
  return false;
}

const newDivision = (startedAt: number): Division => ({
  startedAt,
  isDivided: false,
  region: null,
  cursor: null,
  before: 0,
  groups: 0,
  parts: 0,
});

/** A recovery leaves an hourly pass behind though there is one: the sooner of the two goes. */
async function isSuperfluous(app: App, row: Due): Promise<boolean> {
  if (isRecovery(row)) return false;
  const last = await lastFullPass(app.tables);
  return last !== null && row.at < last.startedAt + FULL_PASS_EVERY_MS;
}

/** Nothing is left. In this order, so that no step is missed when the process dies between two. */
async function finish(app: App, policy: Policy, row: Due, { startedAt, groups }: Division): Promise<true> {
  if (isRecovery(row)) await rebookLockdowns(app, policy);
  const endedAt = app.clock.now();
  await app.tables.writeAll([dueWrite(fullPassDue("hourly", Math.max(startedAt + FULL_PASS_EVERY_MS, endedAt)))]);
  await app.tables.writeAll([lastFullPassWrite({ startedAt, endedAt, groups })]);
  if (isRecovery(row)) await markInstalled(app.tables, app.settings.installation, endedAt);
  await app.tables.writeAll([dueDelete(row)]);
  return true;
}

async function tellWhenLate(app: App): Promise<void> {
  const last = await lastFullPass(app.tables);
  if (last === null || !isSeenLate(last, app.clock.now())) return;
  app.log.write(
    "error",
    "groups have not been looked at for over twice the time meant; the call budget may be too small",
    {
      since: formatUtc(last.startedAt),
      groups: last.groups,
    },
  );
  const what = `${last.groups} groups have not been looked at for over twice the time meant; the call budget may be too small`;
  await tellOnce(app, [
    noticeOf("healthAlarm", {
      at: app.clock.now(),
      group: null,
      to: [{ kind: "role", role: "operator" }],
      dedupe: `unseen/${last.startedAt}`,
      data: { what, since: last.startedAt },
    }),
  ]);
}
