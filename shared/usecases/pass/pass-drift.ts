// What a pass that watches a guarded group needs to judge differences, and what it writes down of them.
import { type DriftItem, driftIdOf, isOpenDrift } from "../../domain/drift-item.ts";
import { type GroupRow, strongerGuard } from "../../domain/guard.ts";
import type { GroupRef, RuleKey } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { type Notice, noticeOf } from "../../domain/notice.ts";
import { windowAt } from "../../domain/open-hours.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { settlementOf } from "../../domain/settlement.ts";
import type { Sighting } from "../../domain/sighting.ts";
import { AppError } from "../../errors/app-error.ts";
import { type Adoption, revertsKeptMs } from "../../plan/drift-case.ts";
import { driftNotices } from "../../plan/drift-notices.ts";
import {
  allocationsDigest,
  baselineAgrees,
  type EffectiveGuard,
  effectiveGuard,
  GUARD_TAG,
  guardOfTag,
  isSameDigest,
} from "../../plan/effective-guard.ts";
import type { Watch, WatchedInterface } from "../../plan/picture.ts";
import type { DriftPlan } from "../../plan/plan-drift.ts";
import { CloudFailure, type GroupFacts } from "../../ports/firewall.ts";
import { listOpenDrift, saveDrift } from "../../store/drift-items.ts";
import { dueDrift, dueWrite } from "../../store/due.ts";
import { getGroupRow, saveGroupRow } from "../../store/group-rows.ts";
import { listEntries } from "../../store/ledger.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { listSightings } from "../../store/sightings.ts";
import type { App } from "../app.ts";
import { shownDriftId } from "../drift/drift-id.ts";
import { readInterfaces } from "../group/read-interfaces.ts";
import { type AllocationChange, changeAllocations } from "../ledger/change-allocations.ts";
import { inTurn } from "../ledger/sensitive-ports.ts";
import { tell } from "../notices/tell.ts";

/** Whoever grants a sensitive port has done so by then. */
const BUSY_MS = 10_000;

interface Stored {
  readonly row: GroupRow;
  readonly items: readonly DriftItem[];
  readonly unreadable: readonly string[];
  readonly sightings: readonly Sighting[];
  readonly interfaces: readonly WatchedInterface[];
}

/** The drift of a group while a pass holds its lock. */
export class PassDrift {
  /** What became of differences, in words. */
  readonly lines: string[] = [];
  /** The lines of the policy by which that was decided. */
  readonly decidedBy = new Set<string>();
  /** True once an item was stored in this pass. */
  hasStored = false;
  private readonly app: App;
  private readonly group: GroupRef;
  private readonly policy: Policy;
  private readonly facts: GroupFacts;
  private readonly sightings: readonly Sighting[];
  private readonly interfaces: readonly WatchedInterface[];
  private row: GroupRow;
  private items: readonly DriftItem[];
  /** Ids of open items that cannot be read: whatever differs may be one of them, and what was decided about it is not known. */
  private unreadable: readonly string[];
  private told = false;
  /** True where something is to be adopted another time. */
  private waits = false;
  /** How many hosts the group's rules act on, counted once something has changed that; null before, and where nobody can tell. */
  private hosts: number | null = null;
  private counted = false;
  private fallBackTold = false;

  private constructor(app: App, policy: Policy, facts: GroupFacts, stored: Stored) {
    this.app = app;
    this.group = facts.ref;
    this.policy = policy;
    this.facts = facts;
    this.row = stored.row;
    this.items = stored.items;
    this.unreadable = stored.unreadable;
    this.sightings = stored.sightings;
    this.interfaces = stored.interfaces;
  }

  /** Reads what is kept of the group's drift; null for a group that is gone, and its drift with it. */
  static async read(app: App, group: GroupRef, policy: Policy): Promise<PassDrift | null> {
    const facts = await app.inventory.group(group, "drift");
    if (!facts) {
      const now = app.clock.now();
      for (const item of (await listOpenDrift(app.tables, group, now)).items)
        await saveDrift(app.tables, { ...item, state: "gone", heldBy: null, changedAt: now }, now);
      return null;
    }
    const [row, open, { sightings }] = await Promise.all([
      getGroupRow(app.tables, group),
      listOpenDrift(app.tables, group, app.clock.now()),
      listSightings(app.tables, group.groupId),
    ]);
    const interfaces = policy.operatorPath.length > 0 ? await readInterfaces(app, group) : [];
    const told = sightings.filter(({ failed, region }) => failed === null && region === group.region);
    // A tag of some minutes ago would take back what a person has said since: it raises a guard only as it is now.
    const asked = guardOfTag(facts.tags);
    const isRaised = strongerGuard(row.tagGuard, asked) !== row.tagGuard;
    const now = isRaised ? ((await app.inventory.group(group, "drift", true)) ?? facts) : facts;
    return new PassDrift(app, policy, now, { row, ...open, interfaces, sightings: told });
  }

  /** How far the group is guarded, by the ledger as it was read. */
  guard(entries: readonly Entry[]): EffectiveGuard {
    return effectiveGuard({ policy: this.policy, facts: this.facts, row: this.row, entries });
  }

  /** What differences are judged by. */
  watch(entries: readonly Entry[], isLedgerHalfRead: boolean, now: number): Watch {
    const { policy, row } = this;
    const isHalfRead = isLedgerHalfRead || this.unreadable.length > 0;
    const guard = this.guard(entries);
    this.warn(guard);
    const { drift, lease, limits } = policy;
    const { firewall, settings } = this.app;
    const skewMs = firewall.skewMs();
    return {
      acts: this.facts.serviceManaged ? "none" : guard.acts,
      aheadMs: Math.abs(skewMs) > settings.skewMaxMs ? skewMs : 0,
      terms: {
        drift,
        foreignWriters: policy.foreignWriters,
        trustedPrincipals: policy.trustedPrincipals,
      },
      sensitivePorts: lease.sensitivePorts,
      confirmedAt: row.baseline?.confirmedAt ?? now,
      mayAdopt: !isHalfRead && (row.baseline === null || baselineAgrees(row.baseline, entries)),
      sightings: this.sightings,
      items: this.items,
      reverts: row.reverts,
      holds: new Set(row.holds.map((hold) => hold.key)),
      frozenUntil: drift.freeze ? (windowAt(drift.freeze, now)?.until ?? null) : null,
      isHalfRead,
      changesMax: limits.changesPerPass,
      hosts: this.hosts,
      core: policy.lockdown.core,
      operatorPath: policy.operatorPath,
      interfaces: this.interfaces,
    };
  }

  /** Counts the hosts for what is new in a plan. Answers true when they were counted now: its items are to say how many. */
  async countHosts({ items }: DriftPlan): Promise<boolean> {
    if (this.counted || !items.some((item) => item.rev === 0)) return false;
    this.counted = true;
    try {
      const members = await this.app.inventory.members(this.group, "drift");
      this.hosts = new Set(members.map(({ instanceId, eniId }) => instanceId ?? eniId)).size;
    } catch (error) {
      // What is told without a number is told nonetheless.
      if (!(error instanceof CloudFailure)) throw error;
    }
    return this.hosts !== null;
  }

  /** Stores what has moved, before any call. Answers true when a row had changed meanwhile and the plan is out of date. */
  async writeDown(drift: DriftPlan, entries: readonly Entry[], now: number): Promise<boolean> {
    const { app, group } = this;
    const adopted = await this.adopt(drift, entries, now);
    if (adopted === "outdated") return true;
    const isAdopted = adopted === "adopted";
    const items = new Map(this.items.map((item) => [item.driftId, item]));
    const moved = [...drift.items, ...this.guardItems(entries, now)].filter(
      (item) => item.state !== "adopted" || isAdopted,
    );
    const { acts, line } = this.guard(entries);
    if (acts === "none" && drift.items.length > 0)
      this.lines.push(`the group is guarded no more (${line}): what was open of its drift is over`);
    // Told before it is stored: a crash in between has it told again under the same id, and not left out.
    await tell(app, [
      ...driftNotices(moved, entries, now, shownDriftId),
      ...this.fallBackNotices(entries, now),
      ...this.unreadableNotices(now),
    ]);
    for (const item of moved) {
      const saved = await saveDrift(app.tables, item, now);
      if (!saved) {
        // Somebody decided about it meanwhile: the next round goes by that.
        const { items: open, unreadable } = await listOpenDrift(app.tables, group, app.clock.now());
        this.items = open;
        this.unreadable = unreadable;
        return true;
      }
      this.hasStored = true;
      if (isOpenDrift(saved)) items.set(saved.driftId, saved);
      else items.delete(saved.driftId);
      for (const line of linesBehind(saved, this.guard(entries))) this.decidedBy.add(line);
      // The call itself is told where it is made.
      if (saved.state !== "rollingBack") this.lines.push(inWords(saved));
    }
    this.items = [...items.values()];
    // Counted by item, and so after it: what is counted has a row that the next pass finds.
    return (await this.writeRow(drift, entries, now)) || (isAdopted && drift.adoptions.length > 0);
  }

  /**
   * A ledger that takes no change now keeps nothing of the group from its end: what is to be adopted waits. What opens a sensitive port is
   * adopted in turn, and by the ledger that the plan was made from alone: what was granted since counts with it.
   */
  private async adopt(
    { adoptions, items }: DriftPlan,
    entries: readonly Entry[],
    at: number,
  ): Promise<"adopted" | "waits" | "outdated"> {
    if (adoptions.length === 0) return "adopted";
    const { app, group, policy } = this;
    const planned = allocationsDigest(entries);
    const specs = adoptions.flatMap(openedBy);
    try {
      return await inTurn(app, policy, { group, specs, waitMaxMs: 0 }, async (mayWrite) => {
        const now = await listEntries(app.tables, group);
        const isOutdated = isAskedAnew(adoptions, entries, now.entries);
        if (!isSameDigest(planned, allocationsDigest(now.entries)) || isOutdated) return "outdated";
        for (const adoption of adoptions) {
          const isOwed = adoption.allocation === null && isOwedIn(entries, adoption);
          const change: AllocationChange = isOwed ? adoption : { ...adoption, unlessOwed: true };
          // Once the ledger has it no look finds a difference any more: whoever is to be told is told before.
          const its = items.filter((item) => item.state === "adopted" && isAbout(item, adoption));
          const told = noticeWrites(...driftNotices(its, entries, at, shownDriftId));
          await changeAllocations(app, group, adoption.by, [change], mayWrite, its.length > 0 ? told : []);
        }
        const after = await listEntries(app.tables, group);
        return isAskedAnew(adoptions, entries, after.entries) ? "outdated" : "adopted";
      });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      app.log.write("error", `the ledger of ${group.groupId} takes no change now`, { code: error.code });
      this.waits = true;
      if (error.code === "GROUP_BUSY")
        await app.tables.writeAll([dueWrite(dueDrift(group, app.clock.now() + BUSY_MS, app.settings.shards))]);
      return "waits";
    } finally {
      this.row = await getGroupRow(app.tables, group);
    }
  }

  /** A pass had nothing to do with these rules; what something else than a person keeps back may be done another time. */
  async settle(digest: string, entries: readonly Entry[]): Promise<void> {
    if (
      this.waits ||
      this.unreadable.length > 0 ||
      this.items.some((item) => item.heldBy !== null && item.heldBy !== "hold")
    )
      return;
    const rules = settlementOf(this.guard(entries).level, digest);
    const settled = { rules, policyVersion: this.policy.version };
    if (JSON.stringify(this.row.settled) === JSON.stringify(settled)) return;
    // A row that was changed meanwhile is not settled.
    await saveGroupRow(this.app.tables, { ...this.row, settled });
  }

  /** Counters and holds go with the group's row, so that they outlive this process. */
  private async writeRow({ reverts, holds }: DriftPlan, entries: readonly Entry[], now: number): Promise<boolean> {
    const { row, policy } = this;
    const { tagGuard, guardName, deniedName } = this.guard(entries);
    const since = now - revertsKeptMs(policy.drift);
    const counted = new Set(row.reverts.map((revert) => revert.driftId));
    const added = reverts.filter((revert) => !counted.has(revert.driftId));
    const isAsked = tagGuard === row.tagGuard && guardName === row.guardName && deniedName === row.deniedName;
    if (added.length === 0 && holds.length === 0 && isAsked) return false;
    const held = new Set<RuleKey>(row.holds.map((hold) => hold.key));
    const saved = await saveGroupRow(this.app.tables, {
      ...row,
      tagGuard,
      guardName,
      deniedName,
      reverts: [...row.reverts.filter(({ at }) => at > since), ...added],
      holds: [...row.holds, ...holds.filter((key) => !held.has(key)).map((key) => ({ key, since: now }))],
    });
    this.row = saved ?? (await getGroupRow(this.app.tables, this.group));
    return saved === null;
  }

  /** A tag that asks for less guarding is drift too; it changes nothing until a person confirms it. */
  private guardItems(entries: readonly Entry[], now: number): readonly DriftItem[] {
    const { tagLowered } = this.guard(entries);
    const open = this.items.find((item) => item.kind === "guard");
    if (open) return tagLowered ? [] : [{ ...open, state: "gone", changedAt: now }];
    if (!tagLowered) return [];
    const key = GUARD_TAG as RuleKey;
    const item: DriftItem = {
      driftId: driftIdOf([this.group.groupId, "guard", String(now)]),
      group: this.group,
      kind: "guard",
      key,
      entryId: null,
      ruleId: null,
      found: null,
      wanted: null,
      reach: `asks for less than the guard ${this.row.tagGuard} that the group has`,
      verdict: { kind: "drift", why: "a tag alone lowers no guard" },
      state: "reported",
      attribution: null,
      firstSeenAt: now,
      changedAt: now,
      heldBy: null,
      rev: 0,
    };
    return [item];
  }

  /** A group that fell back from its confirmed baseline is told of once a day. */
  private fallBackNotices(entries: readonly Entry[], now: number): readonly Notice[] {
    const { level, acts, why } = this.guard(entries);
    const { group, row } = this;
    if (row.baseline === null || level === acts || this.fallBackTold) return [];
    this.fallBackTold = true;
    const to = [{ kind: "role", role: "operator" }, { kind: "group" }] as const;
    const dedupe = `${group.groupId}/${row.baseline.digest}/${formatUtc(now).slice(0, 10)}`;
    return [noticeOf("guardFellBack", { at: now, group, to, dedupe, data: { why: why.join("; ") } })];
  }

  /** What cannot be read keeps everything in the group from being rolled back: people are told once a day. */
  private unreadableNotices(now: number): readonly Notice[] {
    const { group, unreadable } = this;
    if (unreadable.length === 0) return [];
    const what = `the drift of ${group.groupId} cannot be read in full (${unreadable.join(", ").slice(0, 300)}): nothing is rolled back there until it can`;
    if (!this.lines.includes(what)) this.lines.push(what);
    const to = [{ kind: "role", role: "operator" }, { kind: "group" }] as const;
    const dedupe = `drift-unreadable/${group.groupId}/${formatUtc(now).slice(0, 10)}`;
    return [noticeOf("healthAlarm", { at: now, group, to, dedupe, data: { what, since: null } })];
  }

  private warn({ level, acts, why }: EffectiveGuard): void {
    if (why.length === 0 || this.told) return;
    this.told = true;
    const { groupId } = this.group;
    this.app.log.write("warn", `the group ${groupId} is guarded as ${acts}, asked for is ${level}`, { why });
  }
}

/** True where somebody has had a rule back that was to be retired: their word is later than the plan. */
const isAskedAnew = (adoptions: readonly Adoption[], planned: readonly Entry[], now: readonly Entry[]): boolean =>
  adoptions.some((it) => it.allocation === null && !isOwedIn(planned, it) && isOwedIn(now, it));

const isAbout = ({ found, wanted }: DriftItem, { spec }: Adoption): boolean =>
  [found, wanted].some((kept) => kept !== null && ruleKey(kept.spec) === ruleKey(spec));

const isOwedIn = (entries: readonly Entry[], { spec }: Adoption): boolean =>
  entries.some(({ key, allocation }) => key === ruleKey(spec) && allocation?.seenAt === null);

/** What an adoption may let through: its rule, or what a drop that goes with it has kept out. */
const openedBy = ({ spec, allocation }: Adoption): readonly RuleSpec[] =>
  allocation !== null ? [spec] : spec.policy === "drop" ? [{ ...spec, policy: "accept" }] : [];

/** What of the policy has made an item what it is: who is believed to write rules, and how the group is guarded. */
function linesBehind({ verdict, heldBy }: DriftItem, { line }: EffectiveGuard): readonly string[] {
  if (verdict.kind === "foreign") return [`foreignWriters: ${verdict.writer}`];
  const trusted = verdict.kind === "trusted" ? [`trustedPrincipals: ${verdict.principal}, ${verdict.treat}`] : [];
  return [line, ...trusted, ...(heldBy === null ? [] : [`held by ${heldBy}`])];
}

/** An item for the record: what, who, what it opened or closed, and what was done. */
function inWords({ driftId, kind, ruleId, reach, verdict, state, heldBy, attribution: by }: DriftItem): string {
  const who = by
    ? `${by.actor} (${by.actorType}) from ${by.address}, ${by.operation} ${by.requestId}, event ${by.eventId}`
    : "nobody known";
  const why =
    verdict.kind === "drift"
      ? verdict.why
      : verdict.kind === "foreign"
        ? `${verdict.writer} writes it`
        : verdict.kind === "trusted"
          ? `${verdict.principal} is trusted`
          : verdict.unasked
            ? "the trail was not asked yet about the event that names its writer"
            : "its writer is not known yet";
  return `drift ${driftId}: ${kind} ${ruleId ?? ""}, ${reach}; by ${who}; ${why}; ${state}${heldBy ? ` (${heldBy})` : ""}`;
}
