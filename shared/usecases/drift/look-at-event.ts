// An event says: look at this group. The call is kept as a sighting, the group is looked at, and the world is read anew.
import type { GroupRef } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Policy } from "../../domain/policy.ts";
import { callOf, type Sighting } from "../../domain/sighting.ts";
import { fail } from "../../errors/app-error.ts";
import { nameOf } from "../../plan/judge-drift.ts";
import type { TrailReading } from "../../ports/trail.ts";
import { claimDue, type Due, dueDrift, dueWrite } from "../../store/due.ts";
import { writeRecord } from "../../store/records.ts";
import { addSighting, getSighting, isFirstOfToken, isTold, markTold, saveSighting } from "../../store/sightings.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import { isOwnCall } from "../pass/own-call.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { interestIn } from "./interest-in.ts";
import { lookAtList } from "./look-at-list.ts";
import { hearCanary } from "./tend-canary.ts";

/** What an event led to. */
export interface EventReport {
  /** Groups that were looked at now. */
  readonly looked: readonly string[];
  /** Groups that somebody else looks at in this second, or has to after us. */
  readonly left: readonly string[];
  /** Why the event itself led to nothing; null when it did. */
  readonly ignored: string | null;
}

export interface EventOptions {
  /** The account whose events count. */
  readonly accountId: string;
  readonly policy: Policy;
  /** Monotonic instant after which no further change is started. */
  readonly deadlineAt: number;
}

/** Older events are replays: the trail itself delivers within a day. */
const AGE_MAX_MS = 3 * 24 * 60 * 60_000;
/** The clock of the trail may be ahead of ours. */
const AHEAD_MAX_MS = 5 * 60_000;
/** Events of one group within so long share one pass. */
const GATHER_MS = 1000;

/**
 * Takes the records of one invocation, side by side: whatever becomes of one of them, however long it takes, the others have had their
 * look. The first failure is thrown then, so that all are delivered again; those that were taken are known by their ids.
 */
export async function lookAtEvents(
  app: App,
  records: readonly unknown[],
  options: EventOptions,
): Promise<readonly EventReport[]> {
  const reports: EventReport[] = [];
  const failures: unknown[] = [];
  await inParallel([...records.entries()], async ([place, record]) => {
    try {
      reports[place] = await lookAtEvent(app, record, options);
    } catch (error) {
      failures.push(error);
    }
  });
  if (failures.length > 0) throw failures[0];
  return reports;
}

/**
 * Takes one record of the trail. Nothing follows from what it says but that its groups are looked at, and who is named in the record
 * of what is found. Malformed, foreign, own, failed, replayed and repeated events change nothing. Throws POLICY_UNREADABLE where the policy
 * alone could tell whether a group is something to us: the event comes again.
 */
export async function lookAtEvent(app: App, record: unknown, options: EventOptions): Promise<EventReport> {
  const now = app.clock.now();
  const reading = app.trail.read(record, now);
  const ignored = reasonToIgnore(reading, options) ?? untimely(reading, await cloudTime(app, reading, now));
  if (ignored !== null) {
    if (ignored.isTold) await tell(app, null, ignored.why);
    return { looked: [], left: [], ignored: ignored.why };
  }
  if (reading.kind !== "call") return { looked: [], left: [], ignored: "it is no call" };
  const { sightings, lists } = reading;
  const others: Sighting[] = [];
  for (const sighting of sightings) {
    const isOwn = isOwnCall(app, sighting) && (await isFirstOfToken(app.tables, sighting));
    const { groupId, region, at } = sighting;
    if (isOwn) await hearCanary(app, options.policy, { groupId, region }, at);
    else others.push(sighting);
  }
  if (others.length === 0 && lists.length === 0) return { looked: [], left: [], ignored: "it is our own call" };
  const looked: string[] = [];
  const left: string[] = [];
  const again: string[] = [];
  const own = await ofInterest(app, others, options.policy);
  const news = [...newsOf(reading, own)];
  for (const list of lists) {
    const { groups, why } = await lookAtList(app, options.policy, reading.call, list);
    left.push(...groups);
    news.push(...(why === null ? [] : [`${list.listId} was changed; ${why}`]));
  }
  await tellOnce(app, reading.call.eventId, news);
  for (const sighting of own) {
    const { groupId, region } = sighting;
    const isLooked = await lookFor(app, { groupId, region }, sighting, options);
    ({ looked, left, known: again })[isLooked].push(groupId);
  }
  if (options.policy.isStandIn && own.length < others.length) throw fail("POLICY_UNREADABLE");
  const isDone = looked.length + left.length === 0;
  const { eventId } = reading.call;
  if (isDone && again.length > 0)
    await tellOnce(app, `${eventId} again`, [`the event ${eventId} was delivered again: it counts once`]);
  return { looked, left, ignored: isDone ? "it was seen before, or is of a group that is nothing to us" : null };
}

/**
 * The sightings of groups that are something to us, in the region that they lie in. Of a group that is known and lies elsewhere the
 * event is made up or mistaken: that is told once a day, and nothing else is written for it.
 */
async function ofInterest(app: App, sightings: readonly Sighting[], policy: Policy): Promise<readonly Sighting[]> {
  const found: Sighting[] = [];
  for (const sighting of sightings) {
    const { groupId, region } = sighting;
    const interest = await interestIn(app, { groupId, region }, policy);
    if (interest === "present") found.push(sighting);
    if (interest !== "elsewhere") continue;
    const day = formatUtc(app.clock.now()).slice(0, 10);
    await tellOnce(app, `${groupId} ${region} ${day}`, [
      `an event is about ${groupId} in ${region}: the group is not in ${region}, and nothing follows from it`,
    ]);
  }
  return found;
}

/**
 * The row is there before the sighting: whatever dies from here on, the next tick looks at the group. Where that came and went before the
 * sighting was stored, there is a row again.
 */
async function lookFor(
  app: App,
  group: GroupRef,
  sighting: Sighting,
  options: EventOptions,
): Promise<"looked" | "left" | "known"> {
  const stored = await getSighting(app.tables, sighting);
  // One of the two was changed on its way. A call that the trail has told already is that call.
  const isOpen = stored !== null && !stored.confirmed && stored.failed === null;
  // What is disputed already is asked about, whatever else comes under its id.
  const isDisputed = isOpen && (!stored.disputed || stored.settled) && callOf(stored) !== callOf(sighting);
  const at = Math.ceil((app.clock.now() + 1) / GATHER_MS) * GATHER_MS;
  if (stored !== null && !isDisputed) {
    // Whoever stored it may have died with nobody left to look.
    if (!stored.settled) await app.tables.writeAll([dueWrite(dueDrift(group, at, app.settings.shards))]);
    return "known";
  }
  const row = dueDrift(group, at, app.settings.shards);
  const isFirst = await claimDue(app.tables, row);
  if (isDisputed) await saveSighting(app.tables, { ...stored, settled: false, disputed: true });
  else if (!(await addSighting(app.tables, sighting)) && !isFirst) return "known";
  if (!isFirst) {
    // Whoever looks for the row that was there may have read the sightings before this one was stored.
    await app.tables.writeAll([dueWrite(dueDrift(group, at + GATHER_MS, app.settings.shards))]);
    return "left";
  }
  const waitMs = at - app.clock.now();
  if (waitMs > 0) await app.clock.sleep(waitMs);
  // Frozen meanwhile: whoever looked for the row has found no sighting, and has taken the row away.
  else await app.tables.writeAll([dueWrite(row)]);
  return (await look(app, group, row, sighting, options)) ? "looked" : "left";
}

async function look(app: App, group: GroupRef, row: Due, sighting: Sighting, options: EventOptions): Promise<boolean> {
  const { policy, deadlineAt } = options;
  const cause = `${sighting.operation}, event ${sighting.eventId}`;
  const terms = { cause, actor: "safeport", policy, deadlineAt, priority: "drift", rows: [row], drift: true } as const;
  const report = await lookAtGroup(app, group, terms);
  if (report !== null && isAboutDrop(sighting, report)) {
    const { lateEffectMaxMs, shards } = app.settings;
    await app.tables.writeAll([dueWrite(dueDrift(group, app.clock.now() + lateEffectMaxMs, shards))]);
  }
  return report !== null;
}

/**
 * True where somebody has changed or removed a drop of ours. A reading may still show the group as it had been, and no full pass compares a
 * group that is not guarded with its ledger: it is looked at once more when every reading shows it.
 */
const isAboutDrop = ({ ruleIds }: Sighting, { entries }: PassReport): boolean =>
  [...entries.values()].some(
    ({ spec, standing }) => spec.policy === "drop" && standing.kind === "ours" && ruleIds.includes(standing.ruleId),
  );

/** An event may be delivered many times. Marked when it was told: a process that dies in between has it told once more. */
async function tellOnce(app: App, eventId: string, news: readonly string[]): Promise<void> {
  if (news.length === 0 || (await isTold(app.tables, eventId))) return;
  for (const line of news) await tell(app, null, line);
  await markTold(app.tables, eventId);
}

/** What a person should read of although no rule of a group has changed. */
function newsOf(
  { call, createdGroup, lists }: Extract<TrailReading, { kind: "call" }>,
  sightings: readonly Sighting[],
): readonly string[] {
  const who = `an event says: ${nameOf(call.actor)} from ${call.address} (${call.operation}, ${call.requestId})`;
  if (createdGroup !== null)
    return [
      `${who} created the group ${createdGroup}: to guard it, adopt it with GET /v1/groups/${createdGroup}/baseline`,
    ];
  if (lists.length > 0)
    return [
      `${who} changed ${lists.map((it) => it.listId).join(", ")}: so has what every rule that names it lets through`,
    ];
  if (call.kind !== "membership" || sightings.length === 0) return [];
  return [`${who} changed who is in ${sightings.map((it) => it.groupId).join(", ")}: so has whom its rules reach`];
}

/** By the cloud's clock, where ours may be behind: an event that seems to be of the future has the cloud asked for its time. */
async function cloudTime(app: App, reading: TrailReading, now: number): Promise<number> {
  if (reading.kind !== "call" || reading.call.at <= now + AHEAD_MAX_MS) return now;
  const [group] = reading.sightings;
  const [list] = reading.lists;
  // Any answer tells the time.
  if (app.firewall.skewMs() === 0) {
    if (group !== undefined) await app.firewall.readGroup(group, "drift").catch(() => undefined);
    else if (list !== undefined) await app.inventory.groupsNaming(list, "drift").catch(() => undefined);
  }
  return now - Math.min(0, app.firewall.skewMs());
}

interface Ignored {
  readonly why: string;
  /** True where somebody should read of it. */
  readonly isTold: boolean;
}

function reasonToIgnore(reading: TrailReading, options: EventOptions): Ignored | null {
  if (reading.kind === "unreadable") return { why: `an event cannot be read: ${reading.why}`, isTold: true };
  if (reading.kind === "other") return { why: `${reading.operation} changes no group`, isTold: false };
  const { call, accountId } = reading;
  const what = `the event ${call.eventId} (${call.operation})`;
  if (accountId !== options.accountId)
    return { why: `${what} is of the account ${accountId || "unknown"}, not of ours`, isTold: true };
  if (call.failed !== null)
    return {
      why: `${nameOf(call.actor)} tried ${call.operation} and was refused: ${call.failed}`,
      isTold: true,
    };
  if (!options.policy.isStandIn && !options.policy.regions.includes(call.region))
    return { why: `${what} is of ${call.region}, which the policy leaves out`, isTold: false };
  return null;
}

function untimely(reading: TrailReading, now: number): Ignored | null {
  if (reading.kind !== "call") return null;
  const { at, eventId, operation } = reading.call;
  const what = `the event ${eventId} (${operation})`;
  if (at < now - AGE_MAX_MS) return { why: `${what} is too old: it was delivered again, or made up`, isTold: true };
  if (at > now + AHEAD_MAX_MS) return { why: `${what} is from the future`, isTold: true };
  return null;
}

/** What was sent in place of an event leaves its record too. */
export const tellRefused = (app: App, why: string): Promise<void> => tell(app, null, `an event is refused: ${why}`);

async function tell(app: App, group: GroupRef | null, line: string): Promise<void> {
  const record = { at: app.clock.now(), group, cause: "event", actor: "safeport", policyVersion: null, lines: [line] };
  await writeRecord(app, record);
}
