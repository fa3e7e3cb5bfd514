// When rules were changed in place: by the trail or, where that was silent, by what they said when the nightly job looked before.
import type { GroupId } from "../../domain/ids.ts";
import type { Rule } from "../../domain/rule.ts";
import { ruleKey } from "../../domain/rule-key.ts";
import { readSeenRules, type SeenRule, saveSeenRules } from "../../store/seen-rules.ts";
import { listSightings } from "../../store/sightings.ts";
import type { App } from "../app.ts";

/** What is known of one group. */
export class ChangesInPlace {
  private readonly app: App;
  private readonly groupId: GroupId;
  private readonly seen: ReadonlyMap<string, SeenRule>;
  private readonly told: ReadonlyMap<string, number>;

  private constructor(
    app: App,
    groupId: GroupId,
    seen: ReadonlyMap<string, SeenRule>,
    told: ReadonlyMap<string, number>,
  ) {
    this.app = app;
    this.groupId = groupId;
    this.seen = seen;
    this.told = told;
  }

  static async read(app: App, groupId: GroupId): Promise<ChangesInPlace> {
    const [seen, { sightings }] = await Promise.all([
      readSeenRules(app.tables, groupId),
      listSightings(app.tables, groupId),
    ]);
    const told = new Map<string, number>();
    for (const { operation, failed, at, ruleIds } of sightings)
      if (!failed && operation.startsWith("Modify"))
        for (const id of ruleIds) told.set(id, Math.max(at, told.get(id) ?? 0));
    return new ChangesInPlace(app, groupId, seen, told);
  }

  /** Null for a rule that says what it always did, as far as is known. */
  of(rule: Rule, now: number): number | null {
    const told = this.told.get(rule.id ?? "") ?? null;
    const seen = this.seenChange(rule, now);
    return told === null || seen === null ? (told ?? seen) : Math.max(told, seen);
  }

  /** Keeps what the rules say now, so that the next look sees which were changed. */
  async remember(rules: readonly Rule[], now: number): Promise<void> {
    const { app, groupId, seen } = this;
    const found = rules.flatMap((rule): readonly SeenRule[] => {
      const { id } = rule;
      return id === null ? [] : [{ ruleId: id, key: ruleKey(rule), changedAt: this.seenChange(rule, now) }];
    });
    const isSame = ({ ruleId, key }: SeenRule): boolean => seen.get(ruleId)?.key === key;
    if (found.length === seen.size && found.every(isSame)) return;
    await saveSeenRules(app.tables, groupId, found);
  }

  private seenChange(rule: Rule, now: number): number | null {
    const before = this.seen.get(rule.id ?? "");
    if (before === undefined) return null;
    return before.key === ruleKey(rule) ? before.changedAt : now;
  }
}
