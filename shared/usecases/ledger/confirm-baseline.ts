// Adopts a group: the diff first, and then, confirmed by a person, the ledger as its baseline.
import type { Allocation } from "../../domain/allocation.ts";
import type { Cidr } from "../../domain/cidr.ts";
import { parseGrant } from "../../domain/grant.ts";
import type { GroupRef } from "../../domain/ids.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { fail } from "../../errors/app-error.ts";
import {
  type BaselineDiff,
  type BaselineLine,
  type BaselineSource,
  baselineDiff,
  sensitiveOf,
} from "../../plan/baseline-diff.ts";
import { wordsToKeep } from "../../plan/picture.ts";
import { CloudFailure, type GroupFacts } from "../../ports/firewall.ts";
import { listEntries } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { inParallel } from "../in-parallel.ts";
import { refuseProtected } from "../lease/find-target.ts";
import { recordDecision } from "../records/record-decision.ts";
import { type AllocationChange, confirmAllocations } from "./change-allocations.ts";
import { writtenFor } from "./rule-description.ts";
import { inTurn } from "./sensitive-ports.ts";

/** What the baseline is to come from. */
export interface BaselineAsk {
  readonly from: "rules" | "template";
  readonly template: string;
}

/** What a person has looked at, and says of it. */
export interface BaselineWord extends BaselineAsk {
  readonly digest: string;
  readonly owner: string;
  readonly reason: string;
  /** Keys of the rules by which everybody reaches a sensitive port, confirmed one by one. */
  readonly sensitive: readonly string[];
}

export interface BaselineAnswer {
  readonly facts: GroupFacts;
  readonly diff: BaselineDiff;
  /** The changes of the ledger in words. */
  readonly plan: readonly string[];
  readonly notes: readonly string[];
}

/** The cloud's own default for a rule that names no priority. */
export const STANDING_PRIORITY = 1;

/** The diff of a group's rules, or of a template, with its ledger. Changes nothing. */
export async function previewBaseline(
  app: App,
  caller: Caller,
  name: string,
  ask: BaselineAsk,
): Promise<BaselineAnswer> {
  const { policy } = caller;
  const facts = await findGroup(app, policy, name);
  const { source, notes } = sourceOf(caller, ask);
  // The reading comes first: an entry is older than its rule.
  const { rules } = await app.firewall.readGroup(facts.ref, "drift");
  const { entries, unreadable } = await listEntries(app.tables, facts.ref);
  if (unreadable[0] !== undefined)
    throw fail("STATE_UNREADABLE", { table: "ledger", key: `${facts.ref.groupId} ${unreadable[0]}` });
  const { installation, markSecret } = app.settings;
  const terms = { group: facts.ref, rules, entries, source, policy, installation, markSecret };
  // Which lists have to be read, the diff without them tells.
  const lists = await listsOf(app, facts.ref, baselineDiff({ ...terms, lists: new Map() }));
  const diff = baselineDiff({ ...terms, lists });
  const allocated = entries.filter((entry) => entry.allocation?.seenAt != null).length;
  if (rules.length === 0 && allocated > 0)
    throw fail("BASELINE_EMPTY", { group: facts.ref.groupId, entries: allocated });
  const plan = [
    ...diff.added.map(({ key, stands }) => `allocate ${key}${stands ? "" : " and open it"}`),
    ...diff.missing.map(({ key }) => `retire ${key}: it stands no longer`),
  ];
  return { facts, diff, plan, notes: [...notes, ...sensitiveOf(diff).flatMap(listNote)] };
}

/** What the prefix lists of rules that have to be confirmed one by one hold now, as far as we may know. */
async function listsOf(
  app: App,
  { region }: GroupRef,
  diff: BaselineDiff,
): Promise<ReadonlyMap<string, readonly Cidr[]>> {
  const named = new Set(
    sensitiveOf(diff).flatMap(({ spec: { peer } }) => (peer.kind === "prefixList" ? [peer.prefixListId] : [])),
  );
  const lists = new Map<string, readonly Cidr[]>();
  await inParallel([...named], async (listId) => {
    try {
      lists.set(listId, await app.inventory.prefixes({ region, kind: "prefix", listId }, "drift"));
    } catch (error) {
      if (!(error instanceof CloudFailure) || (error.kind !== "refused" && error.kind !== "invalid")) throw error;
    }
  });
  return lists;
}

/** The list is not ours to change: who confirms the rule confirms what others will put there, too. */
function listNote({ key, spec: { peer }, blocks }: BaselineLine): readonly string[] {
  if (peer.kind !== "prefixList") return [];
  const holds = blocks === null ? "holds nobody can tell here what" : `holds ${blocks.join(", ") || "nothing"} now`;
  return [`${key}: the list ${peer.prefixListId} ${holds}, and whoever may change it changes whom the rule lets in`];
}

/**
 * Makes the diff the ledger, and the ledger the baseline. Throws BASELINE_CHANGED when the diff is no longer the one that was looked at,
 * SENSITIVE_UNCONFIRMED, and GROUP_BUSY.
 */
export async function confirmBaseline(
  app: App,
  caller: Caller,
  name: string,
  word: BaselineWord,
  options: { readonly dryRun: boolean },
): Promise<BaselineAnswer> {
  const answer = await previewBaseline(app, caller, name, word);
  const { facts, diff, plan } = answer;
  const { ref } = facts;
  await refuseProtected(app, facts, [], caller.policy);
  if (diff.digest !== word.digest) throw fail("BASELINE_CHANGED", { group: ref.groupId });
  const open = sensitiveOf(diff).filter(({ key }) => !word.sensitive.includes(key));
  if (open.length > 0) throw fail("SENSITIVE_UNCONFIRMED", { rules: open.map(({ key }) => key).join(", ") });
  if (options.dryRun) return answer;
  const now = app.clock.now();
  const changes: AllocationChange[] = [
    ...diff.missing.map(({ spec }) => ({ spec, allocation: null })),
    ...diff.added.map((line) => changeOf(app, ref, line, caller, word, now)),
  ];
  const confirmation = { confirmedBy: caller.principal, confirmedAt: now, looked: diff.ledger };
  const specs = diff.added.map(({ spec }) => spec);
  await inTurn(app, caller.policy, { group: ref, specs }, (mayWrite) =>
    confirmAllocations(app, ref, confirmation, changes, mayWrite),
  );
  const from = word.from === "template" ? `the template ${word.template}` : "the rules that stand";
  const confirmed = `the baseline from ${from} is confirmed: ${word.reason}`;
  const sensitive = sensitiveOf(diff).map(({ key }) => `everybody may reach a sensitive port by ${key}: confirmed`);
  await recordDecision(app, caller, ref, `baseline of ${facts.name || ref.groupId}`, {
    lines: [confirmed, ...plan, ...sensitive, ...answer.notes],
    changes: [
      ...diff.missing.map(({ key }) => ({ what: `allocation of ${key}`, before: "allocated", after: null })),
      ...diff.added.map(({ key }) => ({ what: `allocation of ${key}`, before: null, after: "baseline" })),
    ],
  });
  return answer;
}

/** With the id of what was read: it may be removed before a pass reads it again, and the event names the id alone. */
function changeOf(
  { settings }: App,
  group: GroupRef,
  line: BaselineLine,
  caller: Caller,
  word: BaselineWord,
  now: number,
): AllocationChange {
  const { spec, description, ruleId: id } = line;
  const words = line.stands ? wordsToKeep({ ...spec, description, id, createdAt: null }, { group, ...settings }) : null;
  const allocation = allocationOf(line, words, caller, word, now);
  return { spec: line.spec, allocation, standsAs: allocation.seenAt === null ? null : line.ruleId };
}

function allocationOf(
  line: BaselineLine,
  words: string | null,
  caller: Caller,
  word: BaselineWord,
  now: number,
): Allocation {
  const isTemplate = word.from === "template";
  const reason = isTemplate && !line.stands && line.description !== "" ? line.description : word.reason;
  // A rule of a lease may be gone in the next moment; and what stands for good carries no mark.
  return {
    provenance: isTemplate ? "template" : "baseline",
    owner: word.owner,
    application: "",
    reason,
    ticket: "",
    allowedSources: [],
    openHours: null,
    description: words ?? writtenFor(reason),
    by: caller.principal,
    at: now,
    seenAt: words === null ? null : now,
  };
}

function sourceOf({ policy }: Caller, ask: BaselineAsk): { source: BaselineSource; notes: readonly string[] } {
  if (ask.from === "rules") return { source: { kind: "rules" }, notes: [] };
  const { templates } = policy;
  const template = Object.hasOwn(templates, ask.template) ? templates[ask.template] : undefined;
  if (!template)
    throw fail("TEMPLATE_UNKNOWN", {
      template: ask.template,
      choices: Object.keys(templates).join(", ") || "the policy has none",
    });
  const rules: { spec: RuleSpec; reason: string }[] = [];
  const notes: string[] = [];
  for (const { protocol, port, sources, reason } of template) {
    const what = `${port === "" ? "" : `${port}/`}${protocol}`;
    if (sources.length === 0) {
      notes.push(`${what} is left out: the template names no sources for it, and the policy no operators`);
      continue;
    }
    const grant = parseGrant({
      protocol,
      sources,
      priority: STANDING_PRIORITY,
      ...(port === "" ? {} : { port }),
    });
    if (!grant.ok) throw fail(grant.problem.code, grant.problem.detail);
    rules.push(...grant.specs.map((spec) => ({ spec, reason: reason || `${what} of the template ${ask.template}` })));
  }
  return { source: { kind: "template", name: ask.template, rules }, notes };
}
