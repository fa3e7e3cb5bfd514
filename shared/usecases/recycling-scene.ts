// What has to be known of a group to decide about its unused rules: the rules, who they act on, the ledger, and the evidence.
import { parseObservedCidr } from "../domain/cidr.ts";
import { type Day, dayAfter, dayOf, type MemberEvidence } from "../domain/evidence.ts";
import type { GroupRow } from "../domain/guard.ts";
import type { GroupRef } from "../domain/ids.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { Lockdown } from "../domain/lockdown.ts";
import type { Policy } from "../domain/policy.ts";
import { type EarlierPeers, isInQueue, type Judged, type RecyclingItem } from "../domain/recycling-item.ts";
import type { Rule, RuleSpec } from "../domain/rule.ts";
import { ruleKey } from "../domain/rule-key.ts";
import type { QuarantineWatch } from "../plan/advance-item.ts";
import { evidenceWindow, judgeUse, type RuleInQuestion } from "../plan/judge-use.ts";
import { planQuarantine, type QuarantineGroup, type QuarantinePlan } from "../plan/plan-quarantine.ts";
import { shutTimes } from "../plan/shut-times.ts";
import { earlierPeers, watchQuarantine } from "../plan/watch-quarantine.ts";
import type { CallPriority, GroupFacts, GroupReading, Member } from "../ports/firewall.ts";
import { readEvidence } from "../store/evidence.ts";
import { getGroupRow } from "../store/group-rows.ts";
import { listEntries } from "../store/ledger.ts";
import { listLockdowns } from "../store/lockdowns.ts";
import type { App } from "./app.ts";
import { ChangesInPlace } from "./changes-in-place.ts";
import { membersOf, protection } from "./open-facts.ts";

/** As far back as evidence lives. */
const EVIDENCE_DAYS = 400;
/** All that are kept, for as long as evidence lives. */
export const LOCKDOWNS_MAX = 100_000;

/** A rule judged: the verdict of the evidence, and why it stays out of the queue whatever that says. */
export interface RuleJudgement {
  readonly judged: Judged;
  readonly staysOut: string | null;
}

/** A group as one run sees it. Everything that costs a call is read once, and evidence when it is first asked for. */
export class RecyclingScene {
  readonly group: GroupRef;
  readonly name: string;
  private read: readonly Rule[];
  readonly entries: readonly Entry[];
  readonly members: readonly Member[];
  private readonly app: App;
  private readonly policy: Policy;
  private readonly groups: Map<string, QuarantineGroup>;
  private readonly protectedBy: string | null;
  private readonly evidence = new Map<string, Promise<readonly MemberEvidence[]>>();
  private readonly lockdowns: () => Promise<readonly Lockdown[]>;
  private changes: Promise<ChangesInPlace> | null = null;

  private constructor(app: App, policy: Policy, read: Read, lockdowns: () => Promise<readonly Lockdown[]>) {
    this.lockdowns = lockdowns;
    const { facts, row, reading, members, entries, groups } = read;
    this.app = app;
    this.policy = policy;
    this.group = facts.ref;
    this.name = facts.name;
    this.read = reading.rules;
    this.entries = entries;
    this.members = members;
    this.groups = new Map(groups);
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
    const siblings = await Promise.all(
      [...others].map((groupId) => app.firewall.readGroup({ ...group, groupId }, priority)),
    );
    const groups = new Map([reading, ...siblings].map((it) => [it.ref.groupId as string, quarantineGroupOf(it)]));
    return new RecyclingScene(app, policy, { facts, row, reading, members, entries, groups }, lockdowns);
  }

  get rules(): readonly Rule[] {
    return this.read;
  }

  /** Reads the group's rules anew after a step has changed them: what the next step hits is judged by what stands then. */
  async readAgain(priority: CallPriority): Promise<void> {
    const reading = await this.app.firewall.readGroup(this.group, priority);
    this.read = reading.rules;
    this.groups.set(this.group.groupId, quarantineGroupOf(reading));
  }

  /** The rule with the key as it stands; null when the reading does not show it. */
  ruleOf({ key }: Pick<RecyclingItem, "key">): Rule | null {
    return this.rules.find((rule) => rule.id !== null && ruleKey(rule) === key) ?? null;
  }

  entryOf({ entryId }: Pick<RecyclingItem, "entryId">): Entry | null {
    return this.entries.find((entry) => entry.entryId === entryId) ?? null;
  }

  /**
   * What the evidence says of the rule; `item` is the rule's, where it has one. One that was queued early is judged by its own window for
   * as long as it is in the queue, and `early` is the window of those that may be queued now.
   */
  async judge(rule: Rule, item: RecyclingItem | null, now: number, early?: number): Promise<RuleJudgement> {
    const { policy, entries } = this;
    const windowDays = (item && isInQueue(item) ? item.windowDays : early) ?? policy.recycling.windowDays;
    const terms = { recycling: { ...policy.recycling, windowDays }, foreignWriters: policy.foreignWriters, now };
    const group = { groupId: this.group.groupId, name: this.name };
    const window = evidenceWindow({ rule, group }, terms);
    const key = ruleKey(rule);
    const question: RuleInQuestion = {
      rule,
      group,
      isProtected: this.protectedBy !== null,
      changedAt: (await this.changesInPlace()).of(rule, now),
      shut: shutTimes({
        rule,
        item,
        entries,
        now,
        groupIds: new Set(this.groups.keys()),
        lockdowns: await this.lockdowns(),
      }),
      entry: this.entries.find((entry) => entry.key === key) ?? null,
      members: await this.evidenceSince(window.from, now),
      sameGroup: this.sameGroup(),
    };
    const verdict = judgeUse(question, terms);
    const out = verdict.reasons.filter(({ code }) => verdict.out.some((it) => it === code));
    return {
      judged: {
        at: now,
        verdict: verdict.use,
        coverage: verdict.coverage / 100,
        lastUsedAt: verdict.lastSession?.at ?? null,
        reasons: verdict.reasons.map(({ text }) => text),
      },
      staysOut: out.length > 0 ? out.map(({ text }) => text).join("; ") : null,
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
    });
  }

  /** Why the cloud may not take a rule back, in words. */
  obstacles(): readonly string[] {
    const { protectedBy, members, groups, policy } = this;
    const max = policy.limits.rulesPerInterface;
    const full = members.find(({ groupIds }) => {
      const merged = groupIds.reduce((sum, groupId) => sum + (groups.get(groupId)?.rules.length ?? 0), 0);
      return merged >= max;
    });
    return [
      ...(protectedBy === null ? [] : [`the group takes no rule from us: ${protectedBy}`]),
      ...(full === undefined ? [] : [`${full.eniId} has ${max} rules or more: there may be no room for it`]),
    ];
  }

  /** Who used the rule as far back as evidence lives. */
  async earlier(rule: Rule, now: number): Promise<EarlierPeers> {
    const members = await this.evidenceSince(dayAfter(dayOf(now), -EVIDENCE_DAYS), now);
    return earlierPeers(rule, members, now, this.policy.recycling);
  }

  /** What is known since the quarantine began; null where it has not. */
  async watch({ quarantine, kept }: RecyclingItem, now: number): Promise<QuarantineWatch | null> {
    const since = quarantine?.at ?? null;
    if (quarantine === null || since === null) return null;
    const members = await this.evidenceSince(dayOf(since), now);
    const { recycling } = this.policy;
    const { earlier } = quarantine;
    return watchQuarantine({ rule: kept.spec, since, now, earlier, members, sameGroup: this.sameGroup(), recycling });
  }

  /** Members that reach each other whatever the rules say. */
  private sameGroup(): readonly string[] {
    if (this.groups.get(this.group.groupId)?.isOpenInside === false) return [];
    return this.members.flatMap(({ address, ipv6 }) => [address, ...ipv6]);
  }

  private evidenceSince(from: Day, now: number): Promise<readonly MemberEvidence[]> {
    const known = this.evidence.get(from);
    if (known) return known;
    const read = Promise.all(this.members.map((member) => evidenceOf(this.app, member, from, now)));
    this.evidence.set(from, read);
    return read;
  }

  /** Keeps what the rules say now, so that the next look sees which were changed in place. */
  async remember(now: number): Promise<void> {
    await (await this.changesInPlace()).remember(this.rules, now);
  }

  private changesInPlace(): Promise<ChangesInPlace> {
    this.changes ??= ChangesInPlace.read(this.app, this.group.groupId);
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
}

const quarantineGroupOf = ({ ref, innerAccessPolicy, rules }: GroupReading): QuarantineGroup => ({
  groupId: ref.groupId,
  isOpenInside: innerAccessPolicy === "accept",
  rules,
});

/** What is stored of a member, by its interface and by its instance: sources that know no interfaces tell of the instance. */
export async function evidenceOf(app: App, member: Member, from: Day, now: number): Promise<MemberEvidence> {
  const until = dayAfter(dayOf(now), 1);
  const { eniId, instanceId, instanceName, address, ipv6 } = member;
  const days = await Promise.all(
    [eniId, ...(instanceId === null ? [] : [instanceId])].map((id) => readEvidence(app.tables, id, from, until)),
  );
  return { eniId, name: instanceName ?? instanceId ?? eniId, addresses: [address, ...ipv6], days: days.flat() };
}
