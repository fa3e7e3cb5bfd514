// The nightly run over unused rules: every group of the policy's regions has its turn, from where the run before stopped.
import type { GroupRef } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RecyclingItem } from "../../domain/recycling-item.ts";
import type { RecyclingPlace } from "../../domain/recycling-place.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { listRecyclingItems } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { chunks } from "../in-parallel.ts";
import { bookWatch } from "./move-recycling.ts";
import { type EarlyTerms, GroupWork, type RecyclingReport } from "./recycle-group.ts";

export interface RecyclingRun {
  readonly policy: Policy;
  /** Monotonic instant after which no further group is begun. */
  readonly deadlineAt: number;
  readonly dryRun: boolean;
  readonly from: RecyclingPlace | null;
  /** What an alarm says has no traffic, and the groups it is about: null for all. */
  readonly early?: EarlyTerms & { readonly only: readonly GroupRef[] | null };
  /** Told from time to time how far the run is, so that whoever goes on after its death need not begin anew. */
  readonly reached?: (place: RecyclingPlace) => Promise<void>;
}

/** Groups after which it is told how far the run is. */
const GROUPS_AT_ONCE = 10;
const ITEMS_AT_ONCE = 500;

/**
 * Looks at every group of the policy's regions, page by page, and then at the items whose group is gone. A group that cannot be read in
 * full is left as it is. Every move is stored before the next rule is looked at, so that a run may die anywhere and the next
 * one goes on. Where calls run out the report says so, and where to go on: what was not read is never taken for empty.
 */
export async function recycle(app: App, run: RecyclingRun): Promise<RecyclingReport> {
  const { policy, deadlineAt, dryRun, early } = run;
  const terms = { policy, deadlineAt, dryRun, ...(early ? { early } : {}) };
  const work = await GroupWork.begin(app, terms);
  return early?.only ? lookAtSome(app, run, work, early.only) : new Round(app, run, work).goOn();
}

async function lookAtSome(
  app: App,
  run: RecyclingRun,
  work: GroupWork,
  groups: readonly GroupRef[],
): Promise<RecyclingReport> {
  for (const ref of groups)
    try {
      await work.group(ref);
      await watchOver(app, run, work.ownItems());
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      work.fail(ref.groupId, error);
    }
  return work.report(null);
}

class Round {
  private readonly app: App;
  private readonly run: RecyclingRun;
  private readonly work: GroupWork;
  private place: RecyclingPlace;
  /** A run makes some way however little time it has: else a page that is slow to read would hold up the queue for ever. */
  private hasMoved = false;
  /** Ids of all groups by region, read where an item's group was not looked at by this run. */
  private readonly listed = new Map<string, ReadonlySet<string>>();

  constructor(app: App, run: RecyclingRun, work: GroupWork) {
    this.app = app;
    this.run = run;
    this.work = work;
    const { from, policy } = run;
    const isKnown = from !== null && (from.region === null || policy.regions.includes(from.region));
    this.place = isKnown ? from : { region: policy.regions[0] ?? null, cursor: null, done: 0 };
  }

  async goOn(): Promise<RecyclingReport> {
    const { work, app } = this;
    try {
      while (this.place.region !== null) if (!(await this.page(this.place.region))) return work.report(this.place);
      return work.report((await this.rest()) ? null : this.place);
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      const { kind, cloudCode } = error;
      // A cursor that the cloud takes no longer: the region from its beginning. What was moved already has nothing left to do.
      const { region } = this.place;
      if (kind === "invalid" && region !== null) await this.reach({ region, cursor: null, done: 0 });
      app.log.write("warn", "the run over unused rules goes on later", { at: this.place, cause: error });
      return work.report(this.place, cloudCode ?? kind);
    }
  }

  /** One page of a region's groups. Answers false when time ran out within. */
  private async page(region: string): Promise<boolean> {
    const { app, work, run } = this;
    const { cursor, done } = this.place;
    const page = await this.read(region, cursor);
    if (page === null) {
      await this.reach(this.after(region));
      return true;
    }
    const left = page.groups.slice(done);
    let at = done;
    for (const some of chunks(left, GROUPS_AT_ONCE)) {
      for (const facts of some) {
        if (app.clock.monotonicMs() >= run.deadlineAt && this.hasMoved) {
          await this.reach({ region, cursor, done: at });
          return false;
        }
        this.place = { region, cursor, done: at };
        await work.group(facts.ref, facts);
        this.hasMoved = true;
        at += 1;
      }
      await this.reach({ region, cursor, done: at });
    }
    await this.reach(page.next === null ? this.after(region) : { region, cursor: page.next, done: 0 });
    return true;
  }

  /** Null where nothing is told of the region from the beginning: the others have their turn all the same. */
  private async read(region: string, cursor: string | null) {
    try {
      return await this.app.inventory.groupPage(region, cursor, "inventory");
    } catch (error) {
      if (!(error instanceof CloudFailure) || error.kind === "throttled" || cursor !== null) throw error;
      this.work.fail(region, error);
      return null;
    }
  }

  private after(region: string): RecyclingPlace {
    const { regions } = this.run.policy;
    return { region: regions[regions.indexOf(region) + 1] ?? null, cursor: null, done: 0 };
  }

  private async reach(place: RecyclingPlace): Promise<void> {
    this.place = place;
    if (!this.run.dryRun) await this.run.reached?.(place);
  }

  /**
   * Items whose group the cloud does not show any more, or the policy; and the net under the watch, which goes on by itself, for what it has lost.
   * Answers false when time ran out.
   */
  private async rest(): Promise<boolean> {
    const { app, run, work } = this;
    for (;;) {
      const { items, next } = await listRecyclingItems(app.tables, {
        states: ["queued", "noticed", "quarantined"],
        orSteps: true,
        after: this.place.cursor,
        limit: ITEMS_AT_ONCE,
      });
      for (const item of items)
        if (!run.policy.regions.includes(item.group.region)) await work.abandon(item);
        else if (await this.isGone(item)) await work.gone(item);
      await watchOver(app, run, items);
      if (next === null) return true;
      await this.reach({ region: null, cursor: next, done: 0 });
      if (app.clock.monotonicMs() >= run.deadlineAt) return false;
    }
  }

  private async isGone({ group }: RecyclingItem): Promise<boolean> {
    const { app, work } = this;
    if (work.hasLookedAt(group)) return false;
    if ((await this.groupsOf(group.region)).has(group.groupId)) return false;
    return (await app.inventory.group(group, "inventory")) === null;
  }

  /** One call for a hundred groups, where asking for each would be a call each. */
  private async groupsOf(region: string): Promise<ReadonlySet<string>> {
    const known = this.listed.get(region);
    if (known) return known;
    const found = new Set<string>();
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<App["inventory"]["groupPage"]>> = await this.app.inventory.groupPage(
        region,
        cursor,
        "inventory",
      );
      for (const { ref } of page.groups) found.add(ref.groupId);
      cursor = page.next;
    } while (cursor !== null);
    this.listed.set(region, found);
    return found;
  }
}

/** What this run has moved the watch was told of; this is for what stood before. */
async function watchOver(app: App, { dryRun }: RecyclingRun, items: readonly RecyclingItem[]): Promise<void> {
  const own = items.filter((item) => item.state === "quarantined" || item.step !== null);
  if (dryRun || own.length === 0) return;
  await bookWatch(
    app,
    own.map(({ itemId }) => itemId),
  );
}
