// The ways that break-glass was given through a lockdown, and who still has theirs.
import type { GroupRef, RuleKey } from "../../domain/ids.ts";
import type { LeaseHolder } from "../../domain/ledger-entry.ts";
import type { LockdownGroup, Passage } from "../../domain/lockdown.ts";
import type { RuleSpec } from "../../domain/rule.ts";
import { entryIdOf, ruleKey } from "../../domain/rule-key.ts";
import { isUnreadable } from "../../errors/app-error.ts";
import { besides } from "../../plan/plan-passage.ts";
import { getEntry, listEntries } from "../../store/ledger.ts";
import type { App } from "../app.ts";
import { isGlassBroken } from "./broken-glass.ts";

/** So long a way counts as given, while whoever gives it books its lease. */
export const PASSAGE_GRACE_MS = 60_000;

/** What stays of drops when these are let through. */
export const beside = (drops: readonly RuleSpec[], specs: readonly RuleSpec[]): readonly RuleSpec[] =>
  specs.reduce((left, spec) => left.flatMap((drop) => besides(drop, spec) ?? [drop]), drops);

/** The drops of a lockdown in a group, with the ways of those who have passed it and still have their lease. */
export const besidePassages = (drops: readonly RuleSpec[], passages: readonly Passage[]): readonly RuleSpec[] =>
  beside(
    drops,
    passages.flatMap(({ specs }) => specs),
  );

/**
 * The ways whose lease lives, also where nobody can read it or its rule's row, and those that are given just now. Reads the ledger rows of their
 * rules.
 */
export async function livePassages(app: App, { passages = [] }: LockdownGroup): Promise<readonly Passage[]> {
  const now = app.clock.now();
  const isLive = await Promise.all(
    passages.map(async ({ own, specs, since }) => {
      if (now < since + PASSAGE_GRACE_MS) return true;
      const isBroken = async (spec: RuleSpec): Promise<boolean> => {
        try {
          const entry = await getEntry(app.tables, own, entryIdOf(own.groupId, ruleKey(spec)));
          return await isGlassBroken(app, entry?.holders ?? [], 0, () => true);
        } catch (error) {
          if (!isUnreadable(error)) throw error;
          return true;
        }
      };
      const broken = await Promise.all(specs.map(isBroken));
      return broken.includes(true);
    }),
  );
  return passages.filter((_, index) => isLive[index]);
}

/**
 * The accepts of break-glass in a group since a lockdown began, which a lockdown that closes accepts leaves open. Reads its ledger. Nothing else
 * has been opened for a lease since then, so that it tells of those that cannot be read.
 */
export async function brokenGlass(app: App, group: GroupRef, startedAt: number): Promise<ReadonlySet<RuleKey>> {
  const { entries } = await listEntries(app.tables, group);
  const isSince = ({ openedAt }: LeaseHolder): boolean => openedAt !== null && openedAt >= startedAt;
  const isOwn = await Promise.all(entries.map(({ holders }) => isGlassBroken(app, holders, startedAt, isSince)));
  return new Set(entries.filter((_, index) => isOwn[index]).map(({ key }) => key));
}
