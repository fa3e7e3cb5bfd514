// What opening would do: reads the group and its ledger rows, and writes nothing.
import type { LeaseId } from "../../domain/ids.ts";
import type { Lease, LeaseStatus } from "../../domain/lease-record.ts";
import type { Entry, Holder } from "../../domain/ledger-entry.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { fail } from "../../errors/app-error.ts";
import type { ErrorCode } from "../../errors/catalogue.ts";
import { refusedByMode } from "../../plan/mode-guard.ts";
import { isHolding } from "../../plan/picture.ts";
import { getEntry } from "../../store/ledger.ts";
import { readMode } from "../../store/mode.ts";
import type { App } from "../app.ts";
import { readOpenFacts } from "../group/open-facts.ts";
import { freshEntry } from "../ledger/book-holds.ts";
import { judgeOpenings } from "../pass/judge-openings.ts";
import type { Blocking } from "../pass/pass-lockdown.ts";
import { type LeaseAnswer, NEW_CONNECTIONS_ONLY, reachOf } from "./lease-answer.ts";
import { endAfter, endIfOpened, entryIdsOf, type Opening, requestOf } from "./lease-ask.ts";
import { placeFor } from "./take-place.ts";

const DRY_RUN = "ls-dry-run" as LeaseId;

/** The answer of a dry run. `passages` are drops that would make way first. Throws what would be refused. */
export async function previewOpening(
  app: App,
  opening: Opening,
  passages: readonly Blocking[] = [],
): Promise<LeaseAnswer> {
  const { caller, target, specs } = opening;
  const { ref } = target.facts;
  const now = app.clock.now();
  await placeFor(app, caller, DRY_RUN, opening.follows?.leaseId);
  const [{ rules }, facts, stored, { mode }] = await Promise.all([
    app.firewall.readGroup(ref, "open"),
    readOpenFacts(app, ref, target.members),
    Promise.all(entryIdsOf(opening).map((entryId) => getEntry(app.tables, ref, entryId))),
    readMode(app.tables),
  ]);
  const request = requestOf(opening, DRY_RUN, now);
  const { principal, reason, periodMs } = request;
  const until = opening.follows?.until ?? endAfter(now, periodMs);
  const holder: Holder = {
    kind: "lease",
    holderId: DRY_RUN,
    principal,
    reason,
    until,
    openedAt: null,
    statedUntil: null,
    ended: null,
  };
  const entries = specs.map((spec, index) => {
    const entry = stored[index] ?? freshEntry(ref, spec);
    return { ...entry, holders: [...entry.holders, holder] };
  });
  const steps = entries.map((entry) => stepFor(entry, rules, now));
  const gone = new Set(passages.flatMap(({ entry: { standing } }) => ("ruleId" in standing ? [standing.ruleId] : [])));
  const stays = (all: readonly Rule[]): readonly Rule[] => all.filter(({ id }) => id === null || !gone.has(id));
  const siblings = new Map([...facts.siblings].map(([id, others]) => [id, stays(others)]));
  const picture = { ref, rules: stays(rules), entries, facts: { ...facts, siblings }, policy: caller.policy };
  const judged = await judgeOpenings(app, picture, now);
  const refusals = new Map([...judged.refusals, ...refusedByMode(mode, entries, now)]);
  for (const refusal of refusals.values()) throw fail(refusal.code as ErrorCode, refusal.detail);
  const lifted = new Set([...judged.gives.values()].flat().flatMap(({ items }) => items));
  const status: LeaseStatus = { ...NOTHING_BOOKED, until, preExisting: steps.every((step) => step.rides) };
  return {
    lease: { request, status, approval: null, justification: null },
    reach: reachOf(specs, target.members),
    settled: true,
    extended: false,
    plan: [
      ...passages.map(({ entry, pieces }) => `put ${pieces.length} drops in the place of ${entry.key}`),
      ...[...lifted].map((item) => `lift the quarantine ${item}`),
      ...steps.flatMap((step) => step.words),
    ],
    notes: [NEW_CONNECTIONS_ONLY],
  };
}

/** The lease of a dry run that would start later. */
export function previewLater(opening: Opening, now: number): Lease {
  const request = requestOf(opening, DRY_RUN, now);
  const status: LeaseStatus = { ...NOTHING_BOOKED, until: endIfOpened(request, now) };
  return { request, status, approval: null, justification: null };
}

const NOTHING_BOOKED: Omit<LeaseStatus, "until"> = {
  state: "requested",
  openedAt: null,
  closedAt: null,
  preExisting: false,
  ruleIds: [],
  note: "dry run: nothing was booked",
  noteDetail: null,
};

/** What opening would do for one rule; the lease that asks is the entry's last holder. */
function stepFor(
  entry: Entry,
  rules: readonly Rule[],
  now: number,
): { readonly words: readonly string[]; readonly rides: boolean } {
  const { key, standing, holders } = entry;
  if (standing.kind === "ours" && rules.some((rule) => rule.id === standing.ruleId)) {
    const others = holders.slice(0, -1).filter((it) => isHolding(it, now));
    const moves = others.every((it) => it.until < (holders.at(-1)?.until ?? 0));
    const mark = moves ? [`rewrite the mark of ${standing.ruleId}`] : [];
    return { words: [`hold ${standing.ruleId} with another lease: ${key}`, ...mark], rides: false };
  }
  return rules.some((rule) => ruleKey(rule) === key)
    ? { words: [`ride on the rule that is there: ${key}`], rides: true }
    : { words: [`authorize ${key}`], rides: false };
}
