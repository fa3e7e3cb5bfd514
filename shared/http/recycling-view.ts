// The recycling queue as the API shows it.
import type * as z from "zod/mini";
import type { Peers } from "../domain/evidence.ts";
import { formatUtc } from "../domain/instant.ts";
import type { RecyclingItem } from "../domain/recycling-item.ts";
import { placeText } from "../domain/recycling-place.ts";
import type { RecyclingAnswer } from "../usecases/recycling/decide-recycling.ts";
import type { EvidenceDay, RecyclingPage } from "../usecases/recycling/list-recycling.ts";
import type { RecyclingReport } from "../usecases/recycling/recycle-group.ts";
import type {
  recyclingAnswerView,
  recyclingItemView,
  recyclingPageView,
  recyclingReportView,
  recyclingView,
} from "./answers-recycling.ts";
import { sentence, viewReach } from "./ledger-view.ts";
import { viewRule } from "./rule-words.ts";

const DAY_MS = 86_400_000;

/** The fields of an item. */
function viewRecycling(item: RecyclingItem): z.output<ReturnType<typeof recyclingView>> {
  const { quarantine, exemption, judged, waiting } = item;
  return {
    id: item.itemId,
    region: item.group.region,
    group: item.group.groupId,
    groupName: item.groupName,
    key: item.key,
    ruleId: item.ruleId,
    rule: viewRule(item.kept.spec),
    description: item.kept.description,
    owner: item.owner,
    change: item.reach,
    state: item.state,
    since: formatUtc(item.since),
    rev: item.rev,
    goingTo: item.step?.to ?? null,
    waiting: waiting && { for: waiting.for, why: [...waiting.why] },
    approvals: item.approvals.map(({ step, by, at, saw = [], waivedBy = null }) => ({
      ...{ step, by, at: formatUtc(at), saw: [...saw], waivedBy },
    })),
    quarantine: quarantine && {
      drop: viewRule(quarantine.drop),
      at: quarantine.at === null ? null : formatUtc(quarantine.at),
      silentDays: Math.floor((quarantine.silentMs / DAY_MS) * 100) / 100,
      strangers: [...(quarantine.strangers ?? [])],
      blind: [...quarantine.blind],
    },
    exemption: exemption && { ...exemption, until: formatUtc(exemption.until) },
    evidence: judged && {
      at: formatUtc(judged.at),
      verdict: judged.verdict,
      coverage: judged.coverage,
      lastUsedAt: judged.lastUsedAt === null ? null : formatUtc(judged.lastUsedAt),
      reasons: [...judged.reasons],
    },
    history: item.history.map((it) => ({ ...it, at: formatUtc(it.at) })),
  };
}

/** A page of the queue. */
export function viewRecyclingPage({ items, next }: RecyclingPage): z.output<ReturnType<typeof recyclingPageView>> {
  return { recycling: items.map(viewRecycling), next };
}

/** One item with its evidence day by day. */
export function viewRecyclingItem(found: {
  readonly item: RecyclingItem;
  readonly evidence: readonly EvidenceDay[];
}): z.output<ReturnType<typeof recyclingItemView>> {
  return {
    ...viewRecycling(found.item),
    days: found.evidence.map((day) => ({
      ...{ day: day.day, member: day.member, name: day.name },
      coverage: Math.floor(day.coverage * 1000) / 1000,
      sources: [...day.sources],
      ports: day.ports.map(({ protocol, port, real, shaken, refused, unclearAt }) => ({
        ...{ protocol, port },
        sessions: viewPeers(real),
        handshakes: viewPeers(shaken),
        refused: viewPeers(refused),
        more: real.more || refused.more,
        unclear: unclearAt !== null,
      })),
    })),
  };
}

const viewPeers = ({ list }: Peers) =>
  list.map(({ block, count, lastAt }) => ({ block, count, lastAt: formatUtc(lastAt) }));

/** The answer to a decision. */
export function viewRecyclingAnswer(
  answer: RecyclingAnswer,
  dryRun: boolean,
): z.output<ReturnType<typeof recyclingAnswerView>> {
  const { item, plan, reach, notes, settled } = answer;
  const message = sentence(plan, { dryRun, settled });
  return {
    ...viewRecycling(item),
    ...{ message, reach: viewReach(reach), notes: [...notes], dryRun, plan: [...plan], settled },
  };
}

/** The answer to a run. */
export function viewRecyclingReport(
  report: RecyclingReport,
  dryRun: boolean,
): z.output<ReturnType<typeof recyclingReportView>> {
  const { groups, rules, verdicts, lines, failed, next, later } = report;
  return {
    ...{ dryRun, groups, rules, ...verdicts },
    steps: lines.map(({ itemId: item, group, key, step, why }) => ({ item, group, key, step, why })),
    failed: [...failed],
    complete: next === null,
    next: next && placeText(next),
    later,
  };
}
