// The ledger, groups and baselines as the API shows them.
import type * as z from "zod/mini";
import type { Allocation } from "../domain/allocation.ts";
import { formatUtc } from "../domain/instant.ts";
import type { Entry } from "../domain/ledger-entry.ts";
import type { GroupView } from "../usecases/group/list-groups.ts";
import type { LedgerAnswer } from "../usecases/ledger/allocate-rule.ts";
import type { BaselineAnswer } from "../usecases/ledger/confirm-baseline.ts";
import type { EntryStory, LedgerPage } from "../usecases/ledger/list-ledger.ts";
import type {
  baselineView,
  entryStoryView,
  entryView,
  groupView,
  ledgerAnswerView,
  ledgerPageView,
  reachView,
} from "./answers-ledger.ts";
import { viewRule } from "./rule-words.ts";

/** What a decision did or would do, and whether the group has been looked at since. */
export interface Done {
  readonly dryRun: boolean;
  readonly settled: boolean;
}

/** An entry: with its allocation's fields, or those of its first holder where holders alone ask for it. */
function viewEntry(entry: Entry): z.output<ReturnType<typeof entryView>> {
  const { allocation, standing, holders } = entry;
  const [holder] = holders;
  return {
    id: entry.entryId,
    region: entry.group.region,
    group: entry.group.groupId,
    key: entry.key,
    rule: viewRule(entry.spec),
    provenance: allocation?.provenance ?? holder?.kind ?? entry.suspension?.by[0]?.kind ?? "lease",
    owner: allocation?.owner ?? holder?.principal ?? "",
    backup: allocation?.backup ?? "",
    application: allocation?.application ?? "",
    reason: allocation?.reason ?? holder?.reason ?? "",
    ticket: allocation?.ticket ?? "",
    allowedSources: [...(allocation?.allowedSources ?? [])],
    openHours: allocation?.openHours ? viewHours(allocation.openHours) : null,
    by: allocation?.by ?? null,
    at: allocation ? formatUtc(allocation.at) : null,
    owed: allocation !== null && allocation.seenAt === null,
    standing: standing.kind,
    ruleId: standing.kind === "none" ? null : standing.ruleId,
    leases: holders.flatMap((it) => (it.kind === "lease" ? [it.holderId] : [])),
    drops: holders.flatMap((it) => (it.kind === "lease" ? [] : [it.holderId])),
    suspendedBy: entry.suspension?.by.map((it) => it.itemId) ?? [],
  };
}

/** A page of the ledger. */
export function viewLedger({ entries, unreadable, next }: LedgerPage): z.output<ReturnType<typeof ledgerPageView>> {
  return { entries: entries.map(viewEntry), unreadable: [...unreadable], next: next && `${next[0]}.${next[1]}` };
}

/** An entry with its history, each line with what it changed. */
export function viewStory({ group, entryId, entry, history }: EntryStory): z.output<ReturnType<typeof entryStoryView>> {
  return {
    id: entryId,
    group: group.groupId,
    entry: entry && viewEntry(entry),
    history: history.map((line) => ({
      at: formatUtc(line.at),
      kind: line.kind,
      by: line.by,
      rule: viewRule(line.spec),
      changes: changesOf(line.before, line.after),
      leases: [...line.leases],
    })),
  };
}

const FIELDS = [
  "provenance",
  "owner",
  "application",
  "reason",
  "ticket",
  "allowedSources",
  "openHours",
  "description",
  "by",
] as const;

/** Field by field, as text; what is the same on both sides is left out. */
function changesOf(
  before: Allocation | null,
  after: Allocation | null,
): ReturnType<typeof viewStory>["history"][number]["changes"] {
  return FIELDS.map((field) => ({ field, before: textOf(before?.[field]), after: textOf(after?.[field]) })).filter(
    (change) => change.before !== change.after,
  );
}

function textOf(value: Allocation[(typeof FIELDS)[number]] | undefined): string | null {
  if (value === undefined || value === null) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The answer to a change of the ledger. */
export function viewLedgerAnswer(answer: LedgerAnswer, done: Done): z.output<ReturnType<typeof ledgerAnswerView>> {
  const { entries, plan, notes } = answer;
  return {
    message: sentence(plan, done),
    entries: entries.map(viewEntry),
    reach: viewReach(answer.reach),
    notes: [...notes],
    ...done,
    plan: [...plan],
  };
}

/** Hosts, ports and sources. */
export function viewReach({
  hosts,
  protocol,
  ports,
  sources,
}: LedgerAnswer["reach"]): z.output<ReturnType<typeof reachView>> {
  return { hosts: hosts.map((host) => ({ ...host })), protocol, ports, sources: [...sources] };
}

/** A plan in one sentence. */
export function sentence(plan: readonly string[], { dryRun, settled }: Done): string {
  const words = plan.join("; ") || (dryRun ? "nothing would change" : "nothing had to change");
  if (dryRun) return `Dry run, nothing was changed: ${words}.`;
  return settled ? `Done: ${words}.` : `Decided, and the cloud does not show it yet: ${words}.`;
}

/** A group. */
export function viewGroup(group: GroupView): z.output<ReturnType<typeof groupView>> {
  const { baseline, why } = group;
  return {
    ...group,
    why: [...why],
    baseline: baseline && {
      confirmedBy: baseline.confirmedBy,
      at: formatUtc(baseline.confirmedAt),
      count: baseline.count,
    },
  };
}

/** The diff of a baseline. */
export function viewBaseline({ facts, diff, plan, notes }: BaselineAnswer): z.output<ReturnType<typeof baselineView>> {
  const lines = (list: (typeof diff)["added"]) =>
    list.map(({ spec, blocks, ...line }) => ({ ...line, blocks: blocks && [...blocks], rule: viewRule(spec) }));
  return {
    region: facts.ref.region,
    group: facts.ref.groupId,
    digest: diff.digest,
    added: lines(diff.added),
    missing: lines(diff.missing),
    unchanged: lines(diff.unchanged),
    ours: lines(diff.ours),
    foreign: lines(diff.foreign),
    ungranted: lines(diff.ungranted),
    sensitive: [...diff.added, ...diff.unchanged].filter((line) => line.sensitive).map((line) => line.key),
    plan: [...plan],
    notes: [...notes],
  };
}

function viewHours({
  zone,
  windows,
}: NonNullable<Allocation["openHours"]>): z.output<ReturnType<typeof entryView>>["openHours"] {
  return { zone, windows: windows.map(({ days, from, to }) => ({ days: [...days], from, to })) };
}
