// Alarms as they were told last, one row each.
import type { Alarm, AlarmState } from "../domain/alarm.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { readable, revOf, shapedColumn, withKey } from "./row-shape.ts";

/** An alarm, and what has been done for it. Instants in milliseconds. */
export interface AlarmRow {
  readonly alarmId: string;
  readonly alarm: Alarm;
  /** Other states that were told before it of the same instant. Missing in rows of earlier versions. */
  readonly toldBefore?: readonly AlarmState[];
  readonly receivedAt: number;
  /** True when what this telling asks for was done, or when it asks for nothing. */
  readonly isHandled: boolean;
  /** The lockdown that it has on; null without. */
  readonly lockdownId: string | null;
  /** The end of that lockdown as of when the alarm was acted on last; null without. Missing in rows of earlier versions. */
  readonly lockedUntil?: number | null;
  /** True while a person has lifted that lockdown and the alarm has not been OK since: it starts no other. */
  readonly isMuted: boolean;
  /** 0 for a row that is not stored yet. */
  readonly rev: number;
}

const alarmOf = withKey((row: Row): AlarmRow => {
  const body = shapedColumn<AlarmRow>(row.columns["body"], "alarm", {
    ...{ alarmId: "text", alarm: "object", toldBefore: "list?", receivedAt: "number" },
  });
  return { ...body, rev: revOf(row.columns, "alarm") };
});

/** One alarm, or null. */
export async function getAlarm(tables: Tables, alarmId: string): Promise<AlarmRow | null> {
  const row = await tables.get("alarm", [alarmId]);
  return row && alarmOf(row);
}

/** As `getAlarm`; null where it cannot be read. */
export async function readableAlarm(tables: Tables, alarmId: string): Promise<AlarmRow | null> {
  const row = await tables.get("alarm", [alarmId]);
  return row && (readable([row], alarmOf).items[0] ?? null);
}

/** Deletes the row of an alarm that nobody can read, and no other, so that it can be written anew; true where there was one. */
export async function deleteUnreadableAlarm(tables: Tables, alarmId: string): Promise<boolean> {
  const row = await tables.get("alarm", [alarmId]);
  if (!row || readable([row], alarmOf).unreadable.length === 0) return false;
  const { body } = row.columns;
  await tables.delete(
    "alarm",
    row.key,
    body === undefined ? { kind: "none" } : { kind: "equals", column: "body", value: body },
  );
  return true;
}

/** Every alarm, to the last page, and the ids of those that cannot be read. */
export async function listAlarms(
  tables: Tables,
): Promise<{ readonly alarms: readonly AlarmRow[]; readonly unreadable: readonly string[] }> {
  const alarms: AlarmRow[] = [];
  const unreadable: string[] = [];
  for (let from = ""; ; ) {
    const page = await tables.range({ table: "alarm", from: [from], to: null, limit: 1000 });
    const { items, unreadable: keys } = readable(page.rows, alarmOf);
    alarms.push(...items);
    unreadable.push(...keys.map(([id]) => String(id)));
    const last = page.rows.at(-1);
    if (!page.more || !last) return { alarms, unreadable };
    from = `${String(last.key[0])}\u0001`;
  }
}

/** Stores an alarm if its row is still at `rev`; answers it as stored, or null when somebody else was faster. */
export async function saveAlarm(tables: Tables, alarm: AlarmRow): Promise<AlarmRow | null> {
  const { rev, ...body } = alarm;
  const condition =
    rev === 0 ? ({ kind: "absent" } as const) : ({ kind: "equals", column: "rev", value: rev } as const);
  const outcome = await tables.put("alarm", [alarm.alarmId], { body: JSON.stringify(body), rev: rev + 1 }, condition);
  return outcome === "written" ? { ...alarm, rev: rev + 1 } : null;
}
