// The security groups: whether a lease may name them, and how far they are guarded.
import type { Baseline, GroupRow, Guard } from "../../domain/guard.ts";
import { freshGroupRow } from "../../domain/guard.ts";
import type { GroupId } from "../../domain/ids.ts";
import type { Policy } from "../../domain/policy.ts";
import { type EffectiveGuard, effectiveGuard } from "../../plan/effective-guard.ts";
import type { GroupFacts } from "../../ports/firewall.ts";
import { getGroupRow, groupRowsOf, type KeptRow } from "../../store/group-rows.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { inParallel } from "../in-parallel.ts";
import { findGroup } from "./find-group.ts";
import { protection } from "./open-facts.ts";

export interface GroupView {
  readonly region: string;
  readonly groupId: string;
  readonly name: string;
  readonly type: GroupFacts["type"];
  /** Why it takes no rule from safeport, or null. */
  readonly protectedBy: string | null;
  /** What is asked for, what is done, and why the two differ. */
  readonly guard: Guard;
  readonly acts: Guard;
  readonly why: readonly string[];
  readonly baseline: Pick<Baseline, "confirmedBy" | "confirmedAt" | "count"> | null;
}

/**
 * Every group of the policy's regions. Reads the ledger of those alone that are to be enforced. `unreadable` are ids of groups whose row
 * cannot be read: how far they are guarded nobody can tell.
 */
export async function listGroups(
  app: App,
  policy: Policy,
): Promise<{ readonly groups: readonly GroupView[]; readonly unreadable: readonly GroupId[] }> {
  const regions = await Promise.all(
    policy.regions.map(async (region) => {
      const [listed, rows] = await Promise.all([
        app.inventory.listGroups(region, "inventory"),
        groupRowsOf(app.tables, region),
      ]);
      const rowOf = ({ ref }: GroupFacts): KeptRow => rows.get(ref.groupId) ?? freshGroupRow(ref);
      const views = new Map<GroupFacts, GroupView>();
      await inParallel(listed, async (facts) => {
        const row = rowOf(facts);
        if (row !== "unreadable") views.set(facts, await viewOf(app, policy, facts, row));
      });
      return {
        groups: listed.flatMap((facts) => views.get(facts) ?? []),
        unreadable: listed.flatMap((facts) => (views.has(facts) ? [] : [facts.ref.groupId])),
      };
    }),
  );
  return {
    groups: regions.flatMap((it) => it.groups),
    unreadable: regions.flatMap((it) => it.unreadable),
  };
}

/** One group by id or name. Throws GROUP_UNKNOWN, GROUP_AMBIGUOUS. */
export async function getGroup(app: App, policy: Policy, name: string): Promise<GroupView> {
  const facts = await findGroup(app, policy, name);
  return viewOf(app, policy, facts, await getGroupRow(app.tables, facts.ref));
}

async function viewOf(app: App, policy: Policy, facts: GroupFacts, row: GroupRow): Promise<GroupView> {
  const { level, acts, why } = await guardOf(app, policy, facts, row);
  const { baseline } = row;
  return {
    region: facts.ref.region,
    groupId: facts.ref.groupId,
    name: facts.name,
    type: facts.type,
    protectedBy: protection(facts, [], policy, row),
    guard: level,
    acts,
    why,
    baseline: baseline && {
      confirmedBy: baseline.confirmedBy,
      confirmedAt: baseline.confirmedAt,
      count: baseline.count,
    },
  };
}

async function guardOf(app: App, policy: Policy, facts: GroupFacts, row: GroupRow): Promise<EffectiveGuard> {
  const alone = effectiveGuard({ policy, facts, row, entries: [] });
  if (alone.level !== "enforce" || row.baseline === null) return alone;
  const { entries } = await listEntries(app.tables, facts.ref);
  return effectiveGuard({ policy, facts, row, entries });
}
