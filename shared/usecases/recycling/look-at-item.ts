// One item of the queue in its surroundings: what is known of it now, and the step that follows from that.
import type { Policy } from "../../domain/policy.ts";
import type { Judged, RecyclingItem, RecyclingStep } from "../../domain/recycling-item.ts";
import { isRecycled } from "../../domain/recycling-policy.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import {
  advanceItem,
  type ItemPicture,
  type NextStep,
  type QuarantineWatch,
  type RecyclingTerms,
} from "../../plan/advance-item.ts";
import type { App } from "../app.ts";
import { dropStanding } from "./recycling-ledger.ts";
import { RecyclingScene, type RuleJudgement } from "./recycling-scene.ts";

/** What one look at an item shows. */
export interface ItemLook {
  readonly judged: Judged;
  /** The item with who used its rule before the quarantine, as far as that is known by now. */
  readonly late: RecyclingItem;
  /** What was seen since the quarantine; null outside one. */
  readonly watch: QuarantineWatch | null;
  /** The step that follows, by the rule as a reading of the scene shows it. */
  readonly next: (rule: Rule | null) => NextStep;
}

/** `judgement` is what the evidence says of the rule, where that was asked. */
export async function lookAtItem(
  app: App,
  policy: Policy,
  scene: RecyclingScene,
  item: RecyclingItem,
  judgement: RuleJudgement | null,
): Promise<ItemLook> {
  const now = app.clock.now();
  const old = { judged: item.judged ?? NEVER_JUDGED, staysOut: null, short: null };
  const { judged, staysOut, short } = judgement ?? old;
  const isQuarantined = item.state === "quarantined";
  const standing = isQuarantined ? await dropStanding(app, item) : null;
  const late = isQuarantined ? await scene.withLate(item, now) : item;
  const watch = isQuarantined ? await scene.watch(late, now) : null;
  const next = (rule: Rule | null): NextStep =>
    advanceItem({
      ...{ item, now, rule, judged, staysOut, short, watch },
      terms: termsOf(policy),
      isNamed: isRecycled(policy.recycling, { groupId: scene.group.groupId, name: scene.name }),
      plan: rule === null ? NO_PLAN : scene.plan(rule, item.quarantine?.drop),
      dropStands: standing && standing.kind === "stands",
    });
  return { judged, late, watch, next };
}

/**
 * True when what is known now leads to the step that was decided before: evidence, policy, guard and what else stands in the group are read
 * anew. Else the step that follows from them. Throws CloudFailure where the group cannot be read in full.
 */
export async function isStillNext(
  app: App,
  policy: Policy,
  item: RecyclingItem & { readonly step: RecyclingStep },
): Promise<true | NextStep> {
  const scene = await RecyclingScene.read(app, policy, item.group, "open");
  const rule = scene?.ruleOf(item) ?? null;
  if (scene === null || rule === null) return { kind: "stay", waiting: null };
  const look = await lookAtItem(app, policy, scene, item, await scene.judge({ rule, item }, app.clock.now()));
  const next = look.next(rule);
  if (item.step.to === "deleted") return next.kind === "delete" || next;
  const drop = item.quarantine && ruleKey(item.quarantine.drop);
  return (next.kind === "quarantine" && ruleKey(next.drop) === drop) || next;
}

/** What the queue's moves are timed by. */
export const termsOf = ({ recycling }: Policy): RecyclingTerms => ({
  noticeMs: recycling.noticeMs,
  quarantineMs: recycling.quarantineMs,
  auto: { quarantine: recycling.steps.quarantine === "auto", delete: recycling.steps.delete === "auto" },
  requeueAfterMs: recycling.requeueAfterMs,
});

/** Of a rule that does not stand. */
export const NO_PLAN: ItemPicture["plan"] = {
  ...{ kind: "refused", why: ["the rule does not stand"], hits: [], cuts: [], blind: [] },
};
const NEVER_JUDGED: Judged = { at: 0, verdict: "unknown", coverage: 0, lastUsedAt: null, reasons: [] };
