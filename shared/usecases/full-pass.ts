// The full pass: every group of every region is looked at for marks of ours, hourly and when state is lost. Goes on where it stopped.
import type { GroupId, GroupRef } from "../domain/ids.ts";
import { isFinal } from "../domain/lease.ts";
import type { Policy } from "../domain/policy.ts";
import { CloudFailure } from "../ports/firewall.ts";
import { type Due, dueDelete, dueLease, dueWrite, markInstalled } from "../store/due.ts";
import { listLeases } from "../store/leases.ts";
import type { App } from "./app.ts";
import { bookHolds } from "./book-holds.ts";
import { inParallel } from "./in-parallel.ts";

/** Why all groups are looked at. A recovery believes marks, and is over when the installation's row is written. */
type FullPassKind = "recovery" | "hourly";

interface FullPassOptions {
  readonly policy: Policy;
  /** Monotonic instant after which no further group is begun. */
  readonly deadlineAt: number;
  /** Runs a pass over a group that shows a mark; false when it could not. */
  readonly look: (group: GroupRef, how: { readonly cause: string; readonly stateKnown?: boolean }) => Promise<boolean>;
}

const EVERY_MS = 60 * 60_000;
const AT_ONCE = 4;
const LEASES_PAGE = 1000;

const NOWHERE = { region: "", groupId: "" as GroupId };

const fullPassDue = (id: FullPassKind, at: number): Due => ({ shard: 0, at, kind: "full-pass", id, ...NOWHERE });

/** The row of a recovery that has just been found necessary, written; what leases are known are made due again first. */
export async function beginRecovery(app: App): Promise<Due> {
  app.log.write(
    "warn",
    "no state of this installation is found; every group is looked at and leases are booked again from their marks",
  );
  await rebookEnds(app);
  const row = fullPassDue("recovery", app.clock.now());
  await app.tables.writeAll([dueWrite(row)]);
  return row;
}

export const isRecovery = (row: Due): boolean => row.kind === "full-pass" && row.id === "recovery";

/** Goes on with a full pass from where its row says. Answers true when it came to its end; else the row stays, further on. */
export async function fullPass(app: App, row: Due, options: FullPassOptions): Promise<boolean> {
  const { reached, isComplete } = await lookAtGroups(app, options, row);
  if (!isComplete) {
    await app.tables.writeAll([dueWrite({ ...row, ...reached })]);
    return false;
  }
  await app.tables.writeAll([dueWrite(fullPassDue("hourly", app.clock.now() + EVERY_MS))]);
  if (isRecovery(row)) await markInstalled(app.tables, app.settings.installation, app.clock.now());
  await app.tables.writeAll([dueDelete(row)]);
  return true;
}

async function lookAtGroups(
  app: App,
  options: FullPassOptions,
  row: Due,
): Promise<{ reached: GroupRef; isComplete: boolean }> {
  const how = isRecovery(row) ? { cause: "recovery", stateKnown: false } : { cause: "full pass" };
  let reached: GroupRef = { region: row.region, groupId: row.groupId };
  let isComplete = true;
  const groups = await groupsAfter(app, options.policy.regions, reached);
  for (let start = 0; start < groups.length; start += AT_ONCE) {
    if (app.clock.monotonicMs() >= options.deadlineAt) return { reached, isComplete: false };
    const batch = groups.slice(start, start + AT_ONCE);
    const answers = await Promise.all(batch.map((group) => lookAtGroup(app, options, group, how)));
    // The next tick begins before the first group that could not be looked at; the others still have their turn now.
    if (answers.some((answer) => answer !== "looked")) isComplete = false;
    if (answers.includes("throttled")) return { reached, isComplete };
    const last = batch.at(-1);
    if (isComplete && last) reached = last;
  }
  return { reached, isComplete };
}

/** Every group after the one reached, in the order of region and id. A region that is refused to us is left out and logged. */
async function groupsAfter(app: App, regions: readonly string[], reached: GroupRef): Promise<readonly GroupRef[]> {
  const lists = await Promise.all(
    regions.map(async (region) => {
      try {
        return await app.inventory.listGroups(region, "inventory");
      } catch (error) {
        if (!(error instanceof CloudFailure) || error.kind === "throttled" || error.kind === "unknown") throw error;
        app.log.write("error", `the groups of ${region} cannot be listed`, { code: error.cloudCode ?? error.kind });
        return [];
      }
    }),
  );
  const order = (group: GroupRef) => `${group.region}/${group.groupId}`;
  return lists
    .flat()
    .flatMap((facts) => (facts.serviceManaged || order(facts.ref) <= order(reached) ? [] : [facts.ref]))
    .sort((a, b) => (order(a) < order(b) ? -1 : 1));
}

async function lookAtGroup(
  app: App,
  options: FullPassOptions,
  group: GroupRef,
  how: { readonly cause: string; readonly stateKnown?: boolean },
): Promise<"looked" | "later" | "throttled"> {
  try {
    const { rules } = await app.firewall.readGroup(group, "inventory");
    const isMarked = rules.some((rule) => rule.description.startsWith(`safeport/1 ${app.settings.installation} `));
    return !isMarked || (await options.look(group, how)) ? "looked" : "later";
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    if (error.kind === "throttled") return "throttled";
    if (error.kind === "unknown") return "later";
    // A group that is gone, or refused to us: the next full pass tries it again.
    if (error.kind !== "groupGone")
      app.log.write("error", `the group ${group.groupId} cannot be read`, { code: error.cloudCode ?? error.kind });
    return "looked";
  }
}

/** Leases whose due rows or holds may be lost are booked again. */
async function rebookEnds(app: App): Promise<void> {
  const { shards } = app.settings;
  let cursor: string | null = null;
  do {
    const page = await listLeases(app.tables, { limit: LEASES_PAGE, before: cursor });
    const live = page.leases.filter(({ status }) => !isFinal(status.state));
    await app.tables.writeAll(
      live.map(({ request, status }) => dueWrite(dueLease(request.group, request.leaseId, status.until, shards))),
    );
    await inParallel(live, (lease) => bookHolds(app, lease));
    cursor = page.next;
  } while (cursor !== null);
}
