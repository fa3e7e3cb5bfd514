// Drift as the API shows it.
import type * as z from "zod/mini";
import type { DriftItem, KeptRule, Verdict } from "../domain/drift-item.ts";
import { formatUtc } from "../domain/instant.ts";
import type { DriftAnswer } from "../usecases/drift/decide-drift.ts";
import { shownDriftId } from "../usecases/drift/drift-id.ts";
import type { DriftPage } from "../usecases/drift/list-drift.ts";
import type { driftAnswerView, driftPageView, driftView } from "./answers-drift.ts";
import { type Done, sentence, viewReach } from "./ledger-view.ts";
import { viewRule } from "./rule-words.ts";

/** The fields of an item. */
export function viewDrift(item: DriftItem): z.output<ReturnType<typeof driftView>> {
  const { attribution } = item;
  return {
    id: shownDriftId(item),
    region: item.group.region,
    group: item.group.groupId,
    kind: item.kind,
    state: item.state,
    key: item.key,
    entry: item.entryId,
    ruleId: item.ruleId,
    found: viewKept(item.found),
    wanted: viewKept(item.wanted),
    change: item.reach,
    verdict: item.verdict.kind,
    why: whyOf(item.verdict),
    attribution: attribution && { ...attribution, at: formatUtc(attribution.at) },
    firstSeenAt: formatUtc(item.firstSeenAt),
    changedAt: formatUtc(item.changedAt),
    heldBy: item.heldBy,
  };
}

/** A page of drift. */
export function viewDriftPage({ items, unreadable, next }: DriftPage): z.output<ReturnType<typeof driftPageView>> {
  return { drift: items.map(viewDrift), unreadable: [...unreadable], next: next && `${next[1]}.${next[0]}` };
}

/** The answer to a decision. */
export function viewDriftAnswer(answer: DriftAnswer, done: Done): z.output<ReturnType<typeof driftAnswerView>> {
  const { item, plan, reach } = answer;
  return { ...viewDrift(item), message: sentence(plan, done), reach: viewReach(reach), ...done, plan: [...plan] };
}

const viewKept = (kept: KeptRule | null): z.output<ReturnType<typeof driftView>>["found"] =>
  kept && { rule: viewRule(kept.spec), description: kept.description };

function whyOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case "foreign":
      return `${verdict.writer} writes it`;
    case "trusted":
      return `${verdict.principal} is trusted: ${verdict.treat === "adopt" ? "adopted" : "a person decides"}`;
    case "unknown":
      return verdict.unasked
        ? `an event names somebody trusted, and the trail was not asked about it yet; it waits until ${formatUtc(verdict.until)}`
        : `nobody is known to have written it; it waits for the event until ${formatUtc(verdict.until)}`;
    case "drift":
      return verdict.why;
  }
}
