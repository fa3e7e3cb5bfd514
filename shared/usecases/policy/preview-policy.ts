// What another policy would open and close: each guarded group is planned under both, on the rules and the ledger as they are.
import type { Guard } from "../../domain/guard.ts";
import { freshGroupRow } from "../../domain/guard.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { Reach } from "../../domain/lease-record.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { GUARD_TAG } from "../../plan/effective-guard.ts";
import type { PlannedCall } from "../../plan/entry-plan.ts";
import { isOpening } from "../../plan/picture.ts";
import { planGroup } from "../../plan/plan-group.ts";
import { CloudFailure, type GroupFacts, type Member } from "../../ports/firewall.ts";
import { groupRowsOf } from "../../store/group-rows.ts";
import { listIntents } from "../../store/intents.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { readOpenFacts, refusalsOf } from "../group/open-facts.ts";
import { setsNamedBy } from "../group/sets-named-by.ts";
import { inParallel } from "../in-parallel.ts";
import { reachOf } from "../lease/lease-answer.ts";
import { PassDrift } from "../pass/pass-drift.ts";

/** One change to a group that the one policy makes and the other does not. */
export interface PolicyStep {
  readonly group: GroupRef;
  readonly groupName: string;
  /** What it does to the reach of the group's hosts; `marks`: to a rule's description alone. */
  readonly does: "opens" | "closes" | "edits";
  readonly rule: string;
  readonly cause: string;
  readonly reach: Reach;
}

export interface PolicyPreview {
  /** Groups whose guard acts otherwise. */
  readonly guards: readonly {
    readonly group: GroupRef;
    readonly groupName: string;
    readonly before: Guard;
    readonly after: Guard;
  }[];
  /** What would be done that is not done now. */
  readonly begins: readonly PolicyStep[];
  /** What is about to be done and would be no longer. */
  readonly ceases: readonly PolicyStep[];
  /** Groups that were planned, and how many there were to plan. */
  readonly looked: number;
  readonly groups: number;
  /** Groups of which something stored cannot be read: what would be done there nobody can tell. */
  readonly unreadable: readonly GroupRef[];
  /** Regions of the policy in force, and groups, that the cloud does not tell of: nobody can tell either. */
  readonly away: readonly string[];
}

const GROUPS_MAX = 500;
const GROUPS_AT_ONCE = 4;

/** Reads and writes nothing. Groups beyond the deadline are left out, and the numbers say so. */
export async function previewPolicy(
  app: App,
  policies: { readonly before: Policy; readonly after: Policy },
  deadlineAt: number,
): Promise<PolicyPreview> {
  const { before, after } = policies;
  const regions = [...new Set([...before.regions, ...after.regions])];
  const away: string[] = [];
  const groupsOf = async (region: string): Promise<readonly GroupFacts[]> => {
    try {
      return await guardedGroups(app, region, policies);
    } catch (error) {
      // What is mistyped now is refused; what is in force has to be left again, whatever has become of it.
      if (!isAway(error) || !before.regions.includes(region)) throw error;
      away.push(region);
      return [];
    }
  };
  const found = (await Promise.all(regions.map(groupsOf))).flat();
  const guards: PolicyPreview["guards"][number][] = [];
  const begins: PolicyStep[] = [];
  const ceases: PolicyStep[] = [];
  const unreadable: GroupRef[] = [];
  let looked = 0;
  await inParallel(
    found.slice(0, GROUPS_MAX),
    async (facts) => {
      if (app.clock.monotonicMs() >= deadlineAt) return;
      const { ref: group, name: groupName } = facts;
      let members: readonly Member[];
      let plans: readonly [Planned, Planned];
      try {
        members = await app.inventory.members(group, "inventory");
        plans = [await planUnder(app, facts, before), await planUnder(app, facts, after)];
      } catch (error) {
        if (isUnreadable(error)) unreadable.push(group);
        else if (isAway(error)) away.push(group.groupId);
        else throw error;
        return;
      }
      const [then, now] = plans;
      looked += 1;
      if (then.acts !== now.acts) guards.push({ group, groupName, before: then.acts, after: now.acts });
      const stepsOf = (plan: Planned, other: Planned): PolicyStep[] =>
        [...plan.calls].flatMap(([name, call]) => (other.calls.has(name) ? [] : [stepOf(facts, members, plan, call)]));
      begins.push(...stepsOf(now, then));
      ceases.push(...stepsOf(then, now));
    },
    GROUPS_AT_ONCE,
  );
  return { guards, begins, ceases, looked, groups: found.length, unreadable, away };
}

/** Whoever is asked too often answers in a minute. */
const isAway = (error: unknown): boolean => error instanceof CloudFailure && error.kind !== "throttled";

/** Groups that either policy, a tag or a confirmed baseline may have guarded. */
async function guardedGroups(
  app: App,
  region: string,
  { before, after }: { readonly before: Policy; readonly after: Policy },
): Promise<readonly GroupFacts[]> {
  const [groups, rows] = await Promise.all([
    app.inventory.listGroups(region, "inventory"),
    groupRowsOf(app.tables, region),
  ]);
  const named = new Set([...Object.keys(before.groups.guards), ...Object.keys(after.groups.guards)]);
  return groups.filter((facts) => {
    const row = rows.get(facts.ref.groupId) ?? freshGroupRow(facts.ref);
    const isNamed = named.has(facts.ref.groupId) || named.has(facts.name);
    const isKept = row === "unreadable" || row.tagGuard !== "none";
    return !facts.serviceManaged && (isNamed || GUARD_TAG in facts.tags || isKept);
  });
}

interface Planned {
  readonly acts: Guard;
  readonly specs: ReadonlyMap<string, RuleSpec>;
  readonly calls: ReadonlyMap<string, PlannedCall>;
}

/** The plan of a pass that would run now, as if the mode were normal. */
async function planUnder(app: App, facts: GroupFacts, policy: Policy): Promise<Planned> {
  const { ref: group } = facts;
  const { installation, markSecret, lateEffectMaxMs, skewMaxMs } = app.settings;
  const now = app.clock.now();
  const [{ rules }, { entries, unreadable }, { intents, unreadable: unreadIntents }, drift] = await Promise.all([
    app.firewall.readGroup(group, "inventory"),
    listEntries(app.tables, group),
    listIntents(app.tables, group),
    PassDrift.read(app, group, policy),
  ]);
  const isAnyOpening = entries.some((entry) => isOpening(entry, now));
  const openFacts = isAnyOpening ? await readOpenFacts(app, group) : null;
  const sets = openFacts ? await setsNamedBy(app, [rules, ...openFacts.siblings.values()].flat()) : [];
  const { refusals } = openFacts
    ? refusalsOf({ ref: group, rules, entries, facts: openFacts, policy, sets }, now, app.firewall.skewMs(), skewMaxMs)
    : { refusals: new Map() };
  const watch = drift?.watch(entries, unreadable.length > 0, now) ?? null;
  const { calls } = planGroup({
    ...{ now, readAt: now, group, rules, entries, intents, installation, markSecret, lateEffectMaxMs, refusals, watch },
    ...{ mode: "normal", readSince: 0 },
    undone: { max: policy.drift.revertsMax, withinMs: policy.drift.revertsWithinMs },
    stateKnown: true,
    hasUnreadIntents: unreadIntents.length > 0,
    unreadable: new Set(unreadable),
    overdue: new Set(),
    waits: new Set(),
    doubted: new Set(),
    revoked: new Set(),
    accepted: new Set(),
    restated: new Set(),
  });
  return {
    acts: watch?.acts ?? "none",
    specs: new Map(rules.flatMap((rule) => (rule.id === null ? [] : [[rule.id, rule]]))),
    calls: new Map(calls.map((call) => [nameOf(call), call])),
  };
}

const nameOf = (call: PlannedCall): string =>
  call.kind === "authorize" ? `authorize ${call.entry.key}` : `${call.kind} ${call.ruleId}`;

function stepOf(facts: GroupFacts, members: readonly Member[], { specs }: Planned, call: PlannedCall): PolicyStep {
  const spec = call.kind === "revoke" ? specs.get(call.ruleId) : call.entry.spec;
  const isAccept = (spec?.policy ?? "accept") === "accept";
  const does = call.kind === "modify" ? "edits" : (call.kind === "authorize") === isAccept ? "opens" : "closes";
  return {
    group: facts.ref,
    groupName: facts.name,
    does,
    rule: spec ? ruleKey(spec) : call.kind === "revoke" ? call.ruleId : "",
    cause: call.cause,
    reach: reachOf(spec ? [spec] : [], members),
  };
}
