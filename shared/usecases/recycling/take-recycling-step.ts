// Takes the step that was decided for an item of the recycling queue: what changes the cloud is stored first, and then carried out.
import type { Policy } from "../../domain/policy.ts";
import { OTHERS, type RecyclingItem } from "../../domain/recycling-item.ts";
import type { Rule } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { AppError } from "../../errors/app-error.ts";
import type { NextStep } from "../../plan/advance-item.ts";
import { CloudFailure } from "../../ports/firewall.ts";
import { getRecyclingItem } from "../../store/recycling.ts";
import type { App } from "../app.ts";
import { decideStep, moveItem, noteWaiting, type Word } from "./move-recycling.ts";
import type { RecyclingScene } from "./recycling-scene.ts";
import { type SettleOptions, settleItem } from "./settle-recycling.ts";

export interface StepTerms {
  readonly policy: Policy;
  readonly deadlineAt: number;
}

/** `seen` is the rule in its surroundings; without it nothing is quarantined. */
export async function takeRecyclingStep(
  app: App,
  terms: StepTerms,
  item: RecyclingItem,
  next: Exclude<NextStep, { kind: "stay" }>,
  seen?: { readonly scene: RecyclingScene; readonly rule: Rule | null },
): Promise<void> {
  const { policy } = terms;
  const at = app.clock.now();
  if (next.kind === "notice") {
    await moveItem(app, item, "noticed", { by: "safeport", why: next.why, mover: "program" }, { policy });
    return;
  }
  const step = { by: next.by, why: next.why, at };
  if (next.kind === "quarantine") {
    const { scene, rule } = seen ?? {};
    if (!scene || !rule) return;
    const { drop } = next;
    const quarantine = {
      entryId: entryIdOf(item.group.groupId, ruleKey(drop)),
      drop,
      at: null,
      askedAt: at,
      ...(await scene.earlier(rule, at)),
      silentMs: 0,
      blind: scene.plan(rule).blind.map(({ text }) => text),
    };
    if (await decideStep(app, item, { ...step, to: "quarantined" }, { quarantine }))
      await settleOrLeave(app, { ...terms, judgedAt: at }, item);
    return;
  }
  const to = next.kind === "delete" ? "deleted" : "restored";
  // Nothing in the cloud has to change for what was not touched yet.
  const isUntouched = item.state === "queued" || item.state === "noticed" || next.by === OTHERS;
  if (isUntouched && item.quarantine === null && !(next.kind === "delete" && next.by !== OTHERS)) {
    const word: Word = { by: next.by, why: next.why, mover: "program" };
    await moveItem(app, item, to, word, { policy });
    return;
  }
  if (await decideStep(app, item, { ...step, to })) await settleOrLeave(app, { ...terms, judgedAt: at }, item);
}

/**
 * Carries out the step as far as can be now, and answers the item as it stands then. Failures of the cloud leave the step to the watch;
 * so does state that cannot be read, which a person has to see to: the item says so, and no other waits for it.
 */
export async function settleOrLeave(
  app: App,
  terms: SettleOptions,
  item: Pick<RecyclingItem, "itemId">,
): Promise<RecyclingItem | null> {
  const { itemId } = item;
  try {
    return await settleItem(app, itemId, terms);
  } catch (error) {
    if (!(error instanceof CloudFailure || error instanceof AppError)) throw error;
    app.log.write("warn", `${itemId} is gone on with at the next look`, { cause: error });
    const now = await getRecyclingItem(app.tables, itemId);
    if (now === null || now.step === null || error instanceof CloudFailure) return now;
    const waiting = { for: "person", why: [`${error.message} ${error.remedy}`] } as const;
    return (await noteWaiting(app, now, { waiting })) ?? now;
  }
}
