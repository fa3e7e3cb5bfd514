// Intents: what a pass is about to do, booked before the call. One intent is one cloud call with its ClientToken.
import type { GroupRef } from "../domain/ids.ts";
import type { IntendedRule, Intent } from "../domain/ledger-entry.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { parseColumn, specFromJson, specToJson } from "./spec-json.ts";

function intentOf(row: Row): Intent {
  const body = parseColumn(row.columns["body"], "intent") as Intent & { rules: (IntendedRule & { spec: unknown })[] };
  return { ...body, rules: body.rules.map((rule) => ({ ...rule, spec: specFromJson(rule.spec, "intent") })) };
}

const keyOf = (intent: Pick<Intent, "group" | "intentId">): string[] => [intent.group.groupId, intent.intentId];

/** The open intents of a group, in its region. */
export async function listIntents(tables: Tables, group: GroupRef): Promise<readonly Intent[]> {
  const page = await tables.range({
    table: "intent",
    from: [group.groupId],
    to: [`${group.groupId}\u0001`],
    limit: 1000,
  });
  return page.rows.map(intentOf).filter((intent) => intent.group.region === group.region);
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
