// What is to be done for lockdowns and alarms is booked again when the rows that say so may be lost.
import { ALARM_JOB, alarmRuleFor, OPTIMISE_JOB, subjectOf, subjectText } from "../../domain/alarm.ts";
import { LOCKDOWN_JOB } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { STANDBY_JOB } from "../../domain/standby.ts";
import { type AlarmRow, listAlarms } from "../../store/alarms.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { lockdownsSince } from "../../store/lockdowns.ts";
import { listStandbySets } from "../../store/standby-sets.ts";
import type { App } from "../app.ts";

/** What was over for so long has been looked at once more after its end, and what an alarm of then had judged is judged. */
const OVER_MS = 24 * 60 * 60_000;

/**
 * Each that is on or was lately, each alarm that waits, what alarms have had judged lately, and the lists. All these jobs look first: one row
 * too many does no harm.
 */
export async function rebookLockdowns(app: App, policy: Policy): Promise<void> {
  const now = app.clock.now();
  const lockdowns = await lockdownsSince(app.tables, now - OVER_MS);
  const { alarms, unreadable: lost } = await listAlarms(app.tables);
  const waiting = [...alarms.flatMap((it) => (it.isHandled ? [] : it.alarmId)), ...lost];
  const { sets, unreadable } = await listStandbySets(app.tables);
  const rows = [
    ...lockdowns.map((id) => dueJob(LOCKDOWN_JOB, id, now)),
    ...waiting.map((id) => dueJob(ALARM_JOB, id, now)),
    ...alarms
      .filter((it) => isErrand(it, policy, now))
      .map(({ alarm }) => dueJob(OPTIMISE_JOB, subjectText(subjectOf(alarm)) || null, now)),
    ...(sets.length + unreadable.length > 0 ? [dueJob(STANDBY_JOB, "look", now)] : []),
  ];
  await app.tables.writeAll(rows.map(dueWrite));
}

/** True where the policy answers it by having ports judged: its row does not say how far that has come. */
const isErrand = ({ alarm, isHandled, receivedAt }: AlarmRow, { alarms }: Policy, now: number): boolean =>
  isHandled &&
  alarm.state === "ALERT" &&
  receivedAt > now - OVER_MS &&
  alarmRuleFor(alarm, alarms)?.action === "optimise";
