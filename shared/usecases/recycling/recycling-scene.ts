// What has to be known of a group to decide about its unused rules: the rules, who they act on, the ledger, and the evidence.
import { parseObservedCidr } from "../../domain/cidr.ts";
import { type Day, dayAfter, dayOf, type StrayUse } from "../../domain/evidence.ts";
import type { GroupRow } from "../../domain/guard.ts";
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Lockdown } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import {
  countsFrom,
  isInQueue,
  isOnShortEvidence,
  type Judged,
  type Quarantine,
  type RecyclingItem,
} from "../../domain/recycling-item.ts";
import type { Rule, RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import type { StandbySet } from "../../domain/standby.ts";
import type { QuarantineWatch } from "../../plan/advance-item.ts";
import { letsIn } from "../../plan/audit-group.ts";
import { doubtOf } from "../../plan/effective-guard.ts";
import { type RuleAsked, UseJudge, type UseTerms, type UseVerdict } from "../../plan/judge-use.ts";
import { planQuarantine, type QuarantineGroup, type QuarantinePlan } from "../../plan/plan-quarantine.ts";
import { shutTimes } from "../../plan/shut-times.ts";
import { weightOfRules } from "../../plan/standby-drops.ts";
import { watchQuarantine } from "../../plan/watch-quarantine.ts";
import {
  type CallPriority,
  CloudFailure,
  type GroupFacts,
  type GroupReading,
  type Member,
} from "../../ports/firewall.ts";
import { getGroupRow } from "../../store/group-rows.ts";
import { listEntries } from "../../store/ledger.ts";
import { listLockdowns } from "../../store/lockdowns.ts";
import { readStrays } from "../../store/memberships.ts";
import type { App } from "../app.ts";
import { ChangesInPlace } from "../group/changes-in-place.ts";
import { type GroupHost, HOSTS_MAX, hostsOf, readForWatch, tellJudges } from "../group/group-hosts.ts";
import { noteMembers } from "../group/note-hosts.ts";
import { membersOf, protection } from "../group/open-facts.ts";
import { setsNamedBy } from "../group/sets-named-by.ts";
import { EVIDENCE_DAYS, earlierNow, firstOpenDay, lateFrom, readEarlier } from "./earlier-peers.ts";

/** All that are kept, for as long as evidence lives. */
export const LOCKDOWNS_MAX = 100_000;

/** A rule judged: the verdict of the evidence, and why it stays out of the queue whatever that says. */
export interface RuleJudgement {
  readonly judged: Judged;
  readonly staysOut: string | null;
  /** Why the policy's whole window does not say what `judged` says of a shorter one; null where it does. */
  readonly short: readonly string[] | null;
}

/** A rule to judge. */
export interface JudgeAsk {
  readonly rule: Rule;
  /** The rule's item, where it has one. */
  readonly item: RecyclingItem | null;
  /** Days that do to be queued, where an alarm speaks of the rule. */
  readonly early?: number | undefined;
}

/** A group as one run sees it. Everything that costs a call is read once, and evidence when it is first asked for. */
export class RecyclingScene {
  readonly group: GroupRef;
  readonly name: string;
  /** Why the group is observed, where its ledger is not the one that was confirmed, and what to do; null where it is. */
  readonly doubt: string | null;
  private read: readonly Rule[];
  readonly entries: readonly Entry[];
  readonly members: readonly Member[];
  private readonly app: App;
  private readonly policy: Policy;
  private readonly groups: Map<string, QuarantineGroup>;
  /** Those whose lists its rules name. */
  private readonly sets: readonly StandbySet[];
  private readonly protectedBy: string | null;
  private readonly hosts = new Map<Day, Promise<readonly GroupHost[] | null>>();
  private readonly lockdowns: () => Promise<readonly Lockdown[]>;
  private changes: Promise<ChangesInPlace> | null = null;

  private constructor(app: App, policy: Policy, read: Read, lockdowns: () => Promise<readonly Lockdown[]>) {
    this.lockdowns = lockdowns;
    const { facts, row, reading, members, entries, groups, sets } = read;
    this.app = app;
    this.policy = policy;
    this.group = facts.ref;
    this.name = facts.name;
    const doubt = row.baseline === null ? null : doubtOf(row.baseline, entries);
    this.doubt = doubt && `enforce acts as observe: ${doubt}, POST /v1/groups/${facts.ref.groupId}/baseline`;
    this.read = reading.rules;
    this.entries = entries;
    this.members = members;
    this.groups = new Map(groups);
    this.sets = sets;
    this.protectedBy = protection(facts, members, policy, row);
  }

  /** Null for a group that is gone. Throws CloudFailure where it cannot be read in full. Whoever reads many says what is known of all. */
  static async read(
    app: App,
    policy: Policy,
    group: GroupRef,
    priority: CallPriority,
    known: { readonly facts?: GroupFacts; readonly lockdowns?: () => Promise<readonly Lockdown[]> } = {},
  ): Promise<RecyclingScene | null> {
    const { lockdowns = () => listLockdowns(app.tables, LOCKDOWNS_MAX) } = known;
    const facts = known.facts ?? (await app.inventory.group(group, priority));
    if (facts === null) return null;
    const [row, reading, members, { entries }] = await Promise.all([
      getGroupRow(app.tables, group),
      app.firewall.readGroup(group, priority),
      app.inventory.members(group, priority),
      listEntries(app.tables, group),
    ]);
    const others = new Set(members.flatMap(({ groupIds }) => groupIds).filter((id) => id !== group.groupId));
    const read = await Promise.all([...others].map((groupId) => readSibling(app, { ...group, groupId }, priority)));
    const siblings = read.flatMap((it) => it ?? []);
    const groups = new Map([reading, ...siblings].map((it) => [it.ref.groupId as string, quarantineGroupOf(it)]));
    const sets = await setsNamedBy(
      app,
      [reading, ...siblings].flatMap(({ rules }) => rules),
    );
    return new RecyclingScene(app, policy, { facts, row, reading, members, entries, groups, sets }, lockdowns);
  }

  get rules(): readonly Rule[] {
    return this.read;
  }

  /** Reads the rules of all of its groups anew, before a step and after it: what the next one hits is judged by what stands then. */
  async readAgain(priority: CallPriority): Promise<void> {
    const { app, group, groups } = this;
    const siblings = [...groups.keys()].filter((groupId) => groupId !== group.groupId);
    const [own, ...others] = await Promise.all([
      app.firewall.readGroup(group, priority),
      ...siblings.map((groupId) => readSibling(app, { ...group, groupId: groupId as GroupId }, priority)),
    ]);
    this.read = own.rules;
    groups.clear();
    for (const reading of [own, ...others]) if (reading) groups.set(reading.ref.groupId, quarantineGroupOf(reading));
  }

  /** The rule with the key as it stands; null when the reading does not show it. */
  ruleOf({ key }: Pick<RecyclingItem, "key">): Rule | null {
    return this.rules.find((rule) => rule.id !== null && ruleKey(rule) === key) ?? null;
  }

  entryOf({ entryId }: Pick<RecyclingItem, "entryId">): Entry | null {
    return this.entries.find((entry) => entry.entryId === entryId) ?? null;
  }

  /** What the evidence says of one rule. */
  async judge(ask: JudgeAsk, now: number): Promise<RuleJudgement> {
    const [judgement] = await this.judgeAll([ask], now);
    if (judgement === undefined) throw new Error("a rule was not judged");
    return judgement;
  }

  /**
   * What the evidence says of rules, in their order; every host is read once for all of them. One that an alarm had queued is judged by
   * the alarm's window, and by the policy's as well: with the shorter one it may be queued and its owner told, and no more.
   */
  async judgeAll(asks: readonly JudgeAsk[], now: number): Promise<readonly RuleJudgement[]> {
    if (asks.length === 0) return [];
    const [changes, lockdowns] = await Promise.all([this.changesInPlace(), this.lockdowns()]);
    const { recycling } = this.policy;
    const judgesOf = (strays: readonly StrayUse[], unread: string | null) =>
      asks.map((ask) => {
        const asked = { ...this.asked(ask, { changes, lockdowns, now }), strays, unread };
        const judge = (windowDays: number): UseJudge => new UseJudge(asked, this.termsOf(windowDays, now));
        const own = Math.min(shortWindowOf(ask) ?? recycling.windowDays, recycling.windowDays);
        return { full: judge(recycling.windowDays), short: own < recycling.windowDays ? judge(own) : null };
      });
    const from =
      judgesOf([], null)
        .map(({ full }) => full.window.from)
        .sort()[0] ?? dayOf(now);
    const [hosts, strays] = await Promise.all([
      this.hostsSince(from, now),
      readStrays(this.app.tables, this.group.region, from, dayAfter(dayOf(now), 1)),
    ]);
    const judges = judgesOf(strays, hosts === null ? TOO_MANY : null);
    const all = judges.flatMap(({ full, short }) => (short === null ? [full] : [full, short]));
    await tellJudges(this.app, hosts ?? [], all, now);
    return judges.map(({ full, short }) => judgementOf(full.verdict(), short?.verdict() ?? null, now));
  }

  private termsOf(windowDays: number, now: number): UseTerms {
    const { recycling, foreignWriters } = this.policy;
    return { recycling: { ...recycling, windowDays }, foreignWriters, now };
  }

  private asked(
    { rule, item }: JudgeAsk,
    known: { readonly changes: ChangesInPlace; readonly lockdowns: readonly Lockdown[]; readonly now: number },
  ): RuleAsked {
    const { entries } = this;
    const { changes, lockdowns, now } = known;
    const key = ruleKey(rule);
    return {
      rule,
      group: { groupId: this.group.groupId, name: this.name },
      isProtected: this.protectedBy !== null,
      changedAt: changes.of(rule, now),
      shut: shutTimes({ rule, item, entries, now, groupIds: new Set(this.groups.keys()), lockdowns }),
      entry: entries.find((entry) => entry.key === key) ?? null,
      sameGroup: this.sameGroup(),
    };
  }

  /** The drop that would quarantine the rule, on the merged rules of every interface; as if `standing`, ours already, were not there. */
  plan(rule: Rule, standing?: RuleSpec): QuarantinePlan {
    const { group, policy, protectedBy } = this;
    const drop = standing && ruleKey(standing);
    const without = (it: QuarantineGroup): QuarantineGroup =>
      it.groupId === group.groupId ? { ...it, rules: it.rules.filter((each) => ruleKey(each) !== drop) } : it;
    const reached = membersOf(this.members, rule);
    const own = this.groups.get(group.groupId) ?? { groupId: group.groupId, isOpenInside: true, rules: this.rules };
    return planQuarantine({
      rule,
      group: without(own),
      interfaces: reached.map((member) => ({
        eniId: member.eniId,
        addresses: [member.address, ...member.ipv6].flatMap((text) => parseObservedCidr(text) ?? []),
        groups: member.groupIds.flatMap((groupId) => this.groups.get(groupId) ?? []).map(without),
      })),
      protectedBy,
      operatorPath: policy.operatorPath,
      rulesMax: policy.limits.rulesPerInterface,
      sets: this.sets,
    });
  }

  /** Why the cloud may not take a rule back, in words, and why the group takes no other: what the policy denies gets back what was there. */
  obstacles(): readonly string[] {
    const { protectedBy, members, groups, policy } = this;
    const max = policy.limits.rulesPerInterface;
    const full = members.find(({ groupIds }) => {
      const merged = groupIds.flatMap((groupId) => groups.get(groupId)?.rules ?? []);
      return weightOfRules(merged, this.sets) >= max;
    });
    return [
      ...(protectedBy === null ? [] : [`the group takes no new rule from us (${protectedBy}), but this one back`]),
      ...(full === undefined ? [] : [`${full.eniId} has ${max} rules or more: there may be no room for it`]),
    ];
  }

  /** Who used the rule as far back as evidence lives, and from where on more may come to be known. */
  async earlier(rule: Rule, now: number): Promise<Pick<Quarantine, "earlier" | "earlierFrom">> {
    const { recycling } = this.policy;
    const earlierFrom = await firstOpenDay(this.app, this.group, recycling, now);
    const from = dayAfter(dayOf(now), -EVIDENCE_DAYS);
    const hosts = await this.hostsSince(from, now);
    if (hosts === null) return { earlier: { blocks: [], more: true }, earlierFrom };
    const [earlier] = await readEarlier(this.app, hosts, [{ rule, from, before: now }], recycling);
    return { earlier: earlier ?? { blocks: [], more: true }, earlierFrom };
  }

  /** The item with who used the rule before its quarantine, as far as that is known by now: records come late. */
  async withLate(item: RecyclingItem, now: number): Promise<RecyclingItem> {
    const { quarantine } = item;
    const from = quarantine && lateFrom(quarantine);
    if (!from) return item;
    const { app, group, policy } = this;
    // Before the evidence is read, so that what is said to be read is.
    const earlierFrom = await firstOpenDay(app, group, policy.recycling, now);
    const hosts = await this.hostsSince(from, now);
    if (hosts === null) return item;
    const [earlier = quarantine.earlier] = await earlierNow(app, hosts, [{ ...item, quarantine }], policy.recycling);
    return { ...item, quarantine: { ...quarantine, earlier, earlierFrom } };
  }

  /** What is known since the quarantine began; null where it has not. */
  async watch({ quarantine, kept }: RecyclingItem, now: number): Promise<QuarantineWatch | null> {
    const shownAt = quarantine?.at ?? null;
    const since = quarantine && countsFrom(quarantine);
    if (quarantine === null || shownAt === null || since === null) return null;
    const { app, policy } = this;
    const { recycling } = policy;
    const { earlier } = quarantine;
    const rule = kept.spec;
    const hosts = await this.hostsSince(dayOf(since), now);
    if (hosts === null) return { visitors: [], strangers: [], silentMs: 0, gaps: [TOO_MANY] };
    const span = { from: dayOf(since), until: dayAfter(dayOf(now), 1) };
    const members = await readForWatch(app, hosts, [rule], span);
    return watchQuarantine({ rule, since, shownAt, now, earlier, members, sameGroup: this.sameGroup(), recycling });
  }

  /** Members that reach each other whatever the rules say. */
  private sameGroup(): readonly string[] {
    if (this.groups.get(this.group.groupId)?.isOpenInside === false) return [];
    return this.members.flatMap(({ address, ipv6 }) => [address, ...ipv6]);
  }

  private hostsSince(from: Day, now: number): Promise<readonly GroupHost[] | null> {
    const known = this.hosts.get(from);
    if (known) return known;
    const read = hostsOf(this.app, { groupId: this.group.groupId, members: this.members }, from, now);
    this.hosts.set(from, read);
    return read;
  }

  /** Keeps what the rules say now, so that the next look sees which were changed in place, and who is in the group. */
  async remember(now: number): Promise<void> {
    await (await this.changesInPlace()).remember(this.rules, now);
    await noteMembers(this.app, this.group, this.members, now);
  }

  private changesInPlace(): Promise<ChangesInPlace> {
    this.changes ??= ChangesInPlace.read(this.app, this.group, this.rules.filter(letsIn));
    return this.changes;
  }
}

interface Read {
  readonly facts: GroupFacts;
  readonly row: GroupRow;
  readonly reading: GroupReading;
  readonly members: readonly Member[];
  readonly entries: readonly Entry[];
  readonly groups: ReadonlyMap<string, QuarantineGroup>;
  readonly sets: readonly StandbySet[];
}

/** Who is in which group is known for minutes: of one that was deleted since no rule acts on anybody. Null for it. */
async function readSibling(app: App, group: GroupRef, priority: CallPriority): Promise<GroupReading | null> {
  try {
    return await app.firewall.readGroup(group, priority);
  } catch (error) {
    if (error instanceof CloudFailure && error.kind === "groupGone") return null;
    throw error;
  }
}

const quarantineGroupOf = ({ ref, innerAccessPolicy, rules }: GroupReading): QuarantineGroup => ({
  groupId: ref.groupId,
  isOpenInside: innerAccessPolicy === "accept",
  rules,
});

const TOO_MANY = `more than ${HOSTS_MAX} hosts are or were in the group: they are not all looked at`;

/** The window that an alarm has the rule queued by, or had, for as long as nothing else was decided by a longer one. */
function shortWindowOf({ item, early }: JudgeAsk): number | undefined {
  if (item === null || !isInQueue(item)) return early;
  return isOnShortEvidence(item) ? item.windowDays : undefined;
}

function judgementOf(full: UseVerdict, short: UseVerdict | null, now: number): RuleJudgement {
  const verdict = short ?? full;
  const out = staysOutOf(verdict);
  const isSame = short === null || (full.use === short.use && full.out.length === 0);
  return {
    judged: {
      at: now,
      verdict: verdict.use,
      coverage: verdict.coverage / 100,
      lastUsedAt: (full.lastSession ?? verdict.lastSession)?.at ?? null,
      reasons: verdict.reasons.map(({ text }) => text),
    },
    staysOut: out,
    short: isSame ? null : [`of the whole window: ${full.use}`, ...full.reasons.map(({ text }) => text)],
  };
}

function staysOutOf({ reasons, out }: UseVerdict): string | null {
  const texts = reasons.filter(({ code }) => out.some((it) => it === code)).map(({ text }) => text);
  return texts.length > 0 ? texts.join("; ") : null;
}
