// Claims: a person has authorized the very rule that a lease holds. The cloud added nothing, and from then on the rule is theirs too.
import type { Allocation } from "../../domain/allocation.ts";
import type { GroupRef, RuleKey } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { parseMark } from "../../domain/mark.ts";
import type { Policy } from "../../domain/policy.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { callOf, type Doubt, isAnswered, isDenied, type Sighting } from "../../domain/sighting.ts";
import { AppError } from "../../errors/app-error.ts";
import { callsBehindItem, nameOf, trustedOf } from "../../plan/judge-drift.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { listOpenDrift } from "../../store/drift-items.ts";
import { dueDrift, dueWrite } from "../../store/due.ts";
import { listHistory } from "../../store/history.ts";
import { getEntry } from "../../store/ledger.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import { listSightings, saveSighting } from "../../store/sightings.ts";
import type { App } from "../app.ts";
import { changeAllocations } from "../ledger/change-allocations.ts";
import { inTurn } from "../ledger/sensitive-ports.ts";
import { askToSend } from "../notices/tell.ts";
import { type Claim, claimNotice, refusalOf, WHY } from "./claim-refusal.ts";
import { FIND_ASKS, findCalls } from "./find-calls.ts";
import { isOwnCall } from "./own-call.ts";

/** How late an event may be in the trail. */
const TRAIL_DELAY_MS = 10 * 60_000;
/** What the cloud names its events by. */
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** How often the trail is asked again, and for how long: an event may take ten minutes to be found there. */
const ASK_EVERY_MS = 60_000;
const ASK_FOR_MS = 30 * 60_000;
/** How often from then on where it refuses to answer: what only it can tell is left alone until it does. */
const ASK_LATER_MS = 60 * 60_000;
/**
 * Events that one look asks about: of those never asked about that may have made a difference that stands, of others, and of those
 * asked before; the next one goes on.
 */
const ASKS_MAX = 10;
/** The trail answers two calls a second. */
const PACE_MS = 550;
/** An opening that is under way is read back by then. */
const OPENING_MS = 5000;
const HISTORY_MAX = 50;
const THEIRS = "the rule is theirs now and outlives the lease";

/**
 * Asks the trail about the events that would spare a rule, as an event alone keeps nothing open: those of principals the policy
 * trusts, claims, and what somebody else may have done to the same rule as a trusted principal. A claim is adopted where the group
 * is not enforced and told where it is; a rule that its lease has closed meanwhile is owed again.
 */
export async function settleClaims(app: App, group: GroupRef, options: SettleOptions): Promise<void> {
  const { policy, isPressed } = options;
  const [first, again] = isPressed ? [1, 0] : [ASKS_MAX, ASKS_MAX];
  const asks: Asks = { left: { standing: first, fresh: first, again }, nextAt: 0, deadlineAt: options.deadlineAt };
  const work = { app, policy, group, asks };
  const { sightings, matters, isCrowded } = await readSightings(work, isPressed);
  const isAsked = (it: Sighting): boolean => !it.confirmed && matters(it);
  // One that was settled unasked is asked about once it matters: whom the policy trusts may change, and who else wrote comes later.
  const open = sightings.filter((it) => !it.settled || (isAsked(it) && it.doubt === undefined));
  const standing = await behindDifferences(app, group, open.filter(isAsked));
  // What a difference waits for, then in turn: whatever is made up, nothing true waits for long.
  const turn = (it: Sighting): number => it.askedAt ?? it.receivedAt;
  const inTurn = open.sort((a, b) => Number(standing.has(b)) - Number(standing.has(a)) || turn(a) - turn(b));
  for (const sighting of inTurn) {
    const round = sighting.doubt !== undefined ? "again" : standing.has(sighting) ? "standing" : "fresh";
    await trySettling({ ...work, sighting, round }, isAsked(sighting));
  }
  if (isCrowded || Object.values(asks.left).some((left) => left < 0)) await askAgain({ app, group }, ASK_EVERY_MS);
}

interface Sightings {
  readonly sightings: readonly Sighting[];
  readonly matters: (sighting: Sighting) => boolean;
  /** True where events came of late of which there are too many to go by. */
  readonly isCrowded: boolean;
}

/** What is known of calls to the group; where events are too many for their questions, what the trail itself keeps is among them. */
async function readSightings(work: Omit<Work, "sighting" | "round">, isPressed: boolean): Promise<Sightings> {
  const { app, policy, group, asks } = work;
  const now = app.clock.now();
  const read = async (): Promise<Sightings> => {
    const { sightings: stored, unreadable, isMore } = await listSightings(app.tables, group.groupId);
    if (unreadable > 0) app.log.write("error", `${unreadable} sightings of ${group.groupId} cannot be read`, {});
    const sightings = stored.filter(({ failed }) => failed === null);
    // What was pushed out longer ago was looked for every minute, for as long as the trail may need.
    const isCrowded = isMore && !sightings.some((it) => !it.confirmed && it.receivedAt < now - ASK_FOR_MS);
    return { sightings, matters: mattering(sightings, policy), isCrowded };
  };
  const listed = await read();
  const unasked = listed.sightings.filter((it) => !isAnswered(it) && it.doubt === undefined && listed.matters(it));
  if (isPressed || (!listed.isCrowded && unasked.length <= ASKS_MAX)) return listed;
  asks.left = { ...CROWDED_LEFT };
  const mayAsk = async (): Promise<boolean> => {
    await awaitTurn(app, asks);
    return app.clock.monotonicMs() < asks.deadlineAt;
  };
  const since = now - ASK_FOR_MS - policy.drift.unknownWriterWaitMs;
  if (!(await findCalls(app, group, since, mayAsk))) asks.left = { ...NONE_LEFT };
  return read();
}

/** Those that may have made a difference that stands, as far as an earlier pass has told of it. */
async function behindDifferences(
  app: App,
  group: GroupRef,
  sightings: readonly Sighting[],
): Promise<ReadonlySet<Sighting>> {
  if (sightings.length <= 1) return new Set(sightings);
  const { items } = await listOpenDrift(app.tables, group, app.clock.now());
  const undecided = items.filter(({ state }) => state !== "rollingBack");
  return new Set(undecided.flatMap((item) => callsBehindItem(item, sightings)));
}

export interface SettleOptions {
  readonly policy: Policy;
  /** Monotonic instant after which the trail is asked no more: the next look goes on. */
  readonly deadlineAt: number;
  /** True where something else waits for this, such as the end of a lease. */
  readonly isPressed: boolean;
}

/** What is left of the questions of this look. */
interface Asks {
  left: Record<Round, number>;
  /** Monotonic instant before which none is asked. */
  nextAt: number;
  /** Monotonic instant after which none is asked. */
  readonly deadlineAt: number;
}

type Round = "standing" | "fresh" | "again";

const NONE_LEFT: Readonly<Record<Round, number>> = { standing: 0, fresh: 0, again: 0 };
/** Beside those that `findCalls` takes. */
const CROWDED_LEFT: Readonly<Record<Round, number>> = { standing: ASKS_MAX - FIND_ASKS, fresh: 2, again: 2 };

interface Work {
  readonly app: App;
  readonly policy: Policy;
  readonly group: GroupRef;
  readonly asks: Asks;
  readonly sighting: Sighting;
  /** Whose questions it takes from. */
  readonly round: Round;
}

const isOfRules = ({ kind }: Sighting): boolean => kind === "authorize" || kind === "modify" || kind === "revoke";

/**
 * What the trail has to be asked about, whatever a lease holds: who is trusted, what was told in two ways, and who else may have done
 * something to the same rules as somebody trusted, as far as their events tell.
 */
function mattering(sightings: readonly Sighting[], policy: Policy): (sighting: Sighting) => boolean {
  const trusted = sightings.filter((it) => isOfRules(it) && trustedOf(it.actor, policy) !== null && !isDenied(it));
  const isSure = trusted.every(({ rules }) => (rules?.length ?? 0) > 0);
  const ids = new Set(trusted.flatMap(({ ruleIds }) => ruleIds));
  const keys = new Set(trusted.flatMap(keysOf));
  const mayRival = (it: Sighting): boolean =>
    !isSure || !it.rules?.length || it.ruleIds.some((id) => ids.has(id)) || keysOf(it).some((key) => keys.has(key));
  return (it) =>
    it.disputed === true || (trusted.length > 0 && isOfRules(it) && (trusted.includes(it) || mayRival(it)));
}

const keysOf = ({ rules }: Sighting): readonly RuleKey[] => rules?.map(({ spec }) => ruleKey(spec)) ?? [];

/** What cannot be settled of one event keeps no other, and nothing else of the group, from its turn. */
async function trySettling(work: Work, isAsked: boolean): Promise<void> {
  try {
    await settleSighting(work, isAsked);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { app, group, sighting } = work;
    app.log.write("error", `the event ${sighting.eventId} of ${group.groupId} cannot be settled`, { code: error.code });
    await askAgain(work, ASK_LATER_MS);
  }
}

async function settleSighting(work: Work, isAsked: boolean): Promise<void> {
  const { app, group, sighting } = work;
  // What the trail is asked about anyway may be a claim once it has answered.
  const mayClaim = sighting.kind === "authorize" && !sighting.settled && (sighting.confirmed || !isAsked);
  const found = mayClaim ? await claimsOf(app, group, sighting) : NO_CLAIMS;
  if (found === "later") return askAgain(work, OPENING_MS);
  const { claims, given } = found;
  if (!sighting.confirmed && (isAsked || claims.length > 0)) {
    const { asks, round } = work;
    if (app.clock.monotonicMs() >= asks.deadlineAt) asks.left[round] = 0;
    if (--asks.left[round] < 0) return;
    const answer = await askInTurn(work);
    if (typeof answer !== "string") return believe(work, answer.kept);
    if (answer === "throttled") asks.left = { ...NONE_LEFT };
    return answer === "throttled" ? askAgain(work, ASK_EVERY_MS) : waitFor(work, answer);
  }
  if (claims.length > 0 && !(await accept(work, claims, nameOf(sighting.actor)))) return;
  for (const reason of given) await note(work, `${reason}: ${THEIRS}`);
  await save(work, { settled: true });
}

async function waitFor(work: Work, answer: Doubt): Promise<void> {
  const { app, sighting, asks } = work;
  const lastAskedAt = sighting.askedAt ?? Number.NEGATIVE_INFINITY;
  // What it did not have when it had to have it is not to be had: that it is silent since makes it no truer.
  const isDenial = sighting.doubt === "absent" && lastAskedAt >= sighting.receivedAt + TRAIL_DELAY_MS;
  const doubt = answer === "unreachable" && isDenial ? "absent" : answer;
  // It has its turn again before all others, and they theirs another time.
  const askedAt = answer === "unreachable" ? sighting.askedAt : app.clock.now();
  if (answer === "unreachable") asks.left = { ...NONE_LEFT };
  const isLate = app.clock.now() >= sighting.receivedAt + ASK_FOR_MS;
  const isDone = isLate && doubt === "absent";
  const stored = await save(work, { settled: isDone, doubt, ...(askedAt !== undefined && { askedAt }) });
  // Somebody else has had the trail's answer meanwhile, and goes on by it.
  if (stored?.doubt !== doubt) return;
  if (isDone) await note(work, `the trail does not confirm the event ${sighting.eventId} of ${nameOf(sighting.actor)}`);
  else await askAgain(work, isLate && doubt === "refused" ? ASK_LATER_MS : ASK_EVERY_MS);
}

/**
 * From here on the call is what the trail keeps of it, and not what its event said: of a true event any word may have been changed
 * on its way, and the first that comes keeps the others of its id out. What the trail keeps as our own call is nobody's claim.
 */
async function believe(work: Work, kept: Sighting | null): Promise<void> {
  const { app, sighting } = work;
  if (kept === null || callOf(kept) !== callOf(sighting)) {
    const who = nameOf(sighting.actor);
    await note(work, `the event ${sighting.eventId} names ${who}, and the trail says otherwise: it counts for nothing`);
  }
  if (kept === null || kept.failed !== null || isOwnCall(app, kept)) {
    await save(work, { settled: true, failed: kept?.failed ?? "DeniedByTrail" });
    return;
  }
  const believed = { ...work, sighting: { ...kept, receivedAt: sighting.receivedAt, confirmed: true, settled: false } };
  const stored = await save(believed, {});
  // Two may ask at once: what follows from it follows once.
  if (stored?.settled === false) await settleSighting(believed, false);
}

/**
 * False where the ledger takes no change now: the claim waits until it does, and keeps nothing else of the group from its turn. Where
 * somebody else is granting a sensitive port it asks again.
 */
async function accept(work: Work, claims: readonly Claim[], who: string): Promise<boolean> {
  const { app, policy, group, sighting } = work;
  const leases = claims.flatMap((claim) => claim.leases).join(", ") || "a lease";
  const what = `${who} authorized what ${leases} holds (${sighting.requestId})`;
  const specs = claims.map(({ spec }) => spec);
  const now = app.clock.now();
  const changes = claims.map(({ spec, description }) => {
    const allocation: Allocation = {
      provenance: "adopted",
      owner: who,
      application: "",
      reason: what,
      ticket: "",
      allowedSources: [],
      openHours: null,
      // Who copies a mark has the rule all the same, and none that would end it.
      description: description === "" || parseMark(description) !== null ? `adopted from ${who}` : description,
      by: who,
      at: now,
      eventId: sighting.eventId,
      seenAt: null,
    };
    return { spec, allocation };
  });
  try {
    const refusal = await inTurn(app, policy, { group, specs, waitMaxMs: 0 }, async (mayWrite) => {
      const why = await refusalOf(work, specs);
      // Once the ledger has it no look finds a claim any more: whoever is to be told is told before.
      const told = noticeWrites(claimNotice(work, claims, why));
      if (why === null) await changeAllocations(app, group, who, changes, mayWrite, told);
      else await app.tables.writeAll(told);
      await askToSend(app, told);
      return why;
    });
    await note(work, `${what}: ${refusal === null ? THEIRS : WHY[refusal]}`);
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    app.log.write("error", `the ledger of ${group.groupId} takes no change now`, { code: error.code });
    if (error.code === "GROUP_BUSY") await askAgain(work, OPENING_MS);
    return false;
  }
}

interface Claims {
  readonly claims: readonly Claim[];
  /** Why rules are theirs by this very call already: whoever gave them may have died before a record said so, and it is said again. */
  readonly given: ReadonlySet<string>;
}

const NO_CLAIMS: Claims = { claims: [], given: new Set() };

/** `later` while the lease's own opening is still under way. */
async function claimsOf(app: App, group: GroupRef, sighting: Sighting): Promise<Claims | "later"> {
  const { rules, at } = sighting;
  const claims: Claim[] = [];
  const given = new Set<string>();
  for (const { spec, description } of rules ?? []) {
    const entryId = entryIdOf(group.groupId, ruleKey(spec));
    const entry = await getEntry(app.tables, group, entryId);
    if (sighting.confirmed && entry?.allocation?.eventId === sighting.eventId) given.add(entry.allocation.reason);
    if (entry?.allocation || (entry && isClosedTo(entry, at))) continue;
    // Of those who had it open before it was suspended the ledger has none any more, when they have ended since.
    if (entry && (entry.holders.length > 0 || entry.suspension !== null)) {
      if (entry.standing.kind === "none" && entry.createdAt === null) return "later";
      const leases = entry.holders.map((holder) => holder.holderId);
      // Events tell whole seconds. Whoever was before us made the rule, and our lease rides on it.
      if (entry.standing.kind !== "preExisting" && at >= secondOf(entry.createdAt ?? 0))
        claims.push({ spec, description, leases });
      continue;
    }
    const history = await listHistory(app.tables, group, entryId, HISTORY_MAX);
    const held = history.find(
      (line) => line.kind === "closed" && at >= secondOf(line.createdAt ?? 0) && secondOf(at) <= line.at,
    );
    if (held) claims.push({ spec, description, leases: held.leases });
  }
  return { claims, given };
}

/** What is suspended stays closed, whoever asks for it. Who has asked before for what a lease had open then is heard, however late. */
const isClosedTo = ({ suspension, createdAt }: Entry, at: number): boolean =>
  suspension !== null && (at >= secondOf(suspension.since) || createdAt === null);

const secondOf = (ms: number): number => Math.floor(ms / 1000) * 1000;

async function askInTurn({ app, asks, sighting }: Work): ReturnType<typeof ask> {
  await awaitTurn(app, asks);
  return ask(app, sighting);
}

async function awaitTurn({ clock }: App, asks: Asks): Promise<void> {
  await clock.sleep(Math.max(0, asks.nextAt - clock.monotonicMs()));
  asks.nextAt = clock.monotonicMs() + PACE_MS;
}

/**
 * What the trail itself keeps of the call; null where that is no call to the group. `throttled`: it was not asked, which whoever calls it
 * often enough can bring about, and nothing follows from it.
 */
async function ask(app: App, sighting: Sighting): Promise<{ readonly kept: Sighting | null } | Doubt | "throttled"> {
  try {
    const reading = await app.trail.lookUp(sighting.region, sighting.eventId);
    if (reading?.kind !== "call") return "absent";
    return { kept: reading.sightings.find(({ groupId }) => groupId === sighting.groupId) ?? null };
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    app.log.write("warn", "the trail cannot be asked", { code: error.cloudCode ?? error.kind });
    if (error.kind === "throttled") return "throttled";
    // An id that the trail does not even look up is made up.
    if (error.kind === "invalid") return UUID.test(sighting.eventId) ? "refused" : "absent";
    return error.kind === "refused" ? "refused" : "unreachable";
  }
}

const save = ({ app, sighting }: Work, changes: Partial<Sighting>): Promise<Sighting | null> =>
  saveSighting(app.tables, { ...sighting, ...changes });

/** At the same instants for whatever else of the group waits as long: one look asks about all of it. */
async function askAgain({ app, group }: Pick<Work, "app" | "group">, inMs: number): Promise<void> {
  const at = (Math.floor(app.clock.now() / inMs) + 1) * inMs;
  await app.tables.writeAll([dueWrite(dueDrift(group, at, app.settings.shards))]);
}

async function note({ app, policy, group }: Work, line: string): Promise<void> {
  const at = app.clock.now();
  const record = { at, group, cause: "event", actor: "safeport", policyVersion: policy.version, lines: [line] };
  await writeRecord(app, record);
}
