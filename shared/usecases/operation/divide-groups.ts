// The beginning of a full pass: the lists of all regions are walked page by page, and divided into parts with a due row each.
import type { GroupId } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { CloudFailure, type GroupFacts } from "../../ports/firewall.ts";
import type { Due } from "../../store/due.ts";
import { type Division, partId, progressWrite } from "../../store/full-pass.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { isOutOfTime, tellUnseen } from "./full-pass-part.ts";

/** What the walk needs and fills. */
export interface DivideOptions {
  readonly policy: Policy;
  /** Monotonic instant after which no further page is asked for. */
  readonly deadlineAt: number;
  /** Filled with the groups of parts of the pass's own shard, as many as one part may have. */
  readonly listed: Map<string, readonly GroupFacts[]>;
}

type Page = Awaited<ReturnType<App["inventory"]["groupPage"]>>;

/**
 * Goes on from `begun`, as far as time and cloud allow, and wakes the shards that have got parts once all is divided. A region that does
 * not answer is asked again behind the others.
 */
export async function divideGroups(app: App, pass: Due, begun: Division, options: DivideOptions): Promise<Division> {
  const walk: Walk = { app, pass, options, division: begun };
  const { regions } = options.policy;
  const left = begun.left ?? regions.slice(Math.max(0, regions.indexOf(begun.region ?? "")));
  const silent: string[] = [];
  for (const [place, region] of left.entries()) {
    if (walk.division.region !== region) walk.division = { ...walk.division, region, cursor: null, before: 0 };
    const outcome = await divideRegion(walk, region);
    if (outcome === "silent") silent.push(region);
    if (outcome === "later") return keep(walk, [...left.slice(place), ...silent]);
  }
  if (silent.length > 0) return keep(walk, silent);
  walk.division = { ...walk.division, isDivided: true };
  const divided = await keep(walk, []);
  const shards = Array.from({ length: Math.min(divided.parts, app.settings.shards) }, (_, shard) => shard);
  const others = shards.filter((shard) => shard !== pass.shard);
  await inParallel(others, (shard) => app.wakeup.arm(shard, app.clock.now()));
  return divided;
}

interface Walk {
  readonly app: App;
  readonly pass: Due;
  readonly options: DivideOptions;
  /** Moves on with every part that has its row. */
  division: Division;
}

/** `later`: it goes on from where it is; `silent`: nothing of it was listed, and the others need not wait for it. */
async function divideRegion(walk: Walk, region: string): Promise<"done" | "later" | "silent"> {
  const { app, options } = walk;
  let groups: GroupFacts[] = [];
  let { cursor } = walk.division;
  for (;;) {
    if (app.clock.monotonicMs() >= options.deadlineAt) return "later";
    const page = await readPage(app, region, cursor);
    if (page === "throttled" || page === "unknown") {
      const isBegun = walk.division.before > 0;
      if (!isOutOfTime(app, walk.pass) || (isBegun && page === "throttled")) return isBegun ? "later" : "silent";
      await tellUnseen(app, walk.pass, `the groups of ${region}`, region, null);
      return "done";
    }
    if (page === "refused") return "done";
    if (page === "again") {
      const { division } = walk;
      walk.division = { ...division, cursor: null, before: 0, groups: division.groups - division.before };
      cursor = null;
      groups = [];
      continue;
    }
    groups.push(...page.groups);
    cursor = page.next;
    if (cursor !== null && groups.length + page.groups.length <= app.settings.fullPassGroups) continue;
    if (groups.length > 0) await writePart(walk, region, groups, cursor);
    groups = [];
    if (cursor === null) return "done";
  }
}

/** A row for these groups; the next part begins at `next`. */
async function writePart(
  walk: Walk,
  region: string,
  groups: readonly GroupFacts[],
  next: string | null,
): Promise<void> {
  const { app, pass, division } = walk;
  const { shards, fullPassGroups } = app.settings;
  const { listed } = walk.options;
  const { before } = division;
  const shard = division.parts % shards;
  const row: Due = { ...pass, shard, id: partId(pass, { region, before }), region, groupId: "" as GroupId };
  await app.tables.writeAll([progressWrite(row, { cursor: division.cursor, before, count: groups.length })]);
  const held = [...listed.values()].reduce((sum, list) => sum + list.length, 0);
  if (shard === pass.shard && held + groups.length <= fullPassGroups) listed.set(row.id, groups);
  walk.division = {
    ...division,
    cursor: next,
    before: before + groups.length,
    groups: division.groups + groups.length,
    parts: division.parts + 1,
  };
}

async function keep({ app, pass, division }: Walk, left: readonly string[]): Promise<Division> {
  const kept = { ...division, left };
  await app.tables.writeAll([progressWrite(pass, kept)]);
  return kept;
}

/** `throttled`, `unknown`: the cloud answers another time; `refused`: never, for this region; `again`: not from there, begin anew. */
async function readPage(
  app: App,
  region: string,
  cursor: string | null,
): Promise<Page | "throttled" | "unknown" | "refused" | "again"> {
  try {
    return await app.inventory.groupPage(region, cursor, "inventory");
  } catch (error) {
    if (!(error instanceof CloudFailure)) throw error;
    if (error.kind === "throttled" || error.kind === "unknown") return error.kind;
    if (error.kind === "invalid" && cursor !== null) return "again";
    app.log.write("error", `the groups of ${region} cannot be listed`, { code: error.cloudCode ?? error.kind });
    return "refused";
  }
}
