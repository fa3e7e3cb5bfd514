// Alarms as they were told last, one row each.
import type { Alarm, AlarmState } from "../domain/alarm.ts";
import { AppError } from "../errors/app-error.ts";
import type { Row, Tables } from "../ports/tables.ts";
import { revOf, shapedColumn, withKey } from "./row-shape.ts";

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

/** The ids of alarms whose last telling nobody has acted on yet, to the last page. One that cannot be read is among them. */
export async function unhandledAlarms(tables: Tables): Promise<readonly string[]> {
  const found: string[] = [];
  let from = "";
  for (;;) {
    const page = await tables.range({ table: "alarm", from: [from], to: null, limit: 1000 });
    for (const row of page.rows) if (!isHandled(row)) found.push(String(row.key[0]));
    const last = page.rows.at(-1);
    if (!page.more || !last) return found;
    from = `${String(last.key[0])}\u0001`;
  }
}

function isHandled(row: Row): boolean {
  try {
    return shapedColumn<Partial<AlarmRow>>(row.columns["body"], "alarm", {}).isHandled === true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return false;
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
