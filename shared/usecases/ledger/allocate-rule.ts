// Enters rules into the ledger that shall stand for good, with owner and reason.
import type { Allocation, OpenHours } from "../../domain/allocation.ts";
import { type Cidr, containsCidr, formatCidr, mergeCidrs, parseCidr } from "../../domain/cidr.ts";
import { parseGrant } from "../../domain/grant.ts";
import type { GroupRef } from "../../domain/ids.ts";
import { formatUtc } from "../../domain/instant.ts";
import type { Reach } from "../../domain/lease-record.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import { windowAt } from "../../domain/open-hours.ts";
import { cutPaths } from "../../domain/operator-path.ts";
import type { Direction, Rule, Policy as RulePolicy, RuleSpec } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { shadowOf } from "../../domain/verdict.ts";
import { fail } from "../../errors/app-error.ts";
import { wordsToKeep } from "../../plan/picture.ts";
import { resolved } from "../../plan/standby-drops.ts";
import type { GroupFacts } from "../../ports/firewall.ts";
import { getEntry } from "../../store/ledger.ts";
import type { App, Caller } from "../app.ts";
import { findGroup } from "../group/find-group.ts";
import { readInterfaces } from "../group/read-interfaces.ts";
import { setsNamedBy } from "../group/sets-named-by.ts";
import { refuseProtected } from "../lease/find-target.ts";
import { reachOf } from "../lease/lease-answer.ts";
import { requireWayIn } from "../lease/require-way-in.ts";
import { requireNormalMode } from "../policy/require-mode.ts";
import { recordDecision } from "../records/record-decision.ts";
import { freshEntry } from "./book-holds.ts";
import type { AllocationChange } from "./change-allocations.ts";
import { writtenFor } from "./rule-description.ts";
import { grantInTurn, requireConfirmed } from "./sensitive-ports.ts";

/** What is to stand, as text. */
export interface AllocationAsk
  extends Pick<Allocation, "owner" | "backup" | "application" | "reason" | "ticket" | "allowedSources" | "openHours"> {
  readonly group: string;
  readonly protocol: string;
  readonly port: string | null;
  /** One rule for each. */
  readonly sources: readonly string[];
  readonly policy: RulePolicy;
  readonly direction: Direction;
  readonly priority: number;
  readonly sensitiveConfirmed: boolean;
}

/** What a change of the ledger led to, or would. */
export interface LedgerAnswer {
  readonly group: GroupRef;
  readonly entries: readonly Entry[];
  readonly reach: Reach;
  /** The changes in words. */
  readonly plan: readonly string[];
  readonly notes: readonly string[];
}

/** Checks and allocates. Repeating it changes nothing. */
export async function allocateRule(
  app: App,
  caller: Caller,
  ask: AllocationAsk,
  options: { readonly dryRun: boolean },
): Promise<LedgerAnswer> {
  const { policy, principal } = caller;
  // What is wrong with the words is told before anything is looked up.
  const specs = specsOf(ask);
  if (ask.policy === "accept") await requireNormalMode(app);
  const facts = await findGroup(app, policy, ask.group);
  const { ref } = facts;
  const sensitive = { specs, replaced: null, isConfirmed: ask.sensitiveConfirmed };
  await requireConfirmed(app, caller, ref, sensitive);
  const [members, { rules }, stored] = await Promise.all([
    app.inventory.members(ref, "drift"),
    app.firewall.readGroup(ref, "drift"),
    Promise.all(specs.map((spec) => getEntry(app.tables, ref, freshEntry(ref, spec).entryId))),
  ]);
  await refuseProtected(app, facts, members, policy);
  // What is granted for good would stand beside a lockdown that revokes what it cannot drop. Behind the drops of one in another group of its
  // hosts it is not opened, and nobody looks at it when that is over.
  const opened = specs.filter((spec) => !rules.some((it) => ruleKey(it) === ruleKey(spec)));
  if (ask.policy === "accept")
    await requireWayIn(app, policy, { group: ref, groupName: facts.name, specs: opened }, members);
  const now = app.clock.now();
  const plan: string[] = [];
  const changes = specs.map((spec, index): AllocationChange => {
    const kept = stored[index]?.allocation ?? null;
    const standing = rules.find((rule) => ruleKey(rule) === ruleKey(spec));
    const isOpen = ask.openHours === null || windowAt(ask.openHours, now) !== null;
    const then = standing ? fateOf(ask.openHours, now) : isOpen ? "authorize it" : "it opens at its hours";
    plan.push(`${kept ? "change the entry of" : "allocate"} ${ruleKey(spec)}; ${then}`);
    // What stands for good carries no mark, and what it says of itself stays as it is.
    const found = standing ? wordsToKeep(standing, { group: ref, ...app.settings }) : null;
    const allocation: Allocation = {
      provenance: kept?.provenance ?? "adopted",
      owner: ask.owner,
      backup: ask.backup,
      application: ask.application,
      reason: ask.reason,
      ticket: ask.ticket,
      allowedSources: ask.allowedSources,
      openHours: ask.openHours,
      description: kept?.description ?? found ?? writtenFor(ask.reason),
      by: principal,
      at: now,
      // What somebody has removed is owed again. So is what was closed for its hours, once it may always stand: a reading of just now may
      // still show it.
      seenAt: kept?.openHours || !standing ? null : (kept?.seenAt ?? null),
    };
    return { spec, allocation, standsAs: ask.openHours === null ? null : (standing?.id ?? null) };
  });
  const closed =
    ask.openHours === null ? [] : specs.filter((spec) => rules.some((it) => ruleKey(it) === ruleKey(spec)));
  await requireOperatorPath(app, caller, facts, rules, closed);
  const shadows = ask.policy === "accept" ? await shadowsOf(app, opened, rules) : [];
  const notes = [...(closed.length > 0 ? [CLOSED_OUTSIDE] : []), ...shadows.map(behind)];
  const answer = { group: ref, reach: reachOf(specs, members), plan, notes };
  if (options.dryRun) {
    const entries = changes.map(({ spec, allocation }, index) => ({
      ...(stored[index] ?? freshEntry(ref, spec)),
      allocation,
    }));
    return { ...answer, entries };
  }
  await grantInTurn(app, caller, ref, sensitive, changes);
  await recordDecision(app, caller, ref, `ledger of ${facts.name || ref.groupId}`, {
    lines: [...plan, ask.reason],
    changes: changes.map(({ spec, allocation: after }, index) => ({
      ...{ what: `allocation of ${ruleKey(spec)}`, before: stored[index]?.allocation ?? null, after },
    })),
  });
  const entries = await Promise.all(
    specs.map(async (spec) => {
      const fresh = freshEntry(ref, spec);
      return (await getEntry(app.tables, ref, fresh.entryId)) ?? fresh;
    }),
  );
  return { ...answer, entries };
}

/** Drops of the group behind which nothing is opened: a quarantine gives way to leases alone. */
async function shadowsOf(app: App, specs: readonly RuleSpec[], rules: readonly Rule[]): Promise<readonly Rule[]> {
  const standing = resolved(rules, await setsNamedBy(app, rules));
  return [...new Set(specs.flatMap((spec) => shadowOf(spec, standing) ?? []))];
}

const behind = ({ id, priority }: Rule): string =>
  `The drop ${id ?? ""} (priority ${priority}) takes its traffic: it is opened when that is gone. A quarantine ends by POST /v1/recycling/{id}:restore.`;

const CLOSED_OUTSIDE =
  "The rule stands already: outside its hours it is closed in every guard, and is kept in full. PUT it without openHours to have it stand always.";

/** What becomes of a rule that stands. */
function fateOf(hours: OpenHours | null, now: number): string {
  if (hours === null) return "it stands already";
  const window = windowAt(hours, now);
  if (window === null) return "it stands, is closed now, and opens at its hours";
  return `it stands, and is closed at ${formatUtc(window.until)}`;
}

/** What the policy keeps open is closed by nobody's hours. Throws OPERATOR_PATH_CUT. */
async function requireOperatorPath(
  app: App,
  { policy }: Caller,
  { ref, name }: GroupFacts,
  rules: readonly Rule[],
  closed: readonly RuleSpec[],
): Promise<void> {
  if (policy.operatorPath.length === 0 || closed.length === 0) return;
  const keys = new Set(closed.map(ruleKey));
  const left = rules.filter((rule) => !keys.has(ruleKey(rule)));
  for (const { addresses, otherRules } of await readInterfaces(app, ref)) {
    const [cut] = cutPaths([...rules, ...otherRules], [...left, ...otherRules], policy.operatorPath, addresses);
    if (cut)
      throw fail("OPERATOR_PATH_CUT", { group: name || ref.groupId, path: `${cut.protocol} ${cut.port}`.trim() });
  }
}

function specsOf(ask: AllocationAsk): readonly RuleSpec[] {
  const { protocol, port, sources, priority, direction, policy } = ask;
  const grant = parseGrant({ protocol, sources, priority, ...(port === null ? {} : { port }) });
  if (!grant.ok) throw fail(grant.problem.code, grant.problem.detail);
  const allowed = mergeCidrs(ask.allowedSources.map(blockOf));
  const specs = grant.specs.map((spec) => ({ ...spec, direction, policy }));
  for (const { peer } of specs) {
    if (allowed.length === 0 || peer.kind !== "cidr") continue;
    if (allowed.some((block) => containsCidr(block, peer.cidr))) continue;
    const within = ask.allowedSources.join(", ");
    throw fail("ENTRY_SOURCE_OUTSIDE", { source: formatCidr(peer.cidr), allowed: within });
  }
  return specs;
}

function blockOf(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === null) throw fail("SOURCE_INVALID", { source: text.slice(0, 64) });
  return cidr;
}
