// Takes an alarm: it is stored before anybody is told that it was taken, and acted on afterwards.
import { ALARM_JOB, type Alarm, alarmIdOf, alarmRuleFor } from "../../domain/alarm.ts";
import { isLaterEnd, lockdownEnd } from "../../domain/lockdown.ts";
import type { Policy } from "../../domain/policy.ts";
import { type AlarmRow, deleteUnreadableAlarm, readableAlarm, saveAlarm } from "../../store/alarms.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";

/** Posts of the same time share one row of the job. */
const NET_MS = 15_000;

/**
 * Stores the alarm as it is told now. Answers its row, or null where nothing is to be done for it: a retry, or a state that has been overtaken
 * by a later one, once what was told last is done; or what the lockdown that is on does already. Of one instant, which may be a whole second,
 * each state is heard once, in the order in which they come. What no rule of the policy answers is recorded, and asks for nothing; without a
 * policy that can be read nobody knows, and it waits for one. A row that cannot be read is written anew, as if nothing had been told before: no attack goes unanswered for it.
 */
export async function recordAlarm(app: App, alarm: Alarm, policy: Policy): Promise<AlarmRow | null> {
  const alarmId = alarmIdOf(alarm);
  const now = app.clock.now();
  for (;;) {
    const stored = await readableAlarm(app.tables, alarmId);
    const isBefore = stored !== null && isTold(stored, alarm);
    if (isBefore && stored.isHandled) return null;
    const at = (Math.floor(now / NET_MS) + 2) * NET_MS;
    if (isBefore) {
      // Whoever stored it may have died before it acted on it, and after the job had looked for it in vain.
      await app.tables.writeAll([netOf(alarmId, at)]);
      return stored;
    }
    const toldBefore = stored?.alarm.at === alarm.at ? [...(stored.toldBefore ?? []), stored.alarm.state] : [];
    const isAnswered =
      policy.isStandIn === true || alarmRuleFor(alarm, policy.alarms) !== null || stored?.lockdownId != null;
    const isMoved = stored?.alarm.state !== alarm.state;
    if (stored !== null && !isMoved && isCovered(stored, alarm, policy, now)) {
      // In a storm most posts are such: they cost two calls, and nothing is begun for them.
      if (await saveAlarm(app.tables, { ...stored, alarm, toldBefore, receivedAt: now })) return null;
      continue;
    }
    const known = isAnswered ? "" : "; no rule of the policy answers it";
    const line = `${alarmId}: ${alarm.rule || alarm.metric} of ${alarm.namespace} is ${alarm.state}${known}`;
    const record = { at: now, group: null, cause: "alarm", actor: "monitoring", policyVersion: policy.version };
    const net = isAnswered ? [netOf(alarmId, at)] : [];
    // The rows that lead to it are there before it is.
    if (isMoved) await writeRecord(app, { ...record, lines: [line, aboutOf(alarm)] }, net);
    else if (net.length > 0) await app.tables.writeAll(net);
    const saved = await saveAlarm(app.tables, {
      alarmId,
      alarm,
      toldBefore,
      receivedAt: now,
      isHandled: !isAnswered,
      lockdownId: stored?.lockdownId ?? null,
      // An OK is heard as soon as it is stored: the next ALERT may come before anybody has acted on it.
      isMuted: alarm.state !== "OK" && stored?.isMuted === true,
      rev: stored?.rev ?? 0,
    });
    // Who stood still on the way may be too late for the job of then, by whichever clock that goes.
    const isLate = app.clock.now() > at - NET_MS;
    if (saved && isAnswered && isLate) await app.tables.writeAll([netOf(alarmId, app.clock.now())]);
    if (saved) return saved;
    if (stored === null && (await deleteUnreadableAlarm(app.tables, alarmId)))
      app.log.write("error", `the row of the alarm ${alarmId} could not be read: it says what was told now`);
    await app.clock.sleep(5 * (1 + app.random.fraction() * 4));
  }
}

const netOf = (alarmId: string, at: number) => dueWrite(dueJob(ALARM_JOB, alarmId, at));

/** True for a retry, and for what was overtaken. */
const isTold = ({ alarm: { at, state }, toldBefore = [] }: AlarmRow, alarm: Alarm): boolean =>
  at > alarm.at || (at === alarm.at && (state === alarm.state || toldBefore.includes(alarm.state)));

/** True for an alarm that says again what was acted on, while the lockdown it has on would be neither begun nor lengthened by it. */
function isCovered(stored: AlarmRow, alarm: Alarm, policy: Policy, now: number): boolean {
  const rule = alarmRuleFor(alarm, policy.alarms);
  const { isHandled, isMuted, lockedUntil = null } = stored;
  if (!isHandled || isMuted || alarm.state !== "ALERT" || rule?.action !== "lockdown" || lockedUntil === null)
    return false;
  const until = lockdownEnd(now, rule.periodMs ?? policy.lockdown.periodMs);
  return lockedUntil > now && !isLaterEnd(until, lockedUntil);
}

const aboutOf = ({ dimensions, level, metric }: Alarm): string =>
  [`level ${level}`, `metric ${metric}`, ...Object.entries(dimensions).map(([name, value]) => `${name}=${value}`)].join(
    ", ",
  );
