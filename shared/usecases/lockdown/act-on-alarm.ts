// Does what the policy answers to an alarm, and takes back what the alarm began once it is over.
import {
  type Alarm,
  type AlarmRule,
  alarmRuleFor,
  type LockdownScope,
  OPTIMISE_JOB,
  subjectOf,
  subjectText,
} from "../../domain/alarm.ts";
import { formatUtc } from "../../domain/instant.ts";
import { lockdownIdOf, scopeName } from "../../domain/lockdown.ts";
import { noticeOf } from "../../domain/notice.ts";
import type { Policy } from "../../domain/policy.ts";
import { AppError } from "../../errors/app-error.ts";
import { type AlarmRow, getAlarm, saveAlarm } from "../../store/alarms.ts";
import { dueJob, dueWrite } from "../../store/due.ts";
import { acquireLock } from "../../store/lock.ts";
import { lastLockdown } from "../../store/lockdowns.ts";
import { noticeWrites } from "../../store/outbox.ts";
import { writeRecord } from "../../store/records.ts";
import type { App } from "../app.ts";
import { tellOnce } from "../notices/tell.ts";
import { restoreRecent } from "../recycling/restore-recent.ts";
import { endCause, liftLockdown } from "./lift-lockdown.ts";
import { startLockdown } from "./start-lockdown.ts";

export interface ActOptions {
  readonly policy: Policy;
  /** Monotonic instant at which the alarm came in. */
  readonly arrivedAt: number;
  readonly deadlineAt: number;
}

const LOCK_MARGIN_MS = 30_000;
const ROUNDS_MAX = 5;

/**
 * Acts on the alarm as it is stored, and again while it moves meanwhile. Answers what was done, or null when somebody else acts on it, or
 * nobody can read it.
 * Throws what cloud or store answer: the alarm stays unhandled, and the job tries again.
 */
export async function actOnAlarm(app: App, alarmId: string, options: ActOptions): Promise<string | null> {
  const holder = Buffer.from(app.random.bytes(8)).toString("hex");
  const lockMs = Math.ceil(Math.max(0, options.deadlineAt - app.clock.monotonicMs())) + LOCK_MARGIN_MS;
  const lock = await acquireLock(app.tables, app.clock, `alarm:${alarmId}`, { holder, lockMs, marginMs: 0 });
  if (lock === null) return null;
  try {
    let done = "nothing is to be done";
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const row = await rowOf(app, alarmId);
      if (row === "unreadable") return null;
      if (row === null || row.isHandled) return done;
      const answer = await answered(app, row, options);
      done = answer.done;
      // One that has moved meanwhile is acted on once more, by what it says by then.
      for (let tries = 0; tries < ROUNDS_MAX; tries++) {
        const fresh = await getAlarm(app.tables, alarmId);
        if (fresh === null) return done;
        const isHandled = fresh.alarm.at === row.alarm.at && fresh.alarm.state === row.alarm.state;
        const { lockdownId, until: lockedUntil = null } = answer;
        if (await saveAlarm(app.tables, { ...fresh, isHandled, lockdownId, lockedUntil })) break;
      }
    }
    return done;
  } finally {
    await lock.release().catch(() => undefined);
  }
}

/** Of one that cannot be read people are told once a day: an attack may go unanswered, or what was closed for one stay closed. */
async function rowOf(app: App, alarmId: string): Promise<AlarmRow | "unreadable" | null> {
  try {
    return await getAlarm(app.tables, alarmId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    app.log.write("error", `the row of the alarm ${alarmId} cannot be read: nobody acts on it`, { cause: error });
    const at = app.clock.now();
    const what = `the row of the alarm ${alarmId} cannot be read: no lockdown that it asks for begins, and one that it has on goes on to its time, or to POST /v1/lockdown/{id}:lift`;
    const to = [{ kind: "role", role: "operator" }] as const;
    const dedupe = `alarm-unreadable/${alarmId}/${formatUtc(at).slice(0, 10)}`;
    await tellOnce(app, [noticeOf("healthAlarm", { at, group: null, to, dedupe, data: { what, since: null } })]);
    return "unreadable";
  }
}

interface Answer {
  readonly done: string;
  readonly lockdownId: string | null;
  /** Of a lockdown that is on now. */
  readonly until?: number;
}

async function answered(app: App, row: AlarmRow, options: ActOptions): Promise<Answer> {
  const { alarm, lockdownId } = row;
  const rule = alarmRuleFor(alarm, options.policy.alarms);
  switch (alarm.state) {
    case "ALERT":
      return rule === null
        ? { done: "no rule of the policy answers it", lockdownId }
        : alerted(app, row, rule, options);
    case "OK":
      return { done: await over(app, row, options), lockdownId: null };
    case "INSUFFICIENT_DATA":
      return { done: "without data nothing follows", lockdownId };
  }
}

async function alerted(app: App, row: AlarmRow, rule: AlarmRule, options: ActOptions): Promise<Answer> {
  const { alarm, alarmId, lockdownId } = row;
  const { policy } = options;
  if (rule.action !== "lockdown") return { done: await otherwise(app, row, rule.action, options), lockdownId };
  if (row.isMuted) return { done: "a person has lifted its lockdown, and it has not been OK since", lockdownId };
  const scope = rule.scope ?? instanceOf(alarm);
  if (scope === null) {
    await refusedTo(app, policy, row, "it names no instance, and its rule no groups");
    return { done: "it names no instance", lockdownId };
  }
  try {
    const lockdown = await startLockdown(app, {
      decidedBy: `alarms[${policy.alarms.indexOf(rule)}]: ${rule.rule ?? rule.namespace ?? "any"}, lockdown`,
      ...{ scope, policy, cause: alarmId, principal: "alarm", reason: alarm.rule || alarm.metric, waivedBy: null },
      periodMs: rule.periodMs ?? policy.lockdown.periodMs,
      toldAt: row.receivedAt,
      ...{ arrivedAt: options.arrivedAt, deadlineAt: options.deadlineAt },
    });
    // The other alarm of the same scope may have been over in this very moment, and this one is what keeps it on.
    const { lockdownId: id, until } = lockdown;
    return { done: `lockdown ${id} until ${new Date(until).toISOString()}`, lockdownId: id, until };
  } catch (error) {
    if (!(error instanceof AppError) || error.entry.retry !== "never") throw error;
    // The same again would not help: people have to.
    await refusedTo(app, policy, row, error.message);
    return { done: error.code, lockdownId };
  }
}

/** The answers that an `OK` has nothing of to take back. */
async function otherwise(
  app: App,
  { alarm, alarmId }: AlarmRow,
  action: Exclude<AlarmRule["action"], "lockdown">,
  { policy, deadlineAt }: ActOptions,
): Promise<string> {
  const people = await told(app, alarm, alarmId);
  if (action === "notify") return people;
  if (action === "optimise") {
    // The alarm is a hint: what has no traffic is judged by evidence, now and by its last 72 hours.
    const subject = subjectText(subjectOf(alarm));
    await app.tables.writeAll([dueWrite(dueJob(OPTIMISE_JOB, subject || null, app.clock.now()))]);
    return `the rules of ${subject || "all groups"} are judged at the next tick; ${people}`;
  }
  const restored = await restoreRecent(app, policy, alarm, deadlineAt);
  return restored.length === 0 ? `nothing was closed there lately; ${people}` : `given back: ${restored.join(", ")}`;
}

async function over(app: App, row: AlarmRow, options: ActOptions): Promise<string> {
  const begun = new Set(await begunBy(app, row, options.policy));
  if (row.lockdownId !== null) begun.add(row.lockdownId);
  const done: string[] = [];
  for (const lockdownId of begun) done.push(await withoutCause(app, lockdownId, row.alarmId, options));
  return done.length === 0 ? "it began nothing that is still on" : done.join("; ");
}

async function withoutCause(
  app: App,
  lockdownId: string,
  cause: string,
  { policy, deadlineAt }: ActOptions,
): Promise<string> {
  const lockdown = await endCause(app, lockdownId, cause);
  if (!lockdown || lockdown.state === "lifted") return `${lockdownId} was over already`;
  if (lockdown.causes.length > 0) return `${lockdownId} goes on for ${lockdown.causes.map((it) => it.by).join(", ")}`;
  const { state } = await liftLockdown(app, lockdownId, { policy, by: cause, isPerson: false, deadlineAt });
  return `${lockdownId} is ${state}`;
}

/**
 * Lockdowns that are on for the alarm. Its row may name none, or one from before: their starter may have died before it said so. The last of
 * a scope that cannot be read may be one: it ends with the alarm where nothing else is known to have it on.
 */
async function begunBy(app: App, { alarm, alarmId }: AlarmRow, policy: Policy): Promise<readonly string[]> {
  const begun: string[] = [];
  for (const rule of policy.alarms) {
    const scope = rule.action === "lockdown" && alarmRuleFor(alarm, [rule]) ? (rule.scope ?? instanceOf(alarm)) : null;
    if (!scope) continue;
    const found = await lastLockdown(app.tables, scopeName(scope));
    if (found?.lockdown === null) begun.push(lockdownIdOf(scopeName(scope), found.sequence));
    const last = found?.lockdown;
    if (last && last.state !== "lifted" && last.causes.some((it) => it.by === alarmId)) begun.push(last.lockdownId);
  }
  return begun;
}

const instanceOf = ({ dimensions }: Alarm): LockdownScope | null => {
  const instanceId = dimensions["instanceId"];
  return instanceId === undefined || instanceId === "" ? null : { kind: "instance", instanceId };
};

async function told(app: App, alarm: Alarm, alarmId: string): Promise<string> {
  const at = app.clock.now();
  const { rule, metric, state, dimensions } = alarm;
  const target = Object.entries(dimensions).map(([name, value]) => `${name}=${value}`);
  const notice = noticeOf("alarmReceived", {
    at,
    group: null,
    to: [{ kind: "role", role: "operator" }],
    dedupe: `${alarmId} ${alarm.at} ${state}`,
    data: { rule: rule || metric, metric, state, target: target.join(", ") },
  });
  await app.tables.writeAll([...noticeWrites(notice)]);
  return "people are told";
}

/** An attack that nothing is done about is what people have to hear of first. */
async function refusedTo(app: App, policy: Policy, { alarm, alarmId }: AlarmRow, why: string): Promise<void> {
  const record = { at: app.clock.now(), group: null, cause: "alarm", actor: "safeport", policyVersion: policy.version };
  app.log.write("error", `no lockdown follows the alarm ${alarmId}`, { why });
  await writeRecord(app, { ...record, lines: [`no lockdown for ${alarmId}: ${why}`] });
  await told(app, alarm, alarmId);
}
