// The tables of one installation and their keys.
import { RECORDS_FLOOR_DAYS } from "../domain/record-chain.ts";
import type { TableName, TableSchema } from "../ports/tables.ts";

const table = (name: TableName, key: string, timeToLiveS = -1): TableSchema => ({
  name,
  key: key.split(" ").map((part) => {
    const [column = "", type] = part.split(":");
    return { name: column, type: type === "integer" ? "integer" : "string" };
  }),
  timeToLiveS,
});

const daysS = (days: number): number => days * 86_400;

/**
 * Every table the program uses. Records keep 180 days, the least the audit promises, and their seals longer; what became of entries, of drift and of
 * unused rules, with the rules that were removed, and evidence of use over a year; idempotency keys two days; what was told to whom
 * a month, by which a repeated notice is known.
 */
export const schemas: readonly TableSchema[] = [
  table("group", "region group"),
  table("ledger", "group entry"),
  table("history", "group entry at", daysS(400)),
  table("drift", "group drift", daysS(400)),
  table("evidence", "member day protocol port:integer", daysS(400)),
  table("recycling", "group item", daysS(400)),
  table("sighting", "group event", daysS(14)),
  table("due", "shard:integer at:integer kind id"),
  table("lease", "lease"),
  table("idempotency", "key", daysS(2)),
  table("intent", "group intent"),
  table("lock", "group"),
  table("record", "chain sequence", daysS(RECORDS_FLOOR_DAYS)),
  table("seal", "number:integer", daysS(400)),
  table("token", "token"),
  table("policy", "name version:integer"),
  table("budget", "region api"),
  table("schedule", "name"),
  table("attention", "kind id"),
  table("place", "person"),
  table("alarm", "alarm", daysS(90)),
  table("lockdown", "scope sequence:integer", daysS(400)),
  table("preparation", "region group"),
  table("outbox", "rank:integer at:integer notice"),
  table("delivery", "id", daysS(30)),
  table("audit", "month place", daysS(1200)),
];
