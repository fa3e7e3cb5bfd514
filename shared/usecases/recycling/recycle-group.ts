// Looks at the unused rules of one group: what is idle is queued, and what is in the queue goes on as far as evidence, policy and people let it.
import type { GroupId, GroupRef } from "../../domain/ids.ts";
import { type Entry, recoveredHolder } from "../../domain/ledger-entry.ts";
import type { Lockdown } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { reachOf } from "../../domain/reach.ts";
import {
  isInQueue,
  type Judged,
  OTHERS,
  quarantinedBy,
  queuedItem,
  type RecyclingItem,
  recyclingIdOf,
} from "../../domain/recycling-item.ts";
import type { RecyclingPlace } from "../../domain/recycling-place.ts";
import type { Rule } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { AppError } from "../../errors/app-error.ts";
import { isQueueable, type NextStep } from "../../plan/advance-item.ts";
import { CloudFailure, type GroupFacts, type Member } from "../../ports/firewall.ts";
import { listLockdowns } from "../../store/lockdowns.ts";
import { readMode } from "../../store/mode.ts";
import { getRecyclingItem, listRecyclingItems, saveRecyclingItem } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { releaseDrops } from "../ledger/release-drops.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import { lookAtItem, NO_PLAN, termsOf } from "./look-at-item.ts";
import { noteWaiting } from "./move-recycling.ts";
import { dropStanding, renewDrop } from "./recycling-ledger.ts";
import { type JudgeAsk, LOCKDOWNS_MAX, RecyclingScene, type RuleJudgement } from "./recycling-scene.ts";
import { settleOrLeave, takeRecyclingStep } from "./take-recycling-step.ts";

/** What one run saw and did, or would do. */
export interface RecyclingReport {
  readonly groups: number;
  readonly rules: number;
  readonly verdicts: Readonly<Record<Judged["verdict"], number>>;
  /** One line for each rule that was queued or moved, or would be. */
  readonly lines: readonly RecyclingLine[];
  /** Groups and regions that could not be read, and why. */
  readonly failed: readonly { readonly group: string; readonly why: string }[];
  /** Where the next run goes on; null when every group was looked at. */
  readonly next: RecyclingPlace | null;
  /** Why the rest has to wait: no call was left to make, or the cloud is away. Null where only time ran out, or all is done. */
  readonly later: string | null;
}

export interface RecyclingLine {
  readonly itemId: string;
  readonly group: GroupId;
  readonly key: string;
  readonly step: "queue" | Exclude<NextStep["kind"], "stay"> | "wait";
  readonly why: string;
}

export interface GroupTerms {
  readonly policy: Policy;
  /** Monotonic instant after which nothing further is begun. */
  readonly deadlineAt: number;
  readonly dryRun: boolean;
  readonly early?: EarlyTerms;
}

/** Rules that may be queued after fewer days than the policy's, as an alarm says so. They go no further by that. */
export interface EarlyTerms {
  readonly windowDays: number;
  /** True for a rule that the alarm speaks of. */
  readonly concerns: (rule: Rule, members: readonly Member[]) => boolean;
}

/** Takes one item on, as the daily run would: what a person has just approved need not wait for tomorrow. */
export async function takeItemOn(
  app: App,
  run: Pick<GroupTerms, "policy" | "deadlineAt">,
  itemId: string,
): Promise<RecyclingItem | null> {
  const item = await getRecyclingItem(app.tables, itemId);
  if (item === null) return null;
  const work = await GroupWork.begin(app, { ...run, dryRun: false });
  await work.one(item);
  return getRecyclingItem(app.tables, itemId);
}

/** The work of one run, group by group. Holds the items of the group at hand, and no others. */
export class GroupWork {
  private readonly app: App;
  private readonly run: GroupTerms;
  private items: ReadonlyMap<string, RecyclingItem> = new Map();
  /** Items whose row cannot be read: nobody knows what was decided of them. */
  private unreadable: ReadonlySet<string> = new Set();
  /** False while the mode lets nothing be opened or closed for other reasons than an end. */
  private readonly mayBegin: boolean;
  private readonly looked = new Set<string>();
  private readonly lines: RecyclingLine[] = [];
  private readonly failed: { group: string; why: string }[] = [];
  private readonly verdicts = { used: 0, idle: 0, unknown: 0 };
  private rules = 0;
  /** True when a step has changed the group at hand since its rules were read. */
  private isReadingOld = false;
  private lockdownsRead: Promise<readonly Lockdown[]> | null = null;

  private constructor(app: App, run: GroupTerms, mayBegin: boolean) {
    this.app = app;
    this.run = run;
    this.mayBegin = mayBegin;
  }

  static async begin(app: App, run: GroupTerms): Promise<GroupWork> {
    const { mode } = await readMode(app.tables);
    return new GroupWork(app, run, mode === "normal");
  }

  /** Reads the items of the group that has its turn, in place of those before. */
  private async turnTo({ groupId }: GroupRef): Promise<void> {
    const { app } = this;
    const { items, unreadable } = await listRecyclingItems(app.tables, { groupId, limit: Number.POSITIVE_INFINITY });
    this.items = new Map(items.map((item) => [item.itemId, item]));
    this.unreadable = new Set(unreadable);
    for (const id of unreadable)
      app.log.write("error", `the recycling item ${id} cannot be read; its rule is left alone`);
  }

  /** Read once for all groups. */
  private lockdowns(): Promise<readonly Lockdown[]> {
    this.lockdownsRead ??= listLockdowns(this.app.tables, LOCKDOWNS_MAX);
    return this.lockdownsRead;
  }

  report(next: RecyclingPlace | null, later: string | null = null): RecyclingReport {
    const { looked, rules, verdicts, lines, failed } = this;
    return { groups: looked.size, rules, verdicts, lines, failed, next, later };
  }

  /** True of a group that this run has looked at. */
  hasLookedAt({ groupId }: GroupRef): boolean {
    return this.looked.has(groupId);
  }

  /** Says of a group, or of a whole region, that it could not be read. */
  fail(where: string, error: CloudFailure | AppError): void {
    this.failed.push({ group: where, why: error instanceof AppError ? error.code : (error.cloudCode ?? error.kind) });
    this.app.log.write("warn", `${where} is not looked at for unused rules`, { cause: error });
  }

  /**
   * Looks at a group; `facts` spare asking for what a list has told. What goes wrong in one keeps no other from its turn, but for calls
   * that are used up: throws CloudFailure "throttled", as nothing is known of the group then.
   */
  async group(ref: GroupRef, facts?: GroupFacts): Promise<void> {
    const { app, run } = this;
    try {
      const known = { lockdowns: () => this.lockdowns(), ...(facts ? { facts } : {}) };
      const scene = await RecyclingScene.read(app, run.policy, ref, "inventory", known);
      this.isReadingOld = false;
      if (scene === null) return;
      await this.turnTo(ref);
      await this.orphans(scene);
      if (!run.dryRun) await scene.remember(app.clock.now());
      const asks = scene.rules.flatMap((rule) => this.askOf(scene, rule) ?? []);
      const judgements = await scene.judgeAll(asks, app.clock.now());
      for (const [index, ask] of asks.entries()) {
        const judgement = judgements[index];
        if (judgement) await this.inTurn(ref, ask.item, () => this.rule(scene, ask, judgement));
      }
      for (const item of this.items.values())
        if (scene.ruleOf(item) === null) await this.inTurn(ref, item, () => this.item(scene, item, null));
    } catch (error) {
      // State that cannot be read is for a person to see to.
      if (!(error instanceof CloudFailure || error instanceof AppError)) throw error;
      const kind = error instanceof CloudFailure ? error.kind : error.code;
      if (kind === "throttled") throw error;
      if (kind === "groupGone") return;
      this.fail(ref.groupId, error);
    }
    this.looked.add(ref.groupId);
  }

  /** One rule of which state cannot be read keeps no other of its group from its turn: a person has to see to it, and its item says so. */
  private async inTurn({ groupId }: GroupRef, item: RecyclingItem | null, take: () => Promise<void>): Promise<void> {
    try {
      await take();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.isReadingOld = true;
      this.fail(groupId, error);
      const waiting = { for: "person", why: [`${error.message} ${error.remedy}`] } as const;
      if (item !== null && !this.run.dryRun) await noteWaiting(this.app, item, { waiting });
    }
  }

  /**
   * Drops that are held for an item that has no quarantine: what a process left that lost its lock and died, or was booked again by its mark
   * alone, as the tables were lost.
   */
  private async orphans(scene: RecyclingScene): Promise<void> {
    const { app, run } = this;
    const { group, entries } = scene;
    for (const { entryId, spec, holders } of entries)
      for (const { kind, holderId, ended } of holders) {
        if (kind !== "quarantine" || ended !== null || run.dryRun) continue;
        const itemId = holderId === recoveredHolder(entryId) ? quarantinedBy(group.groupId, spec) : holderId;
        if (this.unreadable.has(itemId)) continue;
        const item = await getRecyclingItem(app.tables, itemId);
        if (item === null || item.state === "quarantined" || item.step !== null) continue;
        app.log.write("warn", `the drop ${entryId} is held for ${itemId}, which is ${item.state}: it is let go of`);
        await releaseDrops(app, group, holderId, "its quarantine is over");
      }
  }

  /** Looks at one item alone. */
  async one(item: RecyclingItem): Promise<void> {
    const { app, run } = this;
    try {
      const scene = await RecyclingScene.read(app, run.policy, item.group, "open");
      if (scene === null) return;
      const rule = scene.ruleOf(item);
      await this.item(scene, item, rule, ...(rule ? [await scene.judge({ rule, item }, app.clock.now())] : []));
    } catch (error) {
      if (!(error instanceof CloudFailure)) throw error;
      app.log.write("warn", `${item.itemId} is gone on with at the next look`, { cause: error });
    }
  }

  /** The items of the group that was looked at last. */
  ownItems(): readonly RecyclingItem[] {
    return [...this.items.values()];
  }

  /** The item of a group that is gone: so is its rule, and nobody can be given it back. */
  async gone(item: RecyclingItem): Promise<void> {
    const { app, run } = this;
    if (!isInQueue(item)) {
      const waiting = { for: "person", why: ["its group is gone: it cannot be given back there"] } as const;
      this.say(item, "wait", waiting.why.join("; "));
      if (!run.dryRun) await noteWaiting(app, item, { step: null, waiting });
      return;
    }
    await this.act(item, { kind: "delete", by: OTHERS, why: "the group is gone" });
  }

  /** What is to be judged; null for what is no opening, or left alone. */
  private askOf(scene: RecyclingScene, rule: Rule): JudgeAsk | null {
    if (rule.id === null || rule.direction !== "ingress" || rule.policy !== "accept") return null;
    const itemId = recyclingIdOf(scene.group.groupId, entryIdOf(scene.group.groupId, ruleKey(rule)));
    if (this.unreadable.has(itemId)) return null;
    const { early } = this.run;
    const days = early?.concerns(rule, scene.members) ? early.windowDays : undefined;
    return { rule, item: this.items.get(itemId) ?? null, early: days };
  }

  /** A quarantine that no run looks at any more is lifted. What is not taken yet may wait. */
  async abandon(item: RecyclingItem): Promise<void> {
    if (item.state !== "quarantined" || item.step !== null) return;
    await this.act(item, { kind: "restore", by: "safeport", why: "the policy does not take in its region any more" });
  }

  private async rule(scene: RecyclingScene, { rule, item, early }: JudgeAsk, judgement: RuleJudgement): Promise<void> {
    const { app, run } = this;
    const now = app.clock.now();
    const entryId = entryIdOf(scene.group.groupId, ruleKey(rule));
    const { judged, staysOut, short } = judgement;
    this.rules += 1;
    this.verdicts[judged.verdict] += 1;
    if (item !== null && (isInQueue(item) || item.state === "deleted" || item.step)) {
      await this.item(scene, item, rule, judgement);
      return;
    }
    const picture = { item, now, terms: termsOf(run.policy), isNamed: false, rule, judged, staysOut, short };
    if (!isQueueable({ ...picture, plan: NO_PLAN, dropStands: null, watch: null })) return;
    const fresh: RecyclingItem = {
      ...queuedItem(rule, {
        ...{ group: scene.group, groupName: scene.name, judged, before: item, at: now },
        owner: scene.entryOf({ entryId })?.allocation?.owner || run.policy.recycling.ownerOtherwise,
        reach: reachOf(rule, scene.members.length, "closes"),
      }),
      ...(early === undefined ? {} : { windowDays: early }),
    };
    this.say(fresh, "queue", judged.reasons.join("; "));
    if (run.dryRun) return;
    const stored = await saveRecyclingItem(app.tables, fresh);
    if (stored) await this.item(scene, stored, rule, judgement);
  }

  /** Takes an item on by one step; what a step of before left is finished first. */
  private async item(
    scene: RecyclingScene,
    item: RecyclingItem,
    seen: Rule | null,
    judgement: RuleJudgement | null = null,
  ): Promise<void> {
    const { app, run } = this;
    if (item.step !== null) {
      if (!run.dryRun) await settleOrLeave(app, run, item);
      this.isReadingOld = true;
      return;
    }
    if (!isInQueue(item) && item.state !== "deleted") return;
    if (!run.dryRun && (await this.isUndropped(scene, item))) {
      await this.look(item);
      this.isReadingOld = true;
    }
    const isFresh = this.isReadingOld;
    if (this.isReadingOld) {
      await scene.readAgain("inventory");
      this.isReadingOld = false;
    }
    const rule = seen && scene.ruleOf(item);
    const closed = rule === null && isInQueue(item) ? closedUntil(scene.entryOf(item)) : null;
    if (closed !== null) {
      const waiting = { for: "policy", why: [`the rule is closed ${closed}`] } as const;
      this.say(item, "wait", waiting.why.join("; "));
      if (run.dryRun) return;
      if ((await noteWaiting(app, item, { waiting })) === null) return;
      if (item.state === "quarantined") await renewDrop(app, item);
      return;
    }
    const { judged, late, watch, next: nextBy } = await lookAtItem(app, run.policy, scene, item, judgement);
    let next = this.withinMode(nextBy(rule));
    // The evidence of many hosts takes its time, and somebody else may have been served: whom a step hits is told by what stands now.
    if (rule !== null && !isFresh && !run.dryRun && (next.kind === "quarantine" || next.kind === "delete")) {
      await scene.readAgain("inventory");
      const stands = scene.ruleOf(item);
      if (stands === null) return;
      next = this.withinMode(nextBy(stands));
    }
    if (next.kind === "stay") {
      if (next.waiting) this.say(item, "wait", next.waiting.why.join("; "));
      if (run.dryRun || item.state === "deleted") return;
      const silentMs = watch?.silentMs ?? 0;
      const strangers = watch?.strangers.map(({ who }) => who) ?? [];
      const quarantine = late.quarantine && { ...late.quarantine, silentMs, strangers };
      await noteWaiting(app, item, { waiting: next.waiting, judged, ...(rule ? { ruleId: rule.id } : {}), quarantine });
      if (item.state === "quarantined") await renewDrop(app, item);
      return;
    }
    await this.act({ ...item, judged }, next, { scene, rule });
  }

  /**
   * True where the ledger knows a drop that the reading does not show. A pass may have looked by a stale reading, or never have heard of it,
   * and none compares a group that is not guarded with its ledger of itself.
   */
  private async isUndropped({ rules }: RecyclingScene, item: RecyclingItem): Promise<boolean> {
    if (item.state !== "quarantined" || item.quarantine === null) return false;
    const key = ruleKey(item.quarantine.drop);
    return !rules.some((rule) => ruleKey(rule) === key) && (await dropStanding(this.app, item)).kind === "stands";
  }

  /** The pass tells the ledger what has become of the drop, and the queue goes by that. */
  private async look({ itemId, group }: RecyclingItem): Promise<void> {
    const { policy, deadlineAt } = this.run;
    const cause = `recycling ${itemId}: its drop is not there`;
    const terms = {
      cause,
      actor: "safeport",
      policy,
      deadlineAt,
      priority: "inventory",
      rows: [],
      drift: true,
    } as const;
    await lookAtGroup(this.app, group, terms);
  }

  /** In a mode that opens or closes nothing, only what gives back goes on. */
  private withinMode(next: NextStep): NextStep {
    if (this.mayBegin || (next.kind !== "quarantine" && next.kind !== "delete")) return next;
    if (next.by === OTHERS) return next;
    return { kind: "stay", waiting: { for: "policy", why: ["the mode is not normal"] } };
  }

  private async act(
    item: RecyclingItem,
    next: Exclude<NextStep, { kind: "stay" }>,
    seen?: { readonly scene: RecyclingScene; readonly rule: Rule | null },
  ): Promise<void> {
    this.say(item, next.kind, next.why);
    if (this.run.dryRun) return;
    await takeRecyclingStep(this.app, this.run, item, next, seen);
    if (next.kind !== "notice") this.isReadingOld = true;
  }

  private say({ itemId, group, key }: RecyclingItem, step: RecyclingLine["step"], why: string): void {
    this.lines.push({ itemId, group: group.groupId, key, step, why });
  }
}

/** Until when we keep closed what nobody has removed, and open it again then; null where we do not. */
function closedUntil(entry: Entry | null): string | null {
  if (entry?.suspension) return "for the time of a lockdown";
  return entry?.allocation?.openHours ? "until its open hours begin" : null;
}
