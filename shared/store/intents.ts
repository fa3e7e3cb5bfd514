// Intents: what a pass is about to do, booked before the call. One intent is one cloud call with its ClientToken.
import type { GroupRef } from "../domain/ids.ts";
import type { IntendedRule, Intent } from "../domain/ledger-entry.ts";
import { AppError } from "../errors/app-error.ts";
import type { Row, Tables, Write } from "../ports/tables.ts";
import { shapedColumn, withKey } from "./row-shape.ts";
import { specFromJson, specToJson } from "./spec-json.ts";

const PAGE = 1000;

const intentOf = withKey((row: Row): Intent => {
  const body = shapedColumn<Intent & { rules: (IntendedRule & { spec: unknown })[] }>(row.columns["body"], "intent", {
    ...{ group: "object", intentId: "text", call: "text", token: "text", rules: "objects", ruleIds: "texts" },
    ...{ bookedAt: "number", attemptsEndAt: "number" },
  });
  return { ...body, rules: body.rules.map((rule) => ({ ...rule, spec: specFromJson(rule.spec, "intent") })) };
});

const keyOf = (intent: Pick<Intent, "group" | "intentId">): string[] => [intent.group.groupId, intent.intentId];

/** The open intents of a group, in its region, and the ids of rows that cannot be read: what those may still do nobody knows. */
export async function listIntents(
  tables: Tables,
  group: GroupRef,
): Promise<{ readonly intents: readonly Intent[]; readonly unreadable: readonly string[] }> {
  const intents: Intent[] = [];
  const unreadable: string[] = [];
  let from: readonly string[] = [group.groupId];
  for (;;) {
    const page = await tables.range({ table: "intent", from, to: [`${group.groupId}\u0001`], limit: PAGE });
    for (const row of page.rows)
      try {
        const intent = intentOf(row);
        if (intent.group.region === group.region) intents.push(intent);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        unreadable.push(String(row.key[1]));
      }
    const last = page.rows.at(-1)?.key[1];
    if (!page.more || last === undefined) return { intents, unreadable };
    from = [group.groupId, `${last}\0`];
  }
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
