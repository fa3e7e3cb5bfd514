// What a pass may open: judged from facts that are read once, and the quarantines that give way to it.
import type { EntryId, GroupRef } from "../../domain/ids.ts";
import type { Entry } from "../../domain/ledger-entry.ts";
import type { Mode } from "../../domain/mode.ts";
import type { Policy } from "../../domain/policy.ts";
import type { Rule } from "../../domain/rule.ts";
import { refusedByMode } from "../../plan/mode-guard.ts";
import { isHolding, isOpening, type Refusal } from "../../plan/picture.ts";
import type { Member } from "../../ports/firewall.ts";
import type { App } from "../app.ts";
import { actsOnlyOn, type OpenFacts, readOpenFacts } from "../group/open-facts.ts";
import { judgeOpenings, type OpeningsJudged } from "./judge-openings.ts";
import { overruleQuarantine } from "./overrule-quarantine.ts";
import type { PassCalls } from "./pass-calls.ts";
import type { PassLeases } from "./pass-leases.ts";

const NO_OPENINGS: OpeningsJudged = { refusals: new Map(), waits: new Set(), gives: new Map() };

/** What a pass knows when it judges openings. */
export interface OpeningTerms {
  readonly policy: Policy;
  readonly mode: Mode;
  /** Interfaces the caller already knows; none, some or all of the group's. */
  readonly members?: readonly Member[] | undefined;
}

/** The openings of a group while a pass holds its lock. */
export class PassOpenings {
  private readonly app: App;
  private readonly group: GroupRef;
  private readonly terms: OpeningTerms;
  private readonly calls: PassCalls;
  private readonly leases: PassLeases;
  private facts: OpenFacts | null = null;
  private judged: OpeningsJudged = NO_OPENINGS;
  private readonly elsewhere = new Map<string, GroupRef>();

  constructor(
    app: App,
    group: GroupRef,
    terms: OpeningTerms,
    { calls, leases }: { readonly calls: PassCalls; readonly leases: PassLeases },
  ) {
    this.app = app;
    this.group = group;
    this.terms = terms;
    this.calls = calls;
    this.leases = leases;
  }

  /** Whether a plan depended on more than the group and its ledger. */
  get hasFacts(): boolean {
    return this.facts !== null;
  }

  /** Leases' entries that open when the drops that take from them are gone. */
  get waits(): ReadonlySet<EntryId> {
    return this.judged.waits;
  }

  /** Other groups whose quarantines have given way to a lease of this one. */
  get gaveWay(): readonly GroupRef[] {
    return [...this.elsewhere.values()];
  }

  /** Answers the entries as their leases' rows know them, and those that may not be opened. */
  async judge(
    rules: readonly Rule[],
    entries: readonly Entry[],
    now: number,
  ): Promise<{ readonly entries: readonly Entry[]; readonly refusals: ReadonlyMap<EntryId, Refusal> }> {
    const { app, group, calls, leases } = this;
    const { policy, mode } = this.terms;
    this.judged = NO_OPENINGS;
    if (mode !== "normal") {
      const told = await leases.asTold(entries, now);
      return { entries: told, refusals: new Map([...refusedByMode(mode, told, now), ...calls.refusals]) };
    }
    const openings = entries.filter((entry) => isOpening(entry, now));
    if (openings.length === 0) return { entries, refusals: calls.refusals };
    const [told, facts] = await Promise.all([leases.asTold(entries, now), this.factsFor(openings)]);
    // What this pass has revoked is gone, whatever a stale reading says.
    const standing = rules.filter(({ id }) => id === null || !calls.revoked.has(id));
    this.judged = await judgeOpenings(app, { ref: group, rules: standing, entries: told, facts, policy }, now);
    return { entries: told, refusals: new Map([...this.judged.refusals, ...calls.refusals]) };
  }

  /** Read once, and once more where somebody else wants to open what acts on more than the caller knows. */
  private async factsFor(openings: readonly Entry[]): Promise<OpenFacts> {
    const { members } = this.terms;
    const known = members && openings.every(({ spec }) => actsOnlyOn(members, spec)) ? members : undefined;
    if (this.facts === null || (known === undefined && this.facts.members === members))
      this.facts = await readOpenFacts(this.app, this.group, known);
    return this.facts;
  }

  /**
   * Has quarantines give way to leases that open. Answers a line for each, and whether rows of this group have changed and the plan
   * is out of date.
   */
  async giveWay(
    entries: readonly Entry[],
    now: number,
  ): Promise<{ readonly isChanged: boolean; readonly lines: readonly string[] }> {
    const { app, group } = this;
    const lines: string[] = [];
    let isChanged = false;
    for (const [entryId, drops] of this.judged.gives) {
      const holder = entries
        .find((entry) => entry.entryId === entryId)
        ?.holders.find((it) => it.kind === "lease" && it.openedAt === null && isHolding(it, now));
      if (holder === undefined) continue;
      const { holderId: leaseId, principal } = holder;
      for (const drop of drops) {
        await overruleQuarantine(app, drop, { leaseId, principal });
        lines.push(`${drop.items.join(", ")} gave way to ${leaseId}: its quarantine is lifted`);
        if (drop.group.groupId === group.groupId) isChanged = true;
        else this.elsewhere.set(drop.group.groupId, drop.group);
      }
    }
    return { isChanged, lines };
  }
}
