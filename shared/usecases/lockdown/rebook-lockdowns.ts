// What is to be done for lockdowns and alarms is booked again when the rows that say so may be lost.
import { ALARM_JOB } from "../../domain/alarm.ts";
import { LOCKDOWN_JOB } from "../../domain/lockdown.ts";
import { STANDBY_JOB } from "../../domain/standby.ts";
import { listAlarms } from "../../store/alarms.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { lockdownsSince } from "../../store/lockdowns.ts";
import { listStandbySets } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";

/** What was over for so long has been looked at once more after its end. */
const OVER_MS = 24 * 60 * 60_000;

/** Each that is on or was lately, each alarm that waits, and the lists. All these jobs look first: one row too many does no harm. */
export async function rebookLockdowns(app: App): Promise<void> {
  const now = app.clock.now();
  const lockdowns = await lockdownsSince(app.tables, now - OVER_MS);
  const { alarms, unreadable: lost } = await listAlarms(app.tables);
  const waiting = [...alarms.flatMap((it) => (it.isHandled ? [] : it.alarmId)), ...lost];
  const { sets, unreadable } = await listStandbySets(app.tables);
  const rows = [
    ...lockdowns.map((id) => dueJob(LOCKDOWN_JOB, id, now)),
    ...waiting.map((id) => dueJob(ALARM_JOB, id, now)),
    ...(sets.length + unreadable.length > 0 ? [dueJob(STANDBY_JOB, "look", now)] : []),
  ];
  await app.tables.writeAll(rows.map(dueWrite));
}
