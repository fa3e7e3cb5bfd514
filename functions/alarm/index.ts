// The function behind the alarm webhook and the products' system events: what comes in is stored, then acted on, then answered.
import { isSecretPath } from "../../shared/access/webhook-secret.ts";
import type { Alarm } from "../../shared/domain/alarm.ts";
import { fail } from "../../shared/errors/app-error.ts";
import { ALARM_BYTES_MAX, readAlarmPost } from "../../shared/events/alarm-post.ts";
import { fieldsOf, parseEvent } from "../../shared/events/event-json.ts";
import { readHttpEvent, toHttpEventResult } from "../../shared/events/http-event.ts";
import { readSystemEvent } from "../../shared/events/system-event.ts";
import { problemOf, problemResponse } from "../../shared/http/problem.ts";
import { endInstanceLeases } from "../../shared/usecases/lease/end-instance-leases.ts";
import { actOnAlarm } from "../../shared/usecases/lockdown/act-on-alarm.ts";
import { recordAlarm } from "../../shared/usecases/lockdown/record-alarm.ts";
import { refuseStateOfOthers } from "../../shared/usecases/operation/own-state.ts";
import { noteRefusal, type RefusalKind } from "../../shared/usecases/records/note-refusal.ts";
import { bootLog } from "../compose.ts";
import { entry, type Invocation } from "../entry.ts";

/** CloudMonitor waits five seconds, a cold start included; what is not done by then is done by the job. */
const ANSWER_MS = 3500;
/** An HTTP event may be Base64 and carries headers beside the body. */
const EVENT_BYTES_MAX = 4 * ALARM_BYTES_MAX;
/** Time kept for the records of the last change, of events that nobody waits for. */
const STOP_MARGIN_MS = 15_000;

export const handler = entry(
  "alarm",
  async (event, invocation) => {
    const size = event instanceof Uint8Array ? event.byteLength : typeof event === "string" ? event.length : 0;
    if (size > EVENT_BYTES_MAX) return refused(invocation, "size", `a post of ${size} bytes`);
    await refuseStateOfOthers(invocation.app);
    const context = fieldsOf(parseEvent(event).value("requestContext"));
    return context === null ? onSystemEvent(event, invocation) : onPost(event, invocation);
  },
  (error, requestId) => {
    // The sender of a post tries again by itself, as the bus does with an event; what cannot be read is not delivered again.
    if (error.entry.retry !== "never" && error.code !== "NOT_READY") throw error;
    return { ...toHttpEventResult(problemResponse(error, requestId)), error: problemOf(error, requestId) };
  },
);

async function onPost(event: unknown, invocation: Invocation): Promise<unknown> {
  const { app, alarmSecrets, requestId } = invocation;
  const arrivedAt = app.clock.monotonicMs();
  const { method, path, headers, body, sourceIp } = readHttpEvent(event, requestId);
  if (!isSecretPath(path, alarmSecrets)) return refused(invocation, "secret", `a wrong secret from ${sourceIp}`);
  if (method !== "POST") return refused(invocation, "method", `a ${method} from ${sourceIp}`);
  let alarm: Alarm;
  try {
    alarm = readAlarmPost(body, headers["content-type"] ?? "", app.clock.now());
  } catch (error) {
    await noteRefusal(app, "form", `an alarm from ${sourceIp} that cannot be read: ${(error as Error).message}`);
    throw error;
  }
  const done = await take(invocation, alarm, arrivedAt, arrivedAt + ANSWER_MS);
  return toHttpEventResult({
    status: 200,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ done }),
  });
}

async function onSystemEvent(event: unknown, invocation: Invocation): Promise<unknown> {
  const { app, leftMs, readPolicyOrDefault } = invocation;
  const arrivedAt = app.clock.monotonicMs();
  const deadlineAt = arrivedAt + Math.max(leftMs / 2, leftMs - STOP_MARGIN_MS);
  const read = readSystemEvent(event, app.clock.now());
  switch (read.kind) {
    case "alarm":
      return { done: await take(invocation, read.alarm, arrivedAt, deadlineAt) };
    case "instanceGone":
      return { ended: await endInstanceLeases(app, await readPolicyOrDefault(), read) };
    case "other":
      return { done: `nothing follows from ${read.type}` };
  }
}

/** Once it is stored, nothing that fails is the sender's business. */
async function take(
  { app, readPolicyOrDefault }: Invocation,
  alarm: Alarm,
  arrivedAt: number,
  deadlineAt: number,
): Promise<string> {
  const policy = await readPolicyOrDefault();
  const row = await recordAlarm(app, alarm, policy);
  if (row === null) return "it was told before";
  // Nobody promises that a webhook is told twice. The job waits for a policy.
  if (policy.isStandIn) return "stored; it is acted on when the policy can be read";
  if (row.isHandled) return "recorded; no rule of the policy answers it";
  try {
    return (await actOnAlarm(app, row.alarmId, { policy, arrivedAt, deadlineAt })) ?? "it is being acted on";
  } catch (error) {
    app.log.write("error", `the alarm ${row.alarmId} is stored and not acted on yet`, { cause: error });
    return "stored; it is acted on within the minute";
  }
}

async function refused({ app, requestId }: Invocation, kind: RefusalKind, what: string): Promise<unknown> {
  bootLog.write("warn", "a post to the alarm webhook is refused", { requestId, what });
  await noteRefusal(app, kind, what);
  const error = kind === "size" ? fail("BODY_TOO_LARGE", { bytes: what, max: ALARM_BYTES_MAX }) : fail("ALARM_REFUSED");
  return toHttpEventResult(problemResponse(error, requestId));
}
