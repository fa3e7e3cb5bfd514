// Which rows that nobody can read hold up the lifting of a lockdown's drop: the checker allows for no more than hangs on them.
import { expect, test } from "vitest";
import type { EntryId } from "../../../shared/domain/ids.ts";
import type { TableName, Tables } from "../../../shared/ports/tables.ts";
import { type AlarmRow, saveAlarm } from "../../../shared/store/alarms.ts";
import { saveEntry } from "../../../shared/store/ledger.ts";
import { saveLockdown } from "../../../shared/store/lockdowns.ts";
import { schemas } from "../../../shared/store/tables.ts";
import { memoryTables } from "../../kit/memory-tables.ts";
import { anEntry } from "../../kit/plan-pictures.ts";
import { aLockdown } from "../../kit/recycling.ts";
import { UnreadableRows } from "../unreadable-rows.ts";
import { holdsUpLifting } from "./lockdown-leaves-nothing.ts";

const entry = { ...anEntry(), rev: 0 };
const { groupId } = entry.group;
const UNTIL = 1000;

const alarm = (state: AlarmRow["alarm"]["state"], isHandled: boolean) => (tables: Tables) =>
  saveAlarm(tables, {
    ...{ alarmId: "al-1", toldBefore: [], receivedAt: 0, isHandled, lockdownId: null, isMuted: false, rev: 0 },
    alarm: {
      ...{ rule: "flood", ruleId: "", namespace: "acs_ecs", metric: "bps", level: "CRITICAL", dimensions: {}, at: 0 },
      state,
    },
  });
const lockdown = (tables: Tables) =>
  saveLockdown(tables, aLockdown({ groups: aLockdown().groups.map((it) => ({ ...it, group: entry.group })) }));
const ofGroup = { groupId, entryId: entry.entryId };

test.each<[string, TableName, (tables: Tables) => Promise<unknown>, { groupId: string; entryId: EntryId }, boolean]>([
  ["an alarm that is over, and was not acted on", "alarm", alarm("OK", false), ofGroup, true],
  ["an alarm whose end was acted on", "alarm", alarm("OK", true), ofGroup, false],
  ["an alarm that goes on: its end would be written in its place", "alarm", alarm("ALERT", false), ofGroup, false],
  ["a lockdown of the group", "lockdown", lockdown, ofGroup, true],
  ["a lockdown of another group", "lockdown", lockdown, { ...ofGroup, groupId: "sg-other" }, false],
  ["the ledger's row of the drop", "ledger", (tables) => saveEntry(tables, entry), ofGroup, true],
  [
    "the ledger's row of another drop",
    "ledger",
    (tables) => saveEntry(tables, entry),
    { ...ofGroup, entryId: "e-0" as EntryId },
    false,
  ],
])("%s", async (_, table, save, of, isHeldUp) => {
  const tables = memoryTables(schemas);
  await save(tables);
  const rows = new UnreadableRows();
  for (const row of (await tables.range({ table, from: [""], to: null, limit: 10 })).rows) rows.note(table, row, UNTIL);
  expect(rows.until((row) => holdsUpLifting(row, of.groupId, of.entryId))).toBe(isHeldUp ? UNTIL : 0);
});
