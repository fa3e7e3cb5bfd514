// What a person says of an unused rule: it is left alone, given back, or the next step is approved.
import { parseObservedCidr } from "../../domain/cidr.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Reach } from "../../domain/lease-record.ts";
import {
  type ApprovedStep,
  isInQueue,
  isOnShortEvidence,
  mayMove,
  type RecyclingItem,
  type RecyclingState,
  stepDigest,
} from "../../domain/recycling-item.ts";
import { isRecycled } from "../../domain/recycling-policy.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { shadowOf } from "../../domain/verdict.ts";
import { fail } from "../../errors/app-error.ts";
import { changeOf } from "../../plan/advance-item.ts";
import { saveRecyclingItem } from "../../store/recycling.ts";
import type { App, Caller } from "../app.ts";
import { reachOf } from "../lease/lease-answer.ts";
import { decideStep, moveItem, requireItem } from "./move-recycling.ts";
import { takeItemOn } from "./recycle-group.ts";
import { RecyclingScene } from "./recycling-scene.ts";
import { settleOrLeave } from "./take-recycling-step.ts";

export interface RecyclingAnswer {
  readonly item: RecyclingItem;
  readonly reach: Reach;
  /** What is done or would be, in words. */
  readonly plan: readonly string[];
  /** What stands in the way of the rule's traffic although it is back, and what else is to be known. */
  readonly notes: readonly string[];
  /** False while the cloud has not shown it yet; the watch goes on. */
  readonly settled: boolean;
}

export interface DecideOptions {
  readonly dryRun: boolean;
  readonly deadlineAt: number;
}

/** Gives the rule back, from whatever state, with every field but its id and time. Repeating it changes nothing. */
export async function restoreItem(
  app: App,
  caller: Caller,
  itemId: string,
  word: { readonly reason: string },
  options: DecideOptions,
): Promise<RecyclingAnswer> {
  const item = await requireItem(app, itemId);
  const scene = await sceneOf(app, caller, item);
  const ask = { app, caller, item, scene, options };
  if (item.state === "restored" && item.step === null) return answerOf(ask, item, []);
  if (scene === null)
    throw fail("RECYCLING_RESTORE_IMPOSSIBLE", { item: itemId, key: item.key, why: "its group is gone" });
  return goTo(ask, "restored", word.reason || "asked for", {});
}

/** Leaves the rule alone until a day, and gives it back first where it was taken. An exemption may be renewed. */
export async function exemptItem(
  app: App,
  caller: Caller,
  itemId: string,
  word: { readonly owner: string; readonly reason: string; readonly until: number },
  options: DecideOptions,
): Promise<RecyclingAnswer> {
  const { owner, reason, until } = word;
  const now = app.clock.now();
  const latest = now + caller.policy.recycling.exemptMaxMs;
  if (until <= now || until > latest)
    throw fail("RECYCLING_EXEMPTION_END", { until: formatUtc(until), latest: formatUtc(latest) });
  const item = await requireItem(app, itemId);
  const scene = await sceneOf(app, caller, item);
  const ask = { app, caller, item, scene, options };
  if (scene === null)
    throw fail("RECYCLING_RESTORE_IMPOSSIBLE", { item: itemId, key: item.key, why: "its group is gone" });
  const exemption = { owner, reason, until, by: caller.principal };
  return goTo(ask, "exempt", `exempt until ${formatUtc(until)} for ${owner}: ${reason}`, { exemption, owner });
}

/** What a person says yes to. */
export interface ApproveWord {
  readonly step: ApprovedStep;
  /** True where they take it on themselves that the evidence is of an alarm's few days alone. */
  readonly onShortEvidence?: boolean;
  /** Who answers for a deletion that cuts the operator path. */
  readonly waivedBy?: string;
  /** Which state of the item they were shown; absent where they approve of whatever is stored. */
  readonly rev?: number;
}

/**
 * A person's word for the next step, bound to the rule and the drop as they are now. Where an alarm had the rule queued and the policy's
 * whole window does not say that it is idle, they have to say that they know. A step whose time has come is taken at once. A
 * deletion without a quarantine is approved only where a quarantine is impossible. Throws RECYCLING_CHANGED where the item is
 * not as it was shown.
 */
export async function approveItem(
  app: App,
  caller: Caller,
  itemId: string,
  { step, onShortEvidence = false, waivedBy, rev }: ApproveWord,
  options: DecideOptions,
): Promise<RecyclingAnswer> {
  const { policy, principal: by } = caller;
  const item = await requireItem(app, itemId);
  const refuse = (why: string): Error => fail("RECYCLING_STATE", { item: itemId, state: item.state, why });
  // What is stored below is stored over this very state, or not at all.
  if (rev !== undefined && rev !== item.rev) throw fail("RECYCLING_CHANGED", { item: itemId, rev, now: item.rev });
  if (!isInQueue(item)) throw refuse("there is no step to approve");
  if (item.step !== null) throw refuse(`it is on its way to ${item.step.to}`);
  if (item.state === "queued") throw refuse("its owner has to be told first");
  const scene = await sceneOf(app, caller, item);
  const rule = scene?.ruleOf(item) ?? null;
  if (scene === null || rule === null) throw refuse("the rule does not stand any more");
  if (!isRecycled(policy.recycling, { groupId: item.group.groupId, name: scene.name }))
    throw fail("RECYCLING_REPORT_ONLY", { group: scene.name || item.group.groupId });
  const plan = scene.plan(rule, item.quarantine?.drop);
  const cuts = plan.kind === "refused" ? plan.cuts : [];
  if (cuts.length > 0 && (step === "quarantine" || waivedBy === undefined))
    throw fail("RECYCLING_CUTS_OPERATORS", { item: itemId, why: cuts.join("; ") });
  if (step === "quarantine") {
    if (item.state !== "noticed") throw refuse("it is quarantined already");
    if (plan.kind === "refused") throw fail("RECYCLING_NO_QUARANTINE", { item: itemId, why: plan.why.join("; ") });
  } else if (item.state === "noticed" && plan.kind === "drop" && item.dropRefused === undefined)
    throw refuse("it can be quarantined, and is deleted only after that");
  // The evidence of any other is judged when its step is taken, and by nothing but the whole window.
  const short = isOnShortEvidence(item) ? (await scene.judge({ rule, item }, app.clock.now())).short : null;
  if (short !== null && !onShortEvidence && !options.dryRun)
    throw fail("RECYCLING_SHORT_EVIDENCE", { item: itemId, why: short.join("; ") });
  const change = changeOf(step, item, plan);
  const words =
    step === "quarantine"
      ? [`write the drop ${change}, once the owner has had the time of the notice`]
      : [`delete ${item.key}, once its time of silence is over; it is kept and can be restored`, ...cuts];
  const ask = { app, caller, item, scene, options };
  const blind = plan.blind.map(({ text }) => `not stopped by the drop: ${text}`);
  const notes = [...(short === null ? [] : [`the evidence is short: ${short.join("; ")}`]), ...blind];
  if (options.dryRun) return { ...answerOf(ask, item, words), notes };
  const approval = {
    ...{ step, by, at: app.clock.now(), digest: stepDigest(item, step, change) },
    ...(step === "delete" ? { saw: item.quarantine?.strangers ?? [] } : {}),
    ...(cuts.length > 0 && waivedBy !== undefined ? { waivedBy } : {}),
    ...(short === null ? {} : { onShortEvidence }),
  };
  const approvals = [...item.approvals.filter((it) => it.step !== step), approval];
  const saved = await saveRecyclingItem(app.tables, { ...item, approvals });
  if (saved === null) throw refuse("it was changed at the same time");
  const now = await takeItemOn(app, { policy, deadlineAt: options.deadlineAt }, itemId);
  return { ...answerOf(ask, now ?? saved, words), notes };
}

interface Ask {
  readonly app: App;
  readonly caller: Caller;
  readonly item: RecyclingItem;
  readonly scene: RecyclingScene | null;
  readonly options: DecideOptions;
}

async function goTo(
  ask: Ask,
  to: RecyclingState,
  why: string,
  changes: Partial<RecyclingItem>,
): Promise<RecyclingAnswer> {
  const { app, caller, scene, options } = ask;
  const by = caller.principal;
  for (let { item } = ask; ; item = await requireItem(app, item.itemId)) {
    if (!mayMove(item.state, to, "person"))
      throw fail("RECYCLING_STATE", { item: item.itemId, state: item.state, why: `it cannot become ${to}` });
    const isTouched = item.step !== null || item.quarantine !== null || item.state === "deleted";
    const plan = isTouched ? givingBack(item, scene) : [`${item.key} stays as it is`];
    if (options.dryRun) return answerOf(ask, item, [...plan, why]);
    if (!isTouched) {
      const next = { ...item, ...changes };
      const moved = await moveItem(app, next, to, { by, why, mover: "person" }, { policy: caller.policy });
      if (moved) return answerOf(ask, moved, plan);
      continue;
    }
    const stepping = await decideStep(app, item, { to, by, why, at: app.clock.now(), isAskedFor: true }, changes);
    if (stepping === null) continue;
    const terms = { policy: caller.policy, deadlineAt: options.deadlineAt };
    return answerOf(ask, (await settleOrLeave(app, terms, stepping)) ?? stepping, plan);
  }
}

function givingBack(item: RecyclingItem, scene: RecyclingScene | null): readonly string[] {
  const stands = scene?.ruleOf(item) ?? null;
  return [
    ...(item.quarantine ? [`remove the drop ${ruleKey(item.quarantine.drop)}`] : []),
    stands
      ? `${item.key} stands already, as ${stands.id}`
      : `open ${item.key} again, described "${item.kept.description}"`,
  ];
}

function answerOf(
  { item: before, scene, options }: Ask,
  item: RecyclingItem,
  plan: readonly string[],
): RecyclingAnswer {
  const settled = options.dryRun || item.step === null;
  return {
    item,
    reach: reachOf([item.kept.spec], scene?.members ?? []),
    plan,
    notes: [...conflicts(before, scene), ...(item.step === null ? [] : (item.waiting?.why ?? []))],
    settled,
  };
}

/** What has changed in the group meanwhile and keeps the rule from doing what it did. */
function conflicts(item: RecyclingItem, scene: RecyclingScene | null): readonly string[] {
  if (scene === null) return ["the group is gone"];
  const notes: string[] = [];
  const { kept } = item;
  const own = item.quarantine && ruleKey(item.quarantine.drop);
  const rules = scene.rules.filter((rule) => own === null || ruleKey(rule) !== own);
  const shadow = shadowOf(kept.spec, rules);
  if (shadow) notes.push(`the drop ${shadow.id} (priority ${shadow.priority}) takes its traffic`);
  const stands = scene.ruleOf(item);
  if (stands && stands.description !== kept.description)
    notes.push(`${stands.id} says the same and is described "${stands.description}": it stays as it is`);
  const { dest } = kept.spec;
  const isThere = scene.members.some(({ address, ipv6 }) =>
    [address, ...ipv6].some((text) => {
      const found = parseObservedCidr(text);
      return found !== null && dest !== null && found.family === dest.family && found.first === dest.first;
    }),
  );
  if (dest !== null && !isThere) notes.push("no host of the group has the address it is narrowed to");
  if (scene.members.length === 0) notes.push("no host is in the group any more");
  if (stands === null) notes.push(...scene.obstacles());
  if (scene.doubt !== null) notes.push(scene.doubt);
  return notes;
}

const sceneOf = (app: App, caller: Caller, item: RecyclingItem): Promise<RecyclingScene | null> =>
  RecyclingScene.read(app, caller.policy, item.group, "open");
