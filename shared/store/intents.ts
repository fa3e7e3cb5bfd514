// Intents: what a pass is about to do, booked before the call. One intent is one cloud call with its ClientToken.
import type { EntryId, GroupRef, RuleId } from "../domain/ids.ts";
import type { RuleSpec } from "../domain/rule.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { parseColumn, specFromJson, specToJson } from "./spec-json.ts";

/** A rule an intent is about to write. */
export interface IntendedRule {
  readonly entryId: EntryId;
  readonly spec: RuleSpec;
  /** The description the rule carries, its mark. */
  readonly description: string;
  /** Ids of the rules with the same key that stood before: never ours by this intent. */
  readonly beforeIds: readonly RuleId[];
}

export interface Intent {
  readonly group: GroupRef;
  readonly intentId: string;
  readonly call: "authorize" | "modify" | "revoke";
  readonly token: string;
  readonly rules: readonly IntendedRule[];
  /** Ids to revoke, or the one to modify. */
  readonly ruleIds: readonly RuleId[];
  readonly cause: string;
  readonly bookedAt: number;
  /** No attempt starts after this instant: the end of the booking pass's lock, or the last attempt when it is known. */
  readonly attemptsEndAt: number;
}

function intentOf(row: Row): Intent {
  const body = parseColumn(row.columns["body"], "intent") as Intent & { rules: (IntendedRule & { spec: unknown })[] };
  return { ...body, rules: body.rules.map((rule) => ({ ...rule, spec: specFromJson(rule.spec, "intent") })) };
}

const keyOf = (intent: Pick<Intent, "group" | "intentId">): string[] => [intent.group.groupId, intent.intentId];

/** The open intents of a group. */
export async function listIntents(tables: Tables, group: GroupRef): Promise<readonly Intent[]> {
  const page = await tables.range({
    table: "intent",
    from: [group.groupId],
    to: [`${group.groupId}\u0001`],
    limit: 1000,
  });
  return page.rows.map(intentOf);
}

export const intentWrite = (intent: Intent): Write => ({
  kind: "put",
  table: "intent",
  key: keyOf(intent),
  columns: {
    body: JSON.stringify({ ...intent, rules: intent.rules.map((rule) => ({ ...rule, spec: specToJson(rule.spec) })) }),
  },
});

export const intentDelete = (intent: Pick<Intent, "group" | "intentId">): Write => ({
  kind: "delete",
  table: "intent",
  key: keyOf(intent),
});
