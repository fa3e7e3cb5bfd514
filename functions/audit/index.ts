// The function behind the EventBridge trigger: calls to security groups, as the account's trail tells of them.

import { AppError } from "../../shared/errors/app-error.ts";
import { readAuditEvent } from "../../shared/events/audit-event.ts";
import { problemOf } from "../../shared/http/problem.ts";
import type { App } from "../../shared/usecases/app.ts";
import { lookAtEvents, tellRefused } from "../../shared/usecases/drift/look-at-event.ts";
import { refuseStateOfOthers } from "../../shared/usecases/operation/own-state.ts";
import { entry, isDeadLetter } from "../entry.ts";

/** Time kept for the read-back and the records of the last change. */
const STOP_MARGIN_MS = 15_000;

async function readOrTell(event: unknown, app: App): Promise<readonly unknown[]> {
  try {
    return readAuditEvent(event);
  } catch (error) {
    if (error instanceof AppError) await tellRefused(app, error.message);
    throw error;
  }
}

export const handler = entry(
  "audit",
  async (event, { app, accountId, readPolicyOrDefault, leftMs }) => {
    // What sweep could not do stays due, and the next tick does it.
    if (isDeadLetter(event)) return [];
    await refuseStateOfOthers(app);
    const records = await readOrTell(event, app);
    const policy = await readPolicyOrDefault();
    const deadlineAt = app.clock.monotonicMs() + Math.max(leftMs / 2, leftMs - STOP_MARGIN_MS);
    return lookAtEvents(app, records, { accountId, policy, deadlineAt });
  },
  (error, requestId) => {
    // An event that cannot be read will not be better the next time; anything else is delivered again.
    if (error.entry.retry !== "never") throw error;
    return { error: problemOf(error, requestId) };
  },
);
