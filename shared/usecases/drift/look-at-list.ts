// A prefix list or port list was changed: the groups whose rules name it are looked at, and their people are told.
import { type Cidr, formatCidr } from "../../domain/cidr.ts";
import { sha256Hex } from "../../domain/digest.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { ListRef } from "../../domain/list-ref.ts";
import { type Addressee, noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { reachOf } from "../../domain/reach.ts";
import type { Sighting } from "../../domain/sighting.ts";
import { STANDBY_JOB } from "../../domain/standby.ts";
import { nameOf } from "../../plan/judge-drift.ts";
import { listReach } from "../../plan/list-reach.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import type { SightedCall } from "../../ports/trail.ts";
import { dueDrift, dueJob, dueWrite } from "../../store/due.ts";
import { listEntries } from "../../store/ledger.ts";
import { writeRecord } from "../../store/records.ts";
import { addSighting, getSighting, isTold, markTold } from "../../store/sightings.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { setsThatCanBeRead } from "../lockdown/sets-that-can-be-read.ts";
import { tell } from "../notices/tell.ts";
import { interestIn } from "./interest-in.ts";

/** Rules that are named in words; of more than these the number is told. */
const NAMED_MAX = 5;
/** Many groups may name a list: whoever looks at them finds the rows from here on. */
const SOON_MS = 1000;

/** What is known of a list that was changed. */
export interface ListNews {
  /** Groups that are due to be looked at. */
  readonly groups: readonly GroupId[];
  /** What else people should read of it, such as why nobody could say which groups name it; null for nothing. */
  readonly why: string | null;
}

const NOTHING: ListNews = { groups: [], why: null };

/**
 * The rules of those groups stand as they were granted, and let through something else: no call of ours changes such a list, and nothing is
 * closed for it. Each group has its due row before anything else is written of it, and is known by its sighting in the end. The trail
 * is asked once: people are told whether it has the event. Nothing follows from an event of the same list that was seen before. Throws
 * CloudFailure where the cloud cannot be asked now: the event comes again.
 */
export async function lookAtList(app: App, policy: Policy, call: SightedCall, list: ListRef): Promise<ListNews> {
  const seen = `${call.eventId} ${list.region} ${list.listId}`;
  if (await isTold(app.tables, seen)) return NOTHING;
  const news = (await isOurs(app, list)) ? NOTHING : await lookAtNaming(app, policy, call, list);
  await markTold(app.tables, seen);
  return news;
}

/**
 * A list that lockdowns fill: whoever has changed it, what it holds is compared with what it is to hold, and put right. One that only a set
 * without a readable row may have is looked at, too, and counts as anybody's: people are told.
 */
async function isOurs(app: App, { kind, listId, region }: ListRef): Promise<boolean> {
  if (kind !== "prefix") return false;
  const { sets, isWhole } = await setsThatCanBeRead(app);
  const isKnown = sets.some((set) => set.region === region && set.lists.some((it) => it.listId === listId));
  if (isWhole && !isKnown) return false;
  const due = dueJob(STANDBY_JOB, "look", Math.ceil((app.clock.now() + 1) / SOON_MS) * SOON_MS);
  await app.tables.writeAll([dueWrite(due)]);
  await app.wakeup.arm(due.shard, due.at);
  return isKnown;
}

async function lookAtNaming(app: App, policy: Policy, call: SightedCall, list: ListRef): Promise<ListNews> {
  let blocks: readonly Cidr[] | null;
  let named: readonly GroupId[];
  try {
    named = await app.inventory.groupsNaming(list, "drift");
    blocks = list.kind === "prefix" && named.length > 0 ? await app.inventory.prefixes(list, "drift") : null;
  } catch (error) {
    if (!(error instanceof CloudFailure) || (error.kind !== "refused" && error.kind !== "invalid")) throw error;
    return { groups: [], why: `which groups name it cannot be asked: ${error.cloudCode ?? error.kind}` };
  }
  if (named.length === 0) return NOTHING;
  const asked = await confirmedCall(app, call, list);
  if (asked === null) return { groups: [], why: "the trail says otherwise: the event counts for nothing" };
  const groups: GroupId[] = [];
  await inParallel(named, async (groupId) => {
    if ((await interestIn(app, { groupId, region: list.region }, policy)) !== "present") return;
    if (await lookIn(app, policy, { ...asked, groupId }, list, blocks)) groups.push(groupId);
  });
  return { groups, why: null };
}

/** The call as the trail keeps it, as the event told it where the trail does not say, and null where that is no change of the list. */
async function confirmedCall(app: App, call: SightedCall, list: ListRef): Promise<SightedCall | null> {
  try {
    const reading = await app.trail.lookUp(call.region, call.eventId);
    if (reading === null || reading.kind === "unreadable") return call;
    const isKept = reading.kind === "call" && reading.call.failed === null;
    const isOfList = isKept && reading.lists.some((it) => it.listId === list.listId && it.region === list.region);
    return isOfList ? { ...reading.call, receivedAt: call.receivedAt } : null;
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    app.log.write("warn", "the trail cannot be asked", { code: error.cloudCode ?? error.kind });
    return call;
  }
}

/** Answers false for an event that was seen before. */
async function lookIn(
  app: App,
  policy: Policy,
  sighting: Sighting,
  list: ListRef,
  blocks: readonly Cidr[] | null,
): Promise<boolean> {
  if ((await getSighting(app.tables, sighting)) !== null) return false;
  const group: GroupRef = { groupId: sighting.groupId, region: list.region };
  const now = app.clock.now();
  const row = dueDrift(group, Math.ceil((now + 1) / SOON_MS) * SOON_MS, app.settings.shards);
  await app.tables.writeAll([dueWrite(row)]);
  const { entries } = await listEntries(app.tables, group);
  const { naming, beyond } = listReach(entries, list, blocks);
  const actor = `${nameOf(sighting.actor)} from ${sighting.address}`;
  const shown = naming.slice(0, NAMED_MAX).map(({ spec }) => reachOf(spec, null, "opens"));
  const others = naming.length > shown.length ? [`and ${naming.length - shown.length} more`] : [];
  const rules = naming.length === 0 ? "rules nobody granted name it" : [...shown, ...others].join("; ");
  const isBeyond = beyond.length > 0 ? `; beyond what is allowed: ${beyond.join(", ")}` : "";
  const { confirmed } = sighting;
  const told = confirmed ? "" : "an event that the trail has not confirmed says: ";
  const line = `${told}${actor} changed ${list.listId} (${sighting.operation}, ${sighting.requestId}): ${rules}${isBeyond}`;
  const owners = naming.flatMap(({ allocation }) => (allocation ? [allocation.owner] : []));
  const to: Addressee[] = [
    { kind: "group" },
    { kind: "role", role: "operator" },
    ...[...new Set(owners)].map((principal): Addressee => ({ kind: "person", principal })),
  ];
  const data = { list: list.listId, rules, actor, beyond: beyond.join(", "), confirmed };
  // However many events are made up, people are told once of what the list holds.
  const holds =
    confirmed || blocks === null ? sighting.eventId : sha256Hex(blocks.map(formatCidr).sort().join()).slice(0, 20);
  const dedupe = `${group.groupId}/${list.listId}/${holds}`;
  if (naming.length > 0) await tell(app, [noticeOf("reachChanged", { at: now, group, to, dedupe, data })]);
  const record = { at: now, group, cause: "event", actor: "safeport", policyVersion: policy.version, lines: [line] };
  await writeRecord(app, record);
  await app.wakeup.arm(row.shard, row.at);
  return addSighting(app.tables, sighting);
}
