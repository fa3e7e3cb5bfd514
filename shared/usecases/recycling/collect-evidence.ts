// Collects evidence of use from the sources of one region: part by part, each joined to what is stored, from where the last run stopped.
//
// What a run has read is stored before how far it is: whatever dies in between is read again, and joining it again changes nothing.
import { type Day, dayOf, joinDay, type MemberDay, type PortUse, unknownDay } from "../../domain/evidence.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Policy } from "../../domain/policy.ts";
import { isInSpans, type PortSpan } from "../../domain/port-span.ts";
import type { CollectPolicy, TrafficSourceKind } from "../../domain/recycling-policy.ts";
import { AppError } from "../../errors/app-error.ts";
import {
  after,
  type CollectionTerms,
  nextSlice,
  queriesOfWatch,
  type Reached,
  type Slice,
  withinReach,
} from "../../plan/plan-collection.ts";
import { type Traffic, TrafficFailure, type TrafficReading } from "../../ports/traffic.ts";
import { type Collection, readCollection, readWatchSpent, saveCollection } from "../../store/collection.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { addEvidence } from "../../store/evidence.ts";
import { readableOrNull } from "../../store/readable-or-null.ts";
import type { App } from "../app.ts";
import { noteUsedHosts } from "../group/note-hosts.ts";
import { inParallel } from "../in-parallel.ts";
import { watchedPorts } from "./watched-ports.ts";

/** What a run over a region came to. */
export interface CollectionReport {
  readonly source: TrafficSourceKind;
  readonly slices: number;
  readonly queries: number;
  readonly bytes: number;
  /** Why it stopped before everything was read; null when nothing is left. */
  readonly stopped: "deadline" | "incomplete" | "failed" | "refused" | "budget" | "blind" | null;
}

/** What collecting works with. */
export type CollectApp = Pick<App, "clock" | "tables" | "log" | "traffic" | "inventory">;

export interface CollectOptions {
  readonly policy: Policy;
  readonly region: string;
  /** Monotonic instant after which no further part is begun. */
  readonly deadlineAt: number;
}

/** Runs in which a part may stay incomplete before the next one has its turn. */
const TRIES_MAX = 3;
/** What was read is stored after so many parts, so that little is read twice when a run dies. */
const SLICES_PER_STORE = 24;
/** And in a large account after fewer: storing must fit into what is left of a run. */
const DAYS_PER_STORE = 5000;
const AGAIN_AFTER_MS = 15 * 60_000;
const DAY_MS = 86_400_000;

/** Books a run for every region of the policy; answers when to do so again. */
export async function bookCollections(app: App, policy: Policy): Promise<number> {
  const now = app.clock.now();
  await app.tables.writeAll(policy.regions.map((region) => dueWrite(dueJob("evidence", region, now))));
  return now + policy.recycling.collect.everyMs;
}

/** Collects from every source of the region; answers when to go on, or null for with the next booking. */
export async function collectEvidence(app: CollectApp, options: CollectOptions): Promise<number | null> {
  const { policy, region } = options;
  const sources = await app.traffic();
  const next: number[] = [];
  for (const source of policy.recycling.sources) {
    const traffic = sources[source];
    if (traffic === undefined || (source === "balancer" && !isBalanced(policy, region))) continue;
    const report = await collectSource(app, traffic, { ...options, source });
    if (report === null) continue;
    if (report.slices > 0 || report.stopped !== null)
      app.log.write(
        report.stopped === "failed" || report.stopped === "refused" ? "warn" : "info",
        "evidence was collected",
        { region, ...report },
      );
    if (report.stopped === "deadline") next.push(app.clock.now());
    else if (report.stopped === "incomplete" || report.stopped === "failed")
      next.push(app.clock.now() + AGAIN_AFTER_MS);
  }
  return next.length === 0 ? null : Math.min(...next);
}

const isBalanced = ({ recycling }: Policy, region: string): boolean =>
  recycling.balancers.some((listener) => listener.region === region);

/** Null where the source has nothing to tell of the region. */
async function collectSource(
  app: CollectApp,
  traffic: Traffic,
  options: CollectOptions & { readonly source: TrafficSourceKind },
): Promise<CollectionReport | null> {
  const run = new Run(app, traffic, options);
  try {
    return await run.all();
  } catch (error) {
    if (!(error instanceof TrafficFailure)) throw error;
    return await run.failed(error);
  }
}

class Run {
  readonly #app: CollectApp;
  readonly #traffic: Traffic;
  readonly #options: CollectOptions & { readonly source: TrafficSourceKind };
  readonly #found = new Map<string, MemberDay>();
  #watched: readonly PortSpan[] = [];
  #isIpv4Only = false;
  #collection: Collection | null = null;
  #reached: Reached | null = null;
  /** Runs in which the part at hand stayed incomplete, or could not be read. */
  #tries = 0;
  /** Why a part could not be read that was passed over, until the next one shows that the source is there. */
  #passedOver: TrafficFailure | null = null;
  #slices = 0;
  #unstored = 0;
  #queries = 0;
  #bytes = 0;

  constructor(app: CollectApp, traffic: Traffic, options: CollectOptions & { readonly source: TrafficSourceKind }) {
    this.#app = app;
    this.#traffic = traffic;
    this.#options = options;
  }

  async all(): Promise<CollectionReport | null> {
    const { app, region, source } = { app: this.#app, ...this.#options };
    this.#collection = await readCollection(app.tables, region, source);
    this.#tries = this.#collection?.tries ?? 0;
    this.#watched = await watchedPorts(app.tables, region);
    const reach = await this.#traffic.reach(region);
    if (reach === null) return null;
    this.#isIpv4Only = reach.ipv4Only;
    const terms = this.#termsOf(reach.retentionMs);
    let reached = withinReach(this.#collection, terms);
    // What cannot be judged by now may be later, while the source still has it.
    if (reach.blind !== null) return await this.#end(reached, reach.blind, "blind");
    for (;;) {
      const slice = nextSlice(reached, this.#termsOf(reach.retentionMs));
      const isLate = app.clock.monotonicMs() >= this.#options.deadlineAt;
      const left = isLate ? 0 : await this.#left();
      if (slice === null || left <= 0) {
        if (this.#passedOver !== null) throw this.#passedOver;
        return await this.#end(reached, reach.trouble, slice === null ? null : isLate ? "deadline" : "budget");
      }
      const reading = await this.#read(slice, left);
      if (reading === null) {
        reached = after(reached, slice, this.#termsOf(reach.retentionMs));
        continue;
      }
      this.#spend(reading.cost);
      this.#keep(slice, reading);
      const isRead = reading.kind === "complete";
      this.#tries = isRead ? 0 : (this.#tries + 1) % TRIES_MAX;
      if (this.#tries > 0) return await this.#end(reached, reach.trouble, "incomplete");
      reached = after(reached, slice, this.#termsOf(reach.retentionMs));
      this.#reached = reached;
      this.#slices += 1;
      this.#unstored += 1;
      if (!isRead) return await this.#end(reached, reach.trouble, "incomplete");
      if (this.#unstored >= SLICES_PER_STORE || this.#found.size >= DAYS_PER_STORE)
        await this.#store(reached, reach.trouble);
    }
  }

  /**
   * Null for a part at which the source has failed in so many runs that the next one is asked for: where that fails as well it is the
   * source that is away, and everything is read from here when it is back; else this part alone is given up.
   */
  async #read(slice: Slice, left: number): Promise<TrafficReading | null> {
    try {
      const reading = await this.#traffic.read(this.#askOf(slice), left);
      this.#passedOver = null;
      return reading;
    } catch (error) {
      if (!(error instanceof TrafficFailure) || this.#passedOver !== null) throw error;
      this.#tries += 1;
      if (this.#tries % TRIES_MAX !== 0 || (error.kind !== "unavailable" && error.kind !== "invalid")) throw error;
      this.#spend({ queries: error.queries, bytes: 0 });
      this.#passedOver = error;
      return null;
    }
  }

  /** The source could not be read: what was read before is kept, and it is tried again. */
  async failed(error: TrafficFailure): Promise<CollectionReport> {
    this.#spend({ queries: error.queries, bytes: 0 });
    const reached = this.#reached ?? this.#collection ?? { firstUntil: 0, againUntil: 0 };
    await this.#store(reached, error.message);
    // What somebody has to put right waits for the next booking.
    return this.#report(error.kind === "unavailable" || error.kind === "throttled" ? "failed" : "refused");
  }

  async #end(
    reached: Reached,
    trouble: string | null,
    stopped: CollectionReport["stopped"],
  ): Promise<CollectionReport> {
    await this.#store(reached, trouble);
    return this.#report(stopped);
  }

  #report(stopped: CollectionReport["stopped"]): CollectionReport {
    return { source: this.#options.source, slices: this.#slices, queries: this.#queries, bytes: this.#bytes, stopped };
  }

  #termsOf(retentionMs: number): CollectionTerms {
    const { recycling } = this.#options.policy;
    const windowDays = recycling.windowDays + 1;
    return { collect: this.#collect(), retentionMs, windowDays, now: this.#app.clock.now() };
  }

  /** Metrics answer a day in one call; logs are read in parts. */
  #collect(): CollectPolicy {
    const { collect } = this.#options.policy.recycling;
    return this.#options.source === "flowLog" ? collect : { ...collect, sliceMs: DAY_MS };
  }

  #askOf({ from, until }: Slice) {
    const { region, policy } = this.#options;
    return { region, from, until, recycling: policy.recycling, watched: this.#watched };
  }

  /** Questions that are left today. The watch over quarantines asks the same logs, and while there are any a part is kept for it. */
  async #left(): Promise<number> {
    const { queriesPerDay, metricCallsPerDay } = this.#options.policy.recycling.collect;
    const own = this.#spentToday().queries;
    if (this.#options.source !== "flowLog") return metricCallsPerDay - own;
    const { tables, clock } = this.#app;
    const watch = await readableOrNull(this.#app, readWatchSpent(tables, this.#options.region));
    return queriesPerDay - own - queriesOfWatch(watch, dayOf(clock.now()), queriesPerDay);
  }

  #spentToday(): Collection["spent"] {
    const day = dayOf(this.#app.clock.now());
    const spent = this.#collection?.spent;
    return spent?.day === day ? spent : { day, queries: 0, bytes: 0 };
  }

  #spend({ queries, bytes }: Pick<TrafficReading["cost"], "queries" | "bytes">): void {
    const spent = this.#spentToday();
    this.#queries += queries;
    this.#bytes += bytes;
    const now: Collection["spent"] = {
      day: spent.day,
      queries: spent.queries + queries,
      bytes: spent.bytes + bytes,
    };
    const none = { firstUntil: 0, againUntil: 0, tries: 0, trouble: null, readAt: 0 };
    this.#collection = { ...(this.#collection ?? none), spent: now };
  }

  #keep(slice: Slice, reading: TrafficReading): void {
    const day: Day = dayOf(slice.from);
    for (const { member, seen, skipped, ports } of reading.members) {
      const key = `${member} ${day}`;
      const told: MemberDay = {
        ...unknownDay(member, day),
        seen,
        skipped,
        ports,
        sources: [this.#options.source],
        ...(this.#isIpv4Only ? { ipv4Only: true } : {}),
      };
      const known = this.#found.get(key);
      const isKept = (port: PortUse): boolean => isInSpans(this.#watched, port);
      this.#found.set(key, joinDay(known ?? unknownDay(member, day), told, isKept));
    }
  }

  /** A day that cannot be read takes nothing more: whoever judges its host is told so, and all others are collected. */
  async #add(day: MemberDay): Promise<void> {
    const { tables, log } = this.#app;
    try {
      await addEvidence(tables, this.#options.region, day, this.#watched);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      log.write("error", `the evidence of ${day.member} on ${day.day} cannot be read`, { cause: error });
    }
  }

  async #store(reached: Reached, trouble: string | null): Promise<void> {
    const { region, source } = this.#options;
    const { tables, clock } = this.#app;
    const found = [...this.#found.values()];
    await inParallel(found, (day) => this.#add(day));
    // While they are there: what is gone can tell its groups no more.
    await noteUsedHosts(this.#app, region, found, this.#options.policy.recycling);
    this.#found.clear();
    this.#unstored = 0;
    const { firstUntil, againUntil } = reached;
    const tries = this.#tries;
    const collection = { firstUntil, againUntil, tries, spent: this.#spentToday(), trouble, readAt: clock.now() };
    await saveCollection(tables, region, source, collection);
    this.#collection = collection;
    if (trouble !== null)
      this.#app.log.write("warn", "a source of evidence is not as it should be", {
        region,
        source,
        trouble,
        until: formatUtc(reached.firstUntil),
      });
  }
}
