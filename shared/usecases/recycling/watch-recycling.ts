// The watch over what is under way: steps that the cloud owes, and quarantined ports to which somebody comes after all.
import { dayAfter, dayOf, type MemberDay, type MemberEvidence, startOf, unknownDay } from "../../domain/evidence.ts";
import type { GroupId } from "../../domain/ids.ts";
import { pathSpecs } from "../../domain/operator-path.ts";
import type { Policy } from "../../domain/policy.ts";
import { joinSpans, type PortSpan } from "../../domain/port-span.ts";
import { countsFrom, type RecyclingItem } from "../../domain/recycling-item.ts";
import { mayOverlap, trafficAtMost } from "../../domain/traffic.ts";
import { AppError } from "../../errors/app-error.ts";
import type { Visitor } from "../../plan/advance-item.ts";
import { queriesOfWatch } from "../../plan/plan-collection.ts";
import { watchQuarantine } from "../../plan/watch-quarantine.ts";
import { CloudFailure, type Member } from "../../ports/firewall.ts";
import { MEMBERS_MAX, TrafficFailure } from "../../ports/traffic.ts";
import { readCollection, readWatchSpent, saveWatchSpent } from "../../store/collection.ts";
import { getEntry } from "../../store/ledger.ts";
import { readableOrNull } from "../../store/readable-or-null.ts";
import { endUnderway, getRecyclingItem, listUnderway } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { type GroupHost, HOSTS_MAX, hostOf, hostsOf, readForWatch } from "../group/group-hosts.ts";
import { noteMembers } from "../group/note-hosts.ts";
import { inParallel } from "../in-parallel.ts";
import { earlierNow, lateFrom, type Quarantined } from "./earlier-peers.ts";
import { decideStep } from "./move-recycling.ts";
import { isClosedBy } from "./recycling-ledger.ts";
import { RecyclingScene } from "./recycling-scene.ts";
import { settleOrLeave } from "./take-recycling-step.ts";

/** How far back the logs of quarantined hosts are read each time: longer than a window, as records come when it ends, and late. */
const BACK_MS = 30 * 60_000;
/** After the end of a window its records are there, if the log is in time. */
const SETTLE_MS = 20_000;
const MINUTE_MS = 60_000;
/** Questions of one part, repeats included. */
const QUERIES_MAX = 10;
/** What the cloud owes is asked for again. */
const AGAIN_MS = 60_000;
/** What is written to be watched may not have its step yet: longer than any process lives between the two. */
const BEGINNING_MS = 10 * 60_000;

const asHost = (member: Member): GroupHost => ({ member, membership: null });

export interface WatchRun {
  readonly policy: Policy;
  readonly deadlineAt: number;
}

/**
 * Goes on with every step that is under way, and looks at every quarantine: somebody with earlier sessions who is refused, or who
 * still talks, has it lifted at once, and so have operators whose way it is by now. Answers when to look again; null when nothing is under way.
 */
export async function watchRecycling(app: App, run: WatchRun): Promise<number | null> {
  const { owed, quarantined, isAny } = await itemsUnderway(app);
  if (!isAny) return null;
  let isOwed = false;
  for (const item of owed) isOwed = (await goOn(app, run, item)) || isOwed;
  for (const item of quarantined) isOwed = (await liftForOperators(app, run, item)) || isOwed;
  for (const region of new Set(quarantined.map(({ group }) => group.region))) {
    const those = quarantined.filter(({ group }) => group.region === region);
    isOwed = (await watchRegion(app, run, region, those)) || isOwed;
  }
  const now = app.clock.now();
  const { watchEveryMs } = run.policy.recycling;
  const windowEnd = Math.floor(now / watchEveryMs) * watchEveryMs + watchEveryMs + SETTLE_MS;
  return isOwed ? Math.min(now + AGAIN_MS, windowEnd) : windowEnd;
}

interface Underway {
  /** With a step to be carried out, or without one and still closing their rule. */
  readonly owed: readonly RecyclingItem[];
  readonly quarantined: readonly RecyclingItem[];
  readonly isAny: boolean;
}

/** The items that are under way or in quarantine. What is over is taken off the list, and what cannot be read stays on it. */
async function itemsUnderway(app: App): Promise<Underway> {
  const listed = await listUnderway(app.tables);
  const [owed, quarantined]: [RecyclingItem[], RecyclingItem[]] = [[], []];
  let isAny = false;
  await inParallel(listed, async (row) => {
    try {
      const item = await getRecyclingItem(app.tables, row.itemId);
      const isOwed = item !== null && (item.step !== null || (await isLeftClosed(app, item)));
      if (isOwed) owed.push(item);
      if (item?.step === null && item.state === "quarantined") quarantined.push(item);
      else if (!isOwed && row.at + BEGINNING_MS < app.clock.now()) return await endUnderway(app.tables, row);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      app.log.write("error", `the recycling item ${row.itemId} cannot be read; nobody watches it until it can`);
    }
    isAny = true;
  });
  return { owed, quarantined, isAny };
}

/**
 * True where nobody wants the rule closed, and it is: whoever stood still before closing it, until its step was given up or another had been
 * decided, has died before seeing that. And where nobody can tell.
 */
async function isLeftClosed(app: App, item: RecyclingItem): Promise<boolean> {
  try {
    return isClosedBy(item, await getEntry(app.tables, item.group, item.entryId));
  } catch (error) {
    if (error instanceof AppError) return true;
    throw error;
  }
}

/** Answers true when something of the step is left. What fails waits for the next look. */
async function goOn(app: App, run: WatchRun, item: RecyclingItem, visitor?: string): Promise<boolean> {
  if (app.clock.monotonicMs() >= run.deadlineAt) return true;
  const { policy, deadlineAt } = run;
  const now = await settleOrLeave(app, { policy, deadlineAt, ...(visitor === undefined ? {} : { visitor }) }, item);
  return now !== null && now.step !== null;
}

/** Looks at the quarantines of a region; the logs are asked for all of their hosts together. Answers true when something is left. */
async function watchRegion(app: App, run: WatchRun, region: string, items: readonly RecyclingItem[]): Promise<boolean> {
  const members = new Map<GroupId, readonly Member[]>();
  let isOwed = false;
  for (const { group } of items) {
    if (members.has(group.groupId)) continue;
    try {
      members.set(group.groupId, await app.inventory.members(group, "drift"));
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      app.log.write("warn", `the quarantines of ${group.groupId} are watched at the next look`, { cause: error });
      // Calls that are used up are there again in the next minute, and a visitor waits no longer than that.
      isOwed ||= error.kind === "throttled";
    }
  }
  const fresh = new Map<string, MemberDay[]>();
  const watched = joinSpans(items.map(({ kept }) => kept.spec));
  for (const day of await freshTraffic(app, run, { region, members: [...members.values()].flat(), watched }))
    fresh.set(day.member, [...(fresh.get(day.member) ?? []), day]);
  for (const [groupId, own] of members) {
    const those = items.flatMap((item) => {
      const { quarantine } = item;
      return item.group.groupId === groupId && quarantine?.at != null ? [{ ...item, quarantine }] : [];
    });
    const came = await visitorsOf(app, run, { groupId, members: own, items: those }, fresh);
    for (const { item, visitor } of came) isOwed = (await liftFor(app, run, item, visitor)) || isOwed;
  }
  return isOwed;
}

interface QuarantinedGroup {
  readonly groupId: GroupId;
  readonly members: readonly Member[];
  readonly items: readonly Quarantined[];
}

/**
 * Who came to the quarantined rules of a group; its hosts are read once for all of them. Whoever is refused waits for nobody to repair a
 * row: the logs tell of them, and the item of those who came before.
 */
async function visitorsOf(
  app: App,
  { policy: { recycling } }: WatchRun,
  { groupId, members, items }: QuarantinedGroup,
  fresh: ReadonlyMap<string, readonly MemberDay[]>,
): Promise<readonly { readonly item: RecyclingItem; readonly visitor: Visitor }[]> {
  const now = app.clock.now();
  const yesterday = dayAfter(dayOf(now), -1);
  const from = [yesterday, ...items.flatMap(({ quarantine }) => lateFrom(quarantine) ?? [])].sort()[0] ?? yesterday;
  // Too many to be looked at are not quarantined. Where the group has grown since, the first of those who are there are watched.
  // Who is there for a part of the day alone is gone when the nightly job looks, and when the collection tells who was refused on it.
  const group = items[0]?.group;
  if (group) await readableOrNull(app, noteMembers(app, group, members, now));
  const all = await readableOrNull(app, hostsOf(app, { groupId, members }, from, now));
  const hosts = all ?? members.slice(0, HOSTS_MAX).map(asHost);
  const rules = items.map(({ kept }) => kept.spec);
  const read = readForWatch(app, hosts, rules, { from: yesterday, until: dayAfter(dayOf(now), 1) });
  const stored = (await readableOrNull(app, read)) ?? hosts.map((host) => ({ ...hostOf(host), days: [] }));
  const known = stored.map((host, index): MemberEvidence => {
    const instanceId = hosts[index]?.member.instanceId ?? "";
    // What the logs tell beyond what is stored.
    return { ...host, days: [...host.days, ...(fresh.get(host.eniId) ?? []), ...(fresh.get(instanceId) ?? [])] };
  });
  const found: { item: RecyclingItem; visitor: Visitor }[] = [];
  // Who came before may be known since yesterday only: records come late.
  const before = await readableOrNull(app, earlierNow(app, hosts, items, recycling));
  for (const [index, item] of items.entries()) {
    const shownAt = item.quarantine.at ?? now;
    const since = countsFrom(item.quarantine) ?? now;
    const earlier = before?.[index] ?? item.quarantine.earlier;
    const ask = { rule: item.kept.spec, since, shownAt, now, earlier, members: known, sameGroup: [], recycling };
    const [visitor] = watchQuarantine(ask).visitors;
    if (visitor) found.push({ item, visitor });
  }
  return found;
}

function liftFor(app: App, run: WatchRun, item: RecyclingItem, visitor: Visitor): Promise<boolean> {
  const { peer, how } = visitor;
  const why = how === "refused" ? `${peer}, who used it before, was refused` : `${peer} talks in spite of the drop`;
  return lift(app, run, item, why, visitor);
}

/**
 * Whom the policy names as operators since the quarantine began need not wait for the night. Reads the group where the rule may be theirs; what
 * cannot be read now is looked at the next time.
 */
async function liftForOperators(app: App, run: WatchRun, item: RecyclingItem): Promise<boolean> {
  const { policy } = run;
  const traffic = trafficAtMost(item.kept.spec);
  const isTheirs = policy.operatorPath.some((path) =>
    pathSpecs(path, [])?.some((spec) => mayOverlap(trafficAtMost(spec), traffic)),
  );
  if (!isTheirs) return false;
  try {
    const scene = await RecyclingScene.read(app, policy, item.group, "drift");
    const rule = scene?.ruleOf(item);
    const plan = rule && scene?.plan(rule, item.quarantine?.drop);
    if (plan?.kind !== "refused" || plan.cuts.length === 0) return false;
    return await lift(app, run, item, plan.cuts.join("; "));
  } catch (error) {
    if (!(error instanceof CloudFailure || error instanceof AppError)) throw error;
    app.log.write("warn", `whether ${item.itemId} is on an operators' way is asked at the next look`, { cause: error });
    return false;
  }
}

async function lift(app: App, run: WatchRun, item: RecyclingItem, why: string, visitor?: Visitor): Promise<boolean> {
  const step = { to: "restored", by: "safeport", why, at: app.clock.now() } as const;
  app.log.write("info", `${item.itemId} is lifted: ${why}`, visitor && { at: visitor.at });
  if ((await decideStep(app, item, step)) === null) return true;
  return goOn(app, run, item, visitor?.peer);
}

/** What the flow logs tell of the last minutes, before the collection has it. What cannot be read now the collection reads later. */
async function freshTraffic(
  app: App,
  { policy: { recycling } }: WatchRun,
  {
    region,
    members,
    watched,
  }: { readonly region: string; readonly members: readonly Member[]; readonly watched: readonly PortSpan[] },
): Promise<readonly MemberDay[]> {
  const { flowLog } = await app.traffic();
  if (flowLog === undefined || members.length === 0) return [];
  const enis = [...new Set(members.map(({ eniId }) => eniId))];
  // More are not asked for one by one: all of the region answers in as many questions.
  const whom = enis.length > MEMBERS_MAX ? {} : { members: enis };
  const { tables } = app;
  const today = dayOf(app.clock.now());
  const [asked, collection] = await Promise.all([
    readableOrNull(app, readWatchSpent(tables, region)),
    readableOrNull(app, readCollection(tables, region, "flowLog")),
  ]);
  const { queriesPerDay } = recycling.collect;
  const collected = collection?.spent.day === today ? collection.spent.queries : 0;
  const limit = Math.min(queriesOfWatch({ day: today }, today, queriesPerDay), queriesPerDay - collected);
  let spent = asked?.day === today ? asked : { day: today, queries: 0, bytes: 0 };
  const until = Math.floor(app.clock.now() / MINUTE_MS) * MINUTE_MS;
  const days: MemberDay[] = [];
  try {
    for (const part of partsOf(until - BACK_MS, until)) {
      const left = Math.min(QUERIES_MAX, limit - spent.queries);
      if (left <= 0) {
        const told = { region, queriesPerDay };
        app.log.write("warn", "no query is left today to watch quarantines; the collection reads the logs later", told);
        return days;
      }
      const reading = await flowLog.read({ region, ...part, ...whom, recycling, watched }, left);
      const { queries, bytes } = reading.cost;
      spent = { day: today, queries: spent.queries + queries, bytes: spent.bytes + bytes };
      // Windows are left to the collection: here only who came is asked.
      for (const { member, ports } of reading.members) days.push({ ...unknownDay(member, dayOf(part.from)), ports });
    }
  } catch (error) {
    if (!(error instanceof TrafficFailure)) throw error;
    spent = { ...spent, queries: spent.queries + error.queries };
    app.log.write("warn", "the logs of quarantined hosts cannot be read; the collection reads them later", {
      region,
      cause: error,
    });
  } finally {
    await saveWatchSpent(tables, region, spent);
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
