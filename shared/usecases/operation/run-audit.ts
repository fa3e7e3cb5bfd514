// The monthly audit: every group of every region, some at a time, from where the last run stopped.
import {
  type Audit,
  type AuditedGroup,
  type AuditRun,
  type AuditSummary,
  addCounts,
  auditDueAt,
  isFinding,
  lastDueMonth,
  type Month,
  monthBounds,
  monthOf,
  noCounts,
} from "../../domain/audit.ts";
import { dayAfter, dayOf } from "../../domain/evidence.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Lockdown } from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { type RecyclingItem, recyclingIdOf } from "../../domain/recycling-item.ts";
import type { Rule } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { AppError } from "../../errors/app-error.ts";
import { auditGroup, failedGroup, letsIn } from "../../plan/audit-group.ts";
import { evidenceWindow, type RuleAsked, UseJudge, type UseTerms, type UseVerdict } from "../../plan/judge-use.ts";
import { shutTimes } from "../../plan/shut-times.ts";
import { CloudFailure, type GroupFacts, type Member } from "../../ports/firewall.ts";
import {
  auditedGroupWrite,
  auditWrite,
  forgetOtherRuns,
  hasAuditedGroup,
  listAuditedGroups,
  readAudit,
} from "../../store/audits.ts";
import { dueJob, dueWrite, installedSince } from "../../store/due.ts";
import { getGroupRow } from "../../store/group-rows.ts";
import { eachLease } from "../../store/leases.ts";
import { listEntries } from "../../store/ledger.ts";
import { listLockdowns } from "../../store/lockdowns.ts";
import { readStrays } from "../../store/memberships.ts";
import { changesWithin, driftWithin } from "../../store/month-of-group.ts";
import { listRecyclingItems } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { ChangesInPlace } from "../group/changes-in-place.ts";
import { hostsOf, tellJudges } from "../group/group-hosts.ts";
import { protection } from "../group/open-facts.ts";
import { chunks, inParallel } from "../in-parallel.ts";
import { tell } from "../notices/tell.ts";
import { LOCKDOWNS_MAX } from "../recycling/recycling-scene.ts";

export interface AuditOptions {
  readonly policy: Policy;
  readonly month: Month;
  /** Monotonic instant after which no further group is begun. */
  readonly deadlineAt: number;
}

/** Groups at a time; how far the audit is is stored after each of them. */
const GROUPS_AT_ONCE = 6;
const AGAIN_MS = 20_000;
/** Hosts of one group whose evidence is read; beyond, nobody can say that a rule is idle. */
const HOSTS_READ_MAX = 100;

/** Books the audit that is due and was not made, and answers when the next one will be. A month before the installation is not due. */
export async function bookAudit(app: App): Promise<number> {
  const now = app.clock.now();
  const month = lastDueMonth(now);
  const { until } = monthBounds(month) ?? { until: 0 };
  const [audit, since] = await Promise.all([
    readAudit(app.tables, month),
    installedSince(app.tables, app.settings.installation),
  ]);
  if (audit === null && since !== null && since < until)
    await app.tables.writeAll([dueWrite(dueJob("audit", month, now))]);
  // The due month's successor is always the next to come due.
  return auditDueAt(monthOf(until));
}

/**
 * Goes on with the audit of a month. Resolves with the instant at which to go on, or null when it is done. What is stored of an earlier
 * one stays until this one is whole.
 */
export async function runAudit(app: App, options: AuditOptions): Promise<number | null> {
  const time = monthBounds(options.month);
  if (time === null) return null;
  const found = await readAudit(app.tables, options.month);
  if (found === "unreadable") app.log.write("error", `the audit of ${options.month} cannot be read, and is made anew`);
  const stored = found === "unreadable" ? null : found;
  const running = stored?.running ?? { run: app.clock.now(), region: 0, cursor: null, done: 0 };
  const audit: Audit = { month: options.month, summary: stored?.summary ?? null, running };
  if (!stored?.running) await app.tables.writeAll([auditWrite(audit)]);
  return await new Run(app, options, time, audit).goOn(running);
}

type Leases = Map<string, { readonly group: GroupRef; readonly name: string; readonly asked: Map<string, number> }>;

class Run {
  private readonly app: App;
  private readonly options: AuditOptions;
  private readonly time: { readonly from: number; readonly until: number };
  private audit: Audit;
  private leases: Leases = new Map();
  /** By group: owners of rules that took a step in the recycling queue. */
  private readonly recycled = new Map<string, string[]>();
  /** Items that ever were in quarantine. */
  private readonly quarantined = new Map<string, RecyclingItem>();
  private lockdowns: readonly Lockdown[] = [];
  private unreadable = 0;

  constructor(app: App, options: AuditOptions, time: Run["time"], audit: Audit) {
    this.app = app;
    this.options = options;
    this.time = time;
    this.audit = audit;
  }

  async goOn(begun: AuditRun): Promise<number | null> {
    const { app, options } = this;
    const { regions } = options.policy;
    // A run that was begun in time makes some way: what is counted first may take all of it.
    let isStuck = app.clock.monotonicMs() < options.deadlineAt;
    await Promise.all([this.countLeases(), this.countRecycling()]);
    this.lockdowns = await listLockdowns(app.tables, LOCKDOWNS_MAX);
    let at = begun;
    try {
      for (let region = regions[at.region]; region !== undefined; region = regions[at.region]) {
        const page = await app.inventory.groupPage(region, at.cursor, "inventory");
        for (const groups of chunks(page.groups.slice(at.done), GROUPS_AT_ONCE)) {
          if (!isStuck && app.clock.monotonicMs() >= options.deadlineAt) return app.clock.now();
          await this.lookAt(at, groups);
          at = await this.reached({ ...at, done: at.done + groups.length });
          isStuck = false;
        }
        const isRegionDone = page.next === null;
        at = await this.reached({
          ...at,
          region: isRegionDone ? at.region + 1 : at.region,
          cursor: page.next,
          done: 0,
        });
      }
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      // A cursor that the cloud takes no longer: the region from its beginning, which writes the same rows again.
      if (error.kind === "invalid" && at.cursor !== null) await this.reached({ ...at, cursor: null, done: 0 });
      return app.clock.now() + AGAIN_MS;
    }
    await this.addGoneGroups(at);
    return await this.finish(at);
  }

  private async reached(running: AuditRun): Promise<AuditRun> {
    this.audit = { ...this.audit, running };
    await this.app.tables.writeAll([auditWrite(this.audit)]);
    return running;
  }

  private async countLeases(): Promise<void> {
    this.leases = new Map();
    const unreadable = await eachLease(this.app.tables, this.time, ({ group, groupName, principal }) => {
      const its = this.leases.get(group.groupId) ?? { group, name: groupName, asked: new Map() };
      its.asked.set(principal, (its.asked.get(principal) ?? 0) + 1);
      this.leases.set(group.groupId, its);
    });
    this.uncounted("leases", unreadable);
  }

  private async countRecycling(): Promise<void> {
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listRecyclingItems>> = await listRecyclingItems(this.app.tables, {
        after,
        limit: 500,
      });
      for (const item of page.items) {
        const { group, owner, history } = item;
        if (history.some(({ to }) => to === "quarantined")) this.quarantined.set(item.itemId, item);
        const steps = history.filter(({ at }) => at >= this.time.from && at < this.time.until);
        const owners = this.recycled.get(group.groupId) ?? [];
        if (steps.length > 0) this.recycled.set(group.groupId, [...owners, ...steps.map(() => owner)]);
      }
      this.uncounted("rules of the recycling queue", page.unreadable);
      after = page.next;
    } while (after !== null);
  }

  /** Ids of rows that cannot be read hold up no audit: their number is told with it, and who they are is logged. */
  private uncounted(what: string, ids: readonly string[]): void {
    if (ids.length === 0) return;
    this.unreadable += ids.length;
    this.app.log.write("error", `${what} cannot be read and are not in the audit of ${this.options.month}`, { ids });
  }

  private async lookAt({ run }: AuditRun, groups: readonly GroupFacts[]): Promise<void> {
    const audited: AuditedGroup[] = [];
    await inParallel(groups, async (facts) => void audited.push(await this.groupOf(facts)), GROUPS_AT_ONCE);
    await this.app.tables.writeAll(audited.map((it) => auditedGroupWrite(this.options.month, run, it)));
  }

  /** One group that cannot be read keeps no other from its turn; a budget that is used up does. */
  private async groupOf(facts: GroupFacts): Promise<AuditedGroup> {
    const { app, time } = this;
    const { ref: group, name } = facts;
    const leases = this.leases.get(group.groupId)?.asked ?? new Map<string, number>();
    try {
      const [reading, members, { entries, unreadable }, drift, changes] = await Promise.all([
        app.firewall.readGroup(group, "inventory"),
        app.inventory.members(group, "inventory"),
        listEntries(app.tables, group),
        driftWithin(app.tables, group.groupId, time),
        changesWithin(app.tables, group.groupId, time),
      ]);
      // Whose a rule is would not be known of any of them.
      if (unreadable.length > 0)
        return failedGroup(
          { group, name, leases },
          `its ledger cannot be read: ${unreadable.join(", ").slice(0, 200)}`,
        );
      const isOpenInside = reading.innerAccessPolicy === "accept";
      const rules = reading.rules.filter(letsIn);
      const verdicts = await this.judge(rules, { facts, members, entries, isOpenInside });
      return auditGroup({
        ...{ group, name, entries, drift, leases },
        rules: rules.flatMap((rule, index) => {
          const verdict = verdicts[index];
          return verdict === undefined ? [] : [{ rule, verdict }];
        }),
        recycledOwners: this.recycled.get(group.groupId) ?? [],
        changedOwners: changes.map(({ after, before }) => after?.owner ?? before?.owner ?? ""),
      });
    } catch (error) {
      const isOfGroup = error instanceof AppError || (error instanceof CloudFailure && error.kind !== "throttled");
      if (!isOfGroup) throw error;
      return failedGroup({ group, name, leases }, error.message);
    }
  }

  /** The verdicts on rules of a group, in their order: by evidence up to the end of the month, or up to now where that is sooner. */
  private async judge(
    rules: readonly Rule[],
    {
      facts,
      members,
      entries,
      isOpenInside,
    }: {
      readonly facts: GroupFacts;
      readonly members: readonly Member[];
      readonly entries: readonly Entry[];
      readonly isOpenInside: boolean;
    },
  ): Promise<readonly UseVerdict[]> {
    const { app, lockdowns } = this;
    const { policy } = this.options;
    const now = Math.min(app.clock.now(), this.time.until);
    const terms: UseTerms = { recycling: policy.recycling, foreignWriters: policy.foreignWriters, now };
    const { groupId } = facts.ref;
    const isProtected = protection(facts, members, policy, await getGroupRow(app.tables, facts.ref)) !== null;
    const sameGroup = isOpenInside ? members.flatMap(({ address, ipv6 }) => [address, ...ipv6]) : [];
    const changes = await ChangesInPlace.read(app, facts.ref);
    const groupIds = new Set<string>([groupId, ...members.flatMap((member) => member.groupIds)]);
    const byKey = new Map(entries.map((entry) => [entry.key, entry]));
    // Today tells of use as well; the day after the month does not belong to it.
    const last = now === this.time.until ? now - 1 : now;
    const group = { groupId, name: facts.name };
    const [from = dayOf(now)] = rules.map((rule) => evidenceWindow({ rule, group }, terms).from).sort();
    const [hosts, strays] = await Promise.all([
      hostsOf(app, { groupId, members }, from, last),
      readStrays(app.tables, facts.ref.region, from, dayAfter(dayOf(last), 1)),
    ]);
    const read = (hosts ?? []).slice(0, HOSTS_READ_MAX);
    const unread = hosts?.length === read.length ? null : "not all of its hosts were looked at";
    const judges = rules.map((rule) => {
      const changedAt = changes.of(rule, now);
      const key = ruleKey(rule);
      const item = this.quarantined.get(recyclingIdOf(groupId, entryIdOf(groupId, key))) ?? null;
      const asked: RuleAsked = {
        ...{ rule, group, isProtected, sameGroup, unread, strays },
        entry: byKey.get(key) ?? null,
        // What was changed after the month had not been by its end.
        changedAt: changedAt !== null && changedAt < now ? changedAt : null,
        shut: shutTimes({ rule, item, groupIds, lockdowns, entries, now }),
      };
      return new UseJudge(asked, terms);
    });
    await tellJudges(app, read, judges, last);
    return judges.map((judge) => judge.verdict());
  }

  /** Groups that are gone by now and had leases in the month. */
  private async addGoneGroups({ run }: AuditRun): Promise<void> {
    const { app, options } = this;
    await inParallel([...this.leases.values()], async ({ group, name, asked }) => {
      if (await hasAuditedGroup(app.tables, options.month, run, group)) return;
      const gone = failedGroup({ group, name, leases: asked }, "the group is gone, or not in a region of the policy");
      await app.tables.writeAll([auditedGroupWrite(options.month, run, gone)]);
    });
  }

  /** Adds up what is stored, so that a group that was looked at twice counts once. */
  private async finish({ run }: AuditRun): Promise<null> {
    const { app, options } = this;
    const { month, policy } = options;
    const computedAt = app.clock.now();
    const head = { run, computedAt, policyVersion: policy.version };
    let summary: AuditSummary = {
      ...head,
      groups: 0,
      failed: 0,
      findings: 0,
      unreadable: this.unreadable,
      totals: noCounts,
    };
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof listAuditedGroups>> = await listAuditedGroups(app.tables, month, run, {
        after,
        limit: 50,
      });
      for (const { owners, ports, failed } of page.groups)
        summary = {
          ...summary,
          groups: summary.groups + 1,
          failed: summary.failed + (failed === null ? 0 : 1),
          findings: summary.findings + ports.filter(isFinding).length,
          totals: owners.reduce(addCounts, summary.totals),
        };
      after = page.next;
    } while (after !== null);
    await tell(app, [
      noticeOf("auditReady", {
        at: computedAt,
        group: null,
        to: [
          { kind: "role", role: "auditor" },
          { kind: "role", role: "operator" },
        ],
        dedupe: `${month}/${run}`,
        data: { month, groups: summary.groups, findings: summary.findings },
      }),
    ]);
    await app.tables.writeAll([auditWrite({ month, summary, running: null })]);
    while (!(await forgetOtherRuns(app.tables, month, run, 500)));
    return null;
  }
}
