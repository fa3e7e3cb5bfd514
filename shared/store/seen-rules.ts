// What the rules of a group said when the nightly job last looked: one that is changed in place keeps its id and its time of creation.
import type { GroupId, RuleId } from "../domain/ids.ts";
import type { Tables } from "../ports/tables.ts";
import { listColumn, withKey } from "./row-shape.ts";

/** A rule as it was seen. */
export interface SeenRule {
  readonly ruleId: RuleId;
  readonly key: string;
  /** What the prefix list holds that it names, in short; absent where it names none, or nobody could look. */
  readonly list?: string;
  /** When it was changed for the last time, as far as was known then; null: never. */
  readonly changedAt: number | null;
}

const keyOf = (groupId: GroupId): readonly string[] => [`rules/${groupId}`];

const rulesOf = withKey(({ columns }) => listColumn<SeenRule>(columns["body"], "schedule", "objects"));

/** By id; empty before the first look. */
export async function readSeenRules(tables: Tables, groupId: GroupId): Promise<ReadonlyMap<string, SeenRule>> {
  const row = await tables.get("schedule", keyOf(groupId));
  const rules = row === null ? [] : rulesOf(row);
  return new Map(rules.map((rule) => [rule.ruleId, rule]));
}

/** Whoever looks at the same time has seen the same. */
export async function saveSeenRules(tables: Tables, groupId: GroupId, rules: readonly SeenRule[]): Promise<void> {
  await tables.put("schedule", keyOf(groupId), { body: JSON.stringify(rules) }, { kind: "none" });
}
