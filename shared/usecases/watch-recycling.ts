// The watch over what is under way: steps that the cloud owes, and quarantined ports to which somebody comes after all.
import { dayAfter, dayOf, type MemberDay, startOf, unknownDay } from "../domain/evidence.ts";
import type { GroupRef } from "../domain/ids.ts";
import type { Policy } from "../domain/policy.ts";
import type { RecyclingItem } from "../domain/recycling-item.ts";
import type { Visitor } from "../plan/advance-item.ts";
import type { MemberEvidence } from "../plan/judge-use.ts";
import { watchQuarantine } from "../plan/watch-quarantine.ts";
import { CloudFailure, type Member } from "../ports/firewall.ts";
import { TrafficFailure } from "../ports/traffic.ts";
import { listRecyclingItems } from "../store/recycling.ts";
import type { App } from "./app.ts";
import { chunks } from "./in-parallel.ts";
import { decideStep } from "./move-recycling.ts";
import { evidenceOf } from "./recycling-scene.ts";
import { settleItem } from "./settle-recycling.ts";

/** How far back the logs of quarantined hosts are read each time: longer than a window, as records come when it ends, and late. */
const BACK_MS = 30 * 60_000;
/** After the end of a window its records are there, if the log is in time. */
const SETTLE_MS = 20_000;
const MINUTE_MS = 60_000;
const MEMBERS_PER_ASK = 100;
/** Questions of one part, repeats included. */
const QUERIES_MAX = 10;
/** What the cloud owes is asked for again. */
const AGAIN_MS = 60_000;

export interface WatchRun {
  readonly policy: Policy;
  readonly deadlineAt: number;
}

/**
 * Goes on with every step that is under way, and looks at every quarantine: somebody with earlier sessions who is refused, or who
 * still talks, has it lifted at once. Answers when to look again; null when nothing is under way.
 */
export async function watchRecycling(app: App, run: WatchRun): Promise<number | null> {
  const { items } = await listRecyclingItems(app.tables, {
    states: ["quarantined"],
    orSteps: true,
    limit: Number.POSITIVE_INFINITY,
  });
  if (items.length === 0) return null;
  let isOwed = false;
  for (const item of items.filter((it) => it.step !== null)) isOwed = (await goOn(app, run, item)) || isOwed;
  const byGroup = new Map<string, RecyclingItem[]>();
  for (const item of items)
    if (item.step === null) byGroup.set(item.group.groupId, [...(byGroup.get(item.group.groupId) ?? []), item]);
  for (const [, quarantined] of byGroup) isOwed = (await watchGroup(app, run, quarantined)) || isOwed;
  const now = app.clock.now();
  const { watchEveryMs } = run.policy.recycling;
  const windowEnd = Math.floor(now / watchEveryMs) * watchEveryMs + watchEveryMs + SETTLE_MS;
  return isOwed ? Math.min(now + AGAIN_MS, windowEnd) : windowEnd;
}

/** Answers true when something of the step is left. What fails waits for the next look. */
async function goOn(app: App, run: WatchRun, { itemId }: RecyclingItem, visitor?: string): Promise<boolean> {
  if (app.clock.monotonicMs() >= run.deadlineAt) return true;
  const { policy, deadlineAt } = run;
  try {
    const now = await settleItem(app, itemId, { policy, deadlineAt, ...(visitor === undefined ? {} : { visitor }) });
    return now !== null && now.step !== null;
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    app.log.write("warn", `${itemId} is gone on with at the next look`, { cause: error });
    return true;
  }
}

async function watchGroup(app: App, run: WatchRun, items: readonly RecyclingItem[]): Promise<boolean> {
  const [first] = items;
  if (first === undefined) return false;
  const { group } = first;
  const now = app.clock.now();
  let known: readonly MemberEvidence[];
  try {
    const members = await app.inventory.members(group, "drift");
    known = await evidenceNow(app, run, group, members, now);
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    app.log.write("warn", `the quarantines of ${group.groupId} are watched at the next look`, { cause: error });
    return false;
  }
  let isOwed = false;
  for (const item of items) {
    const since = item.quarantine?.at ?? null;
    if (item.quarantine === null || since === null) continue;
    const { earlier } = item.quarantine;
    const { recycling } = run.policy;
    const ask = { rule: item.kept.spec, since, now, earlier, members: known, sameGroup: [], recycling };
    const [visitor] = watchQuarantine(ask).visitors;
    if (visitor) isOwed = (await lift(app, run, item, visitor)) || isOwed;
  }
  return isOwed;
}

async function lift(app: App, run: WatchRun, item: RecyclingItem, { peer, how, at }: Visitor): Promise<boolean> {
  const why = how === "refused" ? `${peer}, who used it before, was refused` : `${peer} talks in spite of the drop`;
  const step = { to: "restored", by: "safeport", why, at: app.clock.now() } as const;
  app.log.write("info", `${item.itemId} is lifted: ${why}`, { at });
  if ((await decideStep(app, item, step)) === null) return true;
  return goOn(app, run, item, peer);
}

/** What is stored of yesterday and today, and what the logs tell beyond that. */
async function evidenceNow(
  app: App,
  run: WatchRun,
  group: GroupRef,
  members: readonly Member[],
  now: number,
): Promise<readonly MemberEvidence[]> {
  const today = dayOf(now);
  const stored = await Promise.all(members.map((member) => evidenceOf(app, member, dayAfter(today, -1), now)));
  const names = members.flatMap(({ eniId, instanceId }) => [eniId, ...(instanceId === null ? [] : [instanceId])]);
  const fresh = await freshTraffic(app, run, group.region, names);
  return stored.map((evidence, index) => {
    const member = members[index];
    const own = fresh.filter((day) => day.member === member?.eniId || day.member === member?.instanceId);
    return { ...evidence, days: [...evidence.days, ...own] };
  });
}

/** What the flow logs tell of the last minutes, before the collection has it. What cannot be read now the collection reads later. */
async function freshTraffic(
  app: App,
  { policy }: WatchRun,
  region: string,
  names: readonly string[],
): Promise<readonly MemberDay[]> {
  const { flowLog } = await app.traffic();
  if (flowLog === undefined) return [];
  const { recycling } = policy;
  const until = Math.floor(app.clock.now() / MINUTE_MS) * MINUTE_MS;
  const days: MemberDay[] = [];
  try {
    for (const part of partsOf(until - BACK_MS, until))
      for (const members of chunks(names, MEMBERS_PER_ASK)) {
        const reading = await flowLog.read({ region, ...part, members, recycling }, QUERIES_MAX);
        // Windows are left to the collection: here only who came is asked.
        for (const { member, ports } of reading.members) days.push({ ...unknownDay(member, dayOf(part.from)), ports });
      }
  } catch (error) {
    if (!(error instanceof TrafficFailure)) throw error;
    app.log.write("warn", "the logs of quarantined hosts cannot be read; the collection reads them later", {
      region,
      cause: error,
    });
  }
  return days;
}

/** The span in parts of one day each. */
function partsOf(from: number, until: number): { readonly from: number; readonly until: number }[] {
  const midnight = startOf(dayOf(until));
  const parts =
    from < midnight
      ? [
          { from, until: midnight },
          { from: midnight, until },
        ]
      : [{ from, until }];
  return parts.filter((part) => part.from < part.until);
}
