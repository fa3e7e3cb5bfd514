// Carries out what was decided about an item of the recycling queue: the ledger says it, a pass does it, a reading shows it.
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Policy } from "../../domain/policy.ts";
import {
  OTHERS,
  REMOVED_BY_OTHERS,
  type RecyclingItem,
  type RecyclingState,
  type RecyclingStep,
  type Waiting,
} from "../../domain/recycling-item.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { mayOverlap, trafficAtMost } from "../../domain/traffic.ts";
import { AppError, fail } from "../../errors/app-error.ts";
import type { ErrorCode } from "../../errors/catalogue.ts";
import { isShut } from "../../plan/drift-guardrails.ts";
import { isHolding, type Refusal } from "../../plan/picture.ts";
import { getEntry, listEntries } from "../../store/ledger.ts";
import { acquireLock } from "../../store/lock.ts";
import { readMode } from "../../store/mode.ts";
import { readPolicy } from "../../store/policy.ts";
import { getRecyclingItem, saveRecyclingItem } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { resumeRules } from "../ledger/resume-rules.ts";
import { lookAtGroup } from "../pass/look-at-group.ts";
import type { PassReport } from "../pass/pass-report.ts";
import { isStillNext } from "./look-at-item.ts";
import { decideStep, moveItem, noteWaiting } from "./move-recycling.ts";
import {
  dropStanding,
  holdDrop,
  isClosedBy,
  isDropGone,
  isGrantedAnew,
  releaseDrop,
  reopenRule,
  retireRule,
  suspendRule,
} from "./recycling-ledger.ts";
import { isRemovedByOthers, showsRule } from "./standing-rule.ts";

export interface SettleOptions {
  readonly policy: Policy;
  readonly deadlineAt: number;
  /** Who came in a quarantine, where that is why it is lifted. */
  readonly visitor?: string;
  /** When the step was decided, where the caller has just done so by this policy: it need not be judged anew. */
  readonly judgedAt?: number;
}

/**
 * A step that takes something, was decided so long ago and has not come about is given up and decided anew: the evidence of then proves
 * nothing now. So a mode that makes no calls holds up no item, and what it kept back is not taken at its end.
 */
const STALE_MS = 15 * 60_000;
const LOCKED_DOWN: Waiting = {
  for: "policy",
  why: ["a lockdown keeps the group closed: the rule is opened when it is over (GET /v1/lockdown)"],
};
const LOCK_MS = 60_000;
const LOCK_MARGIN_MS = 15_000;
const TRIES_MAX = 4;
const AGAIN_MS = 200;

/**
 * Carries out the item's step, under a lock of its own: only who holds it changes the ledger for the item. Answers the item as it
 * stands then; its step is still there when the cloud needs more time, and the watch goes on with it. Whoever decides otherwise
 * meanwhile changes the row, and what was begun here is undone by their step.
 */
export async function settleItem(app: App, itemId: string, options: SettleOptions): Promise<RecyclingItem | null> {
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  const terms = { holder, lockMs: LOCK_MS, marginMs: LOCK_MARGIN_MS };
  for (let tries = 0; ; tries++) {
    const lock = await acquireLock(app.tables, app.clock, `recycling:${itemId}`, terms);
    if (lock === null) {
      if (tries >= TRIES_MAX || app.clock.monotonicMs() >= options.deadlineAt)
        return getRecyclingItem(app.tables, itemId);
      await app.clock.sleep(AGAIN_MS * 2 ** tries);
      continue;
    }
    try {
      return await new Settling(app, options, () => lock.isHeld()).run(itemId);
    } finally {
      await lock.release().catch(() => undefined);
    }
  }
}

function inWords({ code, detail }: Refusal): string {
  const { message, remedy } = fail(code as ErrorCode, detail);
  return `${message} ${remedy}`;
}

type Stepping = RecyclingItem & { readonly step: RecyclingStep };

class Settling {
  private readonly app: App;
  private readonly options: SettleOptions;
  private readonly isHeld: () => boolean;

  constructor(app: App, options: SettleOptions, isHeld: () => boolean) {
    this.app = app;
    this.options = options;
    this.isHeld = isHeld;
  }

  /** Goes on until the step is done, cannot be done now, or is another: what was decided last counts. */
  async run(itemId: string): Promise<RecyclingItem | null> {
    for (;;) {
      const item = await getRecyclingItem(this.app.tables, itemId);
      if (item === null || !this.isHeld()) return item;
      if (item.step === null) {
        await this.giveBackLeft(item);
        return item;
      }
      const outcome = await this.carryOut({ ...item, step: item.step });
      if (outcome === "waits") return item;
      if (outcome !== null) return outcome;
    }
  }

  /** Without a step nothing of an item keeps its rule closed. */
  private async giveBackLeft(item: RecyclingItem): Promise<void> {
    const { app } = this;
    const entry = await getEntry(app.tables, item.group, item.entryId);
    if (!isClosedBy(item, entry) || (await this.isShut(item, entry))) return;
    await resumeRules(app, item.group, item.itemId);
    await this.look(item);
  }

  /** Null when the row was changed meanwhile: it is read again. */
  private carryOut(item: Stepping): Promise<RecyclingItem | "waits" | null> {
    switch (item.step.to) {
      case "quarantined":
        return this.quarantine(item);
      case "deleted":
        return item.step.by === OTHERS ? this.leave(item) : this.delete(item);
      default:
        return this.restore(item);
    }
  }

  private async quarantine(item: Stepping): Promise<RecyclingItem | "waits" | null> {
    const { app } = this;
    const before = await dropStanding(app, item);
    const doubt = before.kind === "stands" ? null : await this.doubt(item);
    if (doubt === "waits") return "waits";
    if (doubt !== null) {
      // Somebody may have taken it away while its hold goes on: without an item nobody would ever lift it.
      await releaseDrop(app, item);
      await this.look(item);
      return this.giveUp(item, doubt.waiting);
    }
    let report: PassReport | null = null;
    if (before.kind === "gone") {
      await holdDrop(app, item, item.step.by);
      // Whoever is granted one from here on finds the hold, and has it give way.
      if (await this.isLeased(item)) {
        await releaseDrop(app, item);
        await this.look(item);
        return this.giveUp(item, null);
      }
      // Somebody may have decided otherwise, and been served, while this process stood still.
      const isStill = await this.isStillWanted(item, "quarantined");
      if (!isStill) await releaseDrop(app, item);
      report = await this.look(item);
      if (!isStill) return null;
    } else if (before.kind === "underway") report = await this.look(item);
    const standing = await dropStanding(app, item);
    // With its only hold refused the row of the drop is gone: the pass alone can tell.
    const refusal = item.quarantine && report?.refusals.get(item.quarantine.entryId);
    if (standing.kind === "refused" || (refusal && standing.kind !== "stands")) {
      await releaseDrop(app, item);
      const why = refusal ? inWords(refusal) : standing.kind === "refused" ? standing.why : "";
      const dropRefused = `the drop cannot be written: ${why}`;
      return this.giveUp({ ...item, dropRefused }, { for: "person", why: [dropRefused] });
    }
    if (standing.kind !== "stands") return "waits";
    const { since } = standing;
    const quarantine = item.quarantine && { ...item.quarantine, at: since };
    return this.finish({ ...item, quarantine });
  }

  private async delete(item: Stepping): Promise<RecyclingItem | "waits" | null> {
    const { app } = this;
    const entry = await getEntry(app.tables, item.group, item.entryId);
    const suspenders = entry?.suspension?.by ?? [];
    const isBegun = isClosedBy(item, entry);
    // What a lockdown has closed too it would open again: it is deleted after it.
    if (suspenders.some((it) => it.itemId !== item.itemId)) return isBegun ? "waits" : this.giveUp(item, null);
    const stands = await this.stands(item);
    if (!stands && (await isRemovedByOthers(app, item))) return this.turnToOthers(item);
    const doubt = stands ? ((await this.isUndropped(item)) ? { waiting: null } : await this.doubt(item)) : null;
    if (doubt === "waits") return "waits";
    if (!isBegun && stands) {
      if (doubt !== null) return this.giveUp(item, doubt.waiting);
      // The permission is in the item before the ledger loses it.
      const step = { ...item.step, isBegun: true } as const;
      const kept = await saveRecyclingItem(app.tables, { ...item, step, allocation: entry?.allocation ?? null });
      if (kept === null) return null;
      await suspendRule(app, item);
      if (!(await this.isStillWanted(item, "deleted"))) {
        await reopenRule(app, item, this.options.policy);
        await this.look(item);
        return null;
      }
      await this.look(item);
      return (await this.stands(item)) ? "waits" : null;
    }
    if (stands) {
      if (doubt !== null) return this.leaveOpen(item, doubt.waiting);
      await this.look(item);
      if (await this.stands(item)) return "waits";
    }
    await retireRule(app, item);
    return this.close(item);
  }

  /**
   * True where somebody has taken the drop away, and no pass has seen it before: who came since was let in, and is known to nobody yet.
   * The pass that looks now tells the ledger, and the queue goes by that.
   */
  private async isUndropped(item: Stepping): Promise<boolean> {
    const { state, quarantine } = item;
    if (
      state !== "quarantined" ||
      quarantine === null ||
      (await showsRule(this.app, item.group, ruleKey(quarantine.drop)))
    )
      return false;
    await this.look(item);
    return true;
  }

  /** Nothing was taken yet, and nothing is. */
  private async leaveOpen(item: Stepping, waiting: Waiting | null): Promise<RecyclingItem | "waits" | null> {
    await resumeRules(this.app, item.group, item.itemId);
    await this.look(item);
    return (await this.stands(item)) ? this.giveUp(item, waiting) : "waits";
  }

  /** Whoever removed the rule meant it: its permission is theirs to take back, too. */
  private async turnToOthers(item: Stepping): Promise<null> {
    await decideStep(this.app, item, { to: "deleted", ...REMOVED_BY_OTHERS, at: this.app.clock.now() });
    return null;
  }

  /** Somebody else has removed the rule: nothing of the item keeps it closed to whoever opens it again. */
  private async leave(item: Stepping): Promise<RecyclingItem | "waits" | null> {
    const { app } = this;
    const entry = await getEntry(app.tables, item.group, item.entryId);
    if (isClosedBy(item, entry)) await resumeRules(app, item.group, item.itemId);
    return this.close(item);
  }

  /** The rule is gone: so goes the drop. */
  private async close(item: Stepping): Promise<RecyclingItem | "waits" | null> {
    return (await this.isOpened(item)) ? this.finish(item) : "waits";
  }

  private async restore(item: Stepping): Promise<RecyclingItem | "waits" | null> {
    const { app } = this;
    if (item.state === "quarantined" && !item.step.isAskedFor && (await isRemovedByOthers(app, item)))
      return this.turnToOthers(item);
    const entry = await getEntry(app.tables, item.group, item.entryId);
    const isSuspended = isClosedBy(item, entry);
    let report: PassReport | null = null;
    if (isSuspended || (!(await this.stands(item)) && entry?.suspension?.liftedAt == null)) {
      if (await this.isShut(item, entry)) return this.say(item, LOCKED_DOWN);
      if (!(await this.reopen(item))) return "waits";
      report = await this.look(item);
    } else if (!(await this.stands(item))) report = await this.look(item);
    const isBack = isGrantedAnew(entry, item) || (await this.stands(item));
    if (!(await this.isOpened(item)) || !isBack) return this.sayWhy(item, report);
    return this.finish({ ...item, allocation: null });
  }

  /** True while a lockdown that keeps the group closed by its accepts knows nothing of the rule, and would close it at its next look. */
  private async isShut({ group, kept }: RecyclingItem, entry: Entry | null): Promise<boolean> {
    if (entry?.suspension?.by.some(({ kind }) => kind === "lockdown")) return false;
    const { app, options } = this;
    const { lockdown, operatorPath } = options.policy;
    const { entries } = await listEntries(app.tables, group);
    return isShut(kept.spec, { entries, now: app.clock.now() }, { core: lockdown.core, operatorPath });
  }

  /** False while somebody else grants a sensitive port: the watch comes again. */
  private async reopen(item: Stepping): Promise<boolean> {
    try {
      await reopenRule(this.app, item, this.options.policy);
      return true;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "GROUP_BUSY") throw error;
      return false;
    }
  }

  /** What stands in the way of a rule that is to be given back, where it is known: nobody is left waiting without a word. */
  private async sayWhy(item: Stepping, report: PassReport | null): Promise<RecyclingItem | "waits" | null> {
    return this.say(item, await this.obstacle(item, report));
  }

  private async say(item: Stepping, waiting: Waiting | null): Promise<RecyclingItem | "waits" | null> {
    if (waiting === null || JSON.stringify(waiting) === JSON.stringify(item.waiting)) return "waits";
    return noteWaiting(this.app, item, { waiting });
  }

  private async obstacle(item: Stepping, report: PassReport | null): Promise<Waiting | null> {
    const { mode } = await readMode(this.app.tables);
    if (mode !== "normal")
      return { for: "policy", why: [`the mode is ${mode}: the rule is opened when it is normal again (PUT /v1/mode)`] };
    const refusal = report?.refusals.get(item.entryId);
    if (refusal === undefined) return null;
    return { for: "person", why: [`the rule is not open again, and is tried every minute: ${inWords(refusal)}`] };
  }

  /** True when nothing of the drop is left. */
  private async isOpened(item: Stepping): Promise<boolean> {
    const { app } = this;
    if (item.quarantine === null) return true;
    await releaseDrop(app, item);
    if (!(await isDropGone(app, item))) await this.look(item);
    return isDropGone(app, item);
  }

  private finish(item: Stepping): Promise<RecyclingItem | null> {
    const { step } = item;
    const { policy, visitor } = this.options;
    const isProgram = step.by === "safeport" || step.by === OTHERS;
    const word = { by: step.by, why: step.why, mover: isProgram ? "program" : "person" } as const;
    return moveItem(this.app, item, step.to, word, { policy, ...(visitor === undefined ? {} : { visitor }) });
  }

  private giveUp(item: Stepping, waiting: Waiting | null): Promise<RecyclingItem | null> {
    const quarantine = item.state === "quarantined" ? item.quarantine : null;
    return noteWaiting(this.app, item, { step: null, quarantine, waiting });
  }

  private async isStillWanted({ itemId }: Stepping, state: RecyclingState): Promise<boolean> {
    const now = await getRecyclingItem(this.app.tables, itemId);
    return now !== null && (now.step?.to ?? now.state) === state;
  }

  /** True when a lease is open, or opens, on the port: that is use, which the evidence cannot know yet. */
  private async isLeased({ group, quarantine }: Stepping): Promise<boolean> {
    if (quarantine === null) return false;
    const wanted = trafficAtMost(quarantine.drop);
    const now = this.app.clock.now();
    const { entries } = await listEntries(this.app.tables, group);
    return entries.some(
      ({ spec, holders }) =>
        holders.some((it) => it.kind === "lease" && isHolding(it, now)) && mayOverlap(trafficAtMost(spec), wanted),
    );
  }

  /**
   * Why what the step would take now is not taken: null where nothing speaks against it, "waits" where that cannot be told now. What was
   * not decided a moment ago is judged by everything that is known now: use, exemption, policy, guard, and what else stands in the group.
   */
  private async doubt(item: Stepping): Promise<"waits" | { readonly waiting: Waiting | null } | null> {
    const { app, options } = this;
    const { step } = item;
    if (app.clock.now() > step.at + STALE_MS) return { waiting: null };
    const [{ mode }, stored] = await Promise.all([readMode(app.tables), readPolicy(app.tables)]);
    // The watch goes on by the policy that is in force then.
    if (mode !== "normal" || (stored !== null && stored.version !== options.policy.version)) return "waits";
    if (step.at === options.judgedAt) return null;
    const next = await isStillNext(app, options.policy, item);
    if (next === true) return null;
    return { waiting: next.kind === "stay" ? next.waiting : null };
  }

  private stands(item: Stepping): Promise<boolean> {
    return showsRule(this.app, item.group, item.key);
  }

  private look({ group, itemId, step }: RecyclingItem): Promise<PassReport | null> {
    const { policy, deadlineAt } = this.options;
    const cause = `recycling ${itemId}: ${step?.to ?? "what was given up is undone"}`;
    const terms = {
      cause,
      actor: step?.by ?? "safeport",
      policy,
      deadlineAt,
      priority: "open",
      rows: [],
      drift: true,
    } as const;
    return lookAtGroup(this.app, group, terms);
  }
}
